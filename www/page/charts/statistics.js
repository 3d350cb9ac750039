// The table of statistics under the controls: coverage of a map, or the spread of a difference.

import { settings } from '../input/controls.js';
import { signedDb, valueInWords } from '../units.js';

const SQUARE_METERS_PER_HECTARE = 10_000;

/** Shows the statistics of a map or, where `difference` is given, of that. */
export function drawStatistics(map, difference) {
  const rows = difference ? differenceRows(difference) : coverageRows(map);
  document.getElementById('stats').replaceChildren(...rows.flatMap(([term, value]) => [
    Object.assign(document.createElement('dt'), { textContent: term }),
    Object.assign(document.createElement('dd'), { textContent: value }),
  ]));
}

function coverageRows(map) {
  const { thresholdDbm, quantity } = settings();
  const { covered, mean, max, outdoorPixels } = map.stats({ thresholdDbm });
  const area = outdoorPixels * covered * map.metersPerPixel ** 2;
  return [
    ['Covered outdoors', `${(100 * covered).toFixed(1)} %`],
    ['Covered area', `${(area / SQUARE_METERS_PER_HECTARE).toFixed(2)} ha`],
    ['Mean', valueInWords(map, mean, quantity === 'loss')],
    ['Strongest', valueInWords(map, max, quantity === 'loss')],
  ];
}

function differenceRows(difference) {
  const { mean, rms, min, max } = difference.stats();
  return [
    ['Mean difference', signedDb(mean)],
    ['Root mean square', `${rms.toFixed(1)} dB`],
    ['Generated weaker by up to', `${Math.max(0, -min).toFixed(1)} dB`],
    ['Generated stronger by up to', `${Math.max(0, max).toFixed(1)} dB`],
  ];
}
