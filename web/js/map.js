// A drawn map and the questions it answers.

import { RadioError } from './errors.js';
import { WritableMap } from './formats.js';
import { numberField } from './numbers.js';
import { colorTable, divergingNames, offsetIn } from './palettes.js';
import { rowsOf } from './projection.js';

/** @import { Bounds, RadioMap as RadioMapInterface } from './index.js' */

/** @typedef {Pick<RadioMapInterface, 'values' | 'transmitters' | 'method' | 'backend' | 'warnings' | 'milliseconds'>
 *   & Partial<Pick<RadioMapInterface, 'workers' | 'layers' | 'stddev' | 'probability' | 'coverage'>>} Drawn */
/** @typedef {{ size: number, metersPerPixel: number, bounds: Bounds }} Place */

/** @type {Record<Parameters<RadioMapInterface['layer']>[0], RadioMapInterface['quantity']>} */
const QUANTITIES = {
  'received-power': 'received-power-dbm', 'path-loss': 'path-loss-db', snr: 'snr-db', sinr: 'sinr-db', 'best-server': 'best-server',
  'standard-deviation': 'standard-deviation-db', probability: 'probability',
};

/** Quantities that are deviations from zero, so that their root mean square is an error. */
const DEVIATIONS = new Set(['difference-db', 'standard-deviation-db']);

const SIDES = /** @type {const} */ (['west', 'south', 'east', 'north']);

/**
 * What a map is of, for errors.
 * @param {RadioMapInterface} map
 */
const inWords = ({ size, quantity, bounds }) => `${size} x ${size} pixels of ${quantity} at ${SIDES.map((side) => bounds[side]).join(', ')}`;

/** @implements {RadioMapInterface} */
export class RadioMap extends WritableMap {
  /** Each pixel's serving transmitter, from 1. */
  #servers;

  /**
   * @param {Drawn & { scene: Place, quantity?: RadioMapInterface['quantity'], servers?: Float32Array | undefined }} drawn `servers` where
   *   the map is made of one that had the layer `best-server`
   * @param {ConstructorParameters<typeof WritableMap>[0]} [writer]
   */
  constructor({ scene, values, quantity = 'received-power-dbm', warnings, transmitters, method, backend, workers = 1, milliseconds, layers = {}, stddev, probability, coverage, servers = layers['best-server'] }, writer) {
    super(writer);
    this.values = values;
    this.quantity = quantity;
    this.warnings = warnings;
    this.transmitters = transmitters;
    this.transmitter = transmitters[0];
    this.method = method;
    this.backend = backend;
    this.workers = workers;
    this.milliseconds = milliseconds;
    this.layers = layers;
    this.stddev = stddev;
    this.probability = probability;
    this.coverage = coverage;
    this.#servers = servers;
    this.bounds = scene.bounds;
    this.size = this.width = this.height = scene.size;
    this.metersPerPixel = scene.metersPerPixel;
  }

  get bestServer() {
    return this.layers['best-server'];
  }

  get sinr() {
    return this.layers.sinr;
  }

  /**
   * @param {number} lng
   * @param {number} lat
   */
  at(lng, lat) {
    const { west, south, east, north } = this.bounds;
    const column = Math.floor(((lng - west) / (east - west)) * this.size);
    const row = Math.floor(((north - lat) / (north - south)) * this.size);
    const inside = (/** @type {number} */ i) => i >= 0 && i < this.size;
    return inside(column) && inside(row) ? this.values[row * this.size + column] : undefined;
  }

  /**
   * A map of the same place and drawing with other values.
   * @param {Float32Array} values
   * @param {RadioMapInterface['quantity']} quantity
   */
  #derived(values, quantity) {
    const { warnings, transmitters, method, backend, workers, milliseconds } = this;
    return new RadioMap({ scene: this, values, quantity, warnings, transmitters, method, backend, workers, milliseconds, servers: this.#servers }, this);
  }

  /** @param {Parameters<RadioMapInterface['layer']>[0]} name */
  layer(name) {
    /** @type {Partial<Record<typeof name, Float32Array | undefined>>} */
    const known = { 'received-power': this.values, ...this.layers, 'standard-deviation': this.stddev, probability: this.probability };
    const values = known[name];
    if (!values || this.quantity !== QUANTITIES['received-power']) {
      const there = Object.entries(known).flatMap(([layer, found]) => (found ? [layer] : [])).join(', ');
      throw new RadioError({ code: 'layers', message: `this map of ${this.quantity} has no layer ${name}, only ${there}; ask for it with the request` });
    }
    return this.#derived(values, QUANTITIES[name]);
  }

  /** @param {RadioMapInterface} other */
  difference(other) {
    if (!this.#isOfThePlaceOf(other) || this.quantity !== other.quantity) {
      throw new RadioError({ code: 'difference', message: `maps of different things cannot be compared: ${inWords(this)} and ${inWords(other)}` });
    }
    const values = this.values.map((value, i) => value - other.values[i]);
    return this.#derived(values, 'difference-db');
  }

  /**
   * @param {RadioMapInterface} other
   * @param {Parameters<RadioMapInterface['where']>[1]} least
   */
  where(other, least) {
    const from = numberField('least', 'threshold', least);
    if (!this.#isOfThePlaceOf(other)) {
      throw new RadioError({ code: 'difference', message: `a map cannot be cut by one of another place: ${inWords(this)} and ${inWords(other)}` });
    }
    return this.#derived(this.values.map((value, i) => (other.values[i] >= from ? value : NaN)), this.quantity);
  }

  /** @param {RadioMapInterface} other */
  #isOfThePlaceOf(other) {
    return this.size === other.size && SIDES.every((side) => this.bounds[side] === other.bounds[side]);
  }

  /** @param {Parameters<RadioMapInterface['stats']>[0]} [options] */
  stats({ thresholdDbm } = {}) {
    const isLoss = this.quantity === 'path-loss-db';
    const threshold = numberField('thresholdDbm', 'threshold', thresholdDbm, isLoss ? Infinity : -Infinity);
    const covers = (/** @type {number} */ value) => (isLoss ? value <= threshold : value >= threshold);
    let [min, max, sum, squares, outdoorPixels, coveredPixels] = [Infinity, -Infinity, 0, 0, 0, 0];
    for (const value of this.values) {
      if (Number.isNaN(value)) continue;
      outdoorPixels += 1;
      sum += value;
      squares += value ** 2;
      min = Math.min(min, value);
      max = Math.max(max, value);
      if (covers(value)) coveredPixels += 1;
    }
    const pixelM2 = this.metersPerPixel ** 2;
    const none = outdoorPixels === 0;
    return {
      outdoorPixels,
      coveredPixels,
      outdoorAreaM2: outdoorPixels * pixelM2,
      coveredAreaM2: coveredPixels * pixelM2,
      share: none ? 0 : coveredPixels / outdoorPixels,
      largestRangeM: this.#largestRangeM(covers, threshold),
      min: none ? null : min,
      max: none ? null : max,
      mean: none ? null : sum / outdoorPixels,
      rms: none || !DEVIATIONS.has(this.quantity) ? null : Math.sqrt(squares / outdoorPixels),
      cdf: none ? [] : distribution(this.values, outdoorPixels, min, max),
    };
  }

  /**
   * The largest distance of a covered place from the transmitter that serves it; null where nobody says which does.
   * @param {(value: number) => boolean} covers
   * @param {number} threshold
   */
  #largestRangeM(covers, threshold) {
    const { values, size, metersPerPixel, transmitters, bounds: { west, south, east, north } } = this;
    const servers = transmitters.length === 1 ? null : this.#servers;
    if (this.quantity === 'difference-db') return null;
    if (servers === undefined) return this.coverage?.threshold === threshold ? this.coverage.largestRangeM : null;
    // In pixels from the north-west.
    const places = transmitters.map(({ lng, lat }) => ({ x: ((lng - west) / (east - west)) * size, y: ((north - lat) / (north - south)) * size }));
    let largest = -1;
    for (let pixel = 0; pixel < values.length; pixel += 1) {
      if (!covers(values[pixel])) continue;
      const { x, y } = places[servers ? servers[pixel] - 1 : 0];
      const [across, down] = [(pixel % size) + 0.5 - x, Math.floor(pixel / size) + 0.5 - y];
      largest = Math.max(largest, across * across + down * down);
    }
    return largest < 0 ? null : Math.sqrt(largest) * metersPerPixel;
  }

  /** @param {Parameters<RadioMapInterface['toImage']>[0]} look */
  toImage({ palette = this.quantity === 'difference-db' ? divergingNames[0] : 'turbo', min, max, threshold, projection = 'equirectangular' }) {
    const [low, high] = [numberField('min', 'scale', min), numberField('max', 'scale', max)];
    const least = numberField('threshold', 'threshold', threshold, -Infinity);
    const { width, values } = this;
    const image = emptyImage(width, this.height);
    const { data } = image;
    const paint = typeof palette === 'string' ? byTable(colorTable(palette), data) : byFunction(palette, data);
    rowsOf(projection, this.bounds, this.height).forEach((source, row) => {
      for (let column = 0; column < width; column += 1) {
        const value = values[source * width + column];
        if (!(value >= least)) continue;
        const at = 4 * (row * width + column);
        paint(at, Math.min(1, Math.max(0, (value - low) / (high - low))));
        data[at + 3] = 255;
      }
    });
    return image;
  }
}

/**
 * The share of values at or below each whole number, as planning/src/coverage/statistics.rs says it.
 * @param {Float32Array} values
 * @param {number} count of those that are numbers
 * @param {number} min
 * @param {number} max
 */
function distribution(values, count, min, max) {
  const first = Math.floor(min);
  const counts = new Uint32Array(Math.ceil(max) - first + 1);
  for (const value of values) if (!Number.isNaN(value)) counts[Math.ceil(value) - first] += 1;
  let below = 0;
  return Array.from(counts, (found, i) => {
    below += found;
    return { value: first + i, share: below / count };
  });
}

/**
 * Writes the colours of shares, without an array for each pixel.
 * @param {Uint8ClampedArray} table of `colorTable`
 * @param {Uint8ClampedArray} data an image's
 */
const byTable = (table, data) => (/** @type {number} */ at, /** @type {number} */ share) => {
  const from = offsetIn(share);
  data[at] = table[from];
  data[at + 1] = table[from + 1];
  data[at + 2] = table[from + 2];
};

/**
 * The same by a function of the caller's.
 * @param {(share: number) => readonly [number, number, number]} palette
 * @param {Uint8ClampedArray} data
 */
const byFunction = (palette, data) => (/** @type {number} */ at, /** @type {number} */ share) => {
  [data[at], data[at + 1], data[at + 2]] = palette(share);
};

/**
 * @param {number} width
 * @param {number} height
 * @returns {ImageData} outside a browser, the part of one that encoders of images read
 */
function emptyImage(width, height) {
  if (typeof ImageData === 'function') return new ImageData(width, height);
  return /** @type {ImageData} */ ({ width, height, data: new Uint8ClampedArray(4 * width * height), colorSpace: 'srgb' });
}
