// Statistics of what is shown: coverage by the threshold, each transmitter's share, or the spread of a difference.

import { termRows } from '../elements.js';
import { serverColor } from '../layers/colors.js';
import { countedMap, drawnPositions, shownMap } from '../layers/shown.js';
import { look, shownLayer } from '../plan/look.js';
import { plan } from '../plan/store.js';
import { state } from '../state.js';
import { area, distance, percent, signedDb } from '../units.js';
import { drawDistribution } from './cdf.js';
import { swatched } from './legend.js';

const element = (id) => document.getElementById(id);

export function drawStatistics() {
  const isDifference = look().model === 'difference' && state.difference;
  const map = countedMap();
  element('stats').replaceChildren(...termRows(map ? (isDifference ? differenceRows(state.difference) : coverageRows(map)) : []));
  element('shares').replaceChildren(...(map && !isDifference ? shares(map) : []));
  const shown = shownMap();
  drawDistribution(shown && shown.quantity !== 'best-server' ? shown : map, { unit: shown?.quantity === 'best-server' ? 'dBm' : shownLayer().unit });
}

function coverageRows(map) {
  const { thresholdDbm } = plan();
  const { covered, mean, max, outdoorPixels } = map.stats({ thresholdDbm });
  const outdoorsM2 = outdoorPixels * map.metersPerPixel ** 2;
  const rows = [
    ['Covered outdoors', percent(covered), true],
    ['Covered area', `${area(outdoorsM2 * covered)} of ${area(outdoorsM2)}`],
    ['Mean', `${mean.toFixed(1)} dBm`],
    ['Strongest', `${max.toFixed(1)} dBm`],
  ];
  const range = map.coverage?.threshold === thresholdDbm ? map.coverage.largestRangeM : undefined;
  if (range != null) rows.splice(2, 0, ['Largest range', distance(range)]);
  return rows;
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

/** Of several transmitters, the share of the ground that each serves best. */
function shares(map) {
  const served = map.coverage?.servedShare ?? [];
  if (served.length < 2) return [];
  return drawnPositions().flatMap((position, k) => {
    const transmitter = plan().transmitters[position];
    if (!transmitter || served[k] === undefined) return [];
    const item = swatched(transmitter.name, position);
    item.style.setProperty('--color', serverColor(position));
    const meter = Object.assign(document.createElement('meter'), { value: served[k], max: 1 });
    meter.setAttribute('aria-label', `${transmitter.name} serves`);
    item.append(Object.assign(document.createElement('span'), { textContent: percent(served[k]) }), meter);
    const name = document.createElement('span');
    name.append(...[...item.childNodes].slice(0, 2));
    item.prepend(name);
    return [item];
  });
}
