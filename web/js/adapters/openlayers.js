// A radio map as an image layer of OpenLayers, drawn by a canvas function: OpenLayers asks for the part it shows.

import { toMercator } from '../projection.js';
import { lookOf, paint } from './overlay.js';

/** @import { OpenLayersClasses, OpenLayersMap } from '../openlayers.js' */
/** @import { Overlay, OverlayOptions } from '../overlay.js' */
/** @import { RadioMap } from '../index.js' */

/**
 * @param {OpenLayersClasses} classes
 * @param {OpenLayersMap} map
 * @param {RadioMap} radioMap
 * @param {OverlayOptions} [options]
 * @returns {Overlay}
 */
export function addRadioMap({ ImageLayer, ImageCanvasSource }, map, radioMap, options = {}) {
  let look = options;
  const [picture, shown] = [document.createElement('canvas'), document.createElement('canvas')];
  /**
   * @param {[number, number, number, number]} extent west, south, east and north in metres of EPSG:3857
   * @param {number} _resolution
   * @param {number} _pixelRatio
   * @param {[number, number]} size pixels
   */
  const draw = ([left, bottom, right, top], _resolution, _pixelRatio, [width, height]) => {
    // Setting the size clears the canvas.
    Object.assign(shown, { width, height });
    const context = shown.getContext('2d');
    if (!context) return shown;
    const { west, south, east, north } = radioMap.bounds;
    const [[x, y], [endX, endY]] = [toMercator(west, north), toMercator(east, south)];
    const [across, down] = [width / (right - left), height / (top - bottom)];
    context.imageSmoothingEnabled = lookOf(radioMap, look).smooth;
    context.drawImage(picture, (x - left) * across, (top - y) * down, (endX - x) * across, (y - endY) * down);
    return shown;
  };
  const source = new ImageCanvasSource({ projection: 'EPSG:3857', ratio: 1, canvasFunction: draw });
  const layer = new ImageLayer({ source });
  const show = () => {
    paint(picture, radioMap, look);
    layer.setOpacity(lookOf(radioMap, look).opacity);
    source.changed();
  };
  show();
  map.addLayer(layer);
  return {
    update(changed, options = {}) {
      radioMap = changed;
      look = { ...look, ...options };
      show();
    },
    remove() {
      map.removeLayer(layer);
    },
  };
}
