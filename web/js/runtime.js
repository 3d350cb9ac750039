// The runtime behind the client, in a worker or on the page. It owns the wasm module's objects: the networks (networks.js) and the scene
// that is kept.
//
// Messages in: {id, call, ...arguments}, or {abort: id} for a call that nobody waits for any more.
// Messages out: {id, result}, {id, error: {code, message, field, reason}, fatal} or {id, progress: {phase, loaded, total}}.
// Calls are answered one after the other, in the order they came.

import { codeOf, failure, messageOf } from './errors.js';
import { Spreads, layersOf } from './layers.js';
import { Networks, holding } from './networks.js';
import init, { CellSurroundings, CoverageHandle, Request, SceneHandle, SiteSearch, crash } from './radiodiff-web.js';
import { heightsIn, samplesOf, stepsIn } from './samples.js';
import { between, inTurns, ofMany } from './turns.js';
import { traceRaster, writeMap } from './writers.js';

/** @import { Progress, SceneInfo } from './index.js' */
/** @import { SceneRequest, SceneTerms } from './buildings.js' */
/** @import { TransmitterSignal } from './radiodiff-web.js' */
/** @import { TeamSetup } from './team.js' */
/** @import { Watch } from './turns.js' */

/**
 * @typedef {object} Answer
 * @property {number} id
 * @property {any} [result]
 * @property {{ code: string, message: string, field?: string, reason?: string }} [error]
 * @property {boolean} [fatal] the module trapped and answers no more
 * @property {Parameters<Progress>[0]} [progress]
 */
/** @typedef {SceneTerms & { source?: SceneRequest['source'], handle?: SceneHandle, info?: Omit<SceneInfo, 'mask'>, error?: unknown }} Scene */

/** RadioMapSeer's grid, for maps without a network. */
const DEFAULT_GRID = { mapSize: 256, metersPerPixel: 1 };
/** From so many pixels a side on, plans are drawn by several workers: smaller maps take less time than these need to start. */
const SHARED_SIZE = 400;
/** The machine's memory in GiB where the browser does not say it. */
const DEVICE_MEMORY_GIB = 8;

/** What the workers of a plan and the page may take together: half of the machine's memory. */
const mostBytes = () => ((/** @type {{ deviceMemory?: number }} */ (globalThis.navigator ?? {}).deviceMemory ?? DEVICE_MEMORY_GIB) / 2) * 2 ** 30;

/**
 * @param {number} value
 * @param {[number, number]} ends
 */
const isWithin = (value, [least, most]) => least <= value && value <= most;

class Runtime {
  /** There are none before the runtime is open. */
  #networks = new Networks({ backend: 'cpu' });
  /** The grid of scenes that ask for none, unless the networks have one. */
  #grid = DEFAULT_GRID;
  /** The last scene that was announced; once prepared it has a handle and info, or an error. @type {Scene | null} */
  #scene = null;

  /**
   * @param {{ module: WebAssembly.Module, weights: Uint8Array | null, backend: string, precision?: string, because?: string, grid?: typeof DEFAULT_GRID }} options
   * @param {Watch} watch
   */
  async open({ module, weights, backend, precision, because, grid }, { progress }) {
    await init({ module_or_path: module });
    progress('build', 0, 1);
    this.#grid = grid ?? DEFAULT_GRID;
    this.#networks = await Networks.open(weights, { backend, precision }, because);
    progress('build', 1, 1);
    return this.#networks.info;
  }

  /**
   * Takes note of a scene that travels with a call; the call itself may have been aborted.
   * @param {Scene} [scene]
   */
  announce(scene) {
    if (!scene) return;
    this.#scene?.handle?.free();
    // On the calling thread it is the caller's own, of which other runtimes have one too.
    this.#scene = { ...scene };
  }

  /**
   * The announced scene, prepared once. A scene that was refused stays refused.
   * @param {Watch} watch
   */
  #prepared({ progress }) {
    const scene = this.#scene;
    if (!scene) throw failure('no-scene', 'there are no buildings: give them with the request, or call setScene first');
    if (scene.error) throw scene.error;
    if (!scene.handle || !scene.info) {
      const { mapSize, metersPerPixel } = this.#networks.info.model ?? this.#grid;
      try {
        const { bounds, buildingHeightM, metersPerPixel: asked } = scene;
        progress('scene', 0, 1);
        scene.handle = new SceneHandle(scene.source ?? '', scene.cars, { bounds, buildingHeightM, metersPerPixel: asked }, mapSize, metersPerPixel);
        // The handle has the buildings now; a file of them may be large.
        scene.source = scene.cars = undefined;
        scene.info = scene.handle.info();
        progress('scene', 1, 1);
      } catch (error) {
        scene.error = error;
        throw error;
      }
    }
    return { handle: scene.handle, info: scene.info };
  }

  /**
   * @param {unknown} _
   * @param {Watch} watch
   */
  setScene(_, watch) {
    const { handle, info } = this.#prepared(watch);
    return { ...info, mask: handle.mask() };
  }

  /**
   * What stands between a transmitter and one receiver.
   * @param {{ request: unknown }} call
   * @param {Watch} watch
   */
  profile({ request }, watch) {
    const { handle, info } = this.#prepared(watch);
    const { transmitter: { warnings: _, ...transmitter }, warnings, ...profile } = handle.profile(request);
    return { ...profile, transmitter, warnings: [...info.warnings, ...warnings] };
  }

  write = writeMap;
  trace = traceRaster;

  /**
   * @param {unknown} _
   * @param {Watch} watch
   */
  footprints(_, watch) {
    return this.#prepared(watch).handle.footprints();
  }

  /**
   * Checks a request and tells before its map is drawn how many transmitters it has, and how many workers share them: as many as there is
   * memory for, 1 of what one worker draws.
   * @param {{ request: unknown, workers: number }} call `workers` at most
   * @param {Watch} watch
   */
  outline({ request: asked, workers }, watch) {
    const request = new Request(asked);
    const { handle, info } = this.#prepared(watch);
    const shared = info.size >= SHARED_SIZE && this.#methodOf(request, info) === 'dominant-path';
    const outline = { workers: shared ? handle.workersWithin(request, workers, mostBytes()) : 1, transmitters: request.transmitterCount };
    request.free();
    return outline;
  }

  /**
   * One transmitter's path gain, for the worker that draws the plan.
   * @param {{ request: unknown, index: number }} call
   * @param {Watch} watch
   */
  gain({ request: asked, index }, watch) {
    const request = new Request(asked);
    const { handle } = this.#prepared(watch);
    const placed = handle.place(request, index);
    const gain = handle.gain(placed);
    for (const held of [placed, request]) held.free();
    return { gain };
  }

  /**
   * @param {{ request: unknown, gains?: Float32Array[], team?: TeamSetup }} call `gains` of all transmitters, where other workers found
   *   them; `team` of workers that draw the same map, where these share the networks' work
   * @param {Watch} watch
   */
  async predict({ request: asked, gains, team }, watch) {
    const started = performance.now();
    const request = new Request(asked);
    const { handle, info } = this.#prepared(watch);
    const { signals, places, ...told } = await this.#networks.inTeam(team, () => this.#signals(request, gains, watch));
    const members = signals[0].length;
    const spreads = new Spreads(request);
    /** @type {CoverageHandle | null} */
    let coverage = null;
    for (let member = 0; member < members; member += 1) {
      coverage?.free();
      coverage = new CoverageHandle(handle, request);
      for (const drawn of signals) coverage.add(drawn[member]);
      if (members > 1) spreads.add(coverage);
    }
    const drawn = layersOf(/** @type {CoverageHandle} */ (coverage), request, spreads);
    // After an error the collector frees them: a call into a module that trapped would hide why.
    for (const held of [...places, coverage, spreads, request]) held?.free();
    const backend = told.method === 'network' ? this.#networks.info.backend : 'cpu';
    return { scene: info, ...drawn, ...told, backend, milliseconds: performance.now() - started, info: this.#networks.info };
  }

  /**
   * Takes part in the networks' maps of a call that another worker answers.
   * @param {{ request: unknown, team: TeamSetup }} call
   * @param {Watch} watch
   */
  async assist({ request: asked, team }, watch) {
    const request = new Request(asked);
    await holding(request, () => this.#networks.inTeam(team, () => this.#networks.assist(request, watch)));
    return {};
  }

  /**
   * The signals of a request's transmitters, several of each where its samples or quantiles are asked for.
   * @param {Request} request
   * @param {Float32Array[] | undefined} gains
   * @param {Watch} watch
   */
  async #signals(request, gains, watch) {
    const { handle, info } = this.#prepared(watch);
    const method = this.#methodOf(request, info);
    const warnings = [...info.warnings, ...(method === 'rays' ? handle.rayWarnings() : []), ...request.warnings];
    const transmitters = [];
    const places = [];
    for (let index = 0; index < request.transmitterCount; index += 1) {
      const placed = handle.place(request, index);
      const { warnings: changed, ...transmitter } = placed.report(method);
      warnings.push(...changed);
      transmitters.push(transmitter);
      places.push(placed);
    }
    if (method === 'network' && this.#networks.info.model) warnings.push(...heightsIn(transmitters, this.#networks.info.model.antennaHeightsM));
    if (info.cars && method === 'rays') warnings.push(carsLeftOut('Ray tracing'));
    if (info.cars && method === 'network' && !this.#networks.info.model?.knowsCars) warnings.push(carsLeftOut('The network'));
    const samples = samplesOf(request, method === 'network' && this.#networks.sayQuantiles ? 'quantiles' : method, warnings);
    if (method === 'network') {
      const { model } = this.#networks.info;
      if (model?.kind === 'samples') warnings.push(...stepsIn(request, model.stepsOfSamples));
      this.#networks.checkMemory(handle, places.length, samples);
    }
    if (method !== 'rays') warnings.push(...request.rayFields.map(raysAlone));
    /** @type {TransmitterSignal[][]} */
    const signals = [];
    for (const [index, placed] of places.entries()) {
      const watched = ofMany(watch, index, places.length);
      if (method === 'network') {
        signals.push(await this.#networks.draw(handle, placed, request, samples, watched, warnings));
      } else if (gains) {
        signals.push([handle.signalOf(placed, gains[index])]);
        // Transmitters of the same place share it.
        if (!gains.includes(gains[index], index + 1)) release(gains[index]);
      } else {
        signals.push([await inOne(watched, () => (method === 'rays' ? handle.rays(placed, request) : handle.dominantPath(placed)))]);
      }
    }
    return { signals, places, transmitters, method, warnings };
  }

  /**
   * The method that was asked for, or the network on its own grid.
   * @param {Request} request
   * @param {Omit<SceneInfo, 'mask'>} scene
   */
  #methodOf(request, { size, metersPerPixel }) {
    const { model } = this.#networks.info;
    const isOwn = model !== null && model.mapSize === size && model.metersPerPixel === metersPerPixel;
    const method = request.method ?? (isOwn ? 'network' : 'dominant-path');
    if (method === 'network' && !model) {
      throw failure('no-weights', 'the engine was made without weights: give createEngine a model, or ask for the dominant path');
    }
    if (method === 'network' && model && !(isWithin(size, model.mapSizes) && isWithin(metersPerPixel, model.pixelSizesM))) {
      const [[fewest, most], [least, largest]] = [model.mapSizes, model.pixelSizesM];
      const grids = `${fewest === most ? '' : 'up to '}${most} x ${most} pixels of ${least === largest ? '' : `${least} to `}${largest} m`;
      throw failure('method', `the network draws ${grids}, and the scene has ${size} x ${size} of ${metersPerPixel} m: choose another metersPerPixel or leave it out, or ask for the dominant path`);
    }
    return method;
  }

  /**
   * Places for new transmitters. A map of every candidate is drawn, and between two maps the runtime can be stopped.
   * @param {{ request: unknown }} call
   * @param {Watch} watch
   */
  async suggestSites({ request }, watch) {
    const started = performance.now();
    const { handle, info } = this.#prepared(watch);
    const search = new SiteSearch(handle, request);
    const { steps } = search;
    await inTurns(steps, watch, 'candidates', () => search.draw(handle));
    const { sites, warnings, ...rest } = search.choose(handle);
    search.free();
    const placed = sites.map(({ transmitter: { warnings: _, ...transmitter }, ...site }) => ({ lng: transmitter.lng, lat: transmitter.lat, ...site, transmitter }));
    return { ...rest, sites: placed, warnings: [...info.warnings, ...warnings], milliseconds: performance.now() - started };
  }

  /**
   * The map of a cell that measurements correct. Between the fit, its validation and the map's rows the runtime can be stopped.
   * @param {{ request: { transmitter: unknown, squareM: unknown, blockM: unknown, measurements: unknown, device: unknown }, module: WebAssembly.Module }} call
   * @param {Watch} watch
   */
  async calibrate({ request: { transmitter, squareM, blockM, measurements, device }, module }, watch) {
    const started = performance.now();
    const { handle, info } = this.#prepared(watch);
    const cell = new CellSurroundings(handle, { transmitter, squareM, blockM });
    const { transmitter: { warnings: _, ...placed }, warnings: changed, ...terms } = cell.terms();
    const { default: initCalibration, CalibrationHandle } = await import('./radiodiff-web-calibration.js');
    await initCalibration({ module_or_path: module });
    const calibration = new CalibrationHandle(terms, handle.mask(), cell.statedRoofs(), cell.wallDistance(), cell.gain(), { measurements, device });
    cell.free();
    const parts = [() => calibration.fit(), () => calibration.validate()];
    await inTurns(parts.length, watch, 'fit', (part) => parts[part]());
    await inTurns(info.size, watch, 'rows', () => calibration.drawRow());
    const { warnings: told, ...report } = calibration.report();
    const warnings = [...info.warnings, ...changed, ...told, ...(info.cars ? [carsLeftOut('The calibration')] : [])];
    const milliseconds = performance.now() - started;
    const map = { scene: info, values: calibration.power(), stddev: calibration.deviation(), transmitters: [placed], method: 'calibrated', backend: 'cpu', warnings, milliseconds };
    calibration.free();
    return { ...report, map, warnings, milliseconds };
  }

  /**
   * @param {unknown} _
   * @param {Watch} watch
   */
  async warmup(_, watch) {
    const started = performance.now();
    await this.#networks.warmup(watch);
    return { milliseconds: performance.now() - started };
  }

  /** For tests: a driver that restarts. */
  loseDevice() {
    if (this.#networks.info.backend !== 'webgpu') throw failure('no-webgpu', 'there is no device to lose: the networks run on the CPU');
    this.#networks.release();
    return {};
  }

  /** For tests: the kernels for GPUs on any adapter. */
  computeAsOnAGpu() {
    if (this.#networks.info.backend !== 'webgpu') throw failure('no-webgpu', 'there are no kernels for GPUs: the networks run on the CPU');
    this.#networks.computeAsOnAGpu();
    return {};
  }

  /** For tests: a defect in the module. */
  crash() {
    return crash();
  }

  dispose() {
    this.#networks.dispose();
    this.#scene?.handle?.free();
    this.#scene = null;
    return {};
  }
}

/**
 * The warning of what draws without the scene's cars.
 * @param {string} what
 */
const carsLeftOut = (what) => `${what} does not know cars: those on the map are left out.`;

/**
 * The warning of a field that the method does not use.
 * @param {string} field
 */
const raysAlone = (field) => `Only the method rays traces rays, so ${field} is not used.`;

/**
 * Gives an array's memory back at once, where the browser can: the collector may come when all others are used.
 * @param {Float32Array} array
 */
function release({ buffer }) {
  /** @type {{ transfer?: (bytes: number) => void }} */ (buffer).transfer?.(0);
}

/**
 * A transmitter's physical map. Before it the runtime can be stopped.
 * @param {Watch} watch
 * @param {() => TransmitterSignal} draw
 */
async function inOne(watch, draw) {
  await between(watch, 'transmitters')(0, 1);
  const signal = draw();
  watch.progress('transmitters', 1, 1);
  return signal;
}

/**
 * Arrays of a map, or a file's bytes, that are handed over instead of copied.
 * @param {{ values?: Float32Array, layers?: Record<string, Float32Array>, stddev?: Float32Array, probability?: Float32Array, gain?: Float32Array, file?: Uint8Array | string, map?: any }} result
 * @returns {Transferable[]}
 */
const buffersOf = ({ map, values, layers = {}, stddev, probability, gain, file }) => map ? buffersOf(map) : [values, ...Object.values(layers), stddev, probability, gain, file].flatMap((array) => (ArrayBuffer.isView(array) ? [array.buffer] : []));

/**
 * A function that takes messages; answers go to `post`.
 * @param {(answer: Answer, transfer: Transferable[]) => void} post
 * @returns {(message: { id: number, call: string } & Record<string, any> | { abort: number }) => void}
 */
export function serve(post) {
  const runtime = new Runtime();
  const aborted = new Set();
  let queue = Promise.resolve();

  /**
   * @param {number} id
   * @param {string} call
   * @param {Record<string, any>} args
   */
  async function answer(id, call, args) {
    const check = () => {
      if (aborted.has(id)) throw failure('aborted', 'nobody waits for this any more');
    };
    try {
      runtime.announce(args.scene);
      check();
      /** @type {Watch} */
      const watch = { check, progress: (phase, loaded, total) => post({ id, progress: { phase, loaded, total } }, []) };
      const result = await /** @type {any} */ (runtime)[call](args, watch);
      post({ id, result }, buffersOf(result));
    } catch (error) {
      // A trap leaves the module in no state to go on: the client starts a new worker.
      const fatal = error instanceof WebAssembly.RuntimeError;
      const code = fatal ? 'crashed' : (codeOf(error) ?? 'failed');
      const { field, reason } = /** @type {any} */ (error);
      post({ id, error: { code, message: messageOf(error), field, reason }, fatal }, []);
    } finally {
      aborted.delete(id);
    }
  }

  return (message) => {
    if ('abort' in message) {
      aborted.add(message.abort);
      return;
    }
    const { id, call, ...args } = message;
    // A device is lost in the middle of something.
    if (call === 'loseDevice') answer(id, call, args);
    else queue = queue.then(() => answer(id, call, args));
  };
}
