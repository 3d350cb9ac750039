// The planner: a place with buildings, transmitters that are dragged, and the map that follows them.
//
// plan/ holds what the planner decides and how it is looked at; state.js what was drawn of it. views/ shows the map, charts/ counts it,
// layers/ says what is shown, input/ is every control. drawing.js asks the engines for maps, places.js opens scenes. It begins here.

import './first.js';
import { createEngine } from '../index.js';
import { draw, followLook } from './drawing.js';
import { engines, startPhysical } from './engines.js';
import { listenToExports } from './export/menu.js';
import { isPattern, openPattern } from './input/antenna.js';
import { carsOfFile, listenToCars, openCars } from './input/cars.js';
import { fitMeasured, isTable, listenToCalibration, openTable } from './input/calibration.js';
import { listenToControls } from './input/controls.js';
import { listenToFiles } from './input/files.js';
import { listenToHistory, refreshHistory } from './input/history.js';
import { listenToMap } from './input/map.js';
import { listenToOverpass } from './input/overpass.js';
import { listenToPlans } from './input/plans.js';
import { listenToSettings } from './input/preferences.js';
import { listenToProfile } from './input/profile.js';
import { keepLink, link, listenToSharing, whole } from './input/sharing.js';
import { isSites, listenToSites, openSites } from './input/sites.js';
import { listenToTransmitters, remove } from './input/transmitters.js';
import { isWeights, openWeights } from './input/weights.js';
import { picture } from './layers/shown.js';
import { say, unsay } from './notices.js';
import { fromHash } from './plan/link.js';
import { CALIBRATED_MODELS, changeLook, listenToLook, look } from './plan/look.js';
import { requested } from './plan/model.js';
import { listen, plan } from './plan/store.js';
import { firstPlace, openBuildings, openFile, openFirst, openPlan, reopen } from './places.js';
import { show, showPlan, showReadout } from './show.js';
import { around, calibration, setStatus, state } from './state.js';
import { listenToMarkers, placeMarkers } from './views/markers.js';
import * as stage from './views/stage.js';

/** What a visitor with a console, and the browser tests, can reach. */
window.radiodiff = {
  createEngine,
  /** The engine with the networks once a layer asked for it, else the physical one. */
  get engine() { return engines.network ?? engines.physical; },
  get map() { return state.map; },
  get forecast() { return state.beside.forecast; },
  get traced() { return state.beside.rays; },
  get calibration() { return calibration(); },
  get plan() { return plan(); },
  get request() {
    const { map, scene } = state;
    return { ...around(), bounds: scene.bounds, transmitters: map.transmitters, method: map.method };
  },
  /** What the map shows, as layers/shown.js gives it. */
  picture,
  /** Where a place is on the stage, pixels. */
  project: stage.project,
  camera: stage.camera,
};

const footprints = () => engines.physical.footprints(around());

/** What the last map was asked with: a change of a name needs no other map. */
let asked = [];

const asks = () => [JSON.stringify([requested(plan(), state.scene?.bounds), plan().receiver, plan().thresholdDbm]), plan().cars];

function redraw() {
  const before = asked;
  asked = asks();
  if (asked.every((part, i) => part === before[i])) show();
  else draw();
}

function follow() {
  listen((what) => {
    refreshHistory();
    if (what === 'selection') return showPlan();
    keepLink(footprints);
    if (what !== 'place') showPlan();
    if (what === 'plan') {
      // Undo may have taken the measurements that the map was of, or brought others back.
      if (CALIBRATED_MODELS.includes(look().model) && !calibration()) changeLook({ model: 'physical' });
      redraw();
      fitMeasured();
    }
    // Settled places are those of the shown map, and who opened another scene draws it.
    else asked = asks();
    return undefined;
  });
  listenToLook((changed) => {
    if (state.scene) keepLink(footprints);
    document.getElementById('tilt').setAttribute('aria-pressed', look().tilted);
    if (changed.includes('tilted')) stage.camera()?.setTilt(look().tilted);
    show();
    if (state.scene) followLook();
  });
  stage.whenMoved(() => {
    placeMarkers();
    showReadout();
  });
}

let filesOpened = 0;

/** Kinds of files, in the order in which several are opened: what stands on a map after the map. */
const KINDS = ['a file of buildings or a plan', 'a file of cars', 'a list of sites', 'an antenna', 'a table of measurements', 'a network'];
const [SCENE, CARS, SITES, ANTENNA, MEASUREMENTS, NETWORK] = KINDS.keys();

/** What a file is: its kind, and what opens it. */
async function known(file) {
  if (isWeights(file)) return { kind: NETWORK, open: () => openWeights(file) };
  if (await isSites(file)) return { kind: SITES, open: () => openSites(file) };
  if (await isPattern(file)) return { kind: ANTENNA, open: () => openPattern(file) };
  if (isTable(file)) return { kind: MEASUREMENTS, open: () => openTable(file) };
  const cars = await carsOfFile(file);
  return cars ? { kind: CARS, open: () => openCars(cars) } : { kind: SCENE, open: () => openFile(file) };
}

/** Opens files that came together, each by what it is; of each kind but sites the first, and says so of the others. */
async function openAll(files) {
  const turn = files.every(isWeights) ? filesOpened : (filesOpened += 1);
  // Other files were opened while these were looked into.
  const isLeft = () => turn !== filesOpened;
  const [found, troubles] = [[], []];
  for (const file of files) {
    try {
      const { kind, open } = await known(file);
      if (kind !== SITES && found.some((other) => other.kind === kind)) troubles.push(`${file.name} was not opened: ${KINDS[kind]} is opened one at a time.`);
      else found.push({ kind, open });
    } catch (error) {
      // A folder, or a file that was moved away.
      troubles.push(`${file.name} cannot be read: ${error.message}`);
    }
  }
  if (isLeft()) return;
  // What was wrong with the files before them.
  unsay('files');
  unsay('scene', 'error');
  if (troubles.length) say('files', troubles.join(' '), 'error');
  for (const { open } of found.sort((a, b) => a.kind - b.kind)) {
    if (isLeft()) return;
    await open();
  }
}

async function linkedPlan() {
  try {
    return await fromHash(location.hash);
  } catch (error) {
    say('plan', `${error.message}.`, 'error');
    return undefined;
  }
}

try {
  document.documentElement.dataset.view = 'loading';
  document.getElementById('tilt').setAttribute('aria-pressed', look().tilted);
  listenToControls();
  listenToTransmitters();
  listenToSites();
  listenToCalibration({ show });
  listenToCars();
  listenToProfile();
  listenToMarkers({ drop: draw, remove });
  listenToHistory(reopen);
  listenToSettings();
  listenToSharing(footprints);
  listenToExports({ saved: () => whole(footprints), link: () => link(footprints) });
  listenToPlans({ saved: () => whole(footprints), open: openPlan });
  follow();
  show();
  // What the first map needs arrives while the engine starts.
  const opening = linkedPlan().then((linked) => firstPlace(linked, () => stage.startMapLibre({ footprints, shown: picture })));
  await Promise.all([startPhysical(), opening]);
  listenToMap({ point: showReadout });
  listenToFiles(openAll);
  listenToOverpass(openBuildings);
  addEventListener('hashchange', async () => {
    const plan = await linkedPlan();
    if (plan) openPlan(plan);
  });
  if (!(await openFirst(await opening))) setStatus('error');
} catch (error) {
  setStatus('error');
  say('scene', error.message, 'error');
}
