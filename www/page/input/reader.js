// The map without a pointer: a cross that has the focus, moved by the arrow keys, reads what is under it, and Enter is a click there.

import { middleOf } from '../plan/model.js';
import { selected } from '../plan/store.js';
import { announce, state } from '../state.js';
import { project, unproject } from '../views/stage.js';

/** Pixels of the page. */
const [STEP, LONG_STEP] = [8, 40];
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const [stage, cross, readout] = ['map', 'cross', 'readout'].map((id) => document.getElementById(id));
let at;

/** `point` is called when the place that is read changed, `click` with a place and its point. */
export function listenToReader({ point, click }) {
  const read = ({ x, y }) => {
    at = { x: Math.min(stage.clientWidth, Math.max(0, x)), y: Math.min(stage.clientHeight, Math.max(0, y)) };
    cross.style.transform = `translate(${at.x}px, ${at.y}px)`;
    state.pointer = at;
    point();
    announce(readout.hidden ? 'Nothing to read here: off the map.' : readout.textContent);
  };
  cross.addEventListener('focus', () => {
    if (!state.scene) return;
    // Where it was left, else at the chosen transmitter.
    read(at ?? project(selected() ?? middleOf(state.scene.bounds)));
  });
  cross.addEventListener('blur', () => {
    state.pointer = undefined;
    point();
  });
  cross.addEventListener('keydown', (event) => {
    const step = STEPS[event.key];
    if (!step || !at) return;
    event.preventDefault();
    const pixels = event.shiftKey ? LONG_STEP : STEP;
    read({ x: at.x + step[0] * pixels, y: at.y + step[1] * pixels });
  });
  cross.addEventListener('click', () => at && click(unproject(at), at));
}
