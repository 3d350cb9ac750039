// The form beside the map: layer, model and colours, the threshold, the receiver. Transmitters have a file of their own.

import { paletteNames } from '../../index.js';
import { worth } from '../accuracy.js';
import { option } from '../elements.js';
import { engines, networksDraw } from '../engines.js';
import { hasLayers, shownLayer } from '../layers/model.js';
import { BESIDE, CALIBRATED_MODELS, LAYERS, OPACITY, SINGLE, changeLook, look } from '../plan/look.js';
import { RECEIVER_FIELDS, THRESHOLD_DBM, within } from '../plan/model.js';
import { change, endTopic, plan } from '../plan/store.js';
import { calibration, state } from '../state.js';

const element = (id) => document.getElementById(id);

function calibrationInWords() {
  const { of: { name } = {}, errors } = calibration() ?? {};
  if (!errors) return `Fitted to measurements of ${name ?? 'one transmitter'}; they are too few to say how well.`;
  return `Fitted to measurements of ${name}. Error in blocks of ground that the fit was not given: ${errors.afterDb.toFixed(1)} dB, before ${errors.beforeDb.toFixed(1)} dB.`;
}

/** What a model is worth, in figures. */
export const worthOf = (model) => worth(model, engines.network?.info.model, engines.areOwn) ?? calibrationInWords();

let networksAreGone = false;

/** Gives them back. */
export function withNetworks() {
  networksAreGone = false;
}

/** Leaves the models without a network to be chosen; what is shown by one that needs none stays. */
export function withoutNetworks() {
  networksAreGone = true;
  if (BESIDE[look().model] === 'forecast') changeLook({ model: 'physical' });
  else refreshControls();
}

/**
 * Binds a number field: what is typed counts at once while it is a number in range, and what is left behind is brought into range.
 * `read` gives the value, `write` takes one.
 */
export function numberField(id, field, { read, write }) {
  const input = element(id);
  Object.assign(input, { min: field.min, max: field.max });
  input.addEventListener('input', () => {
    const value = input.valueAsNumber;
    if (value >= field.min && value <= field.max) write(value);
  });
  input.addEventListener('change', () => {
    write(within({ ...field, initial: read() }, input.value));
    endTopic();
    input.value = read();
  });
  return () => {
    if (document.activeElement !== input || input.type === 'range') input.value = read() ?? '';
  };
}

const refreshers = [];

/** Brings the form up to the plan and the look. */
export function refreshControls() {
  const { model, quantity, palette, opacity } = look();
  const isTheirGrid = !state.scene || networksDraw(state.scene);
  const forecasts = Object.keys(BESIDE).filter((name) => BESIDE[name] === 'forecast');
  for (const name of forecasts) element('layer').querySelector(`[value=${name}]`).disabled = networksAreGone || !isTheirGrid;
  element('layer').value = model;
  element('palette').value = palette;
  element('worth').textContent = worthOf(model);
  for (const name of CALIBRATED_MODELS) element('layer').querySelector(`[value=${name}]`).disabled = !calibration();
  element('quantities').disabled = model in SINGLE;
  for (const id of ['scale-min', 'scale-max']) element(id).disabled = model in SINGLE || quantity === 'server';
  for (const input of element('quantities').querySelectorAll('input')) input.checked = input.value === quantity;
  element('opacity-value').textContent = `${Math.round(100 * opacity)} %`;
  element('threshold-value').textContent = `${plan().thresholdDbm} dBm`;
  for (const refresh of refreshers) refresh();
}

export function listenToControls() {
  element('palette').replaceChildren(...paletteNames.map((name) => option(name, name)));
  element('palette').addEventListener('change', ({ target }) => changeLook({ palette: target.value }));
  element('layer').addEventListener('change', ({ target }) => changeLook({ model: target.value }));
  element('quantities').append(...Object.entries(LAYERS).map(([value, { name }]) => pill(value, name)));
  const threshold = { read: () => plan().thresholdDbm, write: (thresholdDbm) => change((now) => ({ ...now, thresholdDbm }), 'threshold') };
  const opacity = { read: () => look().opacity, write: (value) => changeLook({ opacity: value }) };
  refreshers.push(numberField('threshold', THRESHOLD_DBM, threshold), numberField('opacity', OPACITY, opacity));
  for (const [name, field] of Object.entries(RECEIVER_FIELDS)) {
    const write = (value) => change((now) => ({ ...now, receiver: { ...now.receiver, [name]: value } }), `receiver ${name}`);
    refreshers.push(numberField(`receiver-${name}`, field, { read: () => plan().receiver[name], write }));
  }
  for (const end of ['min', 'max']) {
    const write = (value) => setScale({ ...shownLayer(), [end]: value });
    refreshers.push(numberField(`scale-${end}`, { min: -300, max: 300 }, { read: () => shownLayer()[end], write }));
  }
}

/** A scale without extent is not taken. */
function setScale({ min, max }) {
  if (min < max && hasLayers()) changeLook({ scales: { ...look().scales, [look().quantity]: { min, max } } });
}

function pill(value, name) {
  const label = document.createElement('label');
  const input = Object.assign(document.createElement('input'), { type: 'radio', name: 'quantity', value });
  input.addEventListener('change', () => changeLook({ quantity: value }));
  label.append(input, Object.assign(document.createElement('span'), { textContent: name }));
  return label;
}
