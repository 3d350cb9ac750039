// Large areas: several workers draw the map that one draws, bit for bit, and go on with fewer of them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, open } from './lib.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** Degrees of longitude of a metre at the equator; those of latitude are nearly as many. */
const METER = 1 / 111_320;

/** A town of so many blocks a side, one every 55 m, every third turned. */
function town(blocks) {
  const block = (i) => {
    const [x, y, turn] = [(i % blocks) * 55, Math.floor(i / blocks) * 55, i % 3 ? 0 : 0.5];
    const corner = (a) => [(x + 22 * Math.cos(a + turn)) * METER, (y + 22 * Math.sin(a + turn)) * METER];
    const ring = [0.7, 2.4, 3.9, 5.5, 0.7].map(corner);
    return { type: 'Feature', properties: { height: 8 + (i % 7) * 4 }, geometry: { type: 'Polygon', coordinates: [ring] } };
  };
  return { type: 'FeatureCollection', features: Array.from({ length: blocks ** 2 }, (_, i) => block(i)) };
}

/** What a request for the town names; transmitters stand in its streets. */
const REQUEST = {
  buildings: JSON.stringify(town(15)),
  bounds: { west: -20 * METER, south: -20 * METER, east: 820 * METER, north: 820 * METER },
  metersPerPixel: 2,
  transmitters: [[27, 27], [412, 412], [750, 300]].map(([x, y], i) => ({ lng: x * METER, lat: y * METER, heightM: [1.5, 6, 40][i] })),
  layers: ['best-server', 'sinr'],
  thresholdDbm: -90,
};

test('several workers draw the map that one draws, bit for bit, and only what moved anew', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const found = await page.evaluate(async (request) => {
    const { createEngine } = window.radiodiff;
    const [alone, together] = await Promise.all([1, 3].map((workers) => createEngine({ workers })));
    const phases = new Set();
    const onProgress = ({ phase }) => phases.add(phase);
    const same = (a, b) => a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
    const equal = async (change) => {
      const asked = { ...request, ...change };
      const [one, all] = [await alone.predict(asked), await together.predict({ ...asked, onProgress })];
      return {
        size: all.size,
        values: same(one.values, all.values),
        layers: Object.keys(one.layers).every((layer) => same(one.layers[layer], all.layers[layer])),
        told: JSON.stringify([one.coverage, one.transmitters, one.warnings]) === JSON.stringify([all.coverage, all.transmitters, all.warnings]),
      };
    };
    const [first] = request.transmitters;
    const moved = { ...first, lat: first.lat + 2e-5 };
    const results = [
      await equal({}),
      await equal({ transmitters: [moved, ...request.transmitters.slice(1)] }),
      await equal({ transmitters: [moved] }),
      await equal({ method: 'rays', interactions: 1, walls: 'metal' }),
    ];
    const answer = { results, phases: [...phases].sort(), warnings: together.info.warnings };
    alone.dispose();
    together.dispose();
    return answer;
  }, REQUEST);
  for (const result of found.results) assert.deepEqual(result, { size: 420, values: true, layers: true, told: true });
  assert.deepEqual([found.phases, found.warnings], [['scene', 'transmitters'], []]);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('the network forecasts a large area, of whose pixels its weights say the sizes, and refuses others', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const found = await page.evaluate(async (request) => {
    const engine = await window.radiodiff.createEngine({ model: 'models/quantiles.safetensors', backend: 'cpu', workers: 2 });
    const { mapSizes, pixelSizesM, range } = engine.info.model;
    const asked = { ...request, layers: [], transmitters: request.transmitters.slice(0, 1) };
    const physical = await engine.predict(asked);
    const known = await engine.predict({ ...asked, method: 'network' });
    let again;
    for (let tries = 0; tries < 100 && again?.workers !== 2; tries += 1) again = await engine.predict({ ...asked, method: 'network' });
    const many = Array(100).fill(asked.transmitters[0]);
    const tooMany = await engine.predict({ ...asked, metersPerPixel: 1, transmitters: many, method: 'network' }).then(() => 'drawn', ({ code }) => code);
    const refused = await engine.predict({ ...asked, metersPerPixel: 8, method: 'network' }).then(() => 'drawn', ({ code, message }) => [code, message]);
    const outdoors = [...known.values.keys()].filter((i) => !Number.isNaN(physical.values[i]));
    const mean = (of) => outdoors.reduce((sum, i) => sum + of(i), 0) / outdoors.length;
    const answer = {
      sizes: [mapSizes, pixelSizesM, range.map(Math.round)], methods: [physical, known, again].map(({ method, size }) => [method, size]), refused,
      workers: again.workers, tooMany,
      missing: known.values.filter((value, i) => Number.isNaN(value) !== Number.isNaN(physical.values[i])).length,
      apart: mean((i) => Math.abs(known.values[i] - physical.values[i])),
      spread: mean((i) => known.layer('standard-deviation').values[i]),
      drift: Math.max(...outdoors.map((i) => Math.abs(known.values[i] - again.values[i]))),
    };
    engine.dispose();
    return answer;
  }, REQUEST);
  assert.deepEqual(found.sizes, [[1, 1024], [1, 4], [-147, -48]]);
  assert.deepEqual(found.methods, [['dominant-path', 420], ['network', 420], ['network', 420]]);
  assert.equal(found.missing, 0);
  assert.ok(found.apart < 6 && found.spread > 0.5 && found.spread < 12, `${found.apart} dB from the physical map, spread ${found.spread} dB`);
  assert.deepEqual([found.workers, found.tooMany], [2, 'too-large']);
  assert.ok(found.drift < 0.01, `${found.drift} dB between the maps of one worker and of two`);
  assert.deepEqual(found.refused, ['method', 'the network draws up to 1024 x 1024 pixels of 1 to 4 m, and the scene has 105 x 105 of 8 m: choose another metersPerPixel or leave it out, or ask for the dominant path']);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('WebGPU and CPU make the same forecast of a map whose side the network does not halve', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const [size, backends, apart] = await page.evaluate(async (request) => {
    const asked = { ...request, metersPerPixel: 4, method: 'network', layers: [], transmitters: request.transmitters.slice(0, 1) };
    const maps = [];
    for (const backend of ['webgpu', 'cpu']) {
      const engine = await window.radiodiff.createEngine({ model: 'models/quantiles.safetensors', backend, workers: 1 });
      maps.push(await engine.predict(asked));
      engine.dispose();
    }
    const [gpu, cpu] = maps;
    const differences = [...gpu.values].map((value, i) => Math.max(Math.abs(value - cpu.values[i]), Math.abs(gpu.stddev[i] - cpu.stddev[i])));
    return [gpu.size, maps.map(({ backend }) => backend), Math.max(...differences.filter((db) => !Number.isNaN(db)))];
  }, REQUEST);
  assert.deepEqual([size, backends], [210, ['webgpu', 'cpu']]);
  assert.ok(apart < 0.01, `${apart} dB`);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('aborting a large plan is prompt, other calls wait their turn, and workers may be missing', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const found = await page.evaluate(async (request) => {
    const { createEngine } = window.radiodiff;
    let started = 0;
    const worker = () => {
      started += 1;
      if (started === 2) throw new Error('no more workers');
      return new Worker('worker.js', { type: 'module' });
    };
    const engine = await createEngine({ worker, workers: 3 });
    const stop = new AbortController();
    let aborted;
    const onProgress = ({ phase, loaded }) => {
      if (phase !== 'transmitters' || !loaded || aborted) return;
      aborted = performance.now();
      stop.abort(new Error('changed my mind'));
    };
    const waited = await engine.predict({ ...request, signal: stop.signal, onProgress }).then(() => 'drawn', ({ message }) => [message, performance.now() - aborted]);
    // The second scene waits for the first one's map.
    const [large, small] = await Promise.all([
      engine.predict(request),
      engine.predict({ ...request, bounds: null, metersPerPixel: null, transmitters: [request.transmitters[1]] }).then(({ size }) => size, ({ code }) => code),
    ]);
    const refused = await engine.predict({ ...request, transmitters: [{ lng: 1, lat: 1 }] }).then(() => 'drawn', ({ code }) => code);
    const again = await engine.predict(request);
    const answer = { waited, sizes: [large.size, small], refused, same: again.values.every((value, i) => Object.is(value, large.values[i])), warnings: engine.info.warnings };
    engine.dispose();
    return answer;
  }, REQUEST);
  const [message, milliseconds] = found.waited;
  assert.equal(message, 'changed my mind');
  assert.ok(milliseconds < 100, `${milliseconds} ms`);
  assert.deepEqual([found.sizes, found.refused, found.same], [[420, 256], 'transmitter', true]);
  assert.deepEqual(found.warnings.map((warning) => /2 of 3 workers: .*no more workers/.test(warning)).slice(0, 1), [true]);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a plan of 20 transmitters on 4 km at 1 m is refused before its memory is asked for, and the engine goes on', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const bounds = { west: 0, south: 0, east: 4000 * METER, north: 4000 * METER };
  const found = await page.evaluate(async ([buildings, bounds, request]) => {
    const engine = await window.radiodiff.createEngine({ workers: 2 });
    const transmitters = Array(20).fill(request.transmitters[0]);
    const refused = await engine.predict({ ...request, buildings, bounds, metersPerPixel: 1, transmitters }).then(() => 'drawn', ({ code, field, message }) => [code, field, message]);
    const { size } = await engine.predict({ ...request, metersPerPixel: 8 });
    engine.dispose();
    return [refused, size];
  }, [JSON.stringify(town(72)), bounds, REQUEST]);
  const [[code, field, message], size] = found;
  assert.deepEqual([code, field, size], ['too-large', 'metersPerPixel', 105]);
  assert.match(message, /4000 x 4000 pixels and 20 transmitters take 3\.1 GiB of memory, and 3 GiB can be had/);
  assert.deepEqual(page.failures, []);
  await page.close();
});
