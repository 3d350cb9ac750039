// A plan as the text of a link: JSON, deflated by the browser, in base64url after `#plan=`. The server never sees what comes after #.

import { lookOf } from './look.js';
import { planOf } from './model.js';

const PREFIX = '#plan=';
/** Longer addresses are cut by chats and mail programs; browsers take far more. */
export const LONGEST_LINK = 60_000;

/** What a link holds: { scene, plan, look }. `scene` is { place } or { title, credit, bounds, buildings }. */
export async function toHash({ scene, plan, look }) {
  const text = JSON.stringify({ version: 1, scene, ...plan, look });
  const packed = await through(new CompressionStream('deflate-raw'), new TextEncoder().encode(text));
  return PREFIX + toBase64(packed);
}

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
  if (found?.version !== 1) throw new Error(`${name} is of version ${found?.version}, this page reads version 1: open it with the page that wrote it`);
  try {
    return { scene: sceneOf(found.scene), plan: planOf(found), look: lookOf(found.look) };
  } catch (error) {
    throw new Error(`${name} cannot be used: ${error.message}`);
  }
}

function sceneOf(scene) {
  const text = (name) => (typeof scene?.[name] === 'string' ? scene[name] : '');
  const bounds = ['west', 'south', 'east', 'north'].every((side) => Number.isFinite(scene?.bounds?.[side])) ? scene.bounds : undefined;
  if (text('place')) return { place: text('place') };
  if (text('buildings')) return { title: text('title') || 'Plan', credit: text('credit'), bounds, buildings: text('buildings') };
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
