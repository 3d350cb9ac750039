// What a report says: the plan, and what the page shows of it in the page's own words, so that both agree.

import { drawn } from '../drawing.js';
import { besideMap, isForecast, shownModel } from '../layers/model.js';
import { serverColor } from '../layers/colors.js';
import { dots } from '../layers/residuals.js';
import { drawnPositions, picture } from '../layers/shown.js';
import { worthOf } from '../input/controls.js';
import { isOn } from '../plan/model.js';
import { plan } from '../plan/store.js';
import { calibration, state } from '../state.js';
import { buildingsLayer, paintMap, paintPicture, pointOf } from '../views/flat.js';

const element = (id) => document.getElementById(id);
const texts = (selector) => [...document.querySelectorAll(selector)].map(({ textContent }) => textContent);

/** Pixels of the map's picture on paper, and of a marker on it. */
const SIDE = 1000;
const MARKER_RADIUS = 20;
/** Pixels between the small numbers that say which transmitter serves a place. */
const NUMBERS_APART = 64;
/** The legend's values part its scale into so many steps. */
const STEPS = 4;

/** What report.js makes a page of; `link` gives the plan's address, or undefined where it has none. */
export async function reportFacts(link) {
  await drawn();
  const { scene } = state;
  const { receiver, thresholdDbm, transmitters, cars } = plan();
  const model = shownModel();
  return {
    title: scene.title,
    date: new Date(),
    bounds: scene.bounds,
    size: scene.size,
    metersPerPixel: scene.metersPerPixel,
    transmitters: transmitters.map((transmitter, index) => ({ ...transmitter, color: serverColor(index), isOnMap: isOn(scene.bounds, transmitter) })),
    receiver,
    thresholdDbm,
    cars,
    picture: await pictureAddress(),
    legend: legend(),
    model: element('layer').querySelector(`[value=${model}]`).textContent,
    worth: worthOf(model),
    statistics: texts('#stats dt').map((term, i) => [term, texts('#stats dd')[i]]),
    shares: [...element('shares').children].map((item) => [...item.children].slice(0, 2).map(({ textContent }) => textContent)),
    distribution: element('cdf').hidden ? undefined : new XMLSerializer().serializeToString(element('cdf').firstElementChild),
    remarks: [...new Set([scene, state.map, besideMap(), calibration()].flatMap((source) => source?.warnings ?? []))],
    credits: [`Buildings ${scene.credit}`, ...(isForecast() && besideMap() ? [element('model').textContent] : [])],
    link: await link(),
  };
}

function legend() {
  const isServers = element('scale').hidden;
  return {
    title: element('legend-title').textContent,
    scale: isServers ? undefined : element('scale').toDataURL(),
    ticks: isServers ? [] : texts('#ticks span'),
    meaning: [element('meaning').textContent, ...(dots().length ? [element('residuals').querySelector('p').textContent] : [])],
  };
}

/** The map as the page shows it, seen from above with north up, as an address that holds a PNG. */
async function pictureAddress() {
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const view = canvas.getContext('2d');
  const [image, shown] = [new OffscreenCanvas(1, 1), picture()];
  const { bounds } = state.scene;
  const square = { left: 0, top: 0, side: SIDE };
  view.fillStyle = '#fff';
  view.fillRect(0, 0, SIDE, SIDE);
  if (shown) paintPicture(image, shown);
  paintMap(view, square, { bounds, buildings: buildingsLayer(state.scene), image, opacity: shown?.options.opacity, cars: plan().cars, dots: dots() });
  const isServers = element('scale').hidden;
  if (shown) paintLines(view, shown, isServers ? shown.options.max - shown.options.min : STEPS);
  if (shown && isServers) paintServers(view, shown.map);
  plan().transmitters.forEach((transmitter, index) => {
    if (isOn(bounds, transmitter)) paintMarker(view, pointOf(transmitter, bounds, square), transmitter, index);
  });
  const bytes = await canvas.convertToBlob();
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(bytes);
  });
}

/** Lines between the steps of a scale: on paper without colours its ends may be as dark as each other. */
function paintLines(view, { map: { values, size }, options: { min, max, threshold = -Infinity } }, steps) {
  const stepOf = (value) => (value < threshold ? -1 : Math.min(steps - 1, Math.max(0, Math.floor((steps * (value - min)) / (max - min)))));
  // Indoors there is no step, and no line to it.
  const differ = (i, j) => !Number.isNaN(values[i]) && !Number.isNaN(values[j]) && stepOf(values[i]) !== stepOf(values[j]);
  const pixel = SIDE / size;
  view.beginPath();
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const i = row * size + column;
      const [right, below] = [(column + 1) * pixel, (row + 1) * pixel];
      if (column + 1 < size && differ(i, i + 1)) {
        view.moveTo(right, row * pixel);
        view.lineTo(right, below);
      }
      if (row + 1 < size && differ(i, i + size)) {
        view.moveTo(column * pixel, below);
        view.lineTo(right, below);
      }
    }
  }
  Object.assign(view, { strokeStyle: '#000a', lineWidth: 1.5 });
  view.stroke();
}

/** Numbers of the strongest transmitters, spread over the map. */
function paintServers(view, { values, size }) {
  const numbers = drawnPositions().map((position) => position + 1);
  Object.assign(view, { fillStyle: '#fff', strokeStyle: '#000', lineWidth: 3, lineJoin: 'round', font: '600 17px sans-serif', textAlign: 'center', textBaseline: 'middle' });
  for (let y = NUMBERS_APART / 2; y < SIDE; y += NUMBERS_APART) {
    for (let x = NUMBERS_APART / 2; x < SIDE; x += NUMBERS_APART) {
      const [column, row] = [x, y].map((at) => Math.floor((at / SIDE) * size));
      const number = numbers[values[row * size + column] - 1];
      if (number === undefined) continue;
      view.strokeText(number, x, y);
      view.fillText(number, x, y);
    }
  }
}

/** A transmitter by its number, with an arrow where its antenna points. */
function paintMarker(view, { x, y }, { active, antenna, azimuthDeg }, index) {
  view.save();
  view.translate(x, y);
  Object.assign(view, { strokeStyle: '#fff', lineWidth: 3, fillStyle: active ? serverColor(index) : '#777' });
  if (antenna !== 'omni') {
    view.rotate((azimuthDeg * Math.PI) / 180);
    view.beginPath();
    for (const [right, up] of [[-MARKER_RADIUS, 0], [0, 2.6 * MARKER_RADIUS], [MARKER_RADIUS, 0]]) view.lineTo(right, -up);
    view.fill();
    // The ground around the marker of a best server has its colour.
    view.stroke();
    view.rotate((-azimuthDeg * Math.PI) / 180);
  }
  view.beginPath();
  view.arc(0, 0, MARKER_RADIUS, 0, 2 * Math.PI);
  view.fill();
  Object.assign(view, { fillStyle: '#fff', font: `700 ${MARKER_RADIUS}px sans-serif`, textAlign: 'center', textBaseline: 'middle' });
  view.stroke();
  view.fillText(index + 1, 0, 1);
  view.restore();
}
