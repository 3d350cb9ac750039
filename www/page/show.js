// Everything on the page that follows from the state and the form.

import { drawLegend } from './charts/legend.js';
import { drawStatistics } from './charts/statistics.js';
import { tellEngine } from './engines.js';
import { refreshControls, settings } from './input/controls.js';
import { paint } from './layers/paint.js';
import { drawReadout } from './layers/readout.js';
import { state } from './state.js';

/** The difference, where that layer is chosen and there is one. */
const shownDifference = () => (settings().layer === 'difference' ? state.difference : undefined);

export function showMap() {
  paint(shownDifference() ?? state.map);
}

export function show() {
  showMap();
  refreshControls();
  drawLegend();
  drawReadout();
  if (!state.map) return;
  drawStatistics(state.map, shownDifference());
  tellEngine(state.map);
}
