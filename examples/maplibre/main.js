// A radio map on MapLibre GL that follows its transmitter. The style has no tiles, so the page works without a network.

import { Map, Marker, setWorkerUrl } from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
// MapLibre looks for its worker beside itself, where no bundler puts it.
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import { createEngine } from 'radiodiff-web';
import { addRadioMap } from 'radiodiff-web/maplibre';
import buildings from '../buildings.json';

setWorkerUrl(workerUrl);
const style = {
  version: 8,
  sources: { buildings: { type: 'geojson', data: buildings } },
  layers: [
    { id: 'ground', type: 'background', paint: { 'background-color': '#f4f4f0' } },
    { id: 'buildings', type: 'fill', source: 'buildings', paint: { 'fill-color': '#888' } },
  ],
};
const start = { lng: 24.9384, lat: 60.1699 };
const map = new Map({ container: 'map', style, center: start, zoom: 16 });
const marker = new Marker({ draggable: true }).setLngLat(start).addTo(map);
const [engine] = await Promise.all([createEngine(), new Promise((resolve) => map.once('load', resolve))]);

const level = document.querySelector('#level');
const draw = async ({ lng, lat }) => {
  const radioMap = await engine.predict({ buildings, transmitters: [{ lng, lat, powerDbm: 23 }] });
  level.value = `${(100 * radioMap.stats({ thresholdDbm: -80 }).share).toFixed(1)} % of the streets have -80 dBm and more.`;
  return radioMap;
};
const overlay = addRadioMap(map, await draw(start), { beforeId: 'buildings', threshold: -100 });

// While one map is drawn, the next waits for the last place the marker was dragged to.
let drawing = false;
let wanted = null;
marker.on('drag', async () => {
  wanted = marker.getLngLat();
  if (drawing) return;
  drawing = true;
  while (wanted) {
    const place = wanted;
    wanted = null;
    try {
      overlay.update(await draw(place));
    } catch (error) {
      level.value = error.message;
    }
  }
  drawing = false;
});
