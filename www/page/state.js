// What the page holds: the scene, the transmitter and the maps that were drawn of it. Every other module reads it; drawing.js and
// places.js write it, and input/ moves the transmitter.

export const state = {
  /** The open scene: what `setScene` gave, with `source` and `asked` (bounds) to ask for it again, and `outline`, a canvas. */
  scene: undefined,
  /** { lng, lat } of the marker. */
  transmitter: undefined,
  /** The map of the chosen layer; for the difference, the generated map. */
  map: undefined,
  /** The maps there are of the transmitter, by method. */
  maps: {},
  /** Generated minus physical, where both are there. */
  difference: undefined,
  /** The last event of a mouse over the map. */
  pointer: undefined,
  dragging: false,
};

/** Says how the page is: 'drawing' while a map is computed, 'ready' when one is shown, 'error' when none can be. */
export function setStatus(status) {
  document.documentElement.dataset.state = status;
}
