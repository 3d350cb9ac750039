// A plan as the text of a link: JSON, deflated by the browser, in base64url after `#plan=`. The server never sees what comes after #.

import { lookOf } from './look.js';
import { planOf } from './model.js';

const PREFIX = '#plan=';
const VERSION = 1;
/** Longer addresses are cut by chats and mail programs; browsers take far more. */
export const LONGEST_LINK = 60_000;

/** The part of an address that holds { scene, plan, look }; `scene` is { place } or { title, credit, bounds, buildings }. */
export async function toHash({ scene, plan, look }) {
  const packed = await through(new CompressionStream('deflate-raw'), new TextEncoder().encode(planText({ scene, plan, look })));
  return PREFIX + toBase64(packed);
}

/** The text of a plan file. */
export const planText = ({ scene, plan, look }) => JSON.stringify({ version: VERSION, scene, ...plan, look });

/** The plan of an address, or undefined where it has none. */
export async function fromHash(hash) {
  if (!hash.startsWith(PREFIX)) return undefined;
  let text;
  try {
    text = new TextDecoder().decode(await through(new DecompressionStream('deflate-raw'), fromBase64(hash.slice(PREFIX.length))));
  } catch {
    throw new Error('the plan in the link is damaged: copy the whole link again');
  }
  return readPlan(text, 'the plan in the link');
}

/** A plan file, or what a link held. */
export function readPlan(text, name) {
  let found;
  try {
    found = JSON.parse(text);
  } catch {
    throw new Error(`${name} is no JSON: save the plan again`);
  }
  if (found?.version !== VERSION) throw new Error(`${name} is of version ${found?.version}, this page reads version ${VERSION}: open it with the page that wrote it`);
  try {
    return { scene: sceneOf(found.scene), plan: planOf(found), look: lookOf(found.look) };
  } catch (error) {
    throw new Error(`${name} cannot be used: ${error.message}`);
  }
}

function sceneOf(scene) {
  const text = (name) => (typeof scene?.[name] === 'string' ? scene[name] : '');
  const bounds = ['west', 'south', 'east', 'north'].every((side) => Number.isFinite(scene?.bounds?.[side])) ? scene.bounds : undefined;
  const metersPerPixel = bounds && scene.metersPerPixel > 0 ? scene.metersPerPixel : undefined;
  if (text('place')) return { place: text('place'), bounds, metersPerPixel };
  if (text('buildings')) return { title: text('title') || 'Plan', credit: text('credit'), bounds, metersPerPixel, buildings: text('buildings') };
  if (text('title')) throw new Error(`its buildings are too many for a link: open ${text('title')} and the plan file`);
  throw new Error('it names no buildings');
}

async function through(stream, bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

function toBase64(bytes) {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

const fromBase64 = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
