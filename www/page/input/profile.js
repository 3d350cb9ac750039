// The path profile: while its section is open, the link from the chosen transmitter to the place that was read last is shown from the
// side, and as a line on the map. A pointer that goes from a place to the panel does not read what it crosses.

import { drawProfile } from '../charts/profile.js';
import { engines } from '../engines.js';
import { isOn, requestOf } from '../plan/model.js';
import { plan, selected } from '../plan/store.js';
import { around, state } from '../state.js';
import { project, unproject } from '../views/stage.js';

const [section, hint, line] = ['profile', 'profile-hint', 'profile-line'].map((id) => document.getElementById(id));

/** A pointer that stays this long rests: what it reads is kept when it leaves the map. */
const REST_MS = 300;

/** The place that was read last, on the map of `scene`, and since when; and the last one that the pointer rested at. */
let read;
let rested;
/** The link that is shown or was asked for, as text. */
let asked;
let isAsking = false;

export function listenToProfile() {
  section.addEventListener('toggle', refreshProfile);
}

/** After a change of the plan, of the place under the pointer, or of the view. */
export function refreshProfile() {
  readPlace();
  const link = section.open ? linkNow() : undefined;
  showLine(link);
  if (!section.open) return;
  if (!link) {
    asked = undefined;
    tell(whatIsMissing());
  } else if (!isAsking && JSON.stringify(link) !== asked) {
    ask(link);
  }
}

function readPlace() {
  const { scene, pointer } = state;
  if (!scene) return;
  // A hand on a marker, as one that drags it, reads nothing.
  const place = pointer && !pointer.isOnMarker && unproject(pointer);
  const restedUntil = (time) => read?.scene === scene && time - read.since >= REST_MS;
  if (place && isOn(scene.bounds, place)) {
    const { movedAt: since = -Infinity } = pointer;
    if (restedUntil(since)) rested = read;
    read = { ...place, scene, since };
  } else if (rested?.scene === scene && !restedUntil(performance.now())) {
    read = rested;
  }
}

function linkNow() {
  const { scene } = state;
  const transmitter = linked();
  if (!transmitter || read?.scene !== scene) return undefined;
  return { name: transmitter.name, transmitter: requestOf(transmitter), receiver: { lng: read.lng, lat: read.lat, heightM: plan().receiver.heightM } };
}

/** The transmitter whose link is shown; undefined where it is off the map. */
function linked() {
  const transmitter = selected() ?? plan().transmitters.find(({ active }) => active);
  return transmitter && isOn(state.scene?.bounds, transmitter) ? transmitter : undefined;
}

function whatIsMissing() {
  if (!linked()) return 'Choose a transmitter that stands on the map to see a link from the side.';
  // A tap moves the chosen transmitter.
  const first = selected() && matchMedia('(hover: none)').matches ? `let go of ${selected().name} by choosing it again in the list, then ` : '';
  return `To see a link from the side, ${first}point at a place of the map.`;
}

/** One link after the other: those that came in while one was asked for are skipped but the last. */
async function ask(link) {
  isAsking = true;
  asked = JSON.stringify(link);
  const { name, ...request } = link;
  const { warnings: known } = state.scene;
  try {
    const profile = await engines.physical.profile({ ...around(), ...request });
    drawProfile(profile);
    const { lng, lat, heightM } = profile.receiver;
    const remarks = profile.warnings.filter((warning) => !known.includes(warning));
    tell([`From ${name}, ${profile.transmitter.heightM} m high, to ${lng.toFixed(5)}, ${lat.toFixed(5)}, ${heightM} m high. The map’s paths also go round buildings.`, ...remarks].join(' '), true);
  } catch (error) {
    tell(`There is no profile: ${error.message}.`);
  } finally {
    isAsking = false;
  }
  refreshProfile();
}

function tell(words, isShown = false) {
  hint.textContent = words;
  for (const id of ['profile-figure', 'profile-rows']) document.getElementById(id).hidden = !isShown;
}

function showLine(link) {
  line.toggleAttribute('hidden', !link);
  if (!link) return;
  const [from, to] = [project(link.transmitter), project(link.receiver)];
  for (const [name, value] of Object.entries({ x1: from.x, y1: from.y, x2: to.x, y2: to.y })) line.firstElementChild.setAttribute(name, value.toFixed(1));
}
