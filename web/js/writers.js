// What a runtime does with the module that writes files: a map becomes a file, a raster of heights buildings. The module knows GeoTIFF in
// both directions. Messages name it compiled, and it is instantiated with the first.

import { failure, messageOf } from './errors.js';

/** @import * as Glue from './radiodiff-web-export.js' */
/** @import { Watch } from './turns.js' */
/** @typedef {InstanceType<typeof Glue.ExportRaster>} ExportRaster */
/** @typedef {{ values: Float32Array, quantity: string, metersPerPixel: number, sides: Float64Array, points: { lng: number, lat: number }[] }} RasterMap */

/**
 * The formats; pictures come as bytes of RGBA.
 * @type {Record<string, (raster: ExportRaster, glue: typeof Glue, ...args: any[]) => Uint8Array | string>}
 */
const FORMATS = {
  geotiff: (raster) => raster.geotiff(),
  png: (_, { png }, rgba) => png(rgba),
  worldFile: (raster) => raster.worldFile(),
  kml: (raster, _, image, title) => raster.kml(image, title),
  kmz: (raster, { png }, rgba, title) => raster.kmz(png(rgba), title),
  contours: (raster, _, levels) => raster.contours(levels),
  csv: (raster) => raster.csv(),
  npy: (raster) => raster.npy(),
};

/** What failed where the module traps, and what to do. */
const FAILED = {
  write: 'writing the file failed, probably for want of memory: take larger pixels or another format',
  trace: 'tracing the raster of heights failed, probably for want of memory: cut a smaller region out (gdal_translate -projwin)',
};

/** Whether this thread's instance of the module has trapped. There is one, and nothing may call it then. */
let trapped = false;

/**
 * Work that the module does in one piece.
 * @template T
 * @param {WebAssembly.Module} module
 * @param {'write' | 'trace'} phase
 * @param {Watch} watch
 * @param {(glue: typeof Glue) => T} work
 */
async function inModule(module, phase, { progress }, work) {
  // Not in a worker, which ends with its one call.
  if (trapped) throw failure('crashed', 'the module that writes files crashed before, and on the calling thread it cannot be started again: reload the page, or start the process again');
  const glue = await import('./radiodiff-web-export.js');
  await glue.default({ module_or_path: module });
  progress(phase, 0, 1);
  try {
    const result = work(glue);
    progress(phase, 1, 1);
    return result;
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    // A trap ends this module, not the engine's on the same thread.
    trapped = true;
    throw failure('crashed', `${FAILED[phase]} (${messageOf(error)})`);
  }
}

/**
 * @param {{ module: WebAssembly.Module, map: RasterMap, format: string, args: unknown[] }} call
 * @param {Watch} watch
 */
export const writeMap = ({ module, map: { values, quantity, metersPerPixel, sides, points }, format, args }, watch) => inModule(module, 'write', watch, (glue) => {
  const raster = new glue.ExportRaster(values, quantity, metersPerPixel, sides);
  points.forEach(({ lng, lat }, i) => raster.addPoint(`Transmitter ${i + 1}`, lng, lat));
  const file = FORMATS[format](raster, glue, ...args);
  raster.free();
  return { file };
});

/**
 * The footprints of a raster of heights, as GeoJSON.
 * @param {{ module: WebAssembly.Module, bytes: Uint8Array }} call
 * @param {Watch} watch
 */
export const traceRaster = ({ module, bytes }, watch) => inModule(module, 'trace', watch, ({ buildingsOfGeotiff }) => buildingsOfGeotiff(bytes));
