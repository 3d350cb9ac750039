// A radio map as an overlay of Leaflet. Leaflet's SVGOverlay takes any element, so a canvas is drawn without image URLs, which a
// Content-Security-Policy may forbid.

import { lookOf, paint } from './overlay.js';

/** @import { Leaflet, LeafletMap } from '../leaflet.js' */
/** @import { Overlay, OverlayOptions } from '../overlay.js' */
/** @import { Bounds, RadioMap } from '../index.js' */

/**
 * South-west and north-east, latitude first.
 * @param {Bounds} bounds
 * @returns {[[number, number], [number, number]]}
 */
const cornersOf = ({ west, south, east, north }) => [[south, west], [north, east]];

/**
 * @param {Leaflet} leaflet
 * @param {LeafletMap} map
 * @param {RadioMap} radioMap
 * @param {OverlayOptions} [options]
 * @returns {Overlay}
 */
export function addRadioMap(leaflet, map, radioMap, options = {}) {
  let look = options;
  const canvas = document.createElement('canvas');
  const overlay = new leaflet.SVGOverlay(/** @type {any} */ (canvas), cornersOf(radioMap.bounds), { interactive: false });
  const show = () => {
    const { opacity, smooth } = lookOf(radioMap, look);
    paint(canvas, radioMap, look);
    canvas.style.imageRendering = smooth ? 'auto' : 'pixelated';
    overlay.setOpacity(opacity);
  };
  overlay.addTo(map);
  show();
  return {
    update(changed, options = {}) {
      const moved = changed.bounds !== radioMap.bounds;
      radioMap = changed;
      look = { ...look, ...options };
      show();
      if (moved) overlay.setBounds(new leaflet.LatLngBounds(cornersOf(radioMap.bounds)));
    },
    remove() {
      overlay.remove();
    },
  };
}
