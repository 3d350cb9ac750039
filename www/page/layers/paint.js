// The map's canvas: the radio map, the buildings over it, the transmitter on top.

import { settings } from '../input/controls.js';
import { state } from '../state.js';
import { eirp, freeSpaceDb } from '../units.js';
import { canvas, toCanvas } from './place.js';
import { DIFFERENCE_RANGE_DB, GAIN_RANGE_DB } from './ranges.js';

const view = canvas.getContext('2d');
const MARKER_RADIUS = 14;
const ANTENNA_LENGTH = 44;

/** Paints everything; `shown` is the map or the difference, undefined while there is none. */
export function paint(shown) {
  if (!state.scene) return;
  view.clearRect(0, 0, canvas.width, canvas.height);
  view.imageSmoothingEnabled = false;
  if (shown) view.drawImage(radioLayer(shown), 0, 0, canvas.width, canvas.height);
  view.drawImage(state.scene.outline, 0, 0, canvas.width, canvas.height);
  if (state.transmitter) marker();
}

function radioLayer(shown) {
  const layer = new OffscreenCanvas(shown.size, shown.size);
  layer.getContext('2d').putImageData(shown.toImage(look(shown)), 0, 0);
  return layer;
}

function look({ quantity, transmitter }) {
  if (quantity === 'difference-db') return DIFFERENCE_RANGE_DB;
  const offset = eirp(transmitter) + freeSpaceDb(transmitter.frequencyMHz);
  const { palette, thresholdDbm } = settings();
  return { palette, min: GAIN_RANGE_DB.min + offset, max: GAIN_RANGE_DB.max + offset, threshold: thresholdDbm };
}

function marker() {
  const [x, y] = toCanvas(state.transmitter);
  view.lineWidth = 5;
  view.strokeStyle = '#fff';
  view.fillStyle = '#d6336c';
  const { antenna } = settings();
  if (antenna) {
    const ahead = (antenna.azi * Math.PI) / 180;
    view.beginPath();
    view.moveTo(x, y);
    view.lineTo(x + ANTENNA_LENGTH * Math.sin(ahead), y - ANTENNA_LENGTH * Math.cos(ahead));
    view.stroke();
  }
  view.beginPath();
  view.arc(x, y, MARKER_RADIUS, 0, 2 * Math.PI);
  view.fill();
  view.stroke();
}
