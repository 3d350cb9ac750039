// Draws maps as often as the worker can: positions that came in while it drew are skipped.

import { engineOf, engines, METHODS, startNetworks } from './engines.js';
import { settings, withoutNetworks } from './input/controls.js';
import { say } from './notices.js';
import { drawReadout } from './layers/readout.js';
import { show } from './show.js';
import { setStatus, state } from './state.js';

/** A map that takes longer does not follow a finger; while dragging, the dominant path stands in for it. */
const SMOOTH_MS = 120;

/** How long the networks' last map took. */
let networkMs = Infinity;
/** Warnings that need not be said again of this scene. */
let told = new Set();
let wanted = false;
let drawing = false;

/** Forgets the maps of another scene, whose warnings the page has told. */
export function startOver(warnings) {
  told = new Set(warnings);
  state.map = undefined;
  keep({});
}

/** Draws the chosen layer of the transmitter. */
export async function draw() {
  wanted = true;
  if (drawing) return;
  drawing = true;
  setStatus('drawing');
  let outcome = 'ready';
  while (wanted) {
    wanted = false;
    const asked = state.scene;
    try {
      const maps = await chosenMaps();
      // Another place was opened meanwhile, and asks for its own map.
      if (state.scene !== asked) continue;
      [state.map] = maps;
      keep(Object.fromEntries(maps.map((map) => [map.method, map])));
      if (state.map.method === 'network') networkMs = state.map.milliseconds;
      outcome = 'ready';
      tellWarnings(state.map.warnings);
      if (!wanted && !state.dragging) state.transmitter = state.map.transmitter;
    } catch (error) {
      if (state.scene !== asked) continue;
      say('map', error.message, 'error');
      outcome = 'error';
      // Back to the place that the shown map is of.
      if (!wanted && state.map) state.transmitter = state.map.transmitter;
    }
    show();
  }
  drawing = false;
  // A preview is not what was asked for: letting go draws that.
  if (!isPreview()) setStatus(outcome);
  if (!state.dragging && outcome === 'ready') await complete();
}

/** The maps of the chosen layer, the one that is shown first. */
async function chosenMaps() {
  if (settings().layer !== 'physical' && !engines.network && !(await startNetworks())) withoutNetworks();
  return Promise.all(methods().map(ask));
}

/** The methods of the chosen layer; while the transmitter is dragged, one that keeps up with it. */
function methods() {
  const { layer } = settings();
  if (layer === 'difference') return ['network', 'dominant-path'];
  return layer === 'physical' || (state.dragging && networkMs > SMOOTH_MS) ? ['dominant-path'] : ['network'];
}

const isPreview = () => state.dragging && state.map?.method === 'dominant-path' && settings().layer !== 'physical';

/** A map of the scene as it stands. */
function ask(method) {
  const { powerDbm, frequencyMHz, antenna } = settings();
  const { lng, lat } = state.transmitter;
  const { source, asked } = state.scene;
  return engineOf(method).predict({ buildings: source, bounds: asked, transmitters: [{ lng, lat, powerDbm, frequencyMHz, antenna }], method });
}

function keep(maps) {
  state.maps = maps;
  state.difference = maps.network && maps['dominant-path'] && maps.network.difference(maps['dominant-path']);
  drawReadout();
}

/** Draws the method that the layer does not show, so that the read-out has both; not before the networks are there. */
async function complete() {
  const missing = Object.keys(METHODS).find((method) => !state.maps[method]);
  if (!missing || !engines.network) return;
  const before = state.maps;
  try {
    const map = await ask(missing);
    if (state.maps === before && !drawing) keep({ ...state.maps, [missing]: map });
  } catch {
    // The read-out goes without; what the layer shows tells of trouble.
  }
}

function tellWarnings(warnings) {
  const news = warnings.filter((warning) => !told.has(warning));
  if (news.length) say('map', news.join(' '));
  told = new Set([...told, ...warnings]);
}
