// The link: the address holds the plan while its buildings fit into one, and a button copies it.

import { say } from '../notices.js';
import { LONGEST_LINK, toHash } from '../plan/link.js';
import { look } from '../plan/look.js';
import { plan } from '../plan/store.js';
import { state } from '../state.js';

const WAIT_MS = 400;
let timer;
let turn = 0;

/** What a link and a plan file hold. Of the page's own places the name suffices; of others, the buildings. */
export async function whole(footprints) {
  const { file, title, credit, bounds, source, around: { metersPerPixel } } = state.scene;
  // The bounds of the networks' own grid follow from the place.
  const grid = metersPerPixel === undefined ? {} : { bounds, metersPerPixel };
  if (file) return { scene: { place: file, ...grid }, plan: plan(), look: look() };
  const isGeoJson = typeof source === 'string' && source.trimStart().startsWith('{');
  const buildings = isGeoJson ? source : JSON.stringify(await footprints());
  return { scene: { title, credit, bounds, metersPerPixel, buildings }, plan: plan(), look: look() };
}

/** The plan's address, or undefined where its buildings are too many for one. */
async function link(footprints) {
  const hash = await toHash(await whole(footprints));
  return hash.length <= LONGEST_LINK ? `${location.href.split('#')[0]}${hash}` : undefined;
}

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
      if (!address) throw new Error('the buildings are too many for a link: use Export, Plan, and send the file');
      elsewhere = ' The address of this page holds the plan too.';
      await navigator.clipboard.writeText(address);
      say('link', 'The link is copied. It holds the whole plan; nothing was sent anywhere.');
    } catch (error) {
      say('link', `The link cannot be copied (${error.message}).${elsewhere}`, 'error');
    }
  });
}
