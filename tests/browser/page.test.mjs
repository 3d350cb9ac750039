// The page as a visitor uses it: it opens with a map, and redraws when the transmitter or a layer is chosen.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { MODEL, dragMarker, drawn, launch, notice, open, openGenerated, placeTransmitter, saysSomethingNew, shownMap, spot } from './lib.mjs';
import { agreement, faults } from './plausible.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

test('the page opens on the physical layer, without the networks, and says what each layer is worth', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const downloads = () => page.evaluate((model) => performance.getEntriesByName(new URL(model, location.href).href).length, MODEL);
  const shown = () => page.evaluate(() => [document.getElementById('layer').value, window.radiodiff.map.method]);
  const worth = () => page.locator('#worth').innerText();
  assert.deepEqual([await shown(), await downloads()], [['physical', 'dominant-path'], 0]);
  assert.match(await worth(), /most accurate.*22 real maps.*NMSE 0\.0024, 1\.5 dB/);
  await page.selectOption('#layer', 'generated');
  await drawn(page);
  assert.deepEqual([await shown(), await downloads()], [['generated', 'network'], 1]);
  assert.match(await worth(), /22 real maps.*NMSE 0\.0238, 4\.9 dB.*More steps make the map worse.*0\.057, 0\.106 and 0\.143 in 1, 3 and 10 steps/);
  await page.selectOption('#layer', 'difference');
  await drawn(page);
  assert.match(await worth(), /1\.5 dB against 4\.9 dB/);
  assert.equal(await downloads(), 1, 'the networks were loaded again');
  assert.deepEqual(page.failures, []);
  await page.close();
});

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

test('a map follows the transmitter while it is dragged, and the last is drawn by what was chosen', { timeout: 300_000 }, async () => {
  const page = await openGenerated(browser);
  // The first place's transmitter stands west of the middle.
  const before = await page.evaluate(() => window.radiodiff.map.transmitter.lng);
  await dragMarker(page, 0.5, 0.3);
  await page.waitForFunction((before) => window.radiodiff.map.transmitter.lng > before, before, { timeout: 30_000 });
  await page.mouse.up();
  await drawn(page);
  const { shown, chosen, share } = await page.evaluate(() => {
    const { map } = window.radiodiff;
    const { west, east } = map.bounds;
    return { shown: map.method, chosen: document.getElementById('layer').value, share: (map.transmitter.lng - west) / (east - west) };
  });
  assert.deepEqual([shown, chosen], ['network', 'generated']);
  assert.ok(Math.abs(share - 0.5) < 0.01, `the transmitter ended at ${share} of the width`);
  assert.deepEqual(page.failures, []);
  await page.close();
});

/** Waits until the page has both maps of the transmitter. */
const bothMaps = (page) => page.waitForFunction(() => window.radiodiff.difference, undefined, { timeout: 60_000 });

test('the physical map and its difference to the generated one are layers, with both under the cursor', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await page.selectOption('#layer', 'physical');
  await drawn(page);
  assert.equal(await page.evaluate(() => window.radiodiff.map.method), 'dominant-path');
  assert.match(await page.locator('#engine').innerText(), /^Dominant path/);
  await page.selectOption('#layer', 'difference');
  await drawn(page);
  await bothMaps(page);
  const found = await page.evaluate(() => {
    const { maps, difference, map } = window.radiodiff;
    const [generated, physical] = [maps.network.values, maps['dominant-path'].values];
    const wrong = difference.values.filter((value, i) => Math.abs(value - (generated[i] - physical[i])) > 1e-4 || Number.isNaN(value) !== Number.isNaN(physical[i]));
    const { rms } = difference.stats();
    const squares = difference.values.filter((value) => !Number.isNaN(value)).map((value) => value ** 2);
    // What the overlay's picture has where one is clearly stronger, and where they agree.
    const { map: shown, options } = window.radiodiff.picture();
    const { data } = shown.toImage(options);
    const color = (wanted) => {
      const i = difference.values.findIndex(wanted);
      const [r, g, b] = data.slice(4 * i, 4 * i + 3);
      return { r, g, b };
    };
    const at = difference.values.findIndex((value, i) => Math.abs(value) > 3 && Math.abs(value) < 15 && i > 40 * map.size);
    return {
      wrong: wrong.length, quantity: difference.quantity, rms: rms - Math.sqrt(squares.reduce((a, b) => a + b) / squares.length),
      stronger: color((value) => value > 12), weaker: color((value) => value < -12), same: color((value) => Math.abs(value) < 0.05),
      at: [((at % map.size) + 0.5) / map.size, (Math.floor(at / map.size) + 0.5) / map.size],
      values: [generated[at], physical[at], difference.values[at]],
    };
  });
  assert.deepEqual([found.wrong, found.quantity], [0, 'difference-db']);
  assert.ok(Math.abs(found.rms) < 1e-3, `the root mean square is ${found.rms} off`);
  assert.ok(found.stronger.r > found.stronger.b + 60, JSON.stringify(found.stronger));
  assert.ok(found.weaker.b > found.weaker.r + 60, JSON.stringify(found.weaker));
  assert.ok(Math.min(...Object.values(found.same)) > 235, JSON.stringify(found.same));
  assert.equal(await page.locator('#ticks').innerText().then((text) => text.replace(/\s+/g, ' ')), '-20 -10 0 +10 +20 dB');

  await page.mouse.move(...await spot(page, ...found.at));
  const [generated, physical, difference] = found.values;
  const sign = difference > 0 ? '+' : '';
  assert.equal(await page.locator('#readout').innerText(), `generated ${generated.toFixed(1)} dBm\nphysical ${physical.toFixed(1)} dBm\ndifference ${sign}${difference.toFixed(1)} dB`);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('the difference follows the transmitter while it is dragged', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await page.selectOption('#layer', 'difference');
  await drawn(page);
  await bothMaps(page);
  await page.evaluate(() => (window.before = window.radiodiff.difference));
  await dragMarker(page, 0.5, 0.3);
  // Before the button is let go.
  await page.waitForFunction(() => window.radiodiff.difference && window.radiodiff.difference !== window.before && window.radiodiff.difference.transmitter.lng > window.before.transmitter.lng, undefined, { timeout: 60_000 });
  await page.mouse.up();
  await drawn(page);
  await bothMaps(page);
  const places = await page.evaluate(() => Object.values(window.radiodiff.maps).map(({ transmitter }) => [transmitter.lng, transmitter.lat]));
  assert.deepEqual(places[0], places[1], 'the two maps are of different places');
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

test('a transmitter put into a building is moved out, with a word about it', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const before = await notice(page);
  const at = await page.evaluate(() => {
    const { map } = window.radiodiff;
    // Two pixels within the walls: a pixel of the screen may be wider than one of the map.
    const inside = (i) => [0, -2, 2, -2 * map.size, 2 * map.size].every((away) => Number.isNaN(map.values[i + away]));
    const index = map.values.findIndex((_, i) => inside(i) && i > 20 * map.size && i % map.size > 20);
    return [(index % map.size) + 0.5, Math.floor(index / map.size) + 0.5].map((pixel) => pixel / map.size);
  });
  await placeTransmitter(page, ...at);
  assert.match(await saysSomethingNew(page, before), /inside a building.*moved [\d.]+ m/);
  await placeTransmitter(page, 0.4, 0.3);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a transmitter that leaves the map stays where it was, with a word about it', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const before = await notice(page);
  await page.selectOption('#layer', 'physical');
  await placeTransmitter(page, 0.35, 0.002);
  const { lat } = await page.evaluate(() => window.radiodiff.map.transmitter);
  await page.focus('.marker');
  await page.keyboard.press('Shift+ArrowUp');
  assert.match(await saysSomethingNew(page, before), /outside the map.*west, south, east, north/);
  await placeTransmitter(page, 0.35, 0.3);
  assert.ok((await page.evaluate(() => window.radiodiff.map.transmitter.lat)) < lat);
  assert.deepEqual(page.failures, []);
  await page.close();
});

for (const [what, answer, words] of [
  ['are missing', (route) => route.fulfill({ status: 404, body: 'not found' }), /models\/nano\.safetensors.*404/],
  ['are a web page', (route) => route.fulfill({ body: '<!doctype html><title>Hello</title>' }), /weights.*not a safetensors file/],
]) {
  test(`weights that ${what} leave the dominant path, and the page says so`, { timeout: 300_000 }, async () => {
    const page = await openGenerated(browser, { weights: answer });
    assert.match(await page.locator('#model').innerText(), words);
    assert.match(await notice(page), words);
    assert.deepEqual(faults(await shownMap(page)), []);
    await placeTransmitter(page, 0.25, 0.25);
    assert.match(await page.locator('#engine').innerText(), /dominant path/i);
    assert.deepEqual(page.failures, []);
    await page.close();
  });
}
