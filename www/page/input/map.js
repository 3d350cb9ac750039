// The map under the pointer and the buttons of its view. A click moves the chosen transmitter; without one it reads the map.

import { changeLook, look } from '../plan/look.js';
import { changeTransmitter, select, selected } from '../plan/store.js';
import { state } from '../state.js';
import { onMap } from '../views/markers.js';
import { camera, whenClicked } from '../views/stage.js';
import { listenToReader } from './reader.js';

const element = (id) => document.getElementById(id);

/** `point` is called when the pointer's place changed. */
export function listenToMap({ point }) {
  const stage = element('map');
  stage.addEventListener('pointermove', (event) => {
    if (event.pointerType === 'mouse') at(event);
  });
  stage.addEventListener('pointerleave', () => {
    state.pointer = undefined;
    point();
  });
  function at({ clientX, clientY, timeStamp: movedAt, target }) {
    const { left, top } = stage.getBoundingClientRect();
    state.pointer = { x: clientX - left, y: clientY - top, movedAt, isOnMarker: target.closest('.marker') !== null };
    point();
  }
  const click = (place, where) => {
    const chosen = selected();
    if (chosen) {
      changeTransmitter(chosen.id, onMap(place));
    } else {
      state.pointer = where;
      point();
    }
  };
  whenClicked(click);
  listenToReader({ point, click });
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !document.querySelector('dialog[open]')) select(undefined);
  });
  element('tilt').addEventListener('click', () => changeLook({ tilted: !look().tilted }));
  for (const [id, act] of [['zoom-in', 'zoomIn'], ['zoom-out', 'zoomOut'], ['fit', 'fit']]) element(id).addEventListener('click', () => camera()?.[act]());
}
