// Footprints of buildings that are a raster of heights. Decoding and tracing it takes seconds, so a worker of their own does it (beside.js).

import { callBeside } from './beside.js';
import { isTiff, sameSource } from './buildings.js';
import { initExport } from './module.js';

/** @import { Callbacks } from './calls.js' */
/** @import { Beside } from './drawing.js' */
/** @import { Source } from './buildings.js' */

/**
 * The last raster and its footprints: a map that follows a transmitter is asked for many times a second.
 * @type {{ bytes: Uint8Array, text: string } | null}
 */
let last = null;

/**
 * The buildings that a scene is made of: a raster's footprints as GeoJSON, any other source as it is.
 * @param {Source | undefined} source
 * @param {() => Promise<Beside>} beside
 * @param {Callbacks & { ended: AbortSignal }} callbacks
 */
export async function withoutRaster(source, beside, callbacks) {
  if (!isTiff(source)) return source;
  if (last && sameSource(last.bytes, source)) return last.text;
  const [module, { open, setup }] = await Promise.all([initExport(), beside()]);
  const text = await callBeside(open, setup, 'trace', { bytes: source, module }, callbacks);
  last = { bytes: source, text };
  return text;
}
