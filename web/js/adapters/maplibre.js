// A radio map as a raster layer of MapLibre GL, above a canvas source: it needs no image URLs, which a Content-Security-Policy may
// forbid.

import { cornersOf, lookOf, paint } from './overlay.js';

/** @import { MapLibreMap, MapLibreOptions } from '../maplibre.js' */
/** @import { Overlay } from '../overlay.js' */
/** @import { RadioMap } from '../index.js' */

/**
 * @param {MapLibreMap} map
 * @param {RadioMap} radioMap
 * @param {MapLibreOptions} [options]
 * @returns {Overlay}
 */
export function addRadioMap(map, radioMap, { id = 'radio-map', beforeId, ...options } = {}) {
  let look = options;
  const canvas = document.createElement('canvas');
  const paintProperties = () => {
    const { opacity, smooth } = lookOf(radioMap, look);
    return { 'raster-opacity': opacity, 'raster-resampling': smooth ? 'linear' : 'nearest', 'raster-fade-duration': 0 };
  };
  paint(canvas, radioMap, look);
  map.addSource(id, { type: 'canvas', canvas, coordinates: cornersOf(radioMap.bounds), animate: false });
  map.addLayer({ id, type: 'raster', source: id, paint: paintProperties() }, beforeId);
  return {
    update(changed, options = {}) {
      const moved = changed.bounds !== radioMap.bounds;
      radioMap = changed;
      look = { ...look, ...options };
      paint(canvas, radioMap, look);
      const source = map.getSource(id);
      // A style that was replaced has taken the source away.
      if (!source) return;
      if (moved) source.setCoordinates(cornersOf(radioMap.bounds));
      // Playing for one frame uploads the canvas.
      source.play();
      source.pause();
      for (const [name, value] of Object.entries(paintProperties())) map.setPaintProperty(id, name, value);
      map.triggerRepaint();
    },
    remove() {
      if (map.getLayer(id)) map.removeLayer(id);
      if (map.getSource(id)) map.removeSource(id);
    },
  };
}
