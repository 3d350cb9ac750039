// The distribution of the shown layer: which share of the ground has at least a value.

import { svgNode as node } from '../elements.js';
import { plan } from '../plan/store.js';

const [WIDTH, HEIGHT] = [308, 130];
const BOX = { left: 30, right: 8, top: 8, bottom: 28 };
const BINS = 120;
/** At most so many values are written under the axis. */
const MOST_TICKS = 6;

const figure = document.getElementById('cdf');

/** Draws the distribution of a map's values; `unit` is theirs once they are multiplied by `factor`. */
export function drawDistribution(map, { unit, factor = 1 }) {
  const found = map && distribution(map.values);
  figure.hidden = !found;
  if (!found) return;
  const { min, max, shares } = found;
  const x = (value) => BOX.left + ((value - min) / (max - min)) * (WIDTH - BOX.left - BOX.right);
  const y = (share) => BOX.top + (1 - share) * (HEIGHT - BOX.top - BOX.bottom);
  const svg = node('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': inWords(found, { unit, factor }) });
  for (const share of [0, 0.5, 1]) {
    svg.append(node('line', { class: 'axis', x1: BOX.left, x2: WIDTH - BOX.right, y1: y(share), y2: y(share) }));
    svg.append(node('text', { x: BOX.left - 4, y: y(share) + 3, 'text-anchor': 'end' }, `${100 * share}%`));
  }
  for (const value of roundTicks(factor * min, factor * max)) {
    const at = x(value / factor);
    svg.append(node('line', { class: 'axis', x1: at, x2: at, y1: y(0), y2: y(0) + 3 }));
    // The last one would leave the picture.
    svg.append(node('text', { x: Math.min(at, WIDTH - 12), y: HEIGHT - BOX.bottom + 13, 'text-anchor': 'middle' }, `${value}`));
  }
  svg.append(node('text', { x: WIDTH / 2, y: HEIGHT - 2, 'text-anchor': 'middle' }, `share of the ground at or above each value, ${unit}`));
  const points = shares.map((share, i) => `${x(min + (i / BINS) * (max - min)).toFixed(1)},${y(share).toFixed(1)}`);
  svg.append(node('polyline', { class: 'curve', points: points.join(' ') }));
  const { thresholdDbm } = plan();
  const isPower = unit === 'dBm';
  if (isPower && thresholdDbm > min && thresholdDbm < max) svg.append(node('line', { class: 'limit', x1: x(thresholdDbm), x2: x(thresholdDbm), y1: BOX.top, y2: HEIGHT - BOX.bottom }));
  figure.replaceChildren(svg);
}

/** The multiples of 1, 2 or 5 times a power of ten between two values, as close as there is room for. */
export function roundTicks(min, max) {
  const power = 10 ** Math.floor(Math.log10((max - min) / MOST_TICKS));
  const step = [1, 2, 5, 10].map((times) => times * power).find((step) => Math.floor(max / step) - Math.ceil(min / step) < MOST_TICKS);
  const first = Math.ceil(min / step);
  // Sums of tenths are not round in binary.
  return Array.from({ length: Math.floor(max / step) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** The share of values at or above each of BINS + 1 levels from the least to the greatest value; undefined where all are alike. */
export function distribution(values) {
  let [min, max, count] = [Infinity, -Infinity, 0];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    count += 1;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (!(max > min)) return undefined;
  const bins = new Uint32Array(BINS + 1);
  // A value counts for every level at or below it.
  for (const value of values) if (!Number.isNaN(value)) bins[Math.floor(((value - min) / (max - min)) * BINS)] += 1;
  const shares = new Array(BINS + 1);
  let above = 0;
  for (let i = BINS; i >= 0; i -= 1) {
    above += bins[i];
    shares[i] = above / count;
  }
  return { min, max, shares };
}

function inWords({ min, max, shares }, { unit, factor }) {
  const median = min + (shares.findLastIndex((share) => share >= 0.5) / BINS) * (max - min);
  const [least, most, half] = [min, max, median].map((value) => (factor * value).toFixed(0));
  return `Distribution from ${least} to ${most} ${unit}; half of the ground has at least ${half} ${unit}`;
}
