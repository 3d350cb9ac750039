// The demo: a place with buildings, a transmitter that is dragged, and the map that follows it.
//
// charts/ has the legend and the statistics, layers/ what is painted on the map, input/ the form, the pointer and files. state.js
// holds what is shown, drawing.js asks the engines for maps, places.js opens scenes. It begins here.

import { createEngine } from '../index.js';
import { draw } from './drawing.js';
import { engines, startPhysical } from './engines.js';
import { listenToControls } from './input/controls.js';
import { listenToFiles } from './input/files.js';
import { listenToMap } from './input/map.js';
import { drawReadout } from './layers/readout.js';
import { say } from './notices.js';
import { listPlaces, openFile } from './places.js';
import { show, showMap } from './show.js';
import { setStatus, state } from './state.js';

/** What a visitor with a console, and the browser tests, can reach. */
window.radiodiff = {
  createEngine,
  /** The engine with the networks once a layer asked for it, else the physical one. */
  get engine() { return engines.network ?? engines.physical; },
  get map() { return state.map; },
  get maps() { return state.maps; },
  get difference() { return state.difference; },
  get request() {
    const { map, scene } = state;
    return { buildings: scene.source, bounds: scene.bounds, transmitters: map.transmitters, method: map.method };
  },
};

try {
  listenToControls({ redraw: draw, restyle: show });
  show();
  await startPhysical();
  listenToMap({
    redraw() {
      showMap();
      draw();
    },
    point(event) {
      state.pointer = event;
      drawReadout();
    },
  });
  listenToFiles(openFile);
  await listPlaces();
} catch (error) {
  setStatus('error');
  say('scene', error.message, 'error');
}
