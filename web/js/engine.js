// The client: it sends calls to the runtime, starts the runtime again after a crash, and turns answers into maps and typed errors.

import { abortable } from './abort.js';
import { callBeside } from './beside.js';
import { plainBounds, readScene, readTable, sameScene } from './buildings.js';
import { Calls } from './calls.js';
import { Drawing } from './drawing.js';
import { RadioError, messageOf } from './errors.js';
import { withoutRaster } from './heights.js';
import { RadioMap } from './map.js';
import { init, initCalibration } from './module.js';
import { directPort, workerPort } from './ports.js';
import { drop, keep, loadWeights } from './weights.js';

/** @import { EngineInfo, EngineOptions, Engine as EngineInterface, Progress, PredictRequest, SceneInfo } from './index.js' */
/** @import { Callbacks } from './calls.js' */
/** @import { Answer } from './runtime.js' */
/** @import { Port } from './ports.js' */
/** @import { LoadedWeights } from './weights.js' */
/** @import { SceneRequest } from './buildings.js' */

/**
 * @typedef {object} Started
 * @property {Promise<[WebAssembly.Module, LoadedWeights | null]>} parts
 * @property {'auto' | 'webgpu' | 'cpu'} backend
 * @property {'f32' | 'f16'} precision
 * @property {string} [because] why this backend, where a crash decided it
 * @property {EngineOptions['worker']} worker
 * @property {number} workers the most that draw one map
 * @property {boolean} shared whether two of them share the network's maps, where they may
 */

/** The most workers for one map unless the caller names a number: each holds the whole scene. */
const MOST_WORKERS = 4;

const BACKENDS = ['auto', 'webgpu', 'cpu'];
const PRECISIONS = ['f32', 'f16'];

/** @implements {EngineInterface} */
class Engine {
  /** @type {EngineInfo} */
  info;
  /** @type {Started} */
  #options;
  /** @type {Port | null} */
  #port = null;
  /** The port that opens or has opened. @type {Promise<Port> | null} */
  #opening = null;
  /** @type {Promise<void> | null} */
  #starting = null;
  /** Why there is no port. @type {unknown} */
  #gone = null;
  #disposed = false;
  #calls = new Calls(() => this.#replace());
  /** Ends the work that runs beside. */
  #ending = new AbortController();
  /** Where the weights come from. @type {string | null} */
  #url = null;
  /** Substitutions made when the engine started. @type {string[]} */
  #warnings = [];
  /** The last call's. @type {SceneRequest | null} */
  #scene = null;
  /** The one that the runtime has. @type {SceneRequest | null} */
  #announced = null;
  #drawing = new Drawing({
    own: (call, args, callbacks) => this.#callOnScene(call, args, callbacks),
    beside: () => this.#beside(),
    warn: (warning) => this.warn(warning),
  });

  /** @param {Started} options */
  constructor(options) {
    this.#options = options;
    // The runtime's own word replaces it before `createEngine` hands the engine out.
    this.info = { backend: 'cpu', adapter: null, software: false, reason: 'The engine is starting.', f16: false, precision: 'f32', worker: true, model: null, warnings: [] };
  }

  /**
   * Starts the runtime where there is none; every caller waits for the same start.
   * @param {Callbacks} [callbacks]
   */
  ready(callbacks) {
    if (this.#disposed) return Promise.reject(new RadioError({ code: 'disposed', message: 'the engine was disposed of' }));
    this.#starting ??= this.#start(callbacks).catch((error) => {
      this.#abandon(error);
      throw error;
    });
    return this.#starting;
  }

  /**
   * @param {Callbacks} [callbacks]
   * @returns {Promise<void>}
   */
  async #start(callbacks) {
    const { backend, precision, because } = this.#options;
    // The worker starts while module and weights arrive.
    this.#opening = this.#open();
    const [port, [module, weights]] = await Promise.all([this.#opening, this.#options.parts]);
    if (this.#disposed) {
      port.close();
      throw this.#gone;
    }
    this.#port = port;
    this.#url = weights?.url ?? null;
    try {
      this.#learn(await this.#calls.open(port.post, { module, weights: weights?.bytes ?? null, backend, precision, because }, callbacks));
    } catch (error) {
      // A driver that takes the module down must not take the map away.
      const crashed = error instanceof RadioError && error.code === 'crashed';
      if (!crashed || this.#options.backend !== 'cpu' || backend === 'cpu') throw error;
      this.#starting = this.#start(callbacks);
      return this.#starting;
    }
  }

  /** @returns {Promise<Port>} */
  async #open() {
    /** @type {Port | null} */
    let port = null;
    // A port that was closed may still have something to say.
    const receive = (/** @type {Answer} */ answer) => port === this.#port && this.#receive(answer);
    const crashed = (/** @type {string} */ message) => port === this.#port && this.#crash(message);
    const { worker } = this.#options;
    if (worker !== false) {
      try {
        port = await workerPort(typeof worker === 'function' ? worker : undefined)(receive, crashed);
        return port;
      } catch (error) {
        if (worker) throw error;
        this.#options = { ...this.#options, worker: false };
        this.warn(`Maps are drawn on the page's own thread, which waits meanwhile: ${messageOf(error)}.`);
      }
    }
    port = await directPort(receive, crashed);
    return port;
  }

  /** @param {string} warning a substitution that was made */
  warn(warning) {
    this.#warnings.push(warning);
    this.info = { ...this.info, warnings: [...this.#warnings] };
  }

  /** @param {import('./networks.js').RuntimeInfo} info */
  #learn({ model, ...info }) {
    const worker = this.#options.worker !== false;
    this.info = { ...info, worker, model: model && { ...model, url: this.#url }, warnings: [...this.#warnings] };
  }

  /** @param {Answer} answer */
  #receive(answer) {
    if (answer.fatal) this.#crash(answer.error?.message ?? 'it gave no reason');
    this.#calls.receive(answer);
  }

  /** @param {string} message */
  #crash(message) {
    if (this.#options.backend === 'auto' && this.info.backend !== 'cpu') {
      this.#options = { ...this.#options, backend: 'cpu', because: `The engine crashed while WebGPU was used (${message}).` };
    }
    const next = this.#options.worker !== false ? 'the next call starts it again' : 'without a worker it cannot be started again';
    this.#abandon(new RadioError({ code: 'crashed', message: `the engine crashed (${message}); ${next}` }));
  }

  /**
   * Starts another worker in the place of one that goes on with a call that nobody waits for. Calls that wait behind that one are handed
   * over. Without a worker the call has to end by itself.
   */
  #replace() {
    if (this.#options.worker === false || !this.#port) return;
    this.#port.close();
    this.#port = this.#opening = this.#starting = this.#announced = null;
    this.#calls.hold();
    // Why it fails is what the calls are rejected with.
    this.ready().catch(() => {});
  }

  /** @param {unknown} error */
  #abandon(error) {
    this.#gone = error;
    if (this.#port) this.#port.close();
    else this.#opening?.then((port) => port.close()).catch(() => {});
    this.#port = this.#opening = this.#starting = this.#announced = null;
    this.#drawing.end(error);
    this.#calls.abandon(error);
  }

  /**
   * @param {string} call a method of the runtime
   * @param {object | (() => object)} args
   * @param {Callbacks} [callbacks]
   * @param {import('./calls.js').Post} [post]
   * @returns {Promise<any>}
   */
  #call(call, args, callbacks, post = (message) => this.#port?.post(message)) {
    // The runtime may have ended since one waited for it, or between two parts of a map.
    if (!this.#port && !this.#calls.holding) return Promise.reject(this.#gone);
    return this.#calls.send(post, call, args, callbacks);
  }

  /**
   * Sends a call about the noted scene, which travels only where the runtime does not have it.
   * @param {string} call
   * @param {object} args
   * @param {Callbacks} [callbacks]
   * @returns {Promise<any>}
   */
  #callOnScene(call, args, callbacks) {
    const about = this.#scene;
    const post = (/** @type {any} */ message) => {
      this.#port?.post(message);
      // What cannot be sent has brought no scene.
      if (message.scene) this.#announced = about;
    };
    return this.#call(call, () => ({ scene: about === this.#announced ? undefined : (about ?? undefined), ...args }), callbacks, post);
  }

  /**
   * Waits until the runtime takes calls; it may have ended while one waited.
   * @param {AbortSignal} [signal]
   */
  async #attend(signal) {
    await abortable(this.ready(), signal);
    signal?.throwIfAborted();
    if (!this.#port) throw this.#gone;
  }

  /**
   * Waits for the runtime and reads the buildings and the cars.
   * @param {unknown} buildings
   * @param {unknown} cars
   * @param {Callbacks} callbacks
   */
  async #attendScene(buildings, cars, { signal, onProgress }) {
    const read = await abortable(readScene(buildings, cars), signal);
    await this.#attend(signal);
    const source = await withoutRaster(read.source, () => this.#beside(), { signal, onProgress, ended: this.#ending.signal });
    // The engine may have ended meanwhile.
    await this.#attend(signal);
    return { source, cars: read.cars };
  }

  /**
   * Takes note of the scene that a call is about; without buildings it is the last one.
   * @param {import('./buildings.js').Source | undefined} source
   * @param {import('./buildings.js').SceneTerms} terms
   */
  #note(source, { cars, bounds, buildingHeightM, metersPerPixel }) {
    if (source === undefined) return;
    const asked = { source, cars, bounds: plainBounds(bounds), buildingHeightM, metersPerPixel };
    if (!sameScene(this.#scene, asked)) this.#scene = asked;
  }

  /**
   * Takes note of a call's scene once no map is under way that several workers draw, and sends the call in the same moment: no other may
   * change the scene in between.
   * @template T
   * @param {Partial<import('./index.js').SceneFields & Callbacks>} around
   * @param {() => Promise<T>} send
   */
  async #onScene({ buildings, cars: given, bounds, buildingHeightM, metersPerPixel, signal, onProgress }, send) {
    const { source, cars } = await this.#attendScene(buildings, given, { signal, onProgress });
    while (this.#drawing.sharing) {
      await abortable(this.#drawing.sharing, signal);
      await this.#attend(signal);
    }
    this.#note(source, { cars, bounds, buildingHeightM, metersPerPixel });
    return send();
  }

  /**
   * Sends a call with its scene.
   * @param {string} call
   * @param {Partial<import('./index.js').SceneFields & Callbacks>} around
   * @param {object} [request] the fields that are the call's own
   */
  #ask(call, around, request) {
    return this.#onScene(around, () => this.#callOnScene(call, { request }, around));
  }

  /** What a runtime beside the engine's own is opened with, and how. */
  async #beside() {
    const [module, weights] = await this.#options.parts;
    const { mapSize, metersPerPixel } = this.info.model ?? {};
    const { worker } = this.#options;
    const open = worker === false ? directPort : workerPort(typeof worker === 'function' ? worker : undefined);
    return { open, setup: { module, grid: mapSize && metersPerPixel ? { mapSize, metersPerPixel } : undefined }, weights: weights?.bytes ?? null };
  }

  /**
   * Sends a call to a runtime of its own, so that maps are drawn while it works.
   * @param {string} call
   * @param {Partial<import('./index.js').SceneFields & Callbacks>} around
   * @param {object} request
   * @param {{ module?: WebAssembly.Module }} [extra] what the call needs beside scene and request
   */
  #askBeside(call, around, request, extra) {
    return this.#onScene(around, async () => {
      const args = { scene: this.#scene ?? undefined, request, ...extra };
      const { open, setup } = await this.#beside();
      const { signal, onProgress } = around;
      return callBeside(open, setup, call, args, { signal, onProgress, ended: this.#ending.signal });
    });
  }

  /**
   * @param {Parameters<EngineInterface['setScene']>[0]} [scene]
   * @returns {Promise<SceneInfo>}
   */
  setScene(scene = {}) {
    return this.#ask('setScene', scene);
  }

  /** @param {Parameters<EngineInterface['footprints']>[0]} [scene] */
  async footprints(scene = {}) {
    return JSON.parse(await this.#ask('footprints', scene));
  }

  /** @param {PredictRequest} request */
  async predict(request) {
    // A request that is missing lacks its transmitters, and the runtime says so.
    const { transmitters, method, steps, seed, start, samples, interactions, walls, receiver, layers, thresholdDbm, ...around } = request ?? /** @type {Partial<PredictRequest>} */ ({});
    const asked = /** @type {PredictRequest} */ ({ transmitters, method, steps, seed, start, samples, interactions, walls, receiver, layers, thresholdDbm });
    const { info, ...map } = await this.#onScene(around, () => {
      const { worker, workers, shared } = this.#options;
      return this.#drawing.map(asked, { workers: worker === false ? 1 : workers, shared, scene: this.#scene, info: this.info }, around);
    });
    this.#learn(info);
    return this.#mapOf(map);
  }

  /**
   * A map whose files are written by a runtime beside this one, also after its end.
   * @param {ConstructorParameters<typeof RadioMap>[0]} drawn
   */
  async #mapOf(drawn) {
    const { open, setup } = await this.#beside();
    return new RadioMap(drawn, { open, setup });
  }

  /** @param {Parameters<EngineInterface['suggestSites']>[0]} request */
  suggestSites(request) {
    const { count, thresholdDbm, candidates, area, spacingM, existing, transmitter, receiver, ...around } = request ?? /** @type {Partial<typeof request>} */ ({});
    return this.#askBeside('suggestSites', around, { count, thresholdDbm, candidates, area, spacingM, existing, transmitter, receiver });
  }

  /** @param {Parameters<EngineInterface['profile']>[0]} request */
  profile(request) {
    const { transmitter, receiver, ...around } = request ?? /** @type {Partial<typeof request>} */ ({});
    return this.#ask('profile', around, { transmitter, receiver });
  }

  /** @param {Parameters<EngineInterface['calibrate']>[0]} request */
  async calibrate(request) {
    const { transmitter, measurements, device, squareM, blockM, ...around } = request ?? /** @type {Partial<typeof request>} */ ({});
    const [table, module] = await abortable(Promise.all([readTable(measurements), initCalibration()]), around.signal);
    const { map, ...report } = await this.#askBeside('calibrate', around, { transmitter, measurements: table, device, squareM, blockM }, { module });
    return { ...report, map: await this.#mapOf(map) };
  }

  /** @param {Callbacks} [callbacks] */
  async warmup({ signal, onProgress } = {}) {
    await this.#attend(signal);
    return this.#call('warmup', {}, { signal, onProgress });
  }

  async loseDevice() {
    await this.#attend();
    await this.#call('loseDevice', {});
  }

  async computeAsOnAGpu() {
    await this.#attend();
    await this.#call('computeAsOnAGpu', {});
  }

  async crash() {
    await this.#attend();
    await this.#call('crash', {});
  }

  dispose() {
    const disposed = new RadioError({ code: 'disposed', message: 'the engine was disposed of' });
    this.#abandon(disposed);
    this.#ending.abort(disposed);
    this.#disposed = true;
  }
}

/**
 * @param {EngineOptions} [options]
 * @returns {Promise<EngineInterface>}
 */
export async function createEngine({ model, backend, precision, worker, workers, cache, signal, onProgress } = {}) {
  // Options that are there and say nothing, as a spread of optional ones has them, are the defaults.
  backend ??= 'auto';
  if (!BACKENDS.includes(backend)) throw new RadioError({ code: 'backend', message: `there is no backend ${backend}; the backends are ${BACKENDS.join(', ')}` });
  precision ??= 'f32';
  if (!PRECISIONS.includes(precision)) throw new RadioError({ code: 'backend', field: 'precision', message: `there is no precision ${precision}; there are ${PRECISIONS.join(' and ')}` });
  // A second worker for the network takes its memory again for a fifth of a map's time, so it has to be asked for.
  const shared = workers != null;
  workers ??= Math.min(globalThis.navigator?.hardwareConcurrency ?? 1, MOST_WORKERS);
  if (!Number.isInteger(workers) || workers < 1) throw new RadioError({ code: 'worker', field: 'workers', message: `workers is ${workers}, expected a whole number from 1` });
  signal?.throwIfAborted();
  const start = async (/** @type {boolean} */ cached) => {
    // One beside the other.
    const loading = Promise.all([compile(onProgress), model ? loadWeights(model, { signal, onProgress, cache: cached }) : null]);
    const engine = new Engine({ parts: loading, backend: backend ?? 'auto', precision: precision ?? 'f32', worker, workers, shared });
    try {
      await abortable(engine.ready({ signal, onProgress }), signal);
      const [, weights] = await loading;
      // A store that is slow or never answers keeps nobody waiting.
      if (weights && cached) keep(weights).then((warning) => warning && engine.warn(warning));
      return engine;
    } catch (error) {
      engine.dispose();
      throw await damagedInStore(error, loading);
    }
  };
  try {
    return await start(cache ?? true);
  } catch (error) {
    if (error !== DAMAGED) throw error;
    return start(false);
  }
}

/** Stands for weights that were kept in the browser and are damaged there. */
const DAMAGED = Symbol('damaged in the store');

/**
 * @param {unknown} error
 * @param {Promise<[WebAssembly.Module, LoadedWeights | null]>} loading
 * @returns {Promise<unknown>} the error, or DAMAGED where the weights are such, which the browser is told to forget
 */
async function damagedInStore(error, loading) {
  if (!(error instanceof RadioError) || error.code !== 'weights') return error;
  const [, weights] = await loading.catch(() => [null, null]);
  if (!weights?.stored) return error;
  drop(weights).catch(() => {});
  return DAMAGED;
}

/** @param {Progress} [onProgress] */
async function compile(onProgress) {
  onProgress?.({ phase: 'compile', loaded: 0, total: 1 });
  const module = await init();
  onProgress?.({ phase: 'compile', loaded: 1, total: 1 });
  return module;
}
