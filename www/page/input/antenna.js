// Antenna patterns of the planner's own: a file that is dropped or chosen, for the chosen transmitter. They are the files that the
// command line takes: a table of measured gains, or JSON in CloudRF's words. The engine reads them.

import { engines } from '../engines.js';
import { say, unsay } from '../notices.js';
import { FIELDS, requestOf, within } from '../plan/model.js';
import { changeTransmitter, plan, selected } from '../plan/store.js';
import { announce, around, state } from '../state.js';
import { onMap } from '../views/markers.js';
import { headOf } from './files.js';

const FIELD_OF_AN_ANTENNA = /"(ant|azi|csv|fbr|hbw|tlt|txg|vbw)"\s*:/;
/** Other JSON that the page opens. */
const OTHER_JSON = /"(type|version|features)"\s*:/;

/**
 * True of a file that holds a pattern.
 * @throws where the file cannot be read
 */
export async function isPattern(file) {
  const isJson = /\.json$/i.test(file.name);
  if (!isJson && !/\.csv$/i.test(file.name)) return false;
  const head = await headOf(file);
  if (isJson) return head.trimStart().startsWith('{') && FIELD_OF_AN_ANTENNA.test(head) && !OTHER_JSON.test(head);
  const [first = ''] = head.split(/\r?\n/).filter((line) => line.trim() && !line.startsWith('#'));
  // A table of measurements names its columns; one of gains may leave them out.
  return /azimuth_deg/.test(first) || (first.includes(',') && first.split(',').every((value) => value.trim() && Number.isFinite(Number(value))));
}

export function listenToPatterns() {
  const input = document.getElementById('pattern');
  input.addEventListener('change', () => {
    const [file] = input.files;
    // The same file, mended, is a change again only for an empty field.
    input.value = '';
    if (file) openPattern(file);
  });
}

/** Gives the chosen transmitter the antenna of a file, once the engine has drawn with it. */
export async function openPattern(file) {
  const [chosen, { scene }] = [selected(), state];
  if (!chosen) {
    say('antenna', `Choose the transmitter that has the antenna of ${file.name}, and open the file again.`);
    return;
  }
  try {
    const antenna = await antennaIn(file);
    const fields = {
      antenna: 'pattern',
      pattern: { name: file.name, antenna },
      gainDbi: FIELDS.gainDbi.initial,
      azimuthDeg: antenna.azi == null ? chosen.azimuthDeg : ((Math.round(Number(antenna.azi) || 0) % 360) + 360) % 360,
      downtiltDeg: antenna.tlt == null ? chosen.downtiltDeg : within(FIELDS.downtiltDeg, antenna.tlt),
    };
    const { warnings } = await engines.physical.predict({ ...around(), transmitters: [requestOf({ ...chosen, ...fields, ...onMap(chosen) })], method: 'dominant-path' });
    // Another scene was opened meanwhile, or the transmitter removed.
    if (state.scene !== scene || !plan().transmitters.some(({ id }) => id === chosen.id)) return;
    unsay('antenna');
    changeTransmitter(chosen.id, fields);
    const told = warnings.filter((warning) => /antenna/i.test(warning));
    if (told.length) say('antenna', told.join(' '));
    announce(`${chosen.name} has the antenna of ${file.name}.`);
  } catch (error) {
    say('antenna', `${file.name} cannot be used: ${error.message}.`, 'error');
  }
}

async function antennaIn(file) {
  const text = await file.text();
  if (!/\.json$/i.test(file.name)) return { csv: text };
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is no JSON');
  }
}
