// Everything on the page that follows from the plan, the look and the maps.

import { drawLegend } from './charts/legend.js';
import { drawStatistics } from './charts/statistics.js';
import { tellEngine } from './engines.js';
import { refreshCalibration } from './input/calibration.js';
import { refreshCars } from './input/cars.js';
import { refreshControls } from './input/controls.js';
import { refreshProfile } from './input/profile.js';
import { refreshTransmitters } from './input/transmitters.js';
import { drawReadout } from './layers/readout.js';
import { besideMap } from './layers/model.js';
import { dots } from './layers/residuals.js';
import { picture } from './layers/shown.js';
import { plan } from './plan/store.js';
import { state } from './state.js';
import { drawMarkers } from './views/markers.js';
import * as stage from './views/stage.js';

/** After a change of the plan, before its map is there. */
export function showPlan() {
  if (state.scene) drawMarkers();
  stage.showCars(plan().cars);
  refreshTransmitters();
  refreshControls();
  refreshCalibration();
  refreshCars();
  refreshProfile();
}

export function show() {
  if (state.scene) {
    stage.show(picture());
    stage.showDots(dots());
  }
  showPlan();
  drawLegend();
  showReadout();
  drawStatistics();
  const told = besideMap() ?? state.map;
  if (told) tellEngine(told);
}

export function showReadout() {
  drawReadout(stage.unproject);
  refreshProfile();
}
