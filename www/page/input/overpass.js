// Buildings from an Overpass server, OpenStreetMap's query service. Nothing is asked before the button is pressed, and the dialog says
// what goes to whom.

import { settings } from '../settings.js';
import { state } from '../state.js';
import { squareAround } from '../units.js';

const element = (id) => document.getElementById(id);
const PATIENCE_MS = 60_000;
/** Buildings this far outside the map still shade it. */
const MARGIN_M = 30;
const BUSY = [429, 503, 504];

/** `open` is called with the buildings: { source, title, credit, bounds }. */
export function listenToOverpass(open) {
  const inputs = [['overpass-lat', 'Latitude of the middle', 85], ['overpass-lng', 'Longitude', 180]].map(([id, text, most]) => {
    const label = Object.assign(document.createElement('label'), { textContent: text });
    label.append(Object.assign(document.createElement('input'), { id, type: 'number', step: 'any', min: -most, max: most, required: true }));
    return label;
  });
  const form = Object.assign(document.createElement('form'), { className: 'fields' });
  const ask = Object.assign(document.createElement('button'), { id: 'overpass-ask', className: 'wide', textContent: 'Fetch buildings from OpenStreetMap' });
  const words = Object.assign(document.createElement('p'), { id: 'overpass-says', className: 'soft wide', role: 'status' });
  form.append(...inputs, ask, words);
  element('overpass-fields').append(form);
  element('import-open').addEventListener('click', () => {
    words.textContent = `As large as the open map. Asks ${new URL(settings().overpass, location.href).host} for the buildings of this square; the server learns the square and your IP address. Another server can be named in Settings.`;
    if (!state.scene) return;
    const { west, south, east, north } = state.scene.bounds;
    element('overpass-lat').value = ((south + north) / 2).toFixed(5);
    element('overpass-lng').value = ((west + east) / 2).toFixed(5);
  });
  let asking;
  element('import').addEventListener('close', () => asking?.abort());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const middle = { lat: element('overpass-lat').valueAsNumber, lng: element('overpass-lng').valueAsNumber };
    asking = new AbortController();
    const { signal } = asking;
    ask.disabled = true;
    words.textContent = 'Waiting for the server… Close ends it.';
    try {
      const source = await fetchBuildings(middle, signal);
      if (signal.aborted) return;
      await open({ source, title: `Buildings around ${middle.lat}, ${middle.lng}`, credit: '© OpenStreetMap contributors (openstreetmap.org/copyright)', bounds: squareAround(middle, sideM()), metersPerPixel: state.scene.around.metersPerPixel });
      element('import').close();
    } catch (error) {
      if (!signal.aborted) words.textContent = error.message;
    } finally {
      ask.disabled = false;
    }
  });
}

/** As large as the open map. */
const sideM = () => state.scene.size * state.scene.metersPerPixel;

async function fetchBuildings(middle, signal) {
  const { west, south, east, north } = squareAround(middle, sideM() + 2 * MARGIN_M);
  const box = [south, west, north, east].map((degrees) => degrees.toFixed(6)).join(',');
  const query = `[out:xml][timeout:50];(way["building"](${box});relation["building"](${box}););out body;>;out skel qt;`;
  const { overpass } = settings();
  let answer;
  try {
    answer = await fetch(overpass, { method: 'POST', body: new URLSearchParams({ data: query }), signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]) });
  } catch (error) {
    const late = error.name === 'TimeoutError' ? `did not answer within ${PATIENCE_MS / 1000} s` : 'cannot be reached';
    throw new Error(`${overpass} ${late}: check the connection, or name another server in Settings.`);
  }
  if (BUSY.includes(answer.status)) throw new Error(`The server is busy (${answer.status}): try again in a minute, or name another in Settings.`);
  if (!answer.ok) throw new Error(`The server answered ${answer.status}: check its address in Settings.`);
  const text = await answer.text();
  if (!text.includes('<osm')) throw new Error('The server answered with something else than OpenStreetMap data: check its address in Settings.');
  if (!text.includes('<way')) throw new Error('There are no buildings in OpenStreetMap there: choose another place.');
  return text;
}
