// The read-out beside the pointer: what the shown layer says of the place under it.

import { CALIBRATED_MODELS, look } from '../plan/look.js';
import { plan } from '../plan/store.js';
import { calibration, state } from '../state.js';
import { distance, metersBetween, percent } from '../units.js';
import { besideKind, besideMap, hasLayers, shownLayer } from './model.js';
import { measuredAt } from './residuals.js';
import { drawnPositions, layerOf } from './shown.js';

const [stage, readout] = ['stage', 'readout'].map((id) => document.getElementById(id));

/** `unproject` gives the place of a point of the stage. */
export function drawReadout(unproject) {
  const { pointer, map } = state;
  const place = pointer && map && unproject(pointer);
  const lines = place ? valuesAt(place) : [];
  readout.hidden = !lines.length;
  if (readout.hidden) return;
  readout.textContent = lines.join('\n');
  const fits = (at, length, size) => Math.max(0, at + 14 + size > length ? at - 14 - size : at + 14);
  readout.style.left = `${fits(pointer.x, stage.clientWidth, readout.offsetWidth)}px`;
  readout.style.top = `${fits(pointer.y, stage.clientHeight, readout.offsetHeight)}px`;
}

/** Lines about a place; none outside the map. */
function valuesAt({ lng, lat }) {
  const { map } = state;
  const beside = besideMap();
  const power = map.at(lng, lat);
  if (power === undefined) return [];
  const measured = measuredAt({ lng, lat });
  if (Number.isNaN(power)) return ['inside a building', ...(measured ? [measured] : [])];
  const lines = [`physical ${inWords(map, lng, lat)}`];
  if (beside) lines.push(...(besideKind() === 'rays' ? [tracing(beside, power, lng, lat)] : sureness(beside, lng, lat)));
  const fitted = CALIBRATED_MODELS.includes(look().model) ? calibration() : undefined;
  if (fitted) lines.push(`calibrated ${fitted.map.at(lng, lat).toFixed(1)} dBm ± ${fitted.map.layer('standard-deviation').at(lng, lat).toFixed(1)} dB`);
  if (measured) lines.push(measured);
  const position = drawnPositions().length > 1 ? serverAt(map, lng, lat) : undefined;
  if (position !== undefined) {
    const server = plan().transmitters[position];
    if (server) lines.push(`${server.name}, ${distance(metersBetween(server, { lng, lat }))} away`);
  }
  return lines;
}

/** What the network says of a place. */
function sureness(forecast, lng, lat) {
  const [deviation, probability] = ['standard-deviation', 'probability'].map((layer) => forecast.layer(layer).at(lng, lat));
  return [`expected ${forecast.at(lng, lat).toFixed(1)} dBm ± ${deviation.toFixed(1)} dB`, `${percent(probability)} with ${plan().thresholdDbm} dBm or more`];
}

/** What ray tracing says of a place, beside the physical map's power. */
function tracing(traced, power, lng, lat) {
  const found = traced.at(lng, lat);
  const more = found - power;
  return `ray tracing ${found.toFixed(1)} dBm (${more < 0 ? '−' : '+'}${Math.abs(more).toFixed(1)} dB)`;
}

function inWords(map, lng, lat) {
  const isPower = !hasLayers() || look().quantity === 'power' || look().quantity === 'server';
  const layer = isPower ? map : layerOf(map);
  const value = layer?.at(lng, lat);
  if (value === undefined) return '…';
  return `${value.toFixed(1)} ${isPower ? 'dBm' : shownLayer().unit}`;
}

/** The position in the plan of the strongest transmitter. */
function serverAt(map, lng, lat) {
  if (!map.layers['best-server']) return undefined;
  return drawnPositions()[map.layer('best-server').at(lng, lat) - 1];
}
