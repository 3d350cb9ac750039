// The package's front door: a client of the worker, with maps that answer questions. Types are in index.d.ts.

export class RadioError extends Error {
  constructor({ code, message }) {
    super(message);
    this.name = 'RadioError';
    this.code = code;
  }
}

class RadioMap {
  constructor(info, { values, warnings, transmitter, milliseconds }, powerDbm) {
    Object.assign(this, { values, warnings, transmitter, milliseconds, powerDbm, bounds: info.bounds, size: info.size, width: info.size, height: info.size });
    this.metersPerPixel = info.metersPerPixel;
  }

  /** The value at a place in degrees, NaN inside buildings, undefined outside the map. */
  at(lng, lat) {
    const { west, south, east, north } = this.bounds;
    const column = Math.floor(((lng - west) / (east - west)) * this.size);
    const row = Math.floor(((north - lat) / (north - south)) * this.size);
    const inside = (i) => i >= 0 && i < this.size;
    return inside(column) && inside(row) ? this.values[row * this.size + column] : undefined;
  }

  /** Over outdoor pixels: {min, max, mean, outdoorPixels, covered} with covered the share at or above the threshold. */
  stats({ thresholdDbm = -Infinity } = {}) {
    const result = { min: Infinity, max: -Infinity, mean: 0, outdoorPixels: 0, covered: 0 };
    for (const value of this.values) {
      if (Number.isNaN(value)) continue;
      result.outdoorPixels += 1;
      result.mean += value;
      result.min = Math.min(result.min, value);
      result.max = Math.max(result.max, value);
      if (value >= thresholdDbm) result.covered += 1;
    }
    if (result.outdoorPixels) {
      result.mean /= result.outdoorPixels;
      result.covered /= result.outdoorPixels;
    }
    return result;
  }

  /** Pixels for a canvas: `color(t)` gives [r, g, b] for t in [0, 1]; buildings and values below the threshold are transparent. */
  toImage({ color, min, max, threshold = -Infinity }) {
    const image = new ImageData(this.size, this.size);
    this.values.forEach((value, i) => {
      if (!(value >= threshold)) return;
      const [r, g, b] = color(Math.min(1, Math.max(0, (value - min) / (max - min))));
      image.data.set([r, g, b, 255], 4 * i);
    });
    return image;
  }
}

class Engine {
  #worker = null;
  #waiting = new Map();
  #next = 0;
  #wasm;
  #scene = null;
  #info = null;

  constructor(wasm) {
    this.#wasm = wasm;
  }

  async #start() {
    this.#worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    const fail = (message) => this.#abandon(new RadioError({ code: 'crashed', message }));
    this.#worker.onerror = (event) => fail(event.message || 'the worker could not start');
    this.#worker.onmessage = ({ data: { id, result, error, fatal } }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (fatal) this.#abandon(new RadioError(error));
      error ? reject(new RadioError(error)) : resolve(result);
    };
    await this.#call('init', { wasm: this.#wasm });
    if (this.#scene) this.#info = await this.#call('setScene', this.#scene);
  }

  #abandon(error) {
    this.#worker?.terminate();
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #call(call, args) {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, call, ...args });
    });
  }

  async #ready() {
    if (!this.#worker) await this.#start();
  }

  async setScene({ buildings, bounds }) {
    await this.#ready();
    const geojson = typeof buildings === 'string' ? buildings : JSON.stringify(buildings);
    const scene = { geojson, bounds: bounds && [bounds.west, bounds.south, bounds.east, bounds.north] };
    const info = await this.#call('setScene', scene);
    this.#scene = scene;
    this.#info = info;
    return info;
  }

  async predict({ transmitter: { lng, lat, powerDbm = 23 }, signal }) {
    await this.#ready();
    signal?.throwIfAborted();
    const map = await this.#call('dominantPath', { lng, lat, powerDbm });
    signal?.throwIfAborted();
    return new RadioMap(this.#info, map, powerDbm);
  }

  dispose() {
    this.#abandon(new RadioError({ code: 'disposed', message: 'the engine was disposed of' }));
  }
}

/** Starts a worker and loads the module. `wasm` may be a URL or bytes; by default the file beside this one. */
export async function createEngine({ wasm } = {}) {
  return new Engine(wasm);
}
