// Between degrees and the canvas: both are linear on a map.

import { state } from '../state.js';

export const canvas = document.getElementById('map');

/** Canvas pixels of a place. */
export function toCanvas({ lng, lat }) {
  const { west, south, east, north } = state.scene.bounds;
  return [((lng - west) / (east - west)) * canvas.width, ((north - lat) / (north - south)) * canvas.height];
}

/** The place under a pointer, kept on the map. */
export function fromPointer({ clientX, clientY }) {
  const box = canvas.getBoundingClientRect();
  const { west, south, east, north } = state.scene.bounds;
  const share = (value, from, length) => Math.min(0.9999, Math.max(0, (value - from) / length));
  return {
    lng: west + share(clientX, box.left, box.width) * (east - west),
    lat: north - share(clientY, box.top, box.height) * (north - south),
  };
}

/** A place so many metres east and north of another. */
export function moved({ lng, lat }, eastM, northM) {
  const { bounds, size, metersPerPixel } = state.scene;
  const extentM = size * metersPerPixel;
  return {
    lng: lng + (eastM * (bounds.east - bounds.west)) / extentM,
    lat: lat + (northM * (bounds.north - bounds.south)) / extentM,
  };
}
