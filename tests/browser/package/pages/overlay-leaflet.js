import * as L from 'leaflet';
import 'leaflet/dist/leaflet.css';
import { addRadioMap } from 'radiodiff-web/leaflet';
import { frames, start } from './overlay.js';

start(async (container, { lng, lat }, zoom) => {
  const map = L.map(container, { zoomAnimation: false, zoomControl: false, attributionControl: false }).setView([lat, lng], zoom);
  return {
    add: (radioMap, options) => addRadioMap(L, map, radioMap, options),
    drawn: frames,
    project: (lng, lat) => {
      const { x, y } = map.latLngToContainerPoint([lat, lng]);
      return [x, y];
    },
  };
});
