// Footprints of buildings that are a raster of heights. Decoding and tracing it takes seconds, so a worker of their own does it (beside.js).

import { abortable } from './abort.js';
import { callBeside } from './beside.js';
import { isTiff, sameSource } from './buildings.js';
import { initExport } from './module.js';

/** @import { Callbacks } from './calls.js' */
/** @import { Beside } from './drawing.js' */
/** @import { Source } from './buildings.js' */
/** @typedef {Callbacks & { ended: AbortSignal }} Caller */
/** @typedef {{ bytes: Uint8Array, text: Promise<string>, callers: Set<Caller>, isDone: boolean, stop: AbortController }} Tracing */

/**
 * The last raster and its footprints, which may still be traced: a map that follows a transmitter is asked for many times a second.
 * @type {Tracing | null}
 */
let last = null;

/**
 * The buildings that a scene is made of: a raster's footprints as GeoJSON, any other source as it is.
 * @param {Source | undefined} source
 * @param {() => Promise<Beside>} beside
 * @param {Caller} caller
 */
export async function withoutRaster(source, beside, caller) {
  if (!isTiff(source)) return source;
  if (!last || !sameSource(last.bytes, source)) last = trace(source, beside);
  const tracing = last;
  tracing.callers.add(caller);
  try {
    return await abortable(abortable(tracing.text, caller.ended), caller.signal);
  } finally {
    tracing.callers.delete(caller);
    if (!tracing.callers.size && !tracing.isDone) {
      // Nobody waits any more.
      forget(tracing);
      tracing.stop.abort();
    }
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {() => Promise<Beside>} beside
 * @returns {Tracing}
 */
function trace(bytes, beside) {
  const [callers, stop] = [new Set(), new AbortController()];
  const onProgress = (/** @type {any} */ progress) => callers.forEach((caller) => caller.onProgress?.(progress));
  const text = Promise.all([initExport(), beside()])
    .then(([module, { open, setup }]) => callBeside(open, setup, 'trace', { bytes, module }, { signal: stop.signal, onProgress }));
  const tracing = { bytes, text, callers, isDone: false, stop };
  text.then(() => { tracing.isDone = true; }, () => forget(tracing));
  return tracing;
}

/** @param {Tracing} tracing */
function forget(tracing) {
  if (last === tracing) last = null;
}
