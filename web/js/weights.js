// The bytes of a weights file: as given, out of the browser's store, or downloaded.

import { download, refused } from './download.js';
import { RadioError, messageOf } from './errors.js';
import { forget, store, stored } from './store.js';

/** @import { Progress, EngineOptions } from './index.js' */
/** @typedef {NonNullable<EngineOptions['model']>} Model */
/** @typedef {{ signal?: AbortSignal | undefined, onProgress?: Progress | undefined, cache?: boolean | undefined }} Loading */
/**
 * @typedef {object} LoadedWeights
 * @property {Uint8Array} bytes
 * @property {string | null} url where they came from; null for bytes
 * @property {string | null} sha256 the hash they claim; null for bytes, which nothing has read yet
 * @property {boolean} stored they came out of the browser's store
 */

/**
 * @param {Model} model
 * @param {Loading} [loading]
 * @returns {Promise<LoadedWeights>}
 */
export async function loadWeights(model, { signal, onProgress, cache = true } = {}) {
  if (ArrayBuffer.isView(model)) return given(new Uint8Array(model.buffer, model.byteOffset, model.byteLength));
  if (model instanceof ArrayBuffer) return given(new Uint8Array(model));
  const { url: address, sha256: pinned = null } = typeof model === 'string' || model instanceof URL ? { url: model } : model;
  const url = resolved(address);
  if (pinned && !/^[0-9a-f]{64}$/.test(pinned)) {
    throw new RadioError({ code: 'weights', reason: 'hash', message: `model.sha256 is ${pinned}, expected the 64 hexadecimal digits of engine.info.model.sha256` });
  }
  let fromStore = false;
  /** @param {string | null} sha256 */
  const known = async (sha256) => {
    if (pinned && sha256 !== pinned) throw refused('hash', `the safetensors file at ${url} has the SHA-256 ${sha256 ?? 'of no manifest'}, expected ${pinned}; name the file that was pinned, or its new hash`);
    const bytes = cache && sha256 ? await stored(sha256) : null;
    fromStore = bytes !== null;
    return bytes;
  };
  const here = pinned && cache ? await stored(pinned) : null;
  if (here) {
    onProgress?.({ phase: 'download', loaded: here.length, total: here.length });
    return { bytes: here, url, sha256: pinned, stored: true };
  }
  const { bytes, sha256 } = await download(url, { signal, onProgress }, known);
  return { bytes, url, sha256, stored: fromStore };
}

/** @param {Uint8Array} bytes */
const given = (bytes) => ({ bytes, url: null, sha256: null, stored: false });

/** @param {string | URL} address */
function resolved(address) {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  try {
    return new URL(address, base).href;
  } catch {
    throw new RadioError({ code: 'weights-missing', reason: 'address', message: `the weights' address ${address} is no URL; give a whole one, or the file's bytes` });
  }
}

/**
 * Keeps weights that the runtime has accepted, so that the next visit need not download them.
 * @param {LoadedWeights} weights
 * @returns {Promise<string | null>} why they could not be kept
 */
export async function keep({ bytes, sha256, stored: already }) {
  if (already || !sha256) return null;
  try {
    await store(sha256, /** @type {Uint8Array<ArrayBuffer>} */ (bytes));
    return null;
  } catch (error) {
    return `The weights could not be kept in the browser's store (${messageOf(error)}): they stay in memory and are downloaded again at the next visit.`;
  }
}

/**
 * Forgets kept weights that turned out to be damaged.
 * @param {LoadedWeights} weights
 */
export const drop = async ({ sha256 }) => (sha256 ? forget(sha256) : undefined);
