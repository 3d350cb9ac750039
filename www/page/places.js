// The places one can open: those that come with the page, files, links, and the groups of buildings in a file that are too far apart
// for one map.

import { draw, startOver } from './drawing.js';
import { leaveField, option } from './elements.js';
import { engines, networksDraw, startPhysical } from './engines.js';
import { fitMeasured, stopFit } from './input/calibration.js';
import { stopSearch } from './input/sites.js';
import { say, unsay } from './notices.js';
import { textOf } from './plan/cars.js';
import { BESIDE, changeLook, look as currentLook } from './plan/look.js';
import { readPlan } from './plan/link.js';
import { isOn, middleOf, newPlan } from './plan/model.js';
import { after, before, begin, isEdited, plan as current } from './plan/store.js';
import { around as aroundScene, state } from './state.js';
import { squareAround } from './units.js';
import { camera, setScene } from './views/stage.js';

const element = (id) => document.getElementById(id);
const [places, clusters, areas, report] = ['places', 'clusters', 'areas', 'report'].map(element);

/**
 * Sides of maps in metres with the side of their pixels. The first is the networks' own grid, which needs no bounds. On the others the
 * physical model draws, rays are traced, and networks draw as far as they have learnt to (`networksDraw`).
 */
const AREAS = [{ sideM: 256 }, { sideM: 512, metersPerPixel: 1 }, { sideM: 1024, metersPerPixel: 2 }, { sideM: 2048, metersPerPixel: 4 }, { sideM: 4096, metersPerPixel: 8 }];

/** The position in AREAS of a map with such pixels. */
const areaOf = (metersPerPixel) => AREAS.findIndex((area) => area.metersPerPixel === metersPerPixel);

/** The page's own places. */
let known = [];
/** How often something was opened: what was asked for last is shown. */
let opened = 0;
/** Called after the first map of a scene. */
let afterOpening = () => {};

/**
 * Fills the menus, and fetches the first place unless there is a linked plan: { linked, loaded }. Where the page's own places cannot be
 * had it says so; files and links open all the same. `after` is called with each scene once its first map was drawn.
 */
export async function firstPlace(linked, after) {
  afterOpening = after;
  places.addEventListener('change', () => {
    openOr(loadPlace(places.selectedIndex), (error) => {
      say('scene', `The place cannot be loaded (${error.message}): check the connection and choose it again.`, 'error');
      places.selectedIndex = state.scene?.place ?? -1;
    });
  });
  clusters.addEventListener('change', () => openCluster(clusters.selectedIndex));
  areas.replaceChildren(...AREAS.map(({ sideM, metersPerPixel = 1 }, index) => option(index, `${sideM < 1000 ? `${sideM} m` : `${Math.round(sideM / 1024)} km`} a side, ${metersPerPixel} m a pixel`)));
  areas.addEventListener('change', () => openArea(AREAS[areas.selectedIndex]));
  try {
    known = JSON.parse(await fetched('scenes/index.json'));
    places.replaceChildren(...known.map(({ name, city }, index) => option(index, `${name}, ${city}`)));
    return { linked, loaded: linked ? undefined : await loadPlace(0) };
  } catch (error) {
    say('scene', `The places of this page cannot be loaded (${error.message}): check the connection and reload the page, or open a file of your own by Import.`, 'error');
    element('place').textContent = 'No place is open';
    return { linked };
  }
}

/** Opens what `firstPlace` gave; false where there is nothing to show. */
export async function openFirst({ linked, loaded }) {
  // What the visitor opened meanwhile is not opened over.
  if (opened) return true;
  if (linked && (await openPlan(linked))) return true;
  const first = loaded ?? (known.length ? loadPlace(0) : undefined);
  if (!first) return false;
  await open(first);
  return true;
}

async function loadPlace(index) {
  const { file, name, city, bounds, metersPerPixel, transmitter: [lng, lat], attribution } = known[index];
  return { source: await fetched(`scenes/${file}`), bounds, metersPerPixel, at: { lng, lat }, title: `${name}, ${city}`, credit: attribution, place: index };
}

async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer.text();
}

/** Opens a file: a plan that was saved, or buildings in any format that the package reads. */
export function openFile(file) {
  return openOr(inFile(file), (error) => say('scene', `${file.name}: ${error.message}`, 'error'));
}

async function inFile(file) {
  const text = file.name.endsWith('.json') ? await file.text() : '';
  if (/^\s*\{\s*"version"/.test(text)) return ofPlan(readPlan(text, 'the plan'));
  return { source: file, title: file.name, credit: `from ${file.name}` };
}

/** Opens buildings that were fetched. */
export const openBuildings = ({ source, title, credit, bounds, metersPerPixel }) => open({ source, title, credit, bounds, metersPerPixel });

/** Opens a plan with its buildings; false where they cannot be had, after the page said why. */
export async function openPlan(saved) {
  let failed = false;
  await openOr(ofPlan(saved), (error) => {
    failed = true;
    say('plan', `The plan cannot be opened: ${error.message}.`, 'error');
  });
  return !failed;
}

/** What `open` takes of a plan. */
async function ofPlan({ scene, plan, look }) {
  const index = known.findIndex(({ file }) => file === scene.place);
  if (scene.place && index < 0) throw new Error(`this page has no place ${scene.place}`);
  const source = scene.place ? await loadPlace(index) : { source: scene.buildings, title: scene.title, credit: scene.credit };
  return { ...source, bounds: scene.bounds ?? source.bounds, metersPerPixel: scene.metersPerPixel, plan, look };
}

/** Moves the map to another group of buildings of the same file. */
function openCluster(index) {
  const { source, title, credit, groups, group } = state.scene;
  return openOr({ source, title, credit, groups, group: index, bounds: groups[index].bounds }, (error) => {
    say('scene', error.message, 'error');
    clusters.selectedIndex = group;
  });
}

/** Draws the same plan on a larger or smaller map around the same middle. */
async function openArea({ sideM, metersPerPixel }) {
  if (!state.scene) return;
  const { source, title, credit, place, groups, group, bounds, around } = state.scene;
  await openOr({ source, title, credit, place, groups, group, bounds: squareAround(middleOf(bounds), sideM), metersPerPixel, keepsPlan: true }, (error) => {
    say('scene', error.message, 'error');
    areas.selectedIndex = areaOf(around.metersPerPixel);
  });
}

/** Opens the scene of a step to undo or to do again, and takes the step; false where it cannot be had, after the page said why. */
export async function reopen(step, take) {
  let isTaken = false;
  const takeOnce = () => {
    take();
    isTaken = true;
  };
  await openOr({ ...step.scene, plan: step.plan, step, take: takeOnce }, (error) => {
    say('scene', `${step.scene.title} cannot be opened again: ${error.message}.`, 'error');
  });
  return isTaken;
}

/** As `open`, with what to do where it fails. */
const openOr = (loading, failed) => open(loading).catch(failed);

/**
 * Shows what is being loaded, unless something else is opened before it is there: then neither it nor what is wrong with it counts.
 * @throws where it cannot be shown
 */
async function open(loading) {
  const turn = (opened += 1);
  try {
    const [found] = await Promise.all([loading, startPhysical()]);
    if (turn !== opened) return;
    // The searches and fits of the scene that is left.
    stopSearch();
    stopFit();
    const prepared = await prepare(found);
    // The plan may have changed since the step was asked for, and with it what can be undone.
    const isPast = found.step && ![before(), after()].includes(found.step);
    if (turn === opened && !isPast) await enter({ ...found, ...prepared }, turn);
  } catch (error) {
    if (turn === opened) throw error;
  }
}

const overlap = (a, b) => a.west < b.east && b.west < a.east && a.south < b.north && b.south < a.north;

/**
 * Sets what was loaded as the engine's scene: { around, info, keepsPlan }. Buildings that overlap the open map go on with its plan; those of
 * a file, where their middle lies on it, on the same square.
 */
async function prepare({ source, bounds, metersPerPixel, plan, keepsPlan }) {
  const around = { buildings: source, bounds, metersPerPixel };
  const info = await engines.physical.setScene({ ...around, cars: textOf((keepsPlan ? current() : plan)?.cars) });
  const left = state.scene;
  if (plan || keepsPlan || !left || !overlap(info.bounds, left.bounds)) return { around, info, keepsPlan };
  if (bounds || !isOn(left.bounds, middleOf(info.bounds))) return { around, info, keepsPlan: true };
  const same = { ...around, bounds: left.bounds, metersPerPixel: left.around.metersPerPixel };
  const found = await engines.physical.setScene({ ...same, cars: textOf(current().cars) });
  return { around: same, info: { ...found, clusters: info.clusters }, keepsPlan: true };
}

/** Makes what `open` loaded the page's scene, with its plan, and draws it. */
async function enter({ source, at, title, credit, place = -1, groups, group = 0, plan, keepsPlan, look, take, around, info }, turn) {
  for (const topic of ['scene', 'begun', 'map']) unsay(topic);
  if (plan) unsay('plan');
  leaveField();
  const left = state.scene && { title: state.scene.title, plan: current(), isEdited: isEdited() };
  const file = known[place]?.file;
  state.scene = { ...info, source, around, title, credit, place, file, groups: groups ?? info.clusters, group };
  startOver(info.warnings);
  setScene(state.scene);
  if (take) take();
  else begin(keepsPlan ? current() : plan ?? newPlan(at ?? middleOf(info.bounds)), { source, title, credit, place, groups, group, bounds: around.bounds, metersPerPixel: around.metersPerPixel });
  if (!take) tellBegun(left);
  element('place').textContent = title;
  element('credit').textContent = credit;
  places.selectedIndex = place;
  const shownBefore = currentLook().model;
  changeLook({ ...look, model: modelOn(info, look) });
  areas.selectedIndex = areaOf(around.metersPerPixel);
  listClusters(state.scene.groups, group);
  listWarnings(info.warnings);
  await draw();
  if (turn !== opened) return;
  afterOpening();
  fitMeasured(look?.model ?? shownBefore);
  camera()?.setFootprints(await engines.physical.footprints(aroundScene()));
}

/** The model that the networks could not draw on the open scene: it comes back on one that they draw, unless another was chosen. */
let putOff;

/** The networks do not draw every scene, and a calibrated map is there once it is fitted. `look` is what a plan brings. */
function modelOn(scene, look) {
  const { model: shown } = look ?? currentLook();
  const model = !look && shown === 'physical' && putOff ? putOff : shown;
  const kind = BESIDE[model];
  const isDrawn = kind === 'rays' || (kind === 'forecast' && networksDraw(scene));
  const isNews = kind === 'forecast' && !isDrawn && model !== putOff;
  if (putOff && isDrawn) unsay('networks', 'warning');
  putOff = kind === 'forecast' && !isDrawn ? model : undefined;
  if (isNews) say('networks', '“How sure” does not draw maps of this size: the physical map is shown. On a smaller map it comes back.');
  return isDrawn ? model : 'physical';
}

/** Says what became of the plan that was left, where there is something to lose, and which transmitters are off the map. */
function tellBegun(left) {
  const words = [];
  const isKept = left?.plan === current();
  const count = left?.plan.transmitters.length;
  if (left && (left.isEdited || count > 1)) {
    if (!isKept) words.push(`Another plan begins here. Undo brings back ${left.title} with ${count === 1 ? 'its transmitter' : `its ${count} transmitters`}.`);
    else if (left.title !== state.scene.title) words.push(`The plan goes on with the buildings of ${state.scene.title}.`);
  }
  const out = current().transmitters.filter((transmitter) => transmitter.active && !isOn(state.scene.bounds, transmitter));
  if (out.length === 1) words.push(`${out[0].name} stands off this map: it keeps its place and is left out.`);
  if (out.length > 1) words.push(`${out.length} transmitters stand off this map: they keep their places and are left out.`);
  if (words.length) say('begun', words.join(' '));
}

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
