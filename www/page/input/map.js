// The map under a pointer and under the keyboard: both move the transmitter.

import { canvas, fromPointer, moved } from '../layers/place.js';
import { state } from '../state.js';

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const STEP_M = 2;
const LONG_STEP_M = 10;

/** `redraw` is called when the transmitter moved, `point` when the mouse did. */
export function listenToMap({ redraw, point }) {
  canvas.addEventListener('pointerdown', (event) => {
    if (!state.scene) return;
    canvas.setPointerCapture(event.pointerId);
    state.dragging = true;
    state.transmitter = fromPointer(event);
    redraw();
  });
  canvas.addEventListener('lostpointercapture', () => {
    state.dragging = false;
    redraw();
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!state.scene) return;
    if (canvas.hasPointerCapture(event.pointerId)) {
      state.transmitter = fromPointer(event);
      redraw();
    }
    point(event);
  });
  canvas.addEventListener('pointerleave', () => point(undefined));
  canvas.addEventListener('keydown', (event) => {
    const step = STEPS[event.key];
    if (!step || !state.scene) return;
    event.preventDefault();
    const meters = event.shiftKey ? LONG_STEP_M : STEP_M;
    state.transmitter = moved(state.transmitter, step[0] * meters, step[1] * meters);
    redraw();
  });
}
