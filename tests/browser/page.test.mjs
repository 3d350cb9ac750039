// The page as a visitor uses it: it opens with a map, redraws on a click, takes files of any kind and goes on working.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { drawn, drop, launch, notice, open, placeTransmitter, saysSomethingNew, shownMap } from './lib.mjs';
import { agreement, faults } from './plausible.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

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
  const page = await open(browser);
  const box = await page.locator('#map').boundingBox();
  const at = (share) => [box.x + share * box.width, box.y + 0.3 * box.height];
  const before = await page.evaluate(() => window.radiodiff.map.transmitter.lng);
  await page.mouse.move(...at(0.35));
  await page.mouse.down();
  await page.mouse.move(...at(0.5), { steps: 10 });
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
    // Far from the marker and from walls: what the canvas shows where one is clearly stronger, and where they agree.
    const pixels = document.getElementById('map').getContext('2d');
    const scale = document.getElementById('map').width / map.size;
    const color = (wanted) => {
      const i = difference.values.findIndex((value, i) => wanted(value) && i % map.size > 8 && !Number.isNaN(difference.values[i - 2] + difference.values[i + 2]));
      const [r, g, b] = pixels.getImageData(((i % map.size) + 0.5) * scale, (Math.floor(i / map.size) + 0.5) * scale, 1, 1).data;
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

  const box = await page.locator('#map').boundingBox();
  await page.mouse.move(box.x + found.at[0] * box.width, box.y + found.at[1] * box.height);
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
  const box = await page.locator('#map').boundingBox();
  const at = (share) => [box.x + share * box.width, box.y + 0.3 * box.height];
  await page.mouse.move(...at(0.35));
  await page.evaluate(() => (window.before = window.radiodiff.difference));
  await page.mouse.down();
  await page.mouse.move(...at(0.5), { steps: 10 });
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

test('power, antenna and frequency do what they say, and what is changed is told', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await page.selectOption('#antenna', 'sector');
  await page.waitForFunction(() => window.radiodiff.map.transmitter.antenna.azi === 90, undefined, { timeout: 60_000 });
  await drawn(page);
  const answers = await page.evaluate(async () => {
    const { engine, request } = window.radiodiff;
    const { antenna: _, ...at } = { ...request.transmitters[0], antennaGainDbi: 0 };
    // On a pixel's centre, so that pixels to the east are due east.
    const { west, south, east, north } = request.bounds;
    const centered = (value, from, to) => from + ((Math.floor((256 * (value - from)) / (to - from)) + 0.5) / 256) * (to - from);
    Object.assign(at, { lng: centered(at.lng, west, east), lat: centered(at.lat, south, north) });
    const draw = (change) => engine.predict({ ...request, method: 'dominant-path', transmitters: [{ ...at, ...change }] });
    const code = (promise) => promise.then(() => 'answered', (error) => `${error.code}: ${error.message}`);
    const plain = await draw({});
    const added = (map, east) => {
      const lng = at.lng + (east / 256) * (map.bounds.east - map.bounds.west);
      return Math.round(100 * (map.at(lng, at.lat) - plain.at(lng, at.lat))) / 100;
    };
    const louder = await draw({ powerDbm: at.powerDbm + 3 });
    const sector = await draw({ antenna: { txg: 8, azi: 90, tlt: '0' } });
    const table = await draw({ antenna: { csv: '0,0,12\n180,0,-10', azi: 270 } });
    const lower = await draw({ frequencyMHz: 2950 });
    const odd = await draw({ antenna: { azi: 90, hbw: 1000, beams: 3, pol: 'h' } });
    const again = await draw({ antenna: sector.transmitter.antenna });
    const answer = {
      louder: [...new Set(louder.values.map((value, i) => value - plain.values[i]).filter((value) => !Number.isNaN(value)))],
      sector: [added(sector, 12), added(sector, -12)], table: [added(table, -12), added(table, 12)], lower: added(lower, 12),
      used: sector.transmitter.antenna, again: again.values.every((value, i) => Object.is(value, sector.values[i])),
      warnings: [plain, sector, table, lower, odd].map((map) => map.warnings.length - plain.warnings.length), told: odd.warnings.join(' '),
      refused: [await code(draw({ frequencyMHz: 5.9 })), await code(draw({ antenna: 'yagi' })), await code(draw({ antenna: { csv: '0,0,1\n0,x,1' } }))],
    };
    const moved = await engine.predict({ ...request, bounds: { ...request.bounds, west: request.bounds.west - 2e-4 }, method: 'dominant-path', transmitters: [at] });
    answer.compared = await code(Promise.resolve().then(() => plain.difference(moved)));
    return answer;
  });
  assert.deepEqual(answers.louder, [3]);
  assert.deepEqual([answers.sector, answers.table, answers.lower], [[8, -22], [12, -10], 6.02]);
  assert.deepEqual(answers.used, { txg: 8, azi: 90, tlt: 0, hbw: 65, vbw: 65, fbr: 30 });
  assert.ok(answers.again, 'the antenna that was used gives another map when it is asked for');
  assert.deepEqual(answers.warnings, [0, 0, 0, 1, 3]);
  assert.match(answers.told, /hbw is 1000, taken as 360.*polarisation.*beams is not known/);
  assert.match(answers.refused[0], /^frequency: .*5\.9 MHz.*500 to 100000/);
  assert.match(answers.refused[1], /^antenna: /);
  assert.match(answers.refused[2], /^antenna: .*line 2/);
  assert.match(answers.compared, /^difference: /);
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

test('a transmitter put into a building is moved out, with a word about it', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const before = await notice(page);
  const at = await page.evaluate(() => {
    const { map } = window.radiodiff;
    const index = map.values.findIndex((value, i) => Number.isNaN(value) && i > 20 * map.size && i % map.size > 20);
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
  await page.focus('#map');
  await page.keyboard.press('Shift+ArrowUp');
  assert.match(await saysSomethingNew(page, before), /outside the map.*west, south, east, north/);
  await placeTransmitter(page, 0.35, 0.3);
  assert.ok((await page.evaluate(() => window.radiodiff.map.transmitter.lat)) < lat);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('requests that cannot be answered are refused with their code, and the engine goes on', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const answers = await page.evaluate(async () => {
    const { engine, request, createEngine } = window.radiodiff;
    const good = { ...request, method: 'dominant-path' };
    const [at] = request.transmitters;
    const code = (promise) => promise.then(() => 'answered', (error) => error.code ?? error.name);
    const cycle = { type: 'FeatureCollection' };
    cycle.features = [cycle];
    const answers = {};
    for (const [name, change] of Object.entries({
      longitude: { transmitters: [{ ...at, lng: NaN }] },
      outside: { transmitters: [{ ...at, lng: at.lng + 1 }] },
      nobody: { transmitters: [] },
      power: { transmitters: [{ ...at, powerDbm: Infinity }] },
      method: { method: 'magic' },
      start: { method: 'network', start: 0 },
      bounds: { bounds: { west: NaN, south: 0, east: 1, north: 1 } },
      elsewhere: { bounds: { west: 0, south: 0, east: 1, north: 1 } },
      buildings: { buildings: { type: 'Nothing' } },
      none: { buildings: { type: 'FeatureCollection', features: [] } },
      cyclic: { buildings: cycle },
      text: { transmitters: 'here' },
      uncloneable: { transmitters: [{ ...at, onmove() {} }] },
    })) {
      answers[name] = await code(engine.predict({ ...good, ...change }));
    }
    answers.backend = await code(createEngine({ backend: 'abacus' }));
    const bare = await createEngine();
    answers.scene = await code(bare.predict({ transmitters: [at] }));
    answers.weights = await code(bare.predict({ ...request, method: 'network' }));
    const gone = bare.predict(good);
    bare.dispose();
    answers.disposed = await code(gone);
    const signal = AbortSignal.abort();
    answers.aborted = await code(engine.predict({ ...good, signal }));
    answers.after = await code(engine.predict(good));
    const map = await engine.predict({ ...good, transmitters: [{ ...at, powerDbm: '23', antennaGainDbi: '0', frequencyMHz: '5900' }] });
    const same = await engine.predict({ ...good, transmitters: [{ ...at, powerDbm: 23 }] });
    answers.spelled = [map.transmitter.powerDbm, map.warnings.length - same.warnings.length, map.stats().mean - same.stats().mean];
    try {
      map.toImage({ palette: 'plaid', min: -100, max: -50 });
    } catch (error) {
      answers.palette = error.code;
    }
    return answers;
  });
  assert.deepEqual(answers, {
    longitude: 'transmitter', outside: 'transmitter', nobody: 'transmitter', power: 'power', method: 'method', start: 'start',
    bounds: 'bounds',
    elsewhere: 'geojson', buildings: 'geojson', none: 'geojson', backend: 'backend', scene: 'no-scene', weights: 'no-weights',
    cyclic: 'geojson', text: 'transmitter', uncloneable: 'request', disposed: 'disposed', aborted: 20, after: 'answered',
    spelled: [23, 0, 0], palette: 'palette',
  });
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('two transmitters give the stronger of both, and a worker is not needed', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const worst = await page.evaluate(async () => {
    const { request, createEngine } = window.radiodiff;
    const engine = await createEngine({ worker: false });
    const { west, south, east, north } = request.bounds;
    const [a] = request.transmitters;
    const b = { lng: west + 0.1 * (east - west), lat: south + 0.4 * (north - south), powerDbm: 30 };
    const draw = (transmitters) => engine.predict({ ...request, method: 'dominant-path', transmitters });
    const [one, other, both] = [await draw([a]), await draw([b]), await draw([a, b])];
    engine.dispose();
    return both.values.reduce((worst, value, i) => {
      const expected = Math.max(one.values[i], other.values[i]);
      return Number.isNaN(value) && Number.isNaN(expected) ? worst : Math.max(worst, Math.abs(value - expected));
    }, 0);
  });
  assert.equal(worst, 0);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a worker that crashes gives a typed error, and the next map starts another', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await page.workers()[0].evaluate(() => { self.onmessage = () => { throw new WebAssembly.RuntimeError('unreachable'); }; });
  const error = await page.evaluate(() => {
    const { engine, request } = window.radiodiff;
    return engine.predict(request).then(() => null, ({ name, code, message }) => ({ name, code, message }));
  });
  assert.deepEqual([error?.name, error?.code], ['RadioError', 'crashed']);
  assert.match(error.message, /unreachable.*starts it again/);
  await placeTransmitter(page, 0.7, 0.3);
  assert.deepEqual(page.failures, []);
  await page.close();
});

for (const [what, answer, words] of [
  ['are missing', (route) => route.fulfill({ status: 404, body: 'not found' }), /models\/nano\.safetensors.*404/],
  ['are a web page', (route) => route.fulfill({ body: '<!doctype html><title>Hello</title>' }), /weights.*not a safetensors file/],
]) {
  test(`weights that ${what} leave the dominant path, and the page says so`, { timeout: 300_000 }, async () => {
    const page = await open(browser, { weights: answer });
    assert.match(await page.locator('#model').innerText(), words);
    assert.match(await notice(page), words);
    assert.deepEqual(faults(await shownMap(page)), []);
    await placeTransmitter(page, 0.25, 0.25);
    assert.match(await page.locator('#engine').innerText(), /dominant path/i);
    assert.deepEqual(page.failures, []);
    await page.close();
  });
}
