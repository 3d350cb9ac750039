// The stage: whichever view of the map there is, behind one set of calls. `data-view` of the page says which: 'loading' while MapLibre
// is on its way, 'maplibre', or 'flat' where it cannot be had.

import { say, unsay } from '../notices.js';
import { look } from '../plan/look.js';
import { settings } from '../settings.js';
import { state } from '../state.js';
import { flatView } from './flat.js';
import { mapLibreView } from './maplibre.js';

const element = (id) => document.getElementById(id);
const listeners = { moved: [], clicked: [] };
const tell = (what, ...words) => listeners[what].forEach((listener) => listener(...words));

const flat = flatView(element('flat'), { moved: () => tell('moved') });
let view = flat;
let gl;
let starting;

const darkness = matchMedia('(prefers-color-scheme: dark)');
const theme = () => (settings().theme === 'auto' ? (darkness.matches ? 'dark' : 'light') : settings().theme);
const ground = () => ({ theme: theme(), background: settings().background, attribution: settings().attribution });

/** Where a place is on the stage, { x, y } in pixels; the stage has a scene. */
export const project = (place) => view.project(place);
export const unproject = (point) => view.unproject(point);
/** The box of the part of a map that is on the screen; undefined where none of it is. */
export function inView({ west, south, east, north }) {
  const { clientWidth: width, clientHeight: height } = element('map');
  // The middles of the screen's sides: around the corners of a view that is tilted or turned, a box has much that is off the screen.
  const middles = [[0, height / 2], [width, height / 2], [width / 2, 0], [width / 2, height]].map(([x, y]) => view.unproject({ x, y }));
  const [lngs, lats] = ['lng', 'lat'].map((side) => middles.map((middle) => middle[side]));
  const box = { west: Math.max(west, Math.min(...lngs)), south: Math.max(south, Math.min(...lats)), east: Math.min(east, Math.max(...lngs)), north: Math.min(north, Math.max(...lats)) };
  return box.west < box.east && box.south < box.north ? box : undefined;
}

/** Where north is, degrees the screen is turned. */
export const bearing = () => view.bearing();
/** The view with a camera, where there is one. */
export const camera = () => gl;

/** `listener` is called when places have moved on the screen. */
export const whenMoved = (listener) => listeners.moved.push(listener);
/** `listener` is called with the place and the point that was clicked. */
export const whenClicked = (listener) => listeners.clicked.push(listener);

export function setScene(scene) {
  flat.setScene(scene);
  gl?.setScene(scene);
}

export function show(picture) {
  view.show(picture);
}

let shownDots = [];

/** Shows [{ lng, lat, color }] above the map. */
export function showDots(dots) {
  if (dots === shownDots) return;
  shownDots = dots;
  view.showDots(dots);
}

let shownCars;

/** Shows a plan's cars. */
export function showCars(cars) {
  if (cars === shownCars) return;
  shownCars = cars;
  view.showCars(cars);
}

/** Starts MapLibre on the open scene, once; `footprints` gives the buildings, `shown` the picture. */
export function startMapLibre({ footprints, shown }) {
  starting ??= start(footprints, shown).catch((error) => {
    stayFlat();
    element('gl').replaceChildren();
    say('view', `The map is shown flat: MapLibre cannot start here (${error.message}). Allow WebGL in the browser's settings to see buildings in 3D.`);
  });
  return starting;
}

const stayFlat = () => (document.documentElement.dataset.view = 'flat');

async function start(footprints, shown) {
  if (settings().view === 'flat') {
    stayFlat();
    return;
  }
  let { scene } = state;
  const { tilted } = look();
  const started = await mapLibreView(element('gl'), {
    scene,
    tilted,
    ground: ground(),
    moved: () => tell('moved'),
    clicked: (...where) => tell('clicked', ...where),
    trouble: (error) => say('view', `The background map cannot be loaded (${error?.message ?? 'no reason given'}): check its address in Settings, and the connection.`, 'error'),
  });
  try {
    started.setFootprints(await footprints());
    // Another scene was opened meanwhile.
    while (state.scene !== scene) {
      ({ scene } = state);
      started.setScene(scene);
      started.setFootprints(await footprints());
    }
  } catch (error) {
    started.remove();
    throw error;
  }
  if (look().tilted !== tilted) started.setTilt(look().tilted);
  gl = view = started;
  view.show(shown());
  view.showDots(shownDots);
  view.showCars(shownCars);
  document.documentElement.dataset.view = 'maplibre';
  tell('moved');
}

element('flat').addEventListener('click', ({ offsetX: x, offsetY: y }) => state.scene && tell('clicked', flat.unproject({ x, y }), { x, y }));
darkness.addEventListener('change', refreshGround);

/** After a change of the settings or of the system's colours. */
export function refreshGround() {
  document.documentElement.dataset.theme = settings().theme;
  unsay('view', 'error');
  gl?.setGround(ground());
}
