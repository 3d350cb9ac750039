// The legend: the colour scale with its values, or the transmitters of the best-server layer.

import { scaleColors, serverColor } from '../layers/colors.js';
import { hasLayers, look, shownLayer } from '../plan/look.js';
import { plan } from '../plan/store.js';

const TICKS = [0, 0.25, 0.5, 0.75, 1];
const element = (id) => document.getElementById(id);

export function drawLegend() {
  const isDifference = look().model === 'difference';
  const layer = shownLayer();
  const isServers = hasLayers() && look().quantity === 'server';
  element('legend-title').textContent = layer.unit ? `${layer.name}, ${layer.unit}` : layer.name;
  for (const [id, hidden] of [['scale', isServers], ['ticks', isServers], ['servers', !isServers]]) element(id).hidden = hidden;
  element('meaning').textContent = meaning(isDifference);
  if (isServers) drawServers();
  else drawScale(layer, isDifference);
}

function meaning(isDifference) {
  if (isDifference) return 'Generated minus physical: red where the network is stronger';
  if (look().model === 'spread') return 'How far a measurement would be from the calibrated map';
  return `Below ${plan().thresholdDbm} dBm: no colour`;
}

function drawScale({ min, max, unit }, isDifference) {
  const colors = scaleColors();
  const image = new ImageData(256, 1);
  for (let i = 0; i < 256; i++) image.data.set([...colors(i / 255), 255], 4 * i);
  element('scale').getContext('2d').putImageData(image, 0, 0);
  element('ticks').replaceChildren(...TICKS.map((share, i) => {
    const value = Number((min + share * (max - min)).toFixed(1));
    const sign = isDifference && value > 0 ? '+' : '';
    return Object.assign(document.createElement('span'), { textContent: `${sign}${value}${i === TICKS.length - 1 ? ` ${unit}` : ''}` });
  }));
}

function drawServers() {
  element('servers').replaceChildren(...plan().transmitters.flatMap(({ name, active }, index) => (active ? [swatched(name, index)] : [])));
}

/** A list item with the transmitter's colour. */
export function swatched(text, index) {
  const item = document.createElement('li');
  const swatch = Object.assign(document.createElement('i'), { className: 'swatch' });
  swatch.style.setProperty('--color', serverColor(index));
  item.append(swatch, text);
  return item;
}
