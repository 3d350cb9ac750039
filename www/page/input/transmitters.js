// The list of transmitters and the fields of the one that is chosen.

import { svgNode } from '../elements.js';
import { serverColor } from '../layers/colors.js';
import { say } from '../notices.js';
import { DEGREES, FIELDS, MOST_TRANSMITTERS, SECTOR_GAIN_DBI, copyOf, drawnOf, isOn, middleOf, newTransmitter, within } from '../plan/model.js';
import { change, changeTransmitter, endTopic, plan, select, selected } from '../plan/store.js';
import { announce, state } from '../state.js';
import { moved } from '../units.js';
import { onMap } from '../views/markers.js';
import { listenToPatterns } from './antenna.js';
import { numberField } from './controls.js';

const element = (id) => document.getElementById(id);
/** Fields of the form by their id. */
const INPUTS = { heightM: 'heightM', power: 'powerDbm', frequency: 'frequencyMHz', gain: 'gainDbi', azimuth: 'azimuthDeg', downtilt: 'downtiltDeg', beamwidth: 'beamwidthDeg' };
/** A new transmitter and a copy stand this far from others. */
const APART_M = 40;

let refreshers = [];

export function listenToTransmitters() {
  element('add').addEventListener('click', () => add(placeForNew()));
  element('editor').addEventListener('submit', (event) => event.preventDefault());
  refreshers = Object.entries(INPUTS).map(([id, name]) => numberField(id, FIELDS[name], field(name)));
  for (const name of ['lng', 'lat']) {
    const input = element(name);
    input.addEventListener('change', () => {
      if (selected()) edit({ [name]: within({ initial: selected()[name], ...DEGREES[name] }, input.value) });
      refreshTransmitters();
    });
  }
  element('name').addEventListener('input', ({ target }) => target.value.trim() && edit({ name: target.value.trim() }, 'name'));
  element('name').addEventListener('change', () => {
    endTopic();
    refreshTransmitters();
  });
  element('antenna').addEventListener('change', ({ target }) => edit({ antenna: target.value, gainDbi: target.value === 'sector' ? SECTOR_GAIN_DBI : FIELDS.gainDbi.initial }));
  listenToPatterns();
}

const field = (name) => ({ read: () => selected()?.[name], write: (value) => edit({ [name]: value }, name) });

function edit(fields, topic) {
  const { id } = selected() ?? {};
  if (id !== undefined) changeTransmitter(id, fields, topic && `${topic} ${id}`);
}

/** Adds a transmitter at a place and chooses it. */
export function add(place, make = newTransmitter) {
  const { transmitters } = plan();
  if (transmitters.length >= MOST_TRANSMITTERS) {
    say('transmitters', `A plan holds ${MOST_TRANSMITTERS} transmitters: remove one first.`);
    return;
  }
  const added = make(onMap(place), transmitters);
  change((now) => ({ ...now, transmitters: [...now.transmitters, added] }));
  select(added.id);
  announce(`${added.name} added.`);
}

export function remove(id) {
  const { transmitters } = plan();
  const index = transmitters.findIndex((transmitter) => transmitter.id === id);
  if (index < 0) return;
  change((now) => ({ ...now, transmitters: now.transmitters.filter((transmitter) => transmitter.id !== id) }));
  select((transmitters[index + 1] ?? transmitters[index - 1])?.id);
  announce(`${transmitters[index].name} removed. Undo brings it back.`);
}

function duplicate(transmitter) {
  add(moved(transmitter, APART_M, 0), (place, others) => copyOf(transmitter, place, others));
}

/** Beside the chosen one, or in the middle of the map. */
function placeForNew() {
  return selected() ? moved(selected(), APART_M, -APART_M / 2) : middleOf(state.scene.bounds);
}

export function refreshTransmitters() {
  const { transmitters } = plan();
  const kept = new Set(transmitters.map(({ id }) => id));
  for (const [id, { item }] of rows) {
    if (kept.has(id)) continue;
    item.remove();
    rows.delete(id);
  }
  transmitters.forEach(refreshRow);
  const chosen = selected();
  element('editor').hidden = !chosen;
  element('add').disabled = !state.scene;
  element('hint').textContent = hint(chosen);
  if (!chosen) return;
  for (const refresh of refreshers) refresh();
  for (const field of element('editor').querySelectorAll('[data-antennas]')) field.hidden = !field.dataset.antennas.split(' ').includes(chosen.antenna);
  element('pattern-name').textContent = chosen.pattern?.name ?? 'none is open: radiates equally all around';
  element('antenna').value = chosen.antenna;
  const values = { name: chosen.name, lng: chosen.lng.toFixed(6), lat: chosen.lat.toFixed(6) };
  for (const [id, value] of Object.entries(values)) if (document.activeElement !== element(id)) element(id).value = value;
}

function hint(chosen) {
  if (!plan().transmitters.length) return 'Add a transmitter to draw a map.';
  const isNoneDrawn = state.scene && !drawnOf(plan(), state.scene.bounds).length;
  if (isNoneDrawn) return `No transmitter that is on stands on the map${chosen ? `: drag ${chosen.name} onto it, or click the map to move it there` : ''}.`;
  return chosen ? `Drag ${chosen.name}, or click the map to move it there. Choose it again, or press Esc, to let go of it: a click then reads the map.` : 'Choose a transmitter to change it. A click reads the map.';
}

/** The rows of the list by the transmitter's id: a row that is made anew under a pressed button loses the click. */
const rows = new Map();

function refreshRow(transmitter, index) {
  const { id, name, active, heightM, powerDbm, frequencyMHz } = transmitter;
  const row = rows.get(id) ?? newRow(id);
  rows.set(id, row);
  const isChosen = id === selected()?.id;
  row.item.classList.toggle('chosen', isChosen);
  row.item.classList.toggle('idle', !active || !isOn(state.scene?.bounds, transmitter));
  row.badge.textContent = index + 1;
  row.badge.style.setProperty('--color', serverColor(index));
  row.name.textContent = name;
  row.figures.textContent = `${isOn(state.scene?.bounds, transmitter) ? '' : 'Off the map · '}${powerDbm} dBm · ${heightM} m · ${frequencyMHz} MHz`;
  row.pick.setAttribute('aria-pressed', isChosen);
  row.toggle.querySelector('path').setAttribute('d', active ? EYE : EYE_SHUT);
  const titles = { pick: `Choose ${name}`, toggle: active ? `Switch ${name} off` : `Switch ${name} on`, copy: `Duplicate ${name}`, cross: `Remove ${name}` };
  for (const [button, title] of Object.entries(titles)) {
    row[button].title = title;
    row[button].setAttribute('aria-label', title);
  }
  const list = element('transmitters');
  if (list.children[index] !== row.item) list.insertBefore(row.item, list.children[index] ?? null);
}

function newRow(id) {
  const transmitter = () => plan().transmitters.find((known) => known.id === id);
  const [item, badge, name, figures] = ['li', 'b', 'span', 'small'].map((tag) => document.createElement(tag));
  const pick = button(() => select(id === selected()?.id ? undefined : id), badge, name, figures);
  pick.className = 'pick';
  const toggle = button(() => changeTransmitter(id, { active: !transmitter().active }), icon(EYE));
  const copy = button(() => duplicate(transmitter()), icon(COPY));
  const cross = button(() => remove(id), icon(CROSS));
  item.append(pick, toggle, copy, cross);
  return { item, badge, name, figures, pick, toggle, copy, cross };
}

/** Paths in a box of 20 x 20. */
const EYE = 'M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5zM10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z';
const EYE_SHUT = 'M2 9s3 4 8 4 8-4 8-4M5 12l-1.5 2.5M10 13v3M15 12l1.5 2.5';
const COPY = 'M7 7h9v9H7zM4 13V4h9';
const CROSS = 'm5 5 10 10M15 5 5 15';

function icon(path) {
  const svg = svgNode('svg', { viewBox: '0 0 20 20', 'aria-hidden': true });
  svg.append(svgNode('path', { d: path }));
  return svg;
}

function button(act, ...content) {
  const made = Object.assign(document.createElement('button'), { type: 'button' });
  made.append(...content);
  made.addEventListener('click', act);
  return made;
}
