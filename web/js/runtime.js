// What stands between messages and the wasm module, in a worker or on the page: which engine runs, the scene that is kept, what
// happens when WebGPU is lost or fails.
//
// Messages in: {id, call, ...arguments}, or {abort: id} for a call that nobody waits for any more.
// Messages out: {id, result}, {id, error: {code, message}, fatal} or {id, progress: {phase, loaded, total}}.
// Calls are answered one after the other, in the order they came.

import init, { City, Network, Weights } from './radiodiff-web.js';

/** RadioMapSeer's grid, for maps without a network. */
const DEFAULT_GRID = { mapSize: 256, metersPerPixel: 1 };
/** Errors of WebGPU after which the networks are built anew: all it gives, for the engine keeps the first and answers no more. */
const ENGINE_ERRORS = ['device-lost', 'out-of-memory', 'failed'];

/** What a transmitter is made of; text from a form field is taken for the number it spells. */
const NUMBERS = ['lng', 'lat', 'powerDbm', 'frequencyMHz', 'antennaGainDbi'];

const failure = (code, message) => Object.assign(new Error(message), { code });

/** Lets messages in, which a long computation keeps out. */
const breathe = () => new Promise((resolve) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(null);
});

/** Pixel by pixel the stronger of two maps; NaN (inside buildings) is in the same places in both. */
const strongest = (a, b) => a.map((value, i) => Math.max(value, b[i]));

class Runtime {
  #weights = null;
  #network = null;
  #rebuilt = false;
  #asked = 'auto';
  #info;
  #scene = null; // { geojson, bounds }, then with city and info, or with error

  async open({ module, weights, backend, because }, { progress }) {
    await init({ module_or_path: module });
    progress('build', 0, 1);
    this.#asked = backend;
    if (weights) {
      this.#weights = new Weights(weights);
      await this.#choose(because);
    } else {
      this.#describe(because ?? 'No weights were given: the dominant path is computed on the CPU.');
    }
    progress('build', 1, 1);
    return this.#info;
  }

  /** WebGPU where it is worth it or was asked for, else the CPU. */
  async #choose(because) {
    let reason = because ?? 'The CPU engine was asked for.';
    if (this.#asked !== 'cpu') {
      try {
        this.#network = await Network.onGpu(this.#weights, this.#asked === 'webgpu');
        const slow = this.#network.report().software ? '; its adapter computes on the CPU, which is slow' : '';
        return this.#describe(this.#asked === 'webgpu' ? `WebGPU was asked for${slow}.` : 'This machine has a GPU.');
      } catch (error) {
        if (this.#asked === 'webgpu' || error.code !== 'no-webgpu') throw error;
        // What follows the last semicolon is advice for who asked for WebGPU.
        reason = `WebGPU is not used: ${error.message.replace(/;[^;]*$/, '')}.`;
      }
    }
    this.#network = Network.onCpu(this.#weights);
    this.#describe(reason);
  }

  #describe(reason) {
    const report = this.#network?.report() ?? { backend: 'cpu', adapter: null, software: false, f16: false };
    this.#info = { ...report, reason, model: this.#weights?.info() ?? null };
  }

  /** After WebGPU failed: the same networks on WebGPU once more, then on the CPU. Returns what to tell. */
  async #recover(cause) {
    const lost = this.#network.lost();
    const what = lost || cause.code === 'device-lost' ? 'was lost' : 'failed';
    const why = lost ?? cause.message;
    this.#network.free();
    this.#network = null;
    if (!this.#rebuilt && cause.code === 'device-lost') {
      this.#rebuilt = true;
      try {
        this.#network = await Network.onGpu(this.#weights, this.#asked === 'webgpu');
        this.#describe(`WebGPU ${what} (${why}) and opened again.`);
        return `WebGPU ${what} in the middle (${why}). It was opened again and the map drawn anew.`;
      } catch (error) {
        if (error instanceof WebAssembly.RuntimeError) throw error;
      }
    }
    this.#network = Network.onCpu(this.#weights);
    this.#describe(`WebGPU ${what} (${why}).`);
    return `WebGPU ${what} in the middle (${why}). From now on the CPU draws.`;
  }

  /** Takes note of a scene that travels with a call; the call itself may have been aborted. */
  announce(scene) {
    if (scene?.geojson === undefined) return;
    this.#scene?.city?.free();
    this.#scene = scene;
  }

  /** Prepares the announced scene, once. One that was refused stays refused. */
  setScene() {
    const scene = this.#scene;
    if (!scene) throw failure('no-scene', 'there are no buildings: give them with the request, or call setScene first');
    if (!scene.city && !scene.error) {
      const { mapSize, metersPerPixel } = this.#info.model ?? DEFAULT_GRID;
      try {
        scene.city = new City(scene.geojson, new Float64Array(scene.bounds ?? []), mapSize, metersPerPixel);
        scene.info = scene.city.info();
      } catch (error) {
        scene.error = error;
      }
    }
    if (scene.error) throw scene.error;
    return scene.info;
  }

  async predict({ transmitters, method, ...sampler }, watch) {
    const started = performance.now();
    const { mask, ...about } = this.setScene();
    if (method === 'network' && !this.#network) {
      throw failure('no-weights', 'the engine was made without weights: give createEngine a model, or ask for the dominant path');
    }
    const warnings = [...about.warnings];
    const placed = [];
    let values = null;
    for (const asked of transmitters) {
      const transmitter = { ...asked, ...Object.fromEntries(NUMBERS.map((name) => [name, Number(asked[name])])) };
      const antenna = asked.antenna == null ? undefined : JSON.stringify(asked.antenna);
      const at = this.#scene.city.place(...NUMBERS.map((name) => transmitter[name]), antenna);
      const { warnings: changed, ...used } = at.report();
      if (asked.antenna?.csv !== undefined) used.antenna.csv = asked.antenna.csv;
      warnings.push(...changed);
      placed.push({ ...transmitter, ...used });
      const map = method === 'network' ? await this.#drawWithNetwork(at, sampler, watch, warnings) : this.#scene.city.dominantPath(at);
      // After an error the collector frees it: a call into a module that trapped would hide why.
      at.free();
      values = values ? strongest(values, map) : map;
    }
    const backend = method === 'network' ? this.#info.backend : 'cpu';
    return { scene: about, values, warnings, transmitters: placed, method, backend, milliseconds: performance.now() - started, info: this.#info };
  }

  async #drawWithNetwork(at, { steps, seed, start }, watch, warnings) {
    for (;;) {
      try {
        return await this.#network.predict(this.#scene.city, at, steps, seed, start, between(watch));
      } catch (error) {
        if (this.#info.backend !== 'webgpu' || !ENGINE_ERRORS.includes(error.code)) throw error;
        warnings.push(await this.#recover(error));
      }
    }
  }

  async warmup(_, watch) {
    const started = performance.now();
    await this.#network?.warmup(between(watch));
    return { milliseconds: performance.now() - started };
  }

  /** For tests: what a driver that restarts does. */
  loseDevice() {
    if (this.#info?.backend !== 'webgpu') throw failure('no-webgpu', 'there is no device to lose: the networks run on the CPU');
    this.#network.release();
    return {};
  }

  dispose() {
    this.#network?.release();
    for (const held of [this.#network, this.#scene?.city, this.#weights]) held?.free();
    this.#network = this.#weights = this.#scene = null;
    return {};
  }
}

const between = (watch) => async (done, steps) => {
  watch.progress('draw', done, steps);
  await breathe();
  watch.check();
};

/** A function that takes messages; answers go to `post(message, transfer)`. */
export function serve(post) {
  const runtime = new Runtime();
  const aborted = new Set();
  let queue = Promise.resolve();

  async function answer(id, call, args) {
    const check = () => {
      if (aborted.has(id)) throw failure('aborted', 'nobody waits for this any more');
    };
    try {
      runtime.announce(args.scene);
      check();
      const result = await runtime[call](args, { check, progress: (phase, loaded, total) => post({ id, progress: { phase, loaded, total } }) });
      post({ id, result }, result.values ? [result.values.buffer] : []);
    } catch (error) {
      // A trap leaves the module in no state to go on: the client starts a new worker.
      const fatal = error instanceof WebAssembly.RuntimeError;
      post({ id, error: { code: fatal ? 'crashed' : (error.code ?? 'failed'), message: error.message ?? String(error) }, fatal });
    } finally {
      aborted.delete(id);
    }
  }

  return ({ id, call, abort, ...args }) => {
    if (abort !== undefined) aborted.add(abort);
    // A device is lost in the middle of something.
    else if (call === 'loseDevice') answer(id, call, args);
    else queue = queue.then(() => answer(id, call, args));
  };
}
