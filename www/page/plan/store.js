// The plan as it is now with the scene that it is of, and those before them. Every change goes through `change`, another scene comes by
// `begin`; whoever shows the plan listens. A scene is whatever opens it again: the store only tells one from another.

import { newPlan } from './model.js';

const LONGEST_HISTORY = 200;

let current = newPlan();
let currentScene;
/** Steps to undo and to do again, each { plan, scene }. */
let past = [];
let future = [];
/** What the last change was of: changes of one thing (a drag, a field that is typed into) are one step to undo. */
let lastTopic;
let selectedId;
const listeners = new Set();

export const plan = () => current;
/** The steps that `undo` and `redo` go to; undefined where there is none. */
export const before = () => past.at(-1);
export const after = () => future.at(-1);
/** Whether a step is of the open scene. */
export const isOfOpenScene = ({ scene }) => scene === currentScene;
/** Whether the planner did anything since the scene was opened. */
export const isEdited = () => past.length > 0 && isOfOpenScene(past.at(-1));
/** The transmitter whose fields are shown and that a click moves; undefined where none is chosen. */
export const selected = () => current.transmitters.find(({ id }) => id === selectedId);

/** `listener` is called after every change, with what changed: 'plan', 'place' (a settled position), 'selection' or 'scene'. */
export const listen = (listener) => listeners.add(listener);
const tell = (what) => listeners.forEach((listener) => listener(what));

/** Makes another plan of the current one; changes of the same `topic` that follow each other are undone together. */
export function change(edit, topic) {
  const next = edit(current);
  if (next === current) return;
  if (topic === undefined || topic !== lastTopic) keep();
  lastTopic = topic;
  future = [];
  current = next;
  tell('plan');
}

const keep = () => { past = [...past, { plan: current, scene: currentScene }].slice(-LONGEST_HISTORY); };

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

/** Goes on with a plan of another scene, as one step to undo unless it is the first; the caller draws. */
export function begin(next, scene) {
  if (currentScene) keep();
  if (next !== current) selectedId = next.transmitters[0]?.id;
  [current, currentScene, future, lastTopic] = [next, scene, [], undefined];
  tell('scene');
}

/** To a step of another scene goes who has opened that scene, and draws. */
export const undo = () => step(past, future);
export const redo = () => step(future, past);

function step(from, to) {
  if (!from.length) return;
  const { plan: next, scene } = from.pop();
  to.push({ plan: current, scene: currentScene });
  const isOther = scene !== currentScene;
  [current, currentScene, lastTopic] = [next, scene, undefined];
  tell(isOther ? 'scene' : 'plan');
}
