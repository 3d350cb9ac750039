// The read-out beside the mouse: what each map says of the place under it, a line each.

import { settings } from '../input/controls.js';
import { state } from '../state.js';
import { signedDb, valueInWords } from '../units.js';
import { fromPointer } from './place.js';

const [stage, readout] = ['stage', 'readout'].map((id) => document.getElementById(id));
const NAMES = { generated: 'network', physical: 'dominant-path' };

export function drawReadout() {
  const { pointer, map } = state;
  readout.hidden = !(pointer && map);
  if (readout.hidden) return;
  const { lng, lat } = fromPointer(pointer);
  readout.textContent = valuesAt(lng, lat).join('\n');
  const box = stage.getBoundingClientRect();
  readout.style.left = `${Math.min(pointer.clientX - box.left + 14, box.width - readout.offsetWidth)}px`;
  readout.style.top = `${pointer.clientY - box.top + 14}px`;
}

function valuesAt(lng, lat) {
  const { map, maps, difference } = state;
  if (Number.isNaN(map.at(lng, lat))) return ['inside a building'];
  const loss = settings().quantity === 'loss';
  const drawn = Object.entries(NAMES).filter(([, method]) => maps[method]);
  const lines = drawn.map(([name, method]) => `${name} ${valueInWords(maps[method], maps[method].at(lng, lat), loss)}`);
  if (difference) lines.push(`difference ${signedDb(difference.at(lng, lat))}`);
  return lines;
}
