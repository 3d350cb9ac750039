// Measured power of one cell: a table that is dropped or chosen, and the map of the chosen transmitter that is fitted to it. The plan keeps
// the measured places, so that a link or a plan file brings them along; the fit is made again where it is opened.

import { termRows } from '../elements.js';
import { engines } from '../engines.js';
import { say, unsay } from '../notices.js';
import { CALIBRATED_MODELS, changeLook, look } from '../plan/look.js';
import { keptPlaces, requestOf } from '../plan/model.js';
import { change, plan, selected } from '../plan/store.js';
import { announce, around, calibration, state } from '../state.js';
import { percent } from '../units.js';

const element = (id) => document.getElementById(id);
/** Digits of what a plan keeps: centimetres, and hundredths of a decibel. */
const [DEGREES_DIGITS, DBM_DIGITS] = [7, 2];

/** The table that was opened last. */
let table;
/** The fit that runs: { of, stop }, the plan's measurements that it is of, if it is of the plan's, and what ends it. */
let fitting;
/** Measurements of the plan that were not fitted, because it was stopped or cannot be done, and the scene of that. */
let declined = {};
let drawn = () => {};

export const isTable = ({ name }) => /\.(csv|tsv)$/i.test(name);

/** `show` is called when there is another calibrated map, or where it is shown. */
export function listenToCalibration({ show }) {
  drawn = show;
  element('calibrate').addEventListener('click', press);
  element('dots').addEventListener('change', ({ target }) => {
    state.dots = target.checked;
    show();
  });
}

function press() {
  if (fitting) {
    decline(fitting.of);
    stopFit();
  } else if (table) {
    calibrate();
  } else {
    declined = {};
    fitMeasured('calibrated');
  }
}

const decline = (measured) => { declined = { measured, scene: state.scene }; };

/** Shows a table of measurements, ready to be fitted to. */
export function openTable(file) {
  table = file;
  // What was wrong with the table before it.
  unsay('calibration');
  refreshCalibration();
  element('measurements').scrollIntoView({ block: 'nearest' });
  announce(`${file.name} is open. Calibrate fits the chosen transmitter's map to it.`);
}

/** Says what is fitted and what would be, with the figures of the fit. */
export function refreshCalibration() {
  const { measured } = plan();
  const fitted = calibration();
  element('measurements').hidden = !table && !measured;
  element('calibration').replaceChildren(...termRows(fitted ? rows(fitted) : []));
  element('residuals').hidden = !fitted;
  element('calibrate').hidden = !table && !fitting && Boolean(fitted);
  element('calibrate').disabled = !fitting && Boolean(table) && !selected();
  element('measurements-say').textContent = inWords(measured, selected());
}

/** How many places a plan keeps, of how many where it does not keep them all. */
const count = ({ places, placesMeasured }) => (placesMeasured ? `${places.length} of ${placesMeasured}` : `${places.length}`);

function inWords(measured, chosen) {
  const kept = measured ? `The plan holds ${count(measured)} measured places of ${measured.name} (${measured.table}). ` : '';
  if (!table) return kept;
  if (!chosen) return `${kept}${table.name}: choose the transmitter that was measured.`;
  return `${kept}${table.name}: fits the map of ${chosen.name} to it. Its place, height, frequency and azimuth count; power and gain are fitted.`;
}

/** Ends a fit that runs: its scene is left. */
export const stopFit = () => fitting?.stop.abort();

/** Fits the chosen transmitter's map to the open table, and keeps what was measured with the plan. */
async function calibrate() {
  const [chosen, { name }] = [selected(), table];
  const cell = requestOf(chosen);
  const fitted = await fit({ transmitter: cell, measurements: table }, undefined, name);
  if (!fitted) return;
  const rounded = (value, digits) => Number(value.toFixed(digits));
  const places = fitted.places.map(({ lng, lat, powerDbm }) => [rounded(lng, DEGREES_DIGITS), rounded(lat, DEGREES_DIGITS), rounded(powerDbm, DBM_DIGITS)]);
  const measured = { table: name, name: chosen.name, cell, readings: fitted.readings, ...keptPlaces(places) };
  state.calibration = { ...fitted, of: measured };
  change((now) => ({ ...now, measured }));
  if (measured.placesMeasured) say('plan', `The plan keeps ${count(measured)} measured places, spread evenly: where it is opened again, the map is fitted to those.`);
  showFitted('calibrated');
}

/** Fits to what the plan holds, where that is not done; `model` is shown then, if it is a calibrated one. */
export async function fitMeasured(model) {
  const { measured } = plan();
  // A fit to other measurements, or to those of a plan that was left.
  if (fitting?.of && fitting.of !== measured) stopFit();
  if (!measured || calibration() || fitting?.of === measured || (declined.measured === measured && declined.scene === state.scene)) return;
  const measurements = measured.places.map(([lng, lat, powerDbm]) => ({ lng, lat, powerDbm }));
  const fitted = await fit({ transmitter: measured.cell, measurements }, measured, measured.table);
  if (!fitted || plan().measured !== measured) return;
  state.calibration = { ...fitted, readings: measured.readings, of: measured };
  if (measured.placesMeasured) say('plan', `The map is fitted to ${count(measured)} measured places: the plan holds no more.`);
  showFitted(CALIBRATED_MODELS.includes(model) ? model : look().model);
}

/** What `calibrate` gives; undefined where it was stopped or cannot be had, after the page said why. */
async function fit(request, of, name) {
  const { scene } = state;
  const stop = new AbortController();
  // The button ends one fit: the one that was asked for last.
  stopFit();
  fitting = { of, stop };
  showProgress(0);
  unsay('calibration');
  try {
    const fitted = await engines.physical.calibrate({
      ...around(),
      ...request,
      signal: stop.signal,
      onProgress: ({ phase, loaded, total }) => { if (['fit', 'rows'].includes(phase)) showProgress(loaded / total); },
    });
    if (state.scene !== scene) return undefined;
    if (fitted.warnings.length) say('calibration', fitted.warnings.join(' '));
    return fitted;
  } catch (error) {
    if (!stop.signal.aborted) {
      if (of) decline(of);
      say('calibration', `${name} cannot be used: ${error.message}.`, 'error');
    }
    return undefined;
  } finally {
    // Another fit may have begun when this one was stopped.
    if (fitting?.stop === stop) {
      fitting = undefined;
      showProgress(undefined);
    }
  }
}

function showFitted(model) {
  changeLook({ model });
  // Where such a map was shown already, the look is the same and its listeners hear nothing.
  drawn();
  announce('The map is calibrated.');
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
  refreshCalibration();
}
