// The spread of samples or quantiles: what the network is unsure of.

import { RadioError } from './errors.js';

/** @import { CoverageHandle, Request } from './radiodiff-web.js' */

/** Most maps of a request. All samples of a transmitter are kept until the last is drawn, 0.5 MiB each. */
const MAX_MAPS = 1000;

/** Mean and variance of each pixel over maps that come one by one (Welford, 1962), and how often a threshold is reached. */
export class Spread {
  #count = 0;
  /** @type {Float64Array} */
  #mean;
  /** @type {Float64Array} */
  #squares;
  /** @type {Float64Array} */
  #reached;

  /**
   * @param {number} pixels
   * @param {number} [threshold]
   */
  constructor(pixels, threshold) {
    this.threshold = threshold;
    [this.#mean, this.#squares, this.#reached] = Array.from({ length: 3 }, () => new Float64Array(pixels));
  }

  /** @param {Float32Array} values NaN in the same pixels of every map */
  add(values) {
    this.#count += 1;
    const [mean, squares, reached, threshold] = [this.#mean, this.#squares, this.#reached, this.threshold ?? Infinity];
    values.forEach((value, i) => {
      const before = value - mean[i];
      mean[i] += before / this.#count;
      squares[i] += before * (value - mean[i]);
      reached[i] += Number.isNaN(value) ? NaN : Number(value >= threshold);
    });
  }

  get mean() {
    return Float32Array.from(this.#mean);
  }

  /** Of the population that was drawn: 0 of a single map. */
  get stddev() {
    return Float32Array.from(this.#squares, (sum) => Math.sqrt(sum / this.#count));
  }

  /** The share of maps at or above the threshold, 0 to 1; undefined without one. */
  get probability() {
    return this.threshold === undefined ? undefined : Float32Array.from(this.#reached, (times) => times / this.#count);
  }
}

/** The layer that every map has. */
const POWER = 'received-power';

/**
 * Adds a sample's layers to their spreads.
 * @param {Map<string, Spread>} spreads
 * @param {CoverageHandle} coverage
 * @param {Request} request
 */
export function gather(spreads, coverage, request) {
  for (const layer of [POWER, ...request.layers]) {
    const values = coverage.values(layer);
    if (!spreads.has(layer)) spreads.set(layer, new Spread(values.length, layer === POWER ? request.thresholdDbm : undefined));
    spreads.get(layer)?.add(values);
  }
}

/**
 * What is told of a plan: the received power, the layers that were asked for, and statistics. Of samples, the means.
 * @param {CoverageHandle} plan the last sample's
 * @param {Request} request
 * @param {Map<string, Spread>} spreads
 */
export function layersOf(plan, request, spreads) {
  const valuesOf = (/** @type {string} */ layer) => spreads.get(layer)?.mean ?? plan.values(layer);
  const layers = Object.fromEntries(request.layers.map((layer) => [layer, valuesOf(layer)]));
  const { stddev, probability } = spreads.get(POWER) ?? {};
  const { thresholdDbm } = request;
  const coverage = thresholdDbm === undefined || spreads.size ? undefined : plan.statistics(POWER, thresholdDbm);
  return { values: valuesOf(POWER), layers, stddev, probability, coverage };
}

/** The warning that samples is not used, by what draws. @type {Record<string, string>} */
const WITHOUT_SAMPLES = {
  'dominant-path': 'The dominant path has no randomness, so samples is not used.',
  rays: 'Ray tracing has no randomness, so samples is not used.',
  quantiles: 'The network says all quantiles at once, so samples is not used.',
};

/**
 * How many maps are drawn.
 * @param {Request} request
 * @param {'network' | 'dominant-path' | 'rays' | 'quantiles'} by
 * @param {string[]} warnings
 */
export function samplesOf(request, by, warnings) {
  const isForecast = by === 'quantiles' || (by === 'network' && request.samples > 1);
  if (isForecast && request.layers.includes('best-server')) {
    const mend = by === 'quantiles' ? 'the dominant path' : 'samples 1';
    throw new RadioError({ code: 'layers', message: `a best server has no mean over ${by === 'quantiles' ? by : 'samples'}: ask for it with ${mend}`, field: 'layers' });
  }
  if (request.samples === 1) return 1;
  if (by !== 'network') {
    warnings.push(WITHOUT_SAMPLES[by]);
    return 1;
  }
  const maps = request.samples * request.transmitterCount;
  if (maps > MAX_MAPS) {
    throw new RadioError({ code: 'samples', message: `samples ask for ${maps} maps, expected at most ${MAX_MAPS} over all transmitters`, field: 'samples' });
  }
  return request.samples;
}

/**
 * Warnings of what the network does not know.
 * @param {{ heightM: number }[]} transmitters
 * @param {[number, number]} known the lowest and the highest antenna that it knows: the same where it is not told heights
 */
export function heightsIn(transmitters, [lowest, highest]) {
  const other = transmitters.filter(({ heightM }) => heightM < lowest || heightM > highest);
  if (!other.length) return [];
  const found = other.length === 1 ? `one stands at ${other[0].heightM} m` : `${other.length} stand at other heights`;
  return [lowest < highest ? `The network has learnt antennas ${lowest} to ${highest} m high: ${found}.` : `The network takes every antenna as ${lowest} m high: ${found}.`];
}
