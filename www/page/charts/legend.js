// The legend: the colour scale with its values, or the transmitters of the best-server layer.

import { scaleColors, serverColor } from '../layers/colors.js';
import { besideKind, hasLayers, isForecast, isStandIn, shownLayer, shownModel } from '../layers/model.js';
import { look } from '../plan/look.js';
import { plan } from '../plan/store.js';
import { state } from '../state.js';

const TICKS = [0, 0.25, 0.5, 0.75, 1];
const element = (id) => document.getElementById(id);

export function drawLegend() {
  const layer = shownLayer();
  const isServers = hasLayers() && look().quantity === 'server';
  element('legend-title').textContent = layer.unit ? `${layer.name}, ${layer.unit}` : layer.name;
  for (const [id, hidden] of [['scale', isServers], ['ticks', isServers], ['servers', !isServers]]) element(id).hidden = hidden;
  element('meaning').textContent = meaning();
  drawProgress();
  if (isServers) drawServers();
  else drawScale(layer);
}

function meaning() {
  const { thresholdDbm } = plan();
  if (isStandIn() && besideShare() !== undefined) return `The physical map, while ${besideWork()}`;
  const ofModel = {
    deviation: 'What unknown heights and cars change',
    probability: `How likely a place has ${thresholdDbm} dBm or more`,
    shift: 'Red: more is expected than by the physical map, as over roofs that may be lower; blue: less, as behind cars',
    difference: 'Red: more arrives than by the one path of the physical map, as by reflections; blue: less',
    spread: 'How far a measurement would be from the calibrated map',
  };
  return ofModel[shownModel()] ?? `Below ${thresholdDbm} dBm: no colour`;
}

/** How much is loaded of what draws the chosen model's map; undefined where it is there, or not waited for. */
const loadedShare = () => (isStandIn() ? state.besideLoaded[besideKind()] : undefined);

/** How much of what is drawn beside the physical map is there, or of what draws it. */
const besideShare = () => loadedShare() ?? state.besideDrawn;

function besideWork() {
  if (!isForecast()) return 'rays are traced';
  return loadedShare() === undefined ? 'a network forecasts' : 'the network is loaded';
}

export function drawProgress() {
  const bar = element('beside');
  const share = besideShare();
  bar.hidden = share === undefined;
  bar.value = share ?? 0;
}

function drawScale({ min, max, unit, factor = 1 }) {
  const colors = scaleColors();
  const image = new ImageData(256, 1);
  for (let i = 0; i < 256; i++) image.data.set([...colors(i / 255), 255], 4 * i);
  element('scale').getContext('2d').putImageData(image, 0, 0);
  element('ticks').replaceChildren(...TICKS.map((share, i) => {
    const value = Number((factor * (min + share * (max - min))).toFixed(1));
    return Object.assign(document.createElement('span'), { textContent: `${value}${i === TICKS.length - 1 ? ` ${unit}` : ''}` });
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
