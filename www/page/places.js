// The places one can open: those that come with the page, files, links, and the groups of buildings in a file that are too far apart
// for one map.

import { draw, startOver } from './drawing.js';
import { engines } from './engines.js';
import { stopFit } from './input/calibration.js';
import { option } from './input/controls.js';
import { stopSearch } from './input/sites.js';
import { say, unsay } from './notices.js';
import { NETWORK_MODELS, changeLook, look as currentLook } from './plan/look.js';
import { readPlan } from './plan/link.js';
import { newPlan } from './plan/model.js';
import { begin, plan as current } from './plan/store.js';
import { state } from './state.js';
import { squareAround } from './units.js';
import { onMap } from './views/markers.js';
import { camera, setScene } from './views/stage.js';

const element = (id) => document.getElementById(id);
const [places, clusters, areas, report] = ['places', 'clusters', 'areas', 'report'].map(element);

/**
 * Sides of maps in metres with the side of their pixels. The first is the networks' grid, which needs no bounds; on the others only the
 * physical model draws.
 */
const AREAS = [{ sideM: 256 }, { sideM: 512, metersPerPixel: 1 }, { sideM: 1024, metersPerPixel: 2 }, { sideM: 2048, metersPerPixel: 4 }, { sideM: 4096, metersPerPixel: 8 }];

/** The position in AREAS of a map with such pixels. */
const areaOf = (metersPerPixel) => AREAS.findIndex((area) => area.metersPerPixel === metersPerPixel);

/** The page's own places. */
let known = [];
/** How often something was opened: what was asked for last is shown. */
let opened = 0;

/** Fills the menu, and fetches its first place unless there is a linked plan: { scene, plan, look }. */
export async function firstPlace(linked) {
  known = await (await fetch('scenes/index.json')).json();
  places.replaceChildren(...known.map(({ name, city }, index) => option(index, `${name}, ${city}`)));
  places.addEventListener('change', () => {
    open(loadPlace(places.selectedIndex)).catch((error) => {
      say('scene', `The place cannot be loaded (${error.message}): check the connection and choose it again.`, 'error');
      places.selectedIndex = state.scene?.place ?? -1;
    });
  });
  clusters.addEventListener('change', () => openCluster(clusters.selectedIndex));
  areas.replaceChildren(...AREAS.map(({ sideM, metersPerPixel = 1 }, index) => option(index, `${sideM < 1000 ? `${sideM} m` : `${Math.round(sideM / 1024)} km`} a side, ${metersPerPixel} m a pixel`)));
  areas.addEventListener('change', () => openArea(AREAS[areas.selectedIndex]));
  return { linked, loaded: linked ? undefined : await loadPlace(0) };
}

/** Opens what `firstPlace` gave. */
export async function openFirst({ linked, loaded }) {
  if (linked && (await openPlan(linked))) return;
  await open(loaded ?? loadPlace(0));
}

async function loadPlace(index) {
  const { file, name, city, bounds, transmitter: [lng, lat], attribution } = known[index];
  const answer = await fetch(`scenes/${file}`);
  if (!answer.ok) throw new Error(`scenes/${file}: ${answer.status}`);
  return { source: await answer.text(), bounds, at: { lng, lat }, title: `${name}, ${city}`, credit: attribution, place: index };
}

/** Opens a file: a plan that was saved, or buildings in any format that the package reads. */
export async function openFile(file) {
  try {
    const saved = await planIn(file);
    if (saved) await openPlan(saved);
    else await open({ source: file, title: file.name, credit: `from ${file.name}` });
  } catch (error) {
    say('scene', `${file.name}: ${error.message}`, 'error');
  }
}

/** The plan that a file holds, if it is one. */
async function planIn(file) {
  if (!file.name.endsWith('.json')) return undefined;
  const text = await file.text();
  return /^\s*\{\s*"version"/.test(text) ? readPlan(text, 'the plan') : undefined;
}

/** Opens buildings that were fetched. */
export const openBuildings = ({ source, title, credit, bounds, metersPerPixel }) => open({ source, title, credit, bounds, metersPerPixel });

/** Opens a plan with its buildings; false where they cannot be had, after the page said why. */
export async function openPlan({ scene, plan, look }) {
  try {
    const index = known.findIndex(({ file }) => file === scene.place);
    if (scene.place && index < 0) throw new Error(`this page has no place ${scene.place}`);
    const source = scene.place ? await loadPlace(index) : { source: scene.buildings, title: scene.title, credit: scene.credit };
    const grid = { bounds: scene.bounds ?? source.bounds, metersPerPixel: scene.metersPerPixel };
    changeLook(look);
    await open({ ...source, ...grid, plan });
    unsay('plan');
    return true;
  } catch (error) {
    say('plan', `The plan cannot be opened: ${error.message}.`, 'error');
    return false;
  }
}

/** Moves the map to another group of buildings of the same file. */
async function openCluster(index) {
  const { source, title, credit, groups, group } = state.scene;
  try {
    await open({ source, title, credit, groups, group: index, bounds: groups[index].bounds });
  } catch (error) {
    say('scene', error.message, 'error');
    clusters.selectedIndex = group;
  }
}

/** Draws the same plan on a larger or smaller map around the same middle. */
async function openArea({ sideM, metersPerPixel }) {
  if (!state.scene) return;
  const { source, title, credit, place, groups, group, bounds, around } = state.scene;
  const middle = { lng: (bounds.west + bounds.east) / 2, lat: (bounds.south + bounds.north) / 2 };
  try {
    await open({ source, title, credit, place, groups, group, bounds: squareAround(middle, sideM), metersPerPixel, plan: current() });
  } catch (error) {
    say('scene', error.message, 'error');
    areas.selectedIndex = areaOf(around.metersPerPixel);
  }
}

/** Shows what is being loaded, unless something else is opened before it is there. */
async function open(loading) {
  const turn = (opened += 1);
  const { source, bounds, metersPerPixel, at, title, credit, place = -1, groups, group = 0, plan } = await loading;
  if (turn !== opened) return;
  // The engine answers in order: what it works at would hold up the scene.
  stopSearch();
  stopFit();
  const around = { buildings: source, bounds, metersPerPixel };
  const info = await engines.physical.setScene(around);
  if (turn !== opened) return;
  unsay('scene');
  const file = known[place]?.file;
  state.scene = { ...info, source, around, title, credit, place, file, groups: groups ?? info.clusters, group };
  startOver(info.warnings);
  setScene(state.scene);
  const { west, south, east, north } = info.bounds;
  begin(plan ? onThisMap(plan) : newPlan(at ?? { lng: (west + east) / 2, lat: (south + north) / 2 }));
  element('place').textContent = title;
  element('credit').textContent = credit;
  places.selectedIndex = place;
  // The networks draw on their own grid alone, and a calibration is of one scene.
  const { model } = currentLook();
  if (!(model === 'physical' || (metersPerPixel === undefined && NETWORK_MODELS.includes(model)))) changeLook({ model: 'physical' });
  areas.selectedIndex = areaOf(metersPerPixel);
  listClusters(state.scene.groups, group);
  listWarnings(info.warnings);
  await draw();
  if (turn === opened) camera()?.setFootprints(await engines.physical.footprints(around));
}

/** A plan whose transmitters all stand on the open map. */
const onThisMap = (plan) => ({ ...plan, transmitters: plan.transmitters.map((transmitter) => ({ ...transmitter, ...onMap(transmitter) })) });

/** The menu of groups of buildings; one group needs none. */
function listClusters(groups, chosen) {
  element('clusters-row').hidden = groups.length < 2;
  clusters.replaceChildren(...groups.map(({ buildings, lng, lat }, index) => {
    const count = buildings === 1 ? '1 building' : `${buildings} buildings`;
    return option(index, `${count} around ${lat.toFixed(4)}, ${lng.toFixed(4)}`);
  }));
  clusters.selectedIndex = groups.length ? chosen : -1;
}

/** All that was left out or changed, to unfold; the first of it as a notice. */
function listWarnings(warnings) {
  report.hidden = !warnings.length;
  report.querySelector('summary').textContent = warnings.length === 1 ? '1 remark on the buildings' : `${warnings.length} remarks on the buildings`;
  report.querySelector('ul').replaceChildren(...warnings.map((text) => Object.assign(document.createElement('li'), { textContent: text })));
  if (!warnings.length) return;
  const more = warnings.length - 1;
  say('scene', warnings[0] + (more ? ` (and ${more} more)` : ''));
}
