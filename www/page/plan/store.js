// The plan as it is now, and the plans before it. Every change goes through `change`; whoever shows the plan listens.

import { newPlan } from './model.js';

const LONGEST_HISTORY = 200;

let current = newPlan();
let past = [];
let future = [];
/** What the last change was of: changes of one thing (a drag, a field that is typed into) are one step to undo. */
let lastTopic;
let selectedId;
const listeners = new Set();

export const plan = () => current;
export const canUndo = () => past.length > 0;
export const canRedo = () => future.length > 0;
/** The transmitter whose fields are shown and that a click moves; undefined where none is chosen. */
export const selected = () => current.transmitters.find(({ id }) => id === selectedId);

/** `listener` is called after every change, with what changed: 'plan', 'place' (a settled position) or 'selection'. */
export const listen = (listener) => listeners.add(listener);
const tell = (what) => listeners.forEach((listener) => listener(what));

/** Makes another plan of the current one; changes of the same `topic` that follow each other are undone together. */
export function change(edit, topic) {
  const next = edit(current);
  if (next === current) return;
  if (topic === undefined || topic !== lastTopic) past = [...past, current].slice(-LONGEST_HISTORY);
  lastTopic = topic;
  future = [];
  current = next;
  tell('plan');
}

/** Changes fields of one transmitter. */
export function changeTransmitter(id, fields, topic) {
  change((now) => ({ ...now, transmitters: now.transmitters.map((transmitter) => (transmitter.id === id ? { ...transmitter, ...fields } : transmitter)) }), topic);
}

/** Ends a drag or an edit: the next change is a step of its own. */
export function endTopic() {
  lastTopic = undefined;
}

/** Puts transmitters where the engine drew them, which is no decision of the planner and no step to undo. */
export function settle(places) {
  const moved = current.transmitters.map((transmitter) => ({ ...transmitter, ...places.get(transmitter.id) }));
  if (moved.every(({ lng, lat }, i) => lng === current.transmitters[i].lng && lat === current.transmitters[i].lat)) return;
  current = { ...current, transmitters: moved };
  tell('place');
}

export function select(id) {
  if (id === selectedId) return;
  selectedId = id;
  tell('selection');
}

/** Begins anew with a plan of another scene; the caller draws. */
export function begin(next) {
  [current, past, future, lastTopic] = [next, [], [], undefined];
  selectedId = next.transmitters[0]?.id;
  tell('begin');
}

export const undo = () => step(past, future);
export const redo = () => step(future, past);

function step(from, to) {
  if (!from.length) return;
  to.push(current);
  current = from.pop();
  lastTopic = undefined;
  tell('plan');
}
