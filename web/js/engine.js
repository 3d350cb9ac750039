// The client: speaks to the runtime, starts it again after a crash, and turns answers into maps and typed errors.

import { RadioError } from './errors.js';
import { RadioMap } from './map.js';

const BACKENDS = ['auto', 'webgpu', 'cpu'];
const METHODS = ['network', 'dominant-path'];

let compiled = null;

/** Compiles the wasm module, once; `createEngine` does it where nobody has. */
export function init(source = new URL('./radiodiff-web_bg.wasm', import.meta.url)) {
  compiled ??= compile(source).catch((error) => {
    compiled = null;
    throw new RadioError({ code: 'wasm', message: `the wasm module could not be loaded: ${error.message}` });
  });
  return compiled;
}

async function compile(source) {
  if (source instanceof WebAssembly.Module) return source;
  if (ArrayBuffer.isView(source) || source instanceof ArrayBuffer) return WebAssembly.compile(source);
  const response = await fetch(source);
  if (!response.ok) throw new Error(`${source}: the server answers ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

/** The bytes of a weights file and, where it came from one, its URL. */
async function load(model, signal, onProgress) {
  if (ArrayBuffer.isView(model)) return { bytes: new Uint8Array(model.buffer, model.byteOffset, model.byteLength), url: null };
  if (model instanceof ArrayBuffer) return { bytes: new Uint8Array(model), url: null };
  const url = new URL(model, globalThis.document?.baseURI ?? globalThis.location?.href).href;
  const refuse = (reason) => new RadioError({ code: 'weights-missing', message: `the weights at ${url} could not be loaded: ${reason}` });
  try {
    const response = await fetch(url, { signal });
    if (!response.ok) {
      // An answer that nobody reads would keep its connection.
      await response.body?.cancel();
      throw new Error(`the server answers ${response.status}`);
    }
    const total = Number(response.headers.get('content-length')) || undefined;
    const parts = [];
    let loaded = 0;
    for (const reader = response.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      loaded += value.length;
      onProgress?.({ phase: 'download', loaded, total });
    }
    return { bytes: new Uint8Array(await new Blob(parts).arrayBuffer()), url };
  } catch (error) {
    signal?.throwIfAborted();
    throw refuse(error.message);
  }
}

/** The runtime in a worker. `crashed(message)` is called when it can answer no more. */
function workerPort(receive, crashed) {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }) => receive(data);
  worker.onerror = (event) => {
    // It is told as a typed error, so the page need not hear of it as an uncaught one.
    event.preventDefault();
    crashed(event.message || 'the worker could not be started');
  };
  return { post: (message) => worker.postMessage(message), close: () => worker.terminate() };
}

/** Why the module computes no more on the calling thread. There is one instance of it, so a trap is final for every engine. */
let trap = null;

/** The runtime on the calling thread. */
async function directPort(receive, crashed) {
  const { serve } = await import('./runtime.js');
  const take = serve((message) => queueMicrotask(() => {
    if (message.fatal) trap = message.error.message;
    receive(message);
  }));
  // A trap in an asynchronous call rejects no promise.
  const trapped = (event) => {
    if (!(event.error instanceof WebAssembly.RuntimeError)) return;
    event.preventDefault();
    trap = event.message;
    crashed(trap);
  };
  addEventListener('error', trapped);
  const close = () => {
    removeEventListener('error', trapped);
    if (trap === null) take({ id: -1, call: 'dispose' });
  };
  return { post: (message) => (trap === null ? take(message) : crashed(trap)), close };
}

function stringify(buildings) {
  const refuse = (reason) => new RadioError({ code: 'geojson', message: `the buildings cannot be written as JSON: ${reason}` });
  let text;
  try {
    text = JSON.stringify(buildings);
  } catch (error) {
    throw refuse(error.message);
  }
  if (text === undefined) throw refuse(`they are a ${typeof buildings}`);
  return text;
}

class Engine {
  #options;
  #port = null;
  #starting = null;
  #gone = null; // why there is no port
  #disposed = false;
  #waiting = new Map();
  #next = 0;
  #scene = null; // the last one, and whether the runtime has it

  constructor(options) {
    this.#options = options;
  }

  /** Starts the runtime where there is none; every caller waits for the same start. */
  ready(callbacks) {
    if (this.#disposed) return Promise.reject(new RadioError({ code: 'disposed', message: 'the engine was disposed of' }));
    this.#starting ??= this.#start(callbacks).catch((error) => {
      this.#abandon(error);
      throw error;
    });
    return this.#starting;
  }

  async #start(callbacks) {
    const { module, weights, url, backend, because, worker } = this.#options;
    const open = worker ? workerPort : directPort;
    // A port that was closed may still have something to say.
    const port = await open((data) => port === this.#port && this.#receive(data), (message) => port === this.#port && this.#crash(message));
    this.#port = port;
    try {
      this.#learn(await this.#call('open', { module, weights, backend, because }, callbacks));
    } catch (error) {
      // A driver that takes the module down must not take the map away.
      if (error.code !== 'crashed' || this.#options.backend !== 'cpu' || backend === 'cpu') throw error;
      this.#starting = this.#start(callbacks);
      return this.#starting;
    }
  }

  #learn({ model, ...info }) {
    this.info = { ...info, model: model && { ...model, url: this.#options.url } };
  }

  #receive({ id, result, error, fatal, progress }) {
    if (fatal) this.#crash(error.message);
    const call = this.#waiting.get(id);
    if (!call) return;
    if (progress) return call.onProgress?.(progress);
    this.#waiting.delete(id);
    call.settled();
    if (error) call.reject(new RadioError(error));
    else call.resolve(result);
  }

  #crash(message) {
    if (this.#options.backend === 'auto' && this.info?.backend !== 'cpu') {
      this.#options = { ...this.#options, backend: 'cpu', because: `The engine crashed while WebGPU was used (${message}).` };
    }
    const next = this.#options.worker ? 'the next call starts it again' : 'without a worker it cannot be started again';
    this.#abandon(new RadioError({ code: 'crashed', message: `the engine crashed (${message}); ${next}` }));
  }

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

  #call(call, args, { signal, onProgress } = {}) {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      const abort = () => {
        this.#waiting.delete(id);
        this.#port?.post({ abort: id });
        reject(signal.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.set(id, { resolve, reject, onProgress, settled: () => signal?.removeEventListener('abort', abort) });
      try {
        this.#port.post({ id, call, ...args });
      } catch (error) {
        // The scene did not travel either.
        if (this.#scene) this.#scene.known = false;
        const message = `the request holds something that cannot be sent to a worker: ${error.message}`;
        this.#receive({ id, error: { code: 'request', message } });
      }
    });
  }

  /** Waits until the runtime takes calls; it may have ended while one waited. */
  async #attend(signal) {
    await this.ready();
    signal?.throwIfAborted();
    if (!this.#port) throw this.#gone;
  }

  /** The scene as a message: its text travels only when the runtime does not have it. */
  #sceneMessage(buildings, bounds) {
    if (buildings !== undefined) {
      const geojson = typeof buildings === 'string' ? buildings : stringify(buildings);
      const corners = bounds && [bounds.west, bounds.south, bounds.east, bounds.north];
      if (this.#scene?.geojson !== geojson || String(this.#scene.bounds) !== String(corners)) {
        this.#scene = { geojson, bounds: corners, known: false };
      }
    }
    if (!this.#scene || this.#scene.known) return undefined;
    this.#scene.known = true;
    return { geojson: this.#scene.geojson, bounds: this.#scene.bounds };
  }

  async setScene({ buildings, bounds, signal }) {
    await this.#attend(signal);
    return this.#call('setScene', { scene: this.#sceneMessage(buildings, bounds) }, { signal });
  }

  async predict({ buildings, bounds, transmitters, method, steps = 1, seed = 0, start = 1, signal, onProgress }) {
    await this.#attend(signal);
    method ??= this.info.model ? 'network' : 'dominant-path';
    if (!METHODS.includes(method)) throw new RadioError({ code: 'method', message: `there is no method ${method}; the methods are ${METHODS.join(' and ')}` });
    if (!Array.isArray(transmitters) || !transmitters.length) {
      throw new RadioError({ code: 'transmitter', message: 'there is no transmitter: give an array of at least one' });
    }
    const complete = transmitters.map((transmitter) => ({ powerDbm: 23, antennaGainDbi: 0, frequencyMHz: 5900, ...transmitter }));
    const request = { scene: this.#sceneMessage(buildings, bounds), transmitters: complete, method, steps, seed, start };
    const { info, ...map } = await this.#call('predict', request, { signal, onProgress });
    this.#learn(info);
    return new RadioMap(map);
  }

  async warmup({ signal, onProgress } = {}) {
    await this.#attend(signal);
    return this.#call('warmup', {}, { signal, onProgress });
  }

  async loseDevice() {
    await this.#attend();
    await this.#call('loseDevice', {});
  }

  dispose() {
    this.#abandon(new RadioError({ code: 'disposed', message: 'the engine was disposed of' }));
    this.#disposed = true;
  }
}

export async function createEngine({ model, backend = 'auto', worker = true, signal, onProgress } = {}) {
  if (!BACKENDS.includes(backend)) throw new RadioError({ code: 'backend', message: `there is no backend ${backend}; the backends are ${BACKENDS.join(', ')}` });
  signal?.throwIfAborted();
  const { bytes: weights = null, url = null } = model ? await load(model, signal, onProgress) : {};
  const engine = new Engine({ module: await init(), weights, url, backend, worker });
  await engine.ready({ signal, onProgress });
  return engine;
}
