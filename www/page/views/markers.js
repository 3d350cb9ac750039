// The transmitters on the stage, as buttons: dragged by a pointer, moved by arrow keys, removed by Delete.

import { serverColor } from '../layers/colors.js';
import { say } from '../notices.js';
import { isOn } from '../plan/model.js';
import { changeTransmitter, endTopic, plan, select, selected } from '../plan/store.js';
import { state } from '../state.js';
import { moved } from '../units.js';
import { bearing, project, unproject } from './stage.js';

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const STEP_M = 2;
const LONG_STEP_M = 10;

const layer = document.getElementById('markers');
const markers = new Map();
let dropped = () => {};
let removed = () => {};

/** `drop` is called when a drag ends, `remove` with the id of a transmitter to take away. */
export function listenToMarkers({ drop, remove }) {
  dropped = drop;
  removed = remove;
}

/** Brings the buttons up to the plan. */
export function drawMarkers() {
  const { transmitters } = plan();
  const kept = new Set(transmitters.map(({ id }) => id));
  for (const [id, marker] of markers) {
    if (kept.has(id)) continue;
    marker.remove();
    markers.delete(id);
  }
  transmitters.forEach((transmitter, index) => {
    const { id, name, active, antenna } = transmitter;
    const marker = markers.get(id) ?? newMarker(id);
    markers.set(id, marker);
    marker.style.setProperty('--color', serverColor(index));
    marker.classList.toggle('chosen', id === selected()?.id);
    const isLeftOut = !isOn(state.scene.bounds, transmitter);
    marker.classList.toggle('idle', !active || isLeftOut);
    marker.setAttribute('aria-label', `${name}${isLeftOut ? ', off the map' : ''}: drag, or move with the arrow keys`);
    marker.querySelector('b').textContent = index + 1;
    marker.querySelector('span').textContent = name;
    marker.querySelector('span').hidden = transmitters.length < 2;
    marker.querySelector('i').hidden = antenna === 'omni';
    // A marker that is moved in the document loses the pointer that drags it.
    if (layer.children[index] !== marker) layer.insertBefore(marker, layer.children[index] ?? null);
  });
  placeMarkers();
}

/** Puts the buttons where their transmitters are on the screen. */
export function placeMarkers() {
  if (!state.scene) return;
  for (const { id, lng, lat, azimuthDeg } of plan().transmitters) {
    const marker = markers.get(id);
    if (!marker) continue;
    const { x, y } = project({ lng, lat });
    marker.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
    marker.querySelector('i').style.transform = `rotate(${azimuthDeg - bearing()}deg)`;
  }
}

function newMarker(id) {
  const marker = Object.assign(document.createElement('button'), { type: 'button', className: 'marker' });
  marker.dataset.id = id;
  marker.append(...['i', 'b', 'span'].map((tag) => document.createElement(tag)));
  marker.addEventListener('focus', () => select(id));
  marker.addEventListener('pointerdown', (event) => drag(event, marker, id));
  marker.addEventListener('keydown', (event) => press(event, id));
  return marker;
}

function drag(event, marker, id) {
  if (event.button !== 0) return;
  // A field that is left writes what it holds into the transmitter that is chosen: it has to be left before another one is.
  marker.focus({ preventScroll: true });
  select(id);
  marker.setPointerCapture(event.pointerId);
  const { lng, lat } = plan().transmitters.find((transmitter) => transmitter.id === id);
  // The hand keeps hold of the place where it took the marker.
  const start = project({ lng, lat });
  const [dx, dy] = [start.x - event.clientX, start.y - event.clientY];
  let last;
  const move = ({ clientX, clientY }) => {
    if (clientX === (last ?? event).clientX && clientY === (last ?? event).clientY) return;
    last = { clientX, clientY };
    state.dragging = true;
    changeTransmitter(id, onMap(unproject({ x: clientX + dx, y: clientY + dy })), `drag ${id}`);
  };
  const end = ({ pointerId }) => {
    if (pointerId !== event.pointerId) return;
    marker.removeEventListener('pointermove', move);
    document.removeEventListener('lostpointercapture', end);
    endTopic();
    if (!state.dragging) return;
    state.dragging = false;
    dropped();
  };
  marker.addEventListener('pointermove', move);
  // A marker that is removed under the pointer loses it at the document.
  document.addEventListener('lostpointercapture', end);
}

function press(event, id) {
  if (event.key === 'Delete' || event.key === 'Backspace') {
    event.preventDefault();
    removed(id);
    return;
  }
  const step = STEPS[event.key];
  if (!step) return;
  event.preventDefault();
  const meters = event.shiftKey ? LONG_STEP_M : STEP_M;
  const from = plan().transmitters.find((transmitter) => transmitter.id === id);
  const to = moved(from, step[0] * meters, step[1] * meters);
  const isLeaving = isOn(state.scene.bounds, from) && !isOn(state.scene.bounds, to);
  if (isLeaving) say('transmitters', `${from.name} stays on this map: a larger map, or its longitude and latitude, takes it farther.`);
  changeTransmitter(id, isLeaving ? onMap(to) : to, `keys ${id}`);
}

/** The nearest place that lies on the map. */
export function onMap({ lng, lat }) {
  const { west, south, east, north } = state.scene.bounds;
  const edge = 1e-4;
  const clamp = (value, low, high) => Math.min(high - edge * (high - low), Math.max(low + edge * (high - low), value));
  return { lng: clamp(lng, west, east), lat: clamp(lat, south, north) };
}
