// The client: it sends calls to the runtime, starts the runtime again after a crash, and turns answers into maps and typed errors.

import { plainBounds, readBuildings, sameScene } from './buildings.js';
import { RadioError, messageOf } from './errors.js';
import { RadioMap } from './map.js';
import { init } from './module.js';
import { directPort, workerPort } from './ports.js';
import { loadWeights } from './weights.js';

/** @import { EngineInfo, EngineOptions, Engine as EngineInterface, Progress, PredictRequest, SceneInfo } from './index.js' */
/** @import { Answer } from './runtime.js' */
/** @import { Port } from './ports.js' */

/** @typedef {{ signal?: AbortSignal | undefined, onProgress?: Progress | undefined }} Callbacks */
/** @typedef {{ resolve: (result: any) => void, reject: (reason: unknown) => void, onProgress?: Progress | undefined, settled: () => void }} Waiting */
/**
 * @typedef {object} Started
 * @property {WebAssembly.Module} module
 * @property {Uint8Array | null} weights
 * @property {string | null} url where the weights come from
 * @property {'auto' | 'webgpu' | 'cpu'} backend
 * @property {string} [because] why this backend, where a crash decided it
 * @property {boolean} worker
 */

const BACKENDS = ['auto', 'webgpu', 'cpu'];

/** @implements {EngineInterface} */
class Engine {
  /** @type {EngineInfo} */
  info;
  /** @type {Started} */
  #options;
  /** @type {Port | null} */
  #port = null;
  /** @type {Promise<void> | null} */
  #starting = null;
  /** Why there is no port. @type {unknown} */
  #gone = null;
  #disposed = false;
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();
  #next = 0;
  /** The last scene, and whether the runtime has it. @type {import('./buildings.js').SceneRequest & { known: boolean } | null} */
  #scene = null;

  /** @param {Started} options */
  constructor(options) {
    this.#options = options;
    // The runtime's own word replaces it before `createEngine` hands the engine out.
    this.info = { backend: 'cpu', adapter: null, software: false, reason: 'The engine is starting.', f16: false, model: null };
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
    const { module, weights, backend, because, worker } = this.#options;
    const open = worker ? workerPort : directPort;
    // A port that was closed may still have something to say.
    const port = await open((answer) => port === this.#port && this.#receive(answer), (message) => port === this.#port && this.#crash(message));
    this.#port = port;
    try {
      this.#learn(await this.#call('open', { module, weights, backend, because }, callbacks));
    } catch (error) {
      // A driver that takes the module down must not take the map away.
      const crashed = error instanceof RadioError && error.code === 'crashed';
      if (!crashed || this.#options.backend !== 'cpu' || backend === 'cpu') throw error;
      this.#starting = this.#start(callbacks);
      return this.#starting;
    }
  }

  /** @param {import('./runtime.js').RuntimeInfo} info */
  #learn({ model, ...info }) {
    this.info = { ...info, model: model && { ...model, url: this.#options.url } };
  }

  /** @param {Answer} answer */
  #receive({ id, result, error, fatal, progress }) {
    if (fatal) this.#crash(error?.message ?? 'it gave no reason');
    const call = this.#waiting.get(id);
    if (!call) return;
    if (progress) {
      call.onProgress?.(progress);
      return;
    }
    this.#waiting.delete(id);
    call.settled();
    if (error) call.reject(new RadioError(error));
    else call.resolve(result);
  }

  /** @param {string} message */
  #crash(message) {
    if (this.#options.backend === 'auto' && this.info.backend !== 'cpu') {
      this.#options = { ...this.#options, backend: 'cpu', because: `The engine crashed while WebGPU was used (${message}).` };
    }
    const next = this.#options.worker ? 'the next call starts it again' : 'without a worker it cannot be started again';
    this.#abandon(new RadioError({ code: 'crashed', message: `the engine crashed (${message}); ${next}` }));
  }

  /** @param {unknown} error */
  #abandon(error) {
    this.#gone = error;
    this.#port?.close();
    this.#port = this.#starting = null;
    if (this.#scene) this.#scene.known = false;
    for (const { reject, settled } of this.#waiting.values()) {
      settled();
      reject(error);
    }
    this.#waiting.clear();
  }

  /**
   * @param {string} call a method of the runtime
   * @param {object} args
   * @param {Callbacks} [callbacks]
   * @returns {Promise<any>}
   */
  #call(call, args, { signal, onProgress } = {}) {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      const abort = () => {
        this.#waiting.delete(id);
        this.#port?.post({ abort: id });
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.set(id, { resolve, reject, onProgress, settled: () => signal?.removeEventListener('abort', abort) });
      try {
        this.#port?.post({ id, call, ...args });
      } catch (error) {
        // The scene did not travel either.
        if (this.#scene) this.#scene.known = false;
        const message = `the request holds something that cannot be sent to a worker: ${messageOf(error)}`;
        this.#receive({ id, error: { code: 'request', message } });
      }
    });
  }

  /**
   * Waits until the runtime takes calls; it may have ended while one waited.
   * @param {AbortSignal} [signal]
   */
  async #attend(signal) {
    await this.ready();
    signal?.throwIfAborted();
    if (!this.#port) throw this.#gone;
  }

  /**
   * Waits for the runtime and reads the buildings.
   * @param {unknown} buildings
   * @param {AbortSignal} [signal]
   */
  async #attendScene(buildings, signal) {
    const source = buildings == null ? undefined : await readBuildings(buildings);
    await this.#attend(signal);
    return source;
  }

  /**
   * The scene as a message: its buildings travel only when the runtime does not have them.
   * @param {import('./buildings.js').Source | undefined} source
   * @param {unknown} bounds
   */
  #sceneMessage(source, bounds) {
    if (source !== undefined) {
      const asked = { source, bounds: plainBounds(bounds), known: false };
      if (!sameScene(this.#scene, asked)) this.#scene = asked;
    }
    if (!this.#scene || this.#scene.known) return undefined;
    this.#scene.known = true;
    return { source: this.#scene.source, bounds: this.#scene.bounds };
  }

  /**
   * @param {Parameters<EngineInterface['setScene']>[0]} [scene]
   * @returns {Promise<SceneInfo>}
   */
  async setScene({ buildings, bounds, signal } = {}) {
    const source = await this.#attendScene(buildings, signal);
    return this.#call('setScene', { scene: this.#sceneMessage(source, bounds) }, { signal });
  }

  /** @param {PredictRequest} request */
  async predict(request) {
    // A request that is missing lacks its transmitters, and the runtime says so.
    const { buildings, bounds, transmitters, method, steps, seed, start, signal, onProgress } = request ?? /** @type {Partial<PredictRequest>} */ ({});
    const source = await this.#attendScene(buildings, signal);
    const message = { scene: this.#sceneMessage(source, bounds), request: { transmitters, method, steps, seed, start } };
    const { info, ...map } = await this.#call('predict', message, { signal, onProgress });
    this.#learn(info);
    return new RadioMap(map);
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

  async crash() {
    await this.#attend();
    await this.#call('crash', {});
  }

  dispose() {
    this.#abandon(new RadioError({ code: 'disposed', message: 'the engine was disposed of' }));
    this.#disposed = true;
  }
}

/**
 * @param {EngineOptions} [options]
 * @returns {Promise<EngineInterface>}
 */
export async function createEngine({ model, backend, worker, signal, onProgress } = {}) {
  // Options that are there and say nothing, as a spread of optional ones has them, are the defaults.
  backend ??= 'auto';
  if (!BACKENDS.includes(backend)) throw new RadioError({ code: 'backend', message: `there is no backend ${backend}; the backends are ${BACKENDS.join(', ')}` });
  signal?.throwIfAborted();
  const { bytes: weights = null, url = null } = model ? await loadWeights(model, signal, onProgress) : {};
  const engine = new Engine({ module: await init(), weights, url, backend, worker: worker ?? true });
  await engine.ready({ signal, onProgress });
  return engine;
}
