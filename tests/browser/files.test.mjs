// Places and files: what is opened last is shown, and a file that cannot be used says why.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { drawn, drop, launch, notice, open, placeTransmitter, saysSomethingNew } from './lib.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** Two blocks far from any of the page's places. */
const VILLAGE = JSON.stringify({
  type: 'MultiPolygon',
  coordinates: [0, 0.0006].map((east) => [[[9, 50], [9.0004, 50], [9.0004, 50.0004], [9, 50.0004], [9, 50]].map(([lng, lat]) => [lng + east, lat])]),
});

test('a map that comes after another place was opened is not shown over it', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  // Answers wait until they are let go.
  await page.evaluate(() => {
    const { engine } = window.radiodiff;
    const predict = engine.predict.bind(engine);
    window.held = [];
    engine.predict = async (request) => {
      const answer = await predict(request);
      await new Promise((go) => window.held.push(go));
      return answer;
    };
  });
  const letGo = async () => {
    await page.waitForFunction(() => window.held.length, undefined, { timeout: 60_000 });
    await page.evaluate(() => window.held.shift()());
  };
  const box = await page.locator('#map').boundingBox();
  await page.mouse.click(box.x + 0.3 * box.width, box.y + 0.3 * box.height);
  await page.waitForFunction(() => window.held.length, undefined, { timeout: 60_000 });
  await drop(page, 'village.geojson', VILLAGE);
  await page.waitForFunction(() => document.getElementById('place').innerText === 'village.geojson');
  await letGo();
  await page.waitForFunction(() => window.held.length, undefined, { timeout: 60_000 });
  assert.equal(await page.evaluate(() => window.radiodiff.map), undefined, 'the map of the place before is shown');
  while ((await page.evaluate(() => document.documentElement.dataset.state)) !== 'ready') {
    await letGo();
    await page.waitForFunction(() => window.held.length || document.documentElement.dataset.state === 'ready', undefined, { timeout: 60_000 });
  }
  assert.ok((await page.evaluate(() => window.radiodiff.map.bounds.west)) < 9);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test("a file takes the place's credit away, and the place can be chosen again", { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const shown = () => page.evaluate(() => ['place', 'credit'].map((id) => document.getElementById(id).innerText));
  const before = await shown();
  await drop(page, 'village.geojson', VILLAGE);
  await page.waitForFunction(() => document.getElementById('place').innerText === 'village.geojson');
  await drawn(page);
  assert.deepEqual(await shown(), ['village.geojson', 'from village.geojson']);
  assert.equal(await page.inputValue('#places'), '');
  await page.selectOption('#places', '0');
  await page.waitForFunction((before) => document.getElementById('place').innerText === before, before[0]);
  await drawn(page);
  assert.deepEqual(await shown(), before);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('of two places chosen quickly the last is shown, and one that cannot be had leaves the menu as it was', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const release = [];
  await page.route('**/scenes/*.geojson', async (route) => {
    await new Promise((go) => release.push(go));
    await route.continue();
  });
  const title = (index) => page.locator('#places option').nth(index).innerText();
  await page.selectOption('#places', '1');
  await page.selectOption('#places', '2');
  while (release.length < 2) await page.waitForTimeout(20);
  const [late, first] = [page.waitForResponse('**/helsinki*'), page.waitForResponse('**/paris*')];
  release[1]();
  await first;
  await page.waitForFunction((title) => document.getElementById('place').innerText === title, await title(2));
  await drawn(page);
  release[0]();
  await (await late).finished();
  await placeTransmitter(page, 0.3, 0.3);
  assert.equal(await page.locator('#place').innerText(), await title(2));
  assert.equal(await page.inputValue('#places'), '2');

  await page.unroute('**/scenes/*.geojson');
  await page.route('**/scenes/*.geojson', (route) => route.abort());
  const before = await notice(page);
  await page.selectOption('#places', '0');
  await saysSomethingNew(page, before);
  assert.equal(await page.inputValue('#places'), '2');
  assert.deepEqual(page.failures, []);
  await page.close();
});

const polygon = (ring) => JSON.stringify({ type: 'Feature', properties: { name: 'Rathaus' }, geometry: { type: 'Polygon', coordinates: [ring] } });

for (const [what, text, words] of [
  ['cut off in the middle', '{"type": "FeatureCollection", "features": [', /buildings\.geojson.*cannot be read.*line 1/],
  ['empty', '{"type": "FeatureCollection", "features": []}', /buildings\.geojson.*no usable building/],
  ['self-crossing', polygon([[24.94, 60.17], [24.941, 60.171], [24.941, 60.17], [24.94, 60.171], [24.94, 60.17]]), /Rathaus.*crosses.*itself/],
  ['with NaN', '{"type": "Polygon", "coordinates": [[[NaN, 60.17], [24.941, 60.17], [24.941, 60.171], [NaN, 60.17]]]}', /buildings\.geojson.*cannot be read/],
  ['off the globe', polygon([[500, 100], [501, 100], [501, 101], [500, 100]]), /Rathaus.*point 0 \(500, 100\)/],
]) {
  test(`a GeoJSON file that is ${what} gives a notice that says where, and the page goes on`, { timeout: 300_000 }, async () => {
    const page = await open(browser);
    const before = await notice(page);
    await drop(page, 'buildings.geojson', text);
    assert.match(await saysSomethingNew(page, before), words);
    await drawn(page);
    await placeTransmitter(page, 0.7, 0.3);
    assert.deepEqual(page.failures, []);
    await page.close();
  });
}

test('a file that was mended and is chosen again opens, and its old error goes', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const before = await notice(page);
  const choose = (text) => page.setInputFiles('#file', { name: 'site.geojson', mimeType: 'application/geo+json', buffer: Buffer.from(text) });
  await choose(VILLAGE.slice(0, -10));
  assert.match(await saysSomethingNew(page, before), /site\.geojson.*cannot be read/);
  // A browser fires no change event for a file whose name the field still holds.
  assert.equal(await page.inputValue('#file'), '');
  await choose(VILLAGE);
  await page.waitForFunction(() => document.getElementById('place').innerText === 'site.geojson');
  await drawn(page);
  assert.doesNotMatch(await notice(page), /cannot be read/);
  assert.deepEqual(page.failures, []);
  await page.close();
});
