import { Map } from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import { addRadioMap } from 'radiodiff-web/maplibre';
import { start } from './overlay.js';

start(async (container, center, zoom) => {
  // No tiles: the map works without a network. MapLibre's zoom levels are those of tiles of 512 pixels.
  const style = { version: 8, sources: {}, layers: [{ id: 'ground', type: 'background', paint: { 'background-color': '#ffffff' } }] };
  const map = new Map({ container, style, center, zoom: zoom - 1, attributionControl: false });
  await new Promise((resolve) => map.once('load', resolve));
  return {
    add: (radioMap, options) => addRadioMap(map, radioMap, options),
    drawn: () => new Promise((resolve) => {
      map.once('idle', resolve);
      map.triggerRepaint();
    }),
    project: (lng, lat) => {
      const { x, y } = map.project([lng, lat]);
      return [x, y];
    },
  };
});
