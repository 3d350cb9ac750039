// The bytes of a weights file, as given or fetched with progress.

import { RadioError, messageOf } from './errors.js';

/**
 * @param {string | URL | ArrayBuffer | ArrayBufferView} model
 * @param {AbortSignal} [signal]
 * @param {import('./index.js').Progress} [onProgress]
 * @returns {Promise<{ bytes: Uint8Array, url: string | null }>} the bytes and, where they were fetched, the URL
 */
export async function loadWeights(model, signal, onProgress) {
  if (ArrayBuffer.isView(model)) return { bytes: new Uint8Array(model.buffer, model.byteOffset, model.byteLength), url: null };
  if (model instanceof ArrayBuffer) return { bytes: new Uint8Array(model), url: null };
  const url = new URL(model, globalThis.document?.baseURI ?? globalThis.location?.href).href;
  try {
    return { bytes: await download(url, signal, onProgress), url };
  } catch (error) {
    signal?.throwIfAborted();
    throw new RadioError({ code: 'weights-missing', message: `the weights at ${url} could not be loaded: ${messageOf(error)}` });
  }
}

/**
 * @param {string} url
 * @param {AbortSignal} [signal]
 * @param {import('./index.js').Progress} [onProgress]
 */
async function download(url, signal, onProgress) {
  const response = await fetch(url, { signal });
  if (!response.ok || !response.body) {
    // A body that nobody reads would keep its connection.
    await response.body?.cancel();
    throw new Error(`the server answers ${response.status}`);
  }
  const total = Number(response.headers.get('content-length')) || undefined;
  const parts = [];
  let loaded = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    loaded += value.length;
    onProgress?.({ phase: 'download', loaded, total });
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
