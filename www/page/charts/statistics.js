// Statistics of what is shown: coverage by the threshold, each transmitter's share, and how sure the network is of it.

import { termRows } from '../elements.js';
import { serverColor } from '../layers/colors.js';
import { countedMap, drawnPositions, shownMap } from '../layers/shown.js';
import { shownLayer } from '../layers/model.js';
import { plan } from '../plan/store.js';
import { area, distance, percent } from '../units.js';
import { drawDistribution } from './cdf.js';
import { swatched } from './legend.js';

const element = (id) => document.getElementById(id);

export function drawStatistics() {
  const map = countedMap();
  element('stats').replaceChildren(...termRows(map ? (map.probability ? surenessRows(map) : coverageRows(map)) : []));
  element('shares').replaceChildren(...(map ? shares(map) : []));
  const shown = shownMap();
  drawDistribution(shown && shown.quantity !== 'best-server' ? shown : map, shown?.quantity === 'best-server' ? { unit: 'dBm' } : shownLayer());
}

function coverageRows(map) {
  const { thresholdDbm } = plan();
  const { share, mean, max, outdoorAreaM2, coveredAreaM2, largestRangeM } = map.stats({ thresholdDbm });
  const rows = [
    ['Covered outdoors', percent(share), true],
    ['Covered area', `${area(coveredAreaM2)} of ${area(outdoorAreaM2)}`],
    ['Mean', `${mean.toFixed(1)} dBm`],
    ['Strongest', `${max.toFixed(1)} dBm`],
  ];
  if (largestRangeM !== null) rows.splice(2, 0, ['Largest range', distance(largestRangeM)]);
  return rows;
}

/** Of a forecast: coverage on average, by all of its quantiles and by any: of 19, the lowest is exceeded with 95 % probability. */
function surenessRows(map) {
  const probability = map.layer('probability');
  const { mean, outdoorAreaM2 } = probability.stats();
  const { rms } = map.layer('standard-deviation').stats();
  // Any share above 0 and below that of one quantile.
  const [every, any] = [1, Number.MIN_VALUE].map((thresholdDbm) => probability.stats({ thresholdDbm }).share);
  return [
    ['Covered on average', percent(mean), true],
    ['Covered area', `${area(outdoorAreaM2 * mean)} of ${area(outdoorAreaM2)}`],
    ['Almost surely (95 %)', percent(every)],
    ['Possibly (5 %)', percent(any)],
    ['Spread (RMS)', `${rms.toFixed(1)} dB`],
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
