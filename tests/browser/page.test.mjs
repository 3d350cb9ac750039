// The page as a visitor uses it: it opens with a map, redraws on a click, takes files of any kind and goes on working.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { drawn, drop, launch, notice, open, shownMap } from './lib.mjs';
import { agreement, faults } from './plausible.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** Clicks the map at a share of its width and height and waits for the map that answers. */
async function placeTransmitter(page, x, y) {
  const before = await page.evaluate(() => { window.mapBefore = window.radiodiff.map; return window.radiodiff.request.transmitters[0]; });
  const box = await page.locator('#map').boundingBox();
  await page.mouse.click(box.x + x * box.width, box.y + y * box.height);
  await page.waitForFunction(() => window.radiodiff.map !== window.mapBefore, undefined, { timeout: 90_000 });
  await drawn(page);
  return before;
}

test('a click moves the transmitter and the map follows it', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const first = await shownMap(page);
  const before = await placeTransmitter(page, 0.25, 0.25);
  const second = await shownMap(page);
  assert.notDeepEqual(second.request.transmitters[0], before);
  assert.deepEqual(faults(second), []);
  assert.ok(agreement(first.values, second.values, 1) < 0.9, 'the map did not change');
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a phone sees the whole page without scrolling sideways', { timeout: 200_000 }, async () => {
  const page = await open(browser, { viewport: { width: 375, height: 740 } });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `${overflow} pixels stick out`);
  const box = await page.locator('#map').boundingBox();
  assert.ok(box.width >= 300, `the map is ${box.width} pixels wide`);
  await page.close();
});

const polygon = (ring) => JSON.stringify({ type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [ring] } });
for (const [what, text] of [
  ['cut off in the middle', '{"type": "FeatureCollection", "features": ['],
  ['empty', '{"type": "FeatureCollection", "features": []}'],
  ['self-crossing', polygon([[24.94, 60.17], [24.941, 60.171], [24.941, 60.17], [24.94, 60.171], [24.94, 60.17]])],
  ['with NaN', '{"type": "Polygon", "coordinates": [[[NaN, 60.17], [24.941, 60.17], [24.941, 60.171], [NaN, 60.17]]]}'],
  ['off the globe', polygon([[500, 100], [501, 100], [501, 101], [500, 100]])],
]) {
  test(`a GeoJSON file that is ${what} gives a notice and the page goes on`, { timeout: 300_000 }, async () => {
    const page = await open(browser);
    const before = await notice(page);
    await drop(page, 'buildings.geojson', text);
    await page.waitForFunction((before) => {
      const text = document.querySelector('[role=status]')?.innerText;
      return text && text !== before;
    }, before, { timeout: 60_000 });
    await drawn(page);
    await placeTransmitter(page, 0.7, 0.3);
    assert.deepEqual(page.failures, []);
    await page.close();
  });
}
