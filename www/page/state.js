// What the page holds beside the plan: the scene and the maps that were drawn of it. Every other module reads it; drawing.js and
// places.js write it.

import { textOf } from './plan/cars.js';
import { plan } from './plan/store.js';

export const state = {
  /** The open scene: what `setScene` gave, with `around` to ask for it again, its `source`, `title`, `credit` and `place`. */
  scene: undefined,
  /** The physical map of the plan's transmitters. */
  map: undefined,
  /** Ids of the plan's transmitters in the map's order. */
  drawn: [],
  /**
   * Maps of the same transmitters that models draw beside it, once they are drawn: the network's `forecast`, as one map with its mean and
   * spread, and `rays`.
   */
  beside: {},
  /** The share of such a map that is drawn, 0 to 1, while it is. */
  besideDrawn: undefined,
  /** The share of what draws such a map that is loaded, 0 to 1, by the map's kind, while it is. */
  besideLoaded: {},
  /** What `calibrate` gave of the open scene last, with `of`: the plan's measurements that it is of. */
  calibration: undefined,
  /** Whether the measured places are shown on the map. */
  dots: true,
  /** Where the pointer is over the map, { x, y } of the stage; of a mouse also `movedAt`, when it came there, and `isOnMarker`. A tapped place stays. */
  pointer: undefined,
  dragging: false,
};

/** What an engine is asked with about the open scene: its buildings, where they are put, and cars, the plan's unless others are given. */
export const around = (cars = plan().cars) => ({ ...state.scene.around, cars: textOf(cars) });

/** The calibration of what the plan holds; undefined where it holds nothing measured, or where that is not fitted yet. */
export function calibration() {
  const fitted = state.calibration;
  return fitted && fitted.of === plan().measured ? fitted : undefined;
}

/** Says how the page is: 'drawing' while a map is computed, 'ready' when one is shown, 'error' when none can be. */
export function setStatus(status) {
  document.documentElement.dataset.state = status;
}

/** Tells screen readers. */
export function announce(text) {
  document.getElementById('live').textContent = text;
}
