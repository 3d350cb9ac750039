// A radio map on Leaflet that follows its transmitter.

import L from 'leaflet';
import 'leaflet/dist/leaflet.css';
import { createEngine } from 'radiodiff-web';
import { addRadioMap } from 'radiodiff-web/leaflet';
import buildings from '../buildings.json';

const engine = await createEngine();
const start = { lng: 24.9384, lat: 60.1699 };
const map = L.map('map').setView(start, 17);
L.geoJSON(buildings, { style: { color: '#555', weight: 1 } }).addTo(map);
const icon = L.divIcon({ html: '📡', className: '', iconSize: [24, 24] });
const marker = L.marker(start, { icon, draggable: true, title: 'Transmitter' }).addTo(map);

const draw = ({ lng, lat }) => engine.predict({ buildings, transmitters: [{ lng, lat, powerDbm: 23 }] });
const radioMap = await draw(start);
const overlay = addRadioMap(L, map, radioMap, { threshold: -100 });
const level = document.querySelector('#level');
const tell = (radioMap) => { level.value = `${(100 * radioMap.stats({ thresholdDbm: -80 }).share).toFixed(1)} % of the streets have -80 dBm and more.`; };
tell(radioMap);

// While one map is drawn, the next waits for the last place the marker was dragged to.
let drawing = false;
let wanted = null;
marker.on('drag', async () => {
  wanted = marker.getLatLng();
  if (drawing) return;
  drawing = true;
  while (wanted) {
    const place = wanted;
    wanted = null;
    try {
      const radioMap = await draw(place);
      overlay.update(radioMap);
      tell(radioMap);
    } catch (error) {
      level.value = error.message;
    }
  }
  drawing = false;
});
