// The link: the address holds the plan while its buildings fit into one, and a button copies it.

import { say } from '../notices.js';
import { LONGEST_LINK, toHash } from '../plan/link.js';
import { look } from '../plan/look.js';
import { plan } from '../plan/store.js';
import { state } from '../state.js';

const WAIT_MS = 400;
let timer;
let turn = 0;

/** What was made of the open scene's buildings for a link, by the scene: a large file is not written and packed after every change. */
const texts = new WeakMap();
const fits = new WeakMap();

/** What a link and a plan file hold. Of the page's own places the name suffices; of others, the buildings. */
export async function whole(footprints) {
  const { scene } = state;
  const { file, title, credit, bounds, around: { metersPerPixel } } = scene;
  // The bounds of the networks' own grid follow from the place.
  const grid = metersPerPixel === undefined ? {} : { bounds, metersPerPixel };
  if (file) return { scene: { place: file, ...grid }, plan: plan(), look: look() };
  return { scene: { title, credit, bounds, metersPerPixel, buildings: await once(texts, scene, () => buildingsText(scene, footprints)) }, plan: plan(), look: look() };
}

/** The buildings as GeoJSON, whatever format they came in. */
async function buildingsText({ source }, footprints) {
  return typeof source === 'string' && source.trimStart().startsWith('{') ? source : JSON.stringify(await footprints());
}

/** The value that `made` gives of a scene, made once; what failed is made again. */
function once(known, scene, made) {
  if (!known.has(scene)) {
    known.set(scene, made().catch((error) => {
      known.delete(scene);
      throw error;
    }));
  }
  return known.get(scene);
}

/** The plan's address, or undefined where it would be too long. */
export async function link(footprints) {
  const { scene } = state;
  const saved = await whole(footprints);
  if (!scene.file && !(await once(fits, scene, async () => isShort(await toHash({ scene: saved.scene }))))) return undefined;
  const hash = await toHash(saved);
  return isShort(hash) ? `${location.href.split('#')[0]}${hash}` : undefined;
}

const isShort = (hash) => hash.length <= LONGEST_LINK;

/** Brings the address up to the plan, a moment after the last change. */
export function keepLink(footprints) {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    if (!state.scene) return;
    const mine = (turn += 1);
    const address = await link(footprints).catch(() => undefined);
    if (mine === turn) history.replaceState(null, '', address ?? location.href.split('#')[0]);
  }, WAIT_MS);
}

/** `footprints` gives the buildings as GeoJSON. */
export function listenToSharing(footprints) {
  document.getElementById('share').addEventListener('click', async () => {
    if (!state.scene) return;
    let elsewhere = '';
    try {
      const address = await link(footprints);
      if (!address) throw new Error('the plan is too long for one, by its buildings, cars, measurements or antennas: use Export, Plan, and send the file');
      elsewhere = ' The address of this page holds the plan too.';
      await navigator.clipboard.writeText(address);
      say('link', 'The link is copied. It holds the whole plan; nothing was sent anywhere.');
    } catch (error) {
      say('link', `The link cannot be copied (${error.message}).${elsewhere}`, 'error');
    }
  });
}
