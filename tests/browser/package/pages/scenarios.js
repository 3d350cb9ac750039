// What the tests do with the package, in the page. A scenario is given the package's exports and options, and returns what the test looks
// at. There is no eval here: the pages run under a strict Content-Security-Policy.

/** Two blocks of 30 m and a transmitter between them. */
const block = (lng, lat) => [[0, 0], [4e-4, 0], [4e-4, 3e-4], [0, 3e-4], [0, 0]].map(([east, north]) => [lng + east, lat + north]);
const buildings = { type: 'MultiPolygon', coordinates: [[block(9, 50)], [block(9.001, 50)]] };
const request = { buildings, transmitters: [{ lng: 9.0007, lat: 50.00015 }] };

/** Four hundred houses, among which rays take seconds. */
const town = { type: 'MultiPolygon', coordinates: Array.from({ length: 400 }, (_, i) => [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]].map(([east, north]) => [9 + (i % 20 + 0.6 * east) * 1.7e-4, 50 + (Math.floor(i / 20) + 0.6 * north) * 1.1e-4])]) };
const inTown = { buildings: town, transmitters: [{ lng: 9 + 10.8 * 1.7e-4, lat: 50 + 10.3 * 1.1e-4 }] };

const told = ({ name, code, reason, message }) => ({ name, code, reason, message });

/** As an application that draws a map, is taken off the page, and comes back. With `write` the map also becomes a file, and is fitted to. */
export async function mountTwice({ createEngine }, { write, ...options } = {}) {
  const mounts = [];
  for (let mount = 0; mount < 2; mount += 1) {
    const engine = await createEngine(options);
    const map = await engine.predict(request);
    const { outdoorPixels, max } = map.stats();
    const { worker, warnings, model } = engine.info;
    mounts.push({ worker, warnings, model: model?.name, method: map.method, indoors: map.values.length - outdoorPixels, max });
    if (write) {
      mounts[mount].written = (await map.toNpy()).length;
      mounts[mount].fitted = (await engine.calibrate({ transmitter: request.transmitters[0], measurements: measuredOn(map) })).squares;
    }
    document.querySelector('canvas').getContext('2d').putImageData(map.toImage({ min: -120, max: -40 }), 0, 0);
    engine.dispose();
  }
  return mounts;
}

/** Readings of a map, on every outdoor place of a coarse grid. */
function measuredOn(map) {
  const { west, south, east, north } = map.bounds;
  const places = Array.from({ length: 100 }, (_, i) => ({ lng: west + (((i % 10) + 0.5) / 10) * (east - west), lat: south + ((Math.floor(i / 10) + 0.5) / 10) * (north - south) }));
  return places.map((place) => ({ ...place, powerDbm: map.at(place.lng, place.lat) })).filter(({ powerDbm }) => powerDbm > -140);
}

/** Makes an engine and draws a map; an error is told. `progress` is every report on the download. */
export async function create({ createEngine }, options = {}) {
  const progress = [];
  const onProgress = ({ phase, loaded, total }) => phase === 'download' && progress.push([loaded, total]);
  try {
    const engine = await createEngine({ ...options, onProgress });
    const map = await engine.predict(request);
    engine.dispose();
    return { info: engine.info, method: map.method, progress };
  } catch (error) {
    return { error: told(error), progress };
  }
}

/** Writes a map, the second time with the module's own address. */
export async function writeTwice({ createEngine, initExport }, { address }) {
  const engine = await createEngine();
  const map = await engine.predict(request);
  const [first, stopped] = [await map.toCSV().catch(told), await map.toNpy({ signal: AbortSignal.abort() }).catch(told)];
  await initExport(address);
  const [second, levels, quantity] = [await map.toCSV(), await map.toContours(['loud']).catch(told), await map.toContours([NaN]).catch(told)];
  engine.dispose();
  return { first, stopped, second: second.split('\n', 2), levels, quantity };
}

/** Makes engines one after the other, and then clears the browser's store. */
export async function createThrice(radiodiff, options) {
  const [first, second] = [await create(radiodiff, options), await create(radiodiff, options)];
  const cleared = [await radiodiff.clearCache(), await radiodiff.clearCache()];
  return { first, second, cleared, third: await create(radiodiff, options) };
}

/** Makes an engine where the browser's store never answers. */
export async function hangingStore(radiodiff, options) {
  CacheStorage.prototype.open = () => new Promise(() => {});
  return create(radiodiff, options);
}

/** Changes a byte of the weights that the browser keeps. */
export async function damageStore(radiodiff, options) {
  const first = await create(radiodiff, options);
  const cache = await caches.open('radiodiff-web');
  const [key] = await cache.keys();
  const bytes = new Uint8Array(await (await cache.match(key)).arrayBuffer());
  bytes[bytes.length - 1000] ^= 1;
  await cache.put(key, new Response(bytes));
  return { first, second: await create(radiodiff, options) };
}

/** A raster of heights, which the test serves. */
const raster = () => fetch('./heights.tif').then((answer) => answer.blob());

/** Reads a raster of heights, and tells for how long at most the page could not answer meanwhile. */
export async function trace({ createEngine }) {
  const engine = await createEngine();
  const buildings = await raster();
  const progress = [];
  let [longest, last] = [0, performance.now()];
  const watch = () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  };
  const started = last;
  const watching = setInterval(watch, 5);
  const { format } = await engine.setScene({ buildings, onProgress: ({ phase, loaded, total }) => progress.push(`${phase} ${loaded}/${total}`) });
  watch();
  clearInterval(watching);
  const took = performance.now() - started;
  engine.dispose();
  return { format, progress, took, longest };
}

/** Aborts in a phase of an engine's life and measures how long the rejection takes; then the same engine, or the next, draws a map. */
export async function abort({ createEngine }, { phase, ...options }) {
  const controller = new AbortController();
  const { signal } = controller;
  const reason = new Error('changed my mind');
  let abortedAt;
  const stop = () => {
    abortedAt ??= performance.now();
    controller.abort(reason);
  };
  const onProgress = (progress) => progress.phase === phase && stop();
  const outcome = (promise) => promise.then(() => 'answered', (error) => (error === reason ? performance.now() - abortedAt : told(error)));
  const [transmitter] = inTown.transmitters;
  /** What an engine does in each phase that is not of its start. */
  const calls = {
    'warm-up': (engine) => engine.warmup({ signal, onProgress }),
    step: (engine) => engine.predict({ ...request, steps: 20, method: 'network', signal, onProgress }),
    physical: (engine) => engine.predict({ ...request, method: 'dominant-path', signal }),
    scene: (engine) => engine.setScene({ buildings: town, signal }),
    trace: async (engine) => engine.setScene({ buildings: await raster(), signal, onProgress }),
    write: async (engine) => (await engine.predict({ ...request, bounds: { west: 8.998, south: 49.998, east: 9.005, north: 50.003 }, metersPerPixel: 0.5 })).toCSV({ signal, onProgress }),
    rays: (engine) => engine.predict({ ...inTown, method: 'rays', signal }),
    candidates: (engine) => engine.suggestSites({ buildings: town, count: 3, thresholdDbm: -90, transmitter: { powerDbm: 23 }, spacingM: 10, signal, onProgress }),
    fit: async (engine) => engine.calibrate({ transmitter, measurements: measuredOn(await engine.predict({ ...inTown, method: 'dominant-path' })), signal, onProgress }),
  };
  // What gives no report while it lasts is aborted in its middle.
  const middleMs = { stalled: 300, physical: 1, scene: 1, rays: 150 }[phase];
  const stopInTheMiddle = () => middleMs && setTimeout(stop, middleMs);
  if (!(phase in calls)) {
    stopInTheMiddle();
    const waited = await outcome(createEngine({ ...options, signal, onProgress }));
    const engine = await createEngine({ ...options, model: undefined });
    const { method } = await engine.predict(request);
    engine.dispose();
    return { waited, method };
  }
  const engine = await createEngine(options);
  stopInTheMiddle();
  const waited = await outcome(calls[phase](engine));
  const { method } = await engine.predict({ ...request, method: 'network' });
  engine.dispose();
  return { waited, method };
}

/**
 * Aborts a map of `side` metres at 1 m in its middle and draws a small one on another scene, then aborts one again and draws it to its end:
 * how long each takes, and what it is. With several transmitters other workers are busy too.
 */
export async function abortLarge({ createEngine }, { transmitters = 1, side, ...options }) {
  const degree = 111_320;
  const house = (i) => [[0, 0], [20, 0], [20, 14], [0, 14], [0, 0]].map(([x, y]) => [(x + 40 * (i % 25)) / degree, (y + 40 * Math.floor(i / 25)) / degree]);
  const metres = (value) => value / degree;
  const large = {
    buildings: JSON.stringify({ type: 'MultiPolygon', coordinates: Array.from({ length: 625 }, (_, i) => [house(i)]) }),
    bounds: { west: metres(500 - side / 2), south: metres(500 - side / 2), east: metres(500 + side / 2), north: metres(500 + side / 2) },
    metersPerPixel: 1,
    transmitters: Array.from({ length: transmitters }, (_, i) => ({ lng: metres(430 + 40 * i), lat: metres(507), heightM: 1.5 })),
    method: 'dominant-path',
  };
  const engine = await createEngine(options);
  const reason = new Error('changed my mind');
  const aborted = async (afterMs) => {
    const controller = new AbortController();
    const begun = performance.now();
    setTimeout(() => controller.abort(reason), afterMs);
    // Other places than before, whose gains the workers of a plan keep.
    const transmitters = large.transmitters.map(({ lat, ...rest }) => ({ ...rest, lat: lat + metres(2 + afterMs / 100) }));
    const outcome = await engine.predict({ ...large, transmitters, signal: controller.signal }).catch((error) => error);
    return { isReason: outcome === reason, ms: performance.now() - begun };
  };
  const timed = async (call) => {
    const begun = performance.now();
    const map = await call();
    return { ms: performance.now() - begun, size: map.size, max: map.stats().max };
  };
  const small = () => engine.predict({ ...request, method: 'dominant-path' });
  await small();
  const first = await aborted(150);
  const next = await timed(small);
  const second = await aborted(250);
  // Without a scene of its own: that of the aborted call.
  const again = await timed(() => engine.predict({ transmitters: large.transmitters, method: large.method }));
  const { warnings } = engine.info;
  engine.dispose();
  return { first, next, second, again, warnings };
}

/** For tests that ask more than once. */
export async function expose(radiodiff) {
  window.package = radiodiff;
  window.scenarios = await import('./scenarios.js');
  return true;
}

const WEIGHTS = './radiodiff-web/nano.safetensors';
let weights = null;

/** Makes engines with networks, draws a map on each and disposes of it. */
export async function makeEngines({ createEngine }, { count, worker }) {
  // Fetched once: a browser under a test's control keeps the body of every response.
  weights ??= fetch(WEIGHTS).then((answer) => answer.arrayBuffer());
  for (let i = 0; i < count; i += 1) {
    const engine = await createEngine({ model: await weights, backend: 'cpu', worker });
    await engine.predict({ ...request, method: 'network' });
    engine.dispose();
  }
}

let drawing = null;

/** Draws maps on one engine, as a drag does, and drops them. */
export async function drawMany({ createEngine }, { count, method }) {
  drawing ??= createEngine({ model: WEIGHTS, backend: 'cpu' });
  const engine = await drawing;
  for (let i = 0; i < count; i += 1) {
    const [{ lng, lat }] = request.transmitters;
    const map = await engine.predict({ ...request, method, transmitters: [{ lng: lng + (i % 50) * 1e-6, lat }] });
    map.toImage({ min: -120, max: -40, projection: 'mercator' });
  }
}

/** A plan of two transmitters: its layers, its statistics, and of a network the spread over samples. */
export async function plan({ createEngine }) {
  const engine = await createEngine({ model: WEIGHTS, backend: 'cpu' });
  const [first] = request.transmitters;
  const second = { lng: first.lng - 9e-4, lat: first.lat + 4e-4, powerDbm: 30 };
  const physical = { ...request, method: 'dominant-path' };
  const asked = { layers: ['path-loss', 'snr', 'sinr', 'best-server'], thresholdDbm: -70, receiver: { noiseFloorDbm: -90 } };
  const both = await engine.predict({ ...physical, ...asked, transmitters: [first, second] });
  const [one, other] = [await engine.predict({ ...physical, transmitters: [first] }), await engine.predict({ ...physical, transmitters: [second] })];
  const [without, single] = [await engine.predict({ ...physical, thresholdDbm: -70, transmitters: [first, second] }), await engine.predict({ ...physical, thresholdDbm: -60, transmitters: [second] })];
  const code = (promise) => promise.then(() => 'answered', told);
  const sampled = await engine.predict({ ...request, method: 'network', samples: 3, seed: 5, layers: ['snr'], thresholdDbm: -80, receiver: { noiseFloorDbm: -90 } });
  const singles = [];
  const steps = engine.info.model.stepsOfSamples;
  for (const seed of [5, 6, 7]) singles.push(await engine.predict({ ...request, method: 'network', seed, steps }));
  const hasty = await engine.predict({ ...request, method: 'network', samples: 2, steps: 1 });
  const warned = await engine.predict({ ...physical, samples: 3, receiver: { rxg: 3 } });
  const answer = {
    named: both.bestServer === both.layers['best-server'] && both.sinr === both.layers.sinr && one.sinr === undefined,
    both: pack(both.values), one: pack(one.values), other: pack(other.values), layers: Object.fromEntries(Object.entries(both.layers).map(([name, values]) => [name, pack(values)])),
    coverage: both.coverage, stats: both.stats({ thresholdDbm: -70 }), bareStats: without.stats({ thresholdDbm: -70 }),
    otherRanges: [both, without].map((map) => map.stats({ thresholdDbm: -100 }).largestRangeM), single: { coverage: single.coverage, stats: single.stats({ thresholdDbm: -60 }) }, bare: [one.coverage ?? null, Object.keys(one.layers).length],
    sampled: pack(sampled.values), stddev: pack(sampled.stddev), probability: pack(sampled.probability), snr: pack(sampled.layers.snr), singles: singles.map(({ values }) => pack(values)), steps, hasty: hasty.warnings, calm: sampled.warnings,
    refused: [await code(engine.predict({ ...request, samples: 2, layers: ['best-server'] })), await code(engine.predict({ ...request, layers: ['delay'] })), await code(engine.predict({ ...request, receiver: { bandwidthMHz: 'wide' } }))],
    warned: warned.warnings,
  };
  engine.dispose();
  return answer;
}

/** Values as JSON has them: null for NaN. */
const pack = (values) => Array.from(values, (value) => (Number.isNaN(value) ? null : value));

/** What Rust hands to JavaScript, with every optional field somewhere. */
export async function crossing({ createEngine }) {
  const [engine, bare] = [await createEngine({ model: WEIGHTS, backend: 'cpu' }), await createEngine()];
  const far = { type: 'MultiPolygon', coordinates: [...buildings.coordinates, [block(9.2, 50.1)]] };
  const { mask: _, ...scene } = await engine.setScene({ buildings: far });
  const [{ lng, lat }] = request.transmitters;
  const antennas = [undefined, { azi: 90 }, { csv: '0,0,12\n180,0,-10', azi: 270 }];
  const { transmitters, coverage } = await engine.predict({ transmitters: antennas.map((antenna) => ({ lng, lat, antenna })), method: 'dominant-path', thresholdDbm: -80 });
  const sites = await bare.suggestSites({ buildings, thresholdDbm: -60, candidates: [request.transmitters[0]], transmitter: { antenna: { azi: 90 } } });
  const measurements = Array.from({ length: 60 }, (_, i) => ({ lng: lng - 5e-4 + (i % 10) * 1e-4, lat: lat - 3e-4 + Math.floor(i / 10) * 1e-4, powerDbm: -60 - ((i * 7) % 23) }));
  const { map: __, ...calibration } = await bare.calibrate({ transmitter: { lng, lat }, measurements, blockM: 20 });
  return { info: engine.info, bare: bare.info, scene, transmitters, coverage, sites, calibration };
}
