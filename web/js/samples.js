// The spread of maps that differ by their seed: what the network is unsure of.

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
