// The layers of a plan, and how those of a network's samples or quantiles differ.

import { SpreadHandle } from './radiodiff-web.js';

/** @import { CoverageHandle, Request } from './radiodiff-web.js' */

/** The layer that every map has. */
const POWER = 'received-power';

/** How plans that come one by one differ, layer by layer. */
export class Spreads {
  #request;
  /** @type {Map<string, SpreadHandle>} */
  #spreads = new Map();

  /** @param {Request} request */
  constructor(request) {
    this.#request = request;
  }

  /** @param {CoverageHandle} plan */
  add(plan) {
    for (const layer of [POWER, ...this.#request.layers]) {
      if (!this.#spreads.has(layer)) this.#spreads.set(layer, new SpreadHandle(layer === POWER ? this.#request.thresholdDbm : undefined));
      this.#spreads.get(layer)?.add(plan, layer);
    }
  }

  /** @param {string} layer */
  of(layer) {
    return this.#spreads.get(layer);
  }

  free() {
    for (const spread of this.#spreads.values()) spread.free();
  }
}

/**
 * What is told of a plan: the received power, the layers that were asked for, and statistics. Of samples, the means.
 * @param {CoverageHandle} plan the last sample's
 * @param {Request} request
 * @param {Spreads} spreads
 */
export function layersOf(plan, request, spreads) {
  const valuesOf = (/** @type {string} */ layer) => spreads.of(layer)?.mean() ?? plan.values(layer);
  const layers = Object.fromEntries(request.layers.map((layer) => [layer, valuesOf(layer)]));
  const spread = spreads.of(POWER);
  const { thresholdDbm } = request;
  const coverage = thresholdDbm === undefined || spread ? undefined : plan.statistics(POWER, thresholdDbm);
  return { values: valuesOf(POWER), layers, stddev: spread?.standardDeviation(), probability: spread?.probability(), coverage };
}
