// The places one can open: those that come with the page, files, and the groups of buildings in a file that are too far apart for
// one map.

import { draw, startOver } from './drawing.js';
import { engines } from './engines.js';
import { option } from './input/controls.js';
import { buildingsLayer } from './layers/buildings.js';
import { say, unsay } from './notices.js';
import { state } from './state.js';

const element = (id) => document.getElementById(id);
const [places, clusters, report] = ['places', 'clusters', 'report'].map(element);

/** How often something was opened: what was asked for last is shown. */
let opened = 0;

/** Fills the menu and opens its first place. */
export async function listPlaces() {
  const known = await (await fetch('scenes/index.json')).json();
  places.replaceChildren(...known.map(({ name, city }, index) => option(index, `${name}, ${city}`)));
  places.addEventListener('change', () => {
    open(loadPlace(known, places.selectedIndex)).catch((error) => {
      say('scene', error.message, 'error');
      places.selectedIndex = state.scene?.place ?? -1;
    });
  });
  clusters.addEventListener('change', () => openCluster(clusters.selectedIndex));
  await open(loadPlace(known, 0));
}

async function loadPlace(known, index) {
  const { file, name, city, bounds, transmitter: [lng, lat], attribution } = known[index];
  const source = await (await fetch(`scenes/${file}`)).text();
  return { source, bounds, at: { lng, lat }, title: `${name}, ${city}`, credit: attribution, place: index };
}

/** Opens a file of buildings in any format that the package reads. */
export async function openFile(file) {
  try {
    await open({ source: file, title: file.name, credit: `from ${file.name}` });
  } catch (error) {
    say('scene', `${file.name}: ${error.message}`, 'error');
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
  const { source, bounds, at, title, credit, place = -1, groups, group = 0 } = await loading;
  if (turn !== opened) return;
  const info = await engines.physical.setScene({ buildings: source, bounds });
  if (turn !== opened) return;
  unsay('scene');
  state.scene = { ...info, source, title, credit, place, asked: bounds, outline: buildingsLayer(info), groups: groups ?? info.clusters };
  startOver(info.warnings);
  const { west, south, east, north } = info.bounds;
  state.transmitter = at ?? { lng: (west + east) / 2, lat: (south + north) / 2 };
  element('place').textContent = title;
  element('credit').textContent = credit;
  places.selectedIndex = place;
  listClusters(state.scene.groups, group);
  listWarnings(info.warnings);
  await draw();
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
