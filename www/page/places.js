// The places one can open: those that come with the page, files, links, and the groups of buildings in a file that are too far apart
// for one map.

import { draw, startOver } from './drawing.js';
import { engines } from './engines.js';
import { option } from './input/controls.js';
import { say, unsay } from './notices.js';
import { changeLook } from './plan/look.js';
import { readPlan } from './plan/link.js';
import { newPlan } from './plan/model.js';
import { begin } from './plan/store.js';
import { state } from './state.js';
import { camera, setScene } from './views/stage.js';

const element = (id) => document.getElementById(id);
const [places, clusters, report] = ['places', 'clusters', 'report'].map(element);

/** The page's own places. */
let known = [];
/** How often something was opened: what was asked for last is shown. */
let opened = 0;

/** Fills the menu and opens its first place, or what `linked` is: { scene, plan, look }. */
export async function listPlaces(linked) {
  known = await (await fetch('scenes/index.json')).json();
  places.replaceChildren(...known.map(({ name, city }, index) => option(index, `${name}, ${city}`)));
  places.addEventListener('change', () => {
    open(loadPlace(places.selectedIndex)).catch((error) => {
      say('scene', `The place cannot be loaded (${error.message}): check the connection and choose it again.`, 'error');
      places.selectedIndex = state.scene?.place ?? -1;
    });
  });
  clusters.addEventListener('change', () => openCluster(clusters.selectedIndex));
  if (linked && (await openPlan(linked))) return;
  await open(loadPlace(0));
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
export const openBuildings = ({ source, title, credit, bounds }) => open({ source, title, credit, bounds });

/** Opens a plan with its buildings; false where they cannot be had, after the page said why. */
export async function openPlan({ scene, plan, look }) {
  try {
    const index = known.findIndex(({ file }) => file === scene.place);
    if (scene.place && index < 0) throw new Error(`this page has no place ${scene.place}`);
    const source = scene.place ? await loadPlace(index) : { source: scene.buildings, title: scene.title, credit: scene.credit, bounds: scene.bounds };
    changeLook(look);
    await open({ ...source, plan });
    return true;
  } catch (error) {
    say('plan', `The plan cannot be opened: ${error.message}.`, 'error');
    return false;
  }
}

/** Moves the map to another group of buildings of the same file. */
async function openCluster(index) {
  const { source, title, credit, groups } = state.scene;
  try {
    await open({ source, title, credit, groups, group: index, bounds: groups[index].bounds });
  } catch (error) {
    say('scene', error.message, 'error');
  }
}

/** Shows what is being loaded, unless something else is opened before it is there. */
async function open(loading) {
  const turn = (opened += 1);
  const { source, bounds, at, title, credit, place = -1, groups, group = 0, plan } = await loading;
  if (turn !== opened) return;
  const info = await engines.physical.setScene({ buildings: source, bounds });
  if (turn !== opened) return;
  unsay('scene');
  const file = known[place]?.file;
  state.scene = { ...info, source, title, credit, place, file, asked: bounds, groups: groups ?? info.clusters };
  startOver(info.warnings);
  setScene(state.scene);
  const { west, south, east, north } = info.bounds;
  begin(plan ?? newPlan(at ?? { lng: (west + east) / 2, lat: (south + north) / 2 }));
  element('place').textContent = title;
  element('credit').textContent = credit;
  places.selectedIndex = place;
  listClusters(state.scene.groups, group);
  listWarnings(info.warnings);
  await draw();
  if (turn === opened) camera()?.setFootprints(await engines.physical.footprints());
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
