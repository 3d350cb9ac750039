// How many maps a network draws, and what it does not know.

import { RadioError } from './errors.js';

/** @import { Request } from './radiodiff-web.js' */

/** Most maps of a request. All samples of a transmitter are kept until the last is drawn, 0.5 MiB each. */
const MAX_MAPS = 1000;

/** The warning that samples is not used, by what draws. @type {Record<string, string>} */
const WITHOUT_SAMPLES = {
  'dominant-path': 'The dominant path has no randomness, so samples is not used.',
  rays: 'Ray tracing has no randomness, so samples is not used.',
  quantiles: 'The network says all quantiles at once, so samples is not used.',
};

/**
 * Warnings of samples that do not differ as they should.
 * @param {Request} request
 * @param {number | null} stepsOfSamples
 */
export function stepsIn({ samples, steps }, stepsOfSamples) {
  if (samples === 1 || steps === undefined || stepsOfSamples === null || steps === stepsOfSamples) return [];
  return [`The network's samples differ as they should in ${counted(stepsOfSamples)}, and are drawn in ${counted(steps)}: leave steps out.`];
}

/** @param {number} steps */
const counted = (steps) => (steps === 1 ? '1 step' : `${steps} steps`);

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
