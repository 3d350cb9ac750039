// Draws maps as often as the worker can: plans that came in while it drew are skipped. The physical map comes first; where the planner
// asks how sure it is, or for rays, that is then drawn beside it, until something moves. What draws that is started when it is first asked
// for, and the physical map can be moved and saved until it is loaded.

import { engines, startCoarse, startNetworks, startTracer, stopTracer } from './engines.js';
import { withoutNetworks } from './input/controls.js';
import { drawProgress } from './charts/legend.js';
import { besideKind, besideMap, isStandIn } from './layers/model.js';
import { lacksLayer } from './layers/shown.js';
import { LAYERS, look } from './plan/look.js';
import { coarsePixel } from './plan/coarse.js';
import { drawnOf, requested } from './plan/model.js';
import { plan, settle } from './plan/store.js';
import { say, unsay } from './notices.js';
import { show } from './show.js';
import { announce, around, setStatus, state } from './state.js';
import { percent } from './units.js';

/** All layers beside the power: they cost little beside the map, and changing the layer then costs nothing. */
const EXTRA_LAYERS = Object.values(LAYERS).map(({ layer }) => layer).filter((layer) => layer !== 'received-power');

/** Metres a pixel of maps that follow a hand, where the scene's own do not. */
let coarse;
/** Warnings that need not be said again of this scene. */
let told = new Set();
let wanted = false;
/** The drawing that is under way, until nothing more is wanted. */
let drawing;
/** What came of the last one: the page's state once nothing is drawn or loaded. */
let outcome = 'ready';
/** What is being drawn beside the physical map: its kind, and what ends it. */
let beside;
/** What the last forecast took, milliseconds. */
let forecastMs = 0;
/** Where the transmitters of the shown map stand, by id. */
let shownPlaces = new Map();

/** Forgets the maps of another scene, whose warnings the page has told. */
export function startOver(warnings) {
  told = new Set(warnings);
  shownPlaces = new Map();
  state.calibration = undefined;
  coarse = undefined;
  clear();
}

/** Forgets a map beside the physical one: another engine draws its like from now on. */
export function forget(kind) {
  if (beside?.kind === kind) beside.controller.abort();
  delete state.beside[kind];
  forecastMs = 0;
}

function clear() {
  state.map = undefined;
  state.beside = {};
  state.drawn = [];
}

/** Draws the plan by the chosen model; it is drawn when the promise resolves. */
export function draw() {
  wanted = true;
  if (beside && !KINDS[beside.kind].follows()) beside.controller.abort();
  drawing ??= drawWhatIsWanted();
  return drawing;
}

/** Resolves once nothing that was wanted is left to draw. */
export const drawn = async () => drawing;

/** Draws what a changed look asks for and is not there, and ends what it asks for no more. */
export function followLook() {
  const isOther = beside !== undefined && beside.kind !== besideKind();
  if (isOther) beside.controller.abort();
  const isMissing = isStandIn() && (!beside || isOther);
  if (isMissing || lacksLayer()) draw();
  else tellStatus();
}

/** Says whether the page shows what was asked for, unless something is being drawn, which says so when it ends. */
function tellStatus() {
  // A preview is not what was asked for: letting go draws that.
  const isPreview = state.dragging && (besideKind() || (coarse && state.map?.metersPerPixel === coarse));
  const isAwaited = isStandIn() && besideKind() in state.besideLoaded;
  if (!drawing && !isPreview) setStatus(isAwaited ? 'drawing' : outcome);
}

async function drawWhatIsWanted() {
  setStatus('drawing');
  // What else changes in this moment is drawn with it.
  await undefined;
  outcome = 'ready';
  try {
    while (wanted) {
      wanted = false;
      const asked = { scene: state.scene, transmitters: drawnOf(plan(), state.scene?.bounds) };
      // Another place was opened meanwhile, and asks for its own map.
      const isLeft = () => state.scene !== asked.scene;
      try {
        const terms = asked.transmitters.length ? request() : undefined;
        const map = terms && await ask(terms);
        if (isLeft()) continue;
        unsay('map', 'error');
        take(map, asked.transmitters);
        outcome = 'ready';
        if (map && besideKind() && (isFollowed() || !state.dragging)) {
          // The forecast of before stays on the map until the next is there.
          if (!isFollowed()) show();
          await drawBeside(terms, isLeft);
        }
      } catch (error) {
        if (isLeft()) continue;
        say('map', `${error.message}${/outside the map/.test(error.message) ? '. Drag the transmitter onto the map, or remove it.' : ''}`, 'error');
        outcome = 'error';
        // Back to the places that the shown map is of.
        if (!wanted) settle(shownPlaces);
      }
      show();
    }
  } catch (error) {
    // What was drawn cannot be shown. The next map is drawn all the same.
    say('map', error.message, 'error');
    outcome = 'error';
  } finally {
    drawing = undefined;
  }
  tellStatus();
  if (!state.dragging && outcome === 'ready') tellCoverage();
}

/** For those who do not see the map. */
function tellCoverage() {
  const { thresholdDbm } = plan();
  const map = besideMap() ?? state.map;
  const isForecast = map !== undefined && map === state.beside.forecast;
  const whose = isForecast ? 'Forecast drawn: on average ' : 'Map drawn: ';
  if (map) announce(`${whose}${percent(isForecast ? map.layer('probability').stats().mean : map.stats({ thresholdDbm }).share)} of the ground outdoors has ${thresholdDbm} dBm or more.`);
}

/** Shows what was drawn; what was drawn beside it before is of other places. */
function take(map, transmitters) {
  clear();
  if (!map) return;
  state.map = map;
  state.drawn = transmitters.map(({ id }) => id);
  tellWarnings(map.warnings);
  shownPlaces = new Map(map.transmitters.map(({ lng, lat }, k) => [state.drawn[k], { lng, lat }]));
  if (!wanted && !state.dragging) settle(shownPlaces);
}

/** The physical map of the plan as it stands; while a transmitter is dragged, a coarser one where that would not follow. */
async function ask(terms) {
  // The first map and one that follows a hand make do with what is shown.
  const layers = state.map && !state.dragging ? EXTRA_LAYERS : EXTRA_LAYERS.filter((layer) => layer === LAYERS[look().quantity].layer || layer === 'best-server');
  const asked = { ...terms, method: 'dominant-path', layers };
  if (state.dragging && coarse) return (await startCoarse()).predict({ ...asked, metersPerPixel: coarse });
  const isPrepared = state.map !== undefined;
  const map = await engines.physical.predict(asked);
  if (isPrepared) coarse = coarsePixel(map);
  return map;
}

function request() {
  const { receiver, thresholdDbm } = plan();
  return { ...around(), transmitters: requested(plan(), state.scene.bounds), receiver, thresholdDbm };
}

/** As many samples as a network of quantiles says quantiles. */
const SAMPLES = 19;

const saysQuantiles = () => engines.network?.info.model.kind === 'quantiles';

/**
 * How a map beside the physical one is drawn, by its kind: the engine's name, and what starts it, which gives undefined or rejects where it
 * cannot be had; what it is asked; what ends it; and whether it takes so little time that it follows the hand and need not be ended.
 */
const KINDS = {
  forecast: {
    engine: 'network',
    start: startNetworks,
    asked: () => ({ method: 'network', ...(saysQuantiles() ? {} : { samples: SAMPLES }) }),
    stop: () => {},
    follows: saysQuantiles,
  },
  rays: { engine: 'tracer', start: startTracer, asked: () => ({ method: 'rays' }), stop: stopTracer, follows: () => false },
};

/** Where a map beside the physical one takes longer, the physical map follows the hand alone. */
const FOLLOWING_MS = 1000;

/** True while what is drawn beside the physical map follows the hand. */
const isFollowed = () => state.dragging && Boolean(KINDS[besideKind()]?.follows()) && forecastMs < FOLLOWING_MS;

/** Draws what the chosen model shows beside the physical map, until something else is wanted. */
async function drawBeside(terms, isLeft) {
  const kind = besideKind();
  const { engine: name, asked, stop } = KINDS[kind];
  const engine = engines[name];
  if (!engine) {
    startBeside(kind);
    return;
  }
  if (wanted && !isFollowed()) return;
  const controller = new AbortController();
  const { signal } = controller;
  beside = { kind, controller };
  try {
    progress(0);
    const onProgress = ({ phase, loaded, total }) => { if (['transmitters', 'step'].includes(phase)) progress(loaded / total); };
    const map = await engine.predict({ ...terms, ...asked(), signal, onProgress });
    if (signal.aborted || isLeft()) return;
    state.beside[kind] = map;
    if (KINDS[kind].follows()) forecastMs = map.milliseconds;
    tellWarnings(map.warnings);
  } catch (error) {
    if (!signal.aborted) throw error;
    stop();
  } finally {
    beside = undefined;
    progress(undefined);
  }
}

/** Starts what draws a kind of map, which nothing waits for. Once it runs, the plan is drawn as it then is. */
async function startBeside(kind) {
  if (kind in state.besideLoaded) return;
  state.besideLoaded[kind] = 0;
  drawProgress();
  const loaded = (share) => {
    // What is still on its way after a failure does not count.
    if (!(kind in state.besideLoaded)) return;
    state.besideLoaded[kind] = share;
    drawProgress();
  };
  try {
    if (!(await KINDS[kind].start(loaded))) withoutNetworks();
  } catch (error) {
    say('map', error.message, 'error');
    outcome = 'error';
  } finally {
    delete state.besideLoaded[kind];
  }
  if (engines[KINDS[kind].engine] && besideKind() === kind) {
    draw();
    return;
  }
  tellStatus();
  show();
}

/** `share` is undefined while nothing is drawn beside the physical map. */
function progress(share) {
  const begins = share !== undefined && state.besideDrawn === undefined;
  state.besideDrawn = share;
  if (begins && !isFollowed()) show();
  else drawProgress();
}

function tellWarnings(warnings) {
  const news = warnings.filter((warning) => !told.has(warning));
  if (news.length) say('map', news.join(' '));
  told = new Set([...told, ...warnings]);
}
