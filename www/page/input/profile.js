// The path profile: while its section is open, the link from the chosen transmitter to the place that was read last is shown from the
// side, and as a line on the map.

import { engines } from '../engines.js';
import { isOn, requestOf } from '../plan/model.js';
import { plan, selected } from '../plan/store.js';
import { around, state } from '../state.js';
import { project, unproject } from '../views/stage.js';

const [section, hint, line] = ['profile', 'profile-hint', 'profile-line'].map((id) => document.getElementById(id));

/** The place that was read last, on the map of `scene`. */
let read;
/** The link that is shown or was asked for, as text. */
let asked;
let isAsking = false;

export function listenToProfile() {
  section.addEventListener('toggle', refreshProfile);
}

/** After a change of the plan, of the place under the pointer, or of the view. */
export function refreshProfile() {
  const { scene, pointer } = state;
  const place = scene && pointer && unproject(pointer);
  if (place && isOn(scene.bounds, place)) read = { ...place, scene };
  const link = section.open ? linkNow() : undefined;
  showLine(link);
  if (!section.open) return;
  if (!link) {
    asked = undefined;
    tell('Choose a transmitter on the map, and point at a place.');
  } else if (!isAsking && JSON.stringify(link) !== asked) {
    ask(link);
  }
}

function linkNow() {
  const { scene } = state;
  const transmitter = selected() ?? plan().transmitters.find(({ active }) => active);
  if (!scene || read?.scene !== scene || !transmitter || !isOn(scene.bounds, transmitter)) return undefined;
  return { name: transmitter.name, transmitter: requestOf(transmitter), receiver: { lng: read.lng, lat: read.lat, heightM: plan().receiver.heightM } };
}

/** One link after the other: those that came in while one was asked for are skipped but the last. */
async function ask(link) {
  isAsking = true;
  asked = JSON.stringify(link);
  const { name, ...request } = link;
  try {
    const [profile, { drawProfile }] = await Promise.all([engines.physical.profile({ ...around(), ...request }), import('../charts/profile.js')]);
    drawProfile(profile);
    const { lng, lat, heightM } = profile.receiver;
    tell(`From ${name}, ${profile.transmitter.heightM} m high, to ${lng.toFixed(5)}, ${lat.toFixed(5)}, ${heightM} m high. The map’s paths also go round buildings.`, true);
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
