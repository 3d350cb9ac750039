// The package's API in a browser: requests with what people put into them, and what comes back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { drawn, launch, open, placeTransmitter, squaresBeforeTransmitter } from './lib.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

for (const worker of [true, false]) {
  test(`fields that say nothing have their defaults, others are errors of that field, ${worker ? 'in a worker' : 'on the page'}`, { timeout: 300_000 }, async () => {
    const page = await open(browser);
    const answers = await page.evaluate(async (worker) => {
      const { createEngine, request } = window.radiodiff;
      const { lng, lat } = request.transmitters[0];
      const engine = await createEngine({ worker: worker ? undefined : false, model: undefined, backend: undefined });
      const draw = (change, options = {}) => engine.predict({ ...request, method: 'dominant-path', transmitters: [{ lng, lat, ...change }], ...options });
      const plain = await draw({});
      const same = (map) => map.values.every((value, i) => Object.is(value, plain.values[i]));
      const answers = { defaults: [], differing: [], refused: {} };
      for (const name of ['powerDbm', 'frequencyMHz', 'antennaGainDbi']) {
        answers.defaults.push(plain.transmitter[name]);
        for (const nothing of [undefined, null, '', ' ']) {
          const map = await draw({ [name]: nothing });
          if (!same(map) || map.transmitter[name] !== plain.transmitter[name]) answers.differing.push(`${name}: ${nothing}`);
        }
        for (const wrong of [false, [], {}, NaN, Infinity, 'loud', new Date(0)]) {
          const refused = await draw({ [name]: wrong }).then(() => 'answered', ({ code, field, message }) => `${code} ${field} ${message.startsWith(field)}`);
          answers.refused[name] = [...new Set([...(answers.refused[name] ?? []), refused])];
        }
      }
      for (const [name, nothing] of [['steps', ''], ['seed', null], ['start', ' '], ['method', undefined], ['bounds', null], ['antenna', '']]) {
        const map = await (name === 'antenna' ? draw({ antenna: nothing }) : draw({}, { [name]: nothing }));
        if (name !== 'bounds' && !same(map)) answers.differing.push(name);
      }
      engine.dispose();
      return answers;
    }, worker);
    assert.deepEqual(answers.defaults, [23, 5900, 0]);
    assert.deepEqual(answers.differing, []);
    assert.deepEqual(answers.refused, {
      powerDbm: ['power transmitters[0].powerDbm true'],
      frequencyMHz: ['frequency transmitters[0].frequencyMHz true'],
      antennaGainDbi: ['antenna transmitters[0].antennaGainDbi true'],
    });
    assert.deepEqual(page.failures, []);
    await page.close();
  });
}

test('cars weaken the map behind them, and what is none is told', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const { squares, place } = await squaresBeforeTransmitter(page, 3, 8);
  const answers = await page.evaluate(async ([car, house, place]) => {
    const { engine, request } = window.radiodiff;
    const { lng, lat } = request.transmitters[0];
    const draw = (cars, more) => engine.predict({ ...request, cars, transmitters: [{ lng, lat }], method: 'dominant-path', ...more });
    const differences = (a, b) => a.values.map((value, i) => value - b.values[i]).filter((value) => !Number.isNaN(value));
    const plain = await draw(undefined);
    const [asObject, asBytes] = [await draw(JSON.parse(car)), await draw(new TextEncoder().encode(car))];
    const { cars, warnings } = await engine.setScene({ ...request, cars: car });
    const among = await draw(house);
    const rays = await draw(car, { method: 'rays' });
    // The last scene keeps its cars.
    const again = await engine.predict({ transmitters: [{ lng, lat }], method: 'dominant-path' });
    const refused = (asked) => asked.then(() => 'answered', ({ code, field, message }) => [code, field, message]);
    return {
      behindDb: plain.at(place.lng, place.lat) - asObject.at(place.lng, place.lat),
      brighter: differences(asObject, plain).filter((value) => value > 0).length,
      same: Math.max(...differences(asObject, asBytes).map(Math.abs), ...differences(asObject, again).map(Math.abs), ...differences(among, plain).map(Math.abs)),
      onMap: [cars, warnings.length, plain.warnings.length],
      house: among.warnings.at(-1),
      rays: rays.warnings.at(-1),
      broken: await refused(draw('{"type":')),
      alone: await refused(engine.predict({ cars: car, transmitters: [{ lng, lat }] })),
    };
  }, [...squares, place]);
  const { behindDb, brighter, same, onMap: [cars, carsWarnings, plainWarnings], house, rays, broken, alone } = answers;
  assert.ok(behindDb > 2 && behindDb < 12 && brighter === 0, `${behindDb} dB behind the car, ${brighter} pixels are brighter`);
  assert.deepEqual([same, cars, carsWarnings], [0, 1, plainWarnings]);
  assert.match(house, /^cars: feature 0 does not have a car's size and is not used/);
  assert.match(rays, /^Ray tracing does not know cars/);
  assert.deepEqual(broken.slice(0, 2), ['geojson', 'cars']);
  assert.match(broken[2], /^the cars: the GeoJSON cannot be read/);
  assert.deepEqual(alone.slice(0, 2), ['geojson', 'cars']);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('materials that are not known are told where rays are drawn', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const told = await page.evaluate(async () => {
    const { engine } = window.radiodiff;
    const ring = [[11, 48], [11.0005, 48], [11.0005, 48.0004], [11, 48.0004], [11, 48]];
    const buildings = { type: 'Feature', properties: { height: 9, 'building:material': 'plaster' }, geometry: { type: 'Polygon', coordinates: [ring] } };
    const draw = (method) => engine.predict({ buildings, method, transmitters: [{ lng: 11.0007, lat: 48.0002 }] });
    return [await draw('rays'), await draw('dominant-path')].map(({ warnings }) => warnings.filter((warning) => /"plaster"/.test(warning)).length);
  });
  assert.deepEqual(told, [1, 0]);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('rays take the interactions and the walls that they are told, which other methods leave out with a warning', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const { powers, told, refused } = await page.evaluate(async () => {
    const { engine, request } = window.radiodiff;
    const draw = (change) => engine.predict({ ...request, method: 'rays', ...change });
    const maps = [{ interactions: 0 }, { interactions: '1', walls: null }, { interactions: 1, walls: 'brick' }, { interactions: 1, walls: 'metal' }];
    const powers = [];
    for (const change of maps) powers.push((await draw(change)).stats().mean);
    const { warnings } = await draw({ method: 'dominant-path', interactions: 1, walls: 'metal' });
    const refused = [];
    for (const change of [{ interactions: 5 }, { walls: 'straw' }]) refused.push(await draw(change).then(() => 'drawn', ({ name, code, field }) => [name, code, field].join(' ')));
    return { powers, told: warnings.filter((warning) => /traces rays/.test(warning)), refused };
  });
  const [none, one, brick, metal] = powers;
  assert.ok(none + 1 < one && one === brick && brick + 0.5 < metal, `${powers} dBm on average`);
  assert.deepEqual(told, ['interactions', 'walls'].map((field) => `Only the method rays traces rays, so ${field} is not used.`));
  assert.deepEqual(refused, ['RadioError interactions interactions', 'RadioError walls walls']);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test("an antenna of CloudRF's own library, and one without beamwidths, radiate equally in all directions", { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const answers = await page.evaluate(async () => {
    const { engine, request } = window.radiodiff;
    const { lng, lat } = request.transmitters[0];
    const draw = (antenna) => engine.predict({ ...request, method: 'dominant-path', transmitters: [{ lng, lat, antenna }] });
    const plain = await draw(undefined);
    const answers = [];
    for (const antenna of [{ ant: 1, hbw: 0, vbw: 0, txg: 0 }, { ant: 39, hbw: 1, vbw: 1, azi: 120, txg: 0 }, { ant: 0, hbw: 0, vbw: 0, txg: 0 }]) {
      const map = await draw(antenna);
      const told = map.warnings.filter((warning) => !plain.warnings.includes(warning));
      answers.push([map.values.every((value, i) => Object.is(value, plain.values[i])), told.join(' ')]);
    }
    return answers;
  });
  assert.deepEqual(answers.map(([same]) => same), [true, true, true]);
  for (const [i, name] of [1, 39].entries()) assert.match(answers[i][1], new RegExp(`pattern ${name} \\(ant\\) is not known`));
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
