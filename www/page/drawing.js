// Draws maps as often as the worker can: plans that came in while it drew are skipped.

import { engineOf, engines, METHODS, startNetworks } from './engines.js';
import { withoutNetworks } from './input/controls.js';
import { LAYERS, NETWORK_MODELS, look } from './plan/look.js';
import { activeOf, requested } from './plan/model.js';
import { plan, settle } from './plan/store.js';
import { say, unsay } from './notices.js';
import { show } from './show.js';
import { announce, setStatus, state } from './state.js';
import { percent } from './units.js';

/** A map that takes longer does not follow a finger; while dragging, the dominant path stands in for it. */
const SMOOTH_MS = 120;
/** All layers beside the power: they cost little beside the map, and changing the layer then costs nothing. */
const EXTRA_LAYERS = Object.values(LAYERS).map(({ layer }) => layer).filter((layer) => layer !== 'received-power');

/** How long the networks' last map took. */
let networkMs = Infinity;
/** Warnings that need not be said again of this scene. */
let told = new Set();
let wanted = false;
/** The drawing that is under way, until nothing more is wanted. */
let drawing;
/** Where the transmitters of the shown map stand, by id. */
let shownPlaces = new Map();

/** Forgets the maps of another scene, whose warnings the page has told. */
export function startOver(warnings) {
  told = new Set(warnings);
  shownPlaces = new Map();
  state.calibration = undefined;
  clear();
}

function clear() {
  state.map = undefined;
  state.drawn = [];
  keep({});
}

/** Draws the plan by the chosen model; it is drawn when the promise resolves. */
export function draw() {
  wanted = true;
  drawing ??= drawWhatIsWanted();
  return drawing;
}

async function drawWhatIsWanted() {
  setStatus('drawing');
  // What else changes in this moment is drawn with it.
  await undefined;
  let outcome = 'ready';
  while (wanted) {
    wanted = false;
    const asked = { scene: state.scene, transmitters: activeOf(plan()) };
    try {
      const maps = asked.transmitters.length ? await chosenMaps() : [];
      // Another place was opened meanwhile, and asks for its own map.
      if (state.scene !== asked.scene) continue;
      unsay('map', 'error');
      take(maps, asked.transmitters);
      outcome = 'ready';
    } catch (error) {
      if (state.scene !== asked.scene) continue;
      say('map', `${error.message}${/outside the map/.test(error.message) ? '. Drag the transmitter onto the map, or remove it.' : ''}`, 'error');
      outcome = 'error';
      // Back to the places that the shown map is of.
      if (!wanted) settle(shownPlaces);
    }
    show();
  }
  drawing = undefined;
  // A preview is not what was asked for: letting go draws that.
  if (!isPreview()) setStatus(outcome);
  if (state.dragging || outcome !== 'ready') return;
  tellCoverage();
  complete();
}

/** For those who do not see the map. */
function tellCoverage() {
  const { thresholdDbm } = plan();
  if (state.map) announce(`Map drawn: ${percent(state.map.stats({ thresholdDbm }).covered)} of the ground outdoors has ${thresholdDbm} dBm or more.`);
}

/** Shows what was drawn, the chosen model's map first. */
function take(maps, transmitters) {
  if (!maps.length) {
    clear();
    return;
  }
  [state.map] = maps;
  state.drawn = transmitters.map(({ id }) => id);
  keep(Object.fromEntries(maps.map((map) => [map.method, map])));
  if (state.map.method === 'network') networkMs = state.map.milliseconds;
  tellWarnings(state.map.warnings);
  shownPlaces = new Map(state.map.transmitters.map(({ lng, lat }, k) => [state.drawn[k], { lng, lat }]));
  if (!wanted && !state.dragging) settle(shownPlaces);
}

/** The maps of the chosen model, the one that is shown first. */
async function chosenMaps() {
  if (NETWORK_MODELS.includes(look().model) && !engines.network && !(await startNetworks())) withoutNetworks();
  return Promise.all(methods().map(ask));
}

/** The methods of the chosen model; while a transmitter is dragged, one that keeps up with it. */
function methods() {
  const { model } = look();
  if (model === 'difference') return ['network', 'dominant-path'];
  return !NETWORK_MODELS.includes(model) || (state.dragging && networkMs > SMOOTH_MS) ? ['dominant-path'] : ['network'];
}

const isPreview = () => state.dragging && state.map?.method === 'dominant-path' && NETWORK_MODELS.includes(look().model);

/** A map of the plan as it stands. */
function ask(method) {
  const { receiver, thresholdDbm } = plan();
  // The first map and one that follows a hand make do with what is shown.
  const layers = state.map && !state.dragging ? EXTRA_LAYERS : EXTRA_LAYERS.filter((layer) => layer === LAYERS[look().quantity].layer || layer === 'best-server');
  return engineOf(method).predict({ ...state.scene.around, transmitters: requested(plan()), method, receiver, thresholdDbm, layers });
}

function keep(maps) {
  state.maps = maps;
  state.difference = maps.network && maps['dominant-path'] && maps.network.difference(maps['dominant-path']);
}

/** Draws the method that the layer does not show, so that the read-out has both; not before the networks are there. */
async function complete() {
  const missing = Object.keys(METHODS).find((method) => !state.maps[method]);
  if (!missing || !engines.network || !state.map) return;
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
