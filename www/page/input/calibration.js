// Measured power of one cell: a table that is dropped or chosen, and the map of the chosen transmitter that is fitted to it.

import { engines } from '../engines.js';
import { say, unsay } from '../notices.js';
import { changeLook } from '../plan/look.js';
import { requestOf } from '../plan/model.js';
import { selected } from '../plan/store.js';
import { announce, state } from '../state.js';
import { percent } from '../units.js';

const element = (id) => document.getElementById(id);

/** The table that was opened last. */
let table;
/** The fit that runs, to end it by the same button. */
let fitting;
let drawn = () => {};

export const isTable = ({ name }) => /\.(csv|tsv)$/i.test(name);

/** `show` is called when there is another calibrated map. */
export function listenToCalibration({ show }) {
  drawn = show;
  element('calibrate').addEventListener('click', () => (fitting ? fitting.abort() : calibrate()));
}

/** Shows a table of measurements, ready to be fitted to. */
export function openTable(file) {
  table = file;
  element('measurements').hidden = false;
  element('calibration').replaceChildren();
  refreshCalibration();
  element('measurements').scrollIntoView({ block: 'nearest' });
  announce(`${file.name} is open. Calibrate fits the chosen transmitter's map to it.`);
}

/** Says what would be fitted, and drops the figures of a scene that was closed. */
export function refreshCalibration() {
  if (!state.calibration) element('calibration').replaceChildren();
  if (!table) return;
  const chosen = selected();
  element('calibrate').disabled = !chosen;
  element('measurements-say').textContent = chosen
    ? `${table.name}: fits the map of ${chosen.name} to it. Its place, height, frequency and azimuth count; power and gain are fitted.`
    : `${table.name}: choose the transmitter that was measured.`;
}

/** Ends a fit that runs: its scene is left. */
export const stopFit = () => fitting?.abort();

async function calibrate() {
  const { scene } = state;
  const chosen = selected();
  fitting = new AbortController();
  showProgress(0);
  unsay('calibration');
  try {
    const fitted = await engines.physical.calibrate({
      ...scene.around,
      transmitter: requestOf(chosen),
      measurements: table,
      signal: fitting.signal,
      onProgress: ({ loaded, total }) => showProgress(total ? loaded / total : 0),
    });
    if (state.scene !== scene) return;
    state.calibration = { ...fitted, name: chosen.name };
    element('calibration').replaceChildren(...rows(fitted).flatMap(([term, value]) => [
      Object.assign(document.createElement('dt'), { textContent: term }),
      Object.assign(document.createElement('dd'), { textContent: value }),
    ]));
    if (fitted.warnings.length) say('calibration', fitted.warnings.join(' '));
    changeLook({ model: 'calibrated' });
    // Where a calibrated map was shown already, the look is the same and its listeners hear nothing.
    drawn();
    announce('The map is calibrated.');
  } catch (error) {
    if (!fitting.signal.aborted) say('calibration', `${table.name} cannot be used: ${error.message}.`, 'error');
  } finally {
    fitting = undefined;
    showProgress(undefined);
  }
}

function rows({ readings, squares, errors }) {
  const counts = [['Readings on the map', `${readings} in ${squares} squares`]];
  if (!errors) return counts;
  const decibels = (db) => `${db.toFixed(1)} dB`;
  return [
    ...counts,
    ['Error before', decibels(errors.beforeDb)],
    ['Error of the fitted law', decibels(errors.lawDb)],
    ['Error of the map, in blocks left out', decibels(errors.afterDb)],
    ['Within one standard deviation', percent(errors.withinDeviation)],
  ];
}

/** `share` is undefined while nothing runs. */
function showProgress(share) {
  element('calibrate-progress').hidden = share === undefined;
  element('calibrate-progress').value = share ?? 0;
  element('calibrate').textContent = share === undefined ? 'Calibrate' : 'Stop';
}
