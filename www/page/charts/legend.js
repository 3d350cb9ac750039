// The colour scale with its values.

import { divergingPaletteNames, palette } from '../../index.js';
import { settings } from '../input/controls.js';
import { DIFFERENCE_RANGE_DB, GAIN_RANGE_DB } from '../layers/ranges.js';
import { freeSpaceDb } from '../units.js';

const TICKS = [0, 0.25, 0.5, 0.75, 1];

export function drawLegend() {
  const isDifference = settings().layer === 'difference';
  const scale = document.getElementById('scale').getContext('2d');
  const color = palette(isDifference ? divergingPaletteNames[0] : settings().palette);
  const image = new ImageData(256, 1);
  for (let i = 0; i < 256; i++) image.data.set([...color(i / 255), 255], 4 * i);
  scale.putImageData(image, 0, 0);
  const labels = isDifference ? differenceLabels() : mapLabels();
  document.getElementById('ticks').replaceChildren(...labels.map((label) => Object.assign(document.createElement('span'), { textContent: label })));
  document.getElementById('meaning').textContent = isDifference ? 'Generated minus physical: red where the network is stronger' : '';
}

const between = ({ min, max }, t) => min + t * (max - min);

function differenceLabels() {
  const labels = TICKS.map((t) => between(DIFFERENCE_RANGE_DB, t)).map((db) => `${db > 0 ? '+' : ''}${db}`);
  return withUnit(labels, 'dB');
}

function mapLabels() {
  const { quantity, powerDbm, frequencyMHz, antenna } = settings();
  const labels = TICKS.map((t) => {
    const gain = between(GAIN_RANGE_DB, t) + freeSpaceDb(frequencyMHz);
    return Math.round(quantity === 'loss' ? -gain : gain + powerDbm + (antenna?.txg ?? 0));
  });
  return withUnit(labels, quantity === 'loss' ? 'dB' : 'dBm');
}

const withUnit = (labels, unit) => labels.map((label, i) => (i === labels.length - 1 ? `${label} ${unit}` : `${label}`));
