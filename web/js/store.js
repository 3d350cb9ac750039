// Weights that the browser keeps between visits, in the Cache API, by their hash: a file that is published anew has another key, and one
// file is kept once whatever its address. The keys are addresses that are never fetched.

import { abortable } from './abort.js';

const NAME = 'radiodiff-web';
const KEYS = 'https://radiodiff-web.invalid/weights/';
/** How long a store is waited for that may never answer: what it holds can be downloaded. */
const PATIENCE_MS = 2000;

/** There is none outside a browser and on a page that is not served securely. */
const open = () => globalThis.caches?.open(NAME);

/**
 * @param {string} sha256
 * @returns {Promise<Uint8Array<ArrayBuffer> | null>} null also where the browser's store cannot be read or does not answer
 */
export async function stored(sha256) {
  const read = async () => {
    const response = await (await open())?.match(KEYS + sha256);
    return response ? new Uint8Array(await response.arrayBuffer()) : null;
  };
  try {
    return await abortable(read(), AbortSignal.timeout(PATIENCE_MS));
  } catch {
    return null;
  }
}

/**
 * @param {string} sha256
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @throws where there is no room
 */
export async function store(sha256, bytes) {
  await (await open())?.put(KEYS + sha256, new Response(bytes));
}

/** @param {string} sha256 */
export async function forget(sha256) {
  await (await open())?.delete(KEYS + sha256);
}

/** Removes every file of weights that the package keeps in the browser; true where there was one. */
export async function clearCache() {
  return (await globalThis.caches?.delete(NAME)) ?? false;
}
