// Maps as files. The module that writes them is loaded with the first one: most visitors export nothing, and it weighs as much as the
// physical model.

import { abortable } from './abort.js';
import { RadioError, messageOf } from './errors.js';
import { initExport } from './module.js';
import { numberField } from './numbers.js';

/** @import { Abortable, Look, MapFiles, Quantity, RadioMap } from './index.js' */
/** @import * as Glue from './radiodiff-web-export.js' */
/** @typedef {InstanceType<typeof Glue.ExportRaster>} ExportRaster */

/**
 * The names of quantities in planning's RasterQuantity.
 * @type {Record<Quantity, string>}
 */
const NAMES = {
  'received-power-dbm': 'received-power', 'path-loss-db': 'path-loss', 'snr-db': 'snr', 'sinr-db': 'sinr', 'best-server': 'best-server',
  'standard-deviation-db': 'standard-deviation', probability: 'probability', 'difference-db': 'difference',
};

/** @type {Promise<typeof Glue> | null} */
let loading = null;

/** The module that writes files, which reads GeoTIFF too. */
export function loadFormats() {
  loading ??= Promise.all([import('./radiodiff-web-export.js'), initExport()])
    .then(async ([glue, module]) => {
      await glue.default({ module_or_path: module });
      return glue;
    })
    .catch((error) => {
      loading = null;
      throw error instanceof RadioError ? error : new RadioError({ code: 'wasm', message: `the module that writes files could not be loaded: ${messageOf(error)}` });
    });
  return loading;
}

/**
 * The map's picture as a PNG.
 * @param {RadioMap} map
 * @param {typeof Glue} glue
 * @param {Look} look
 */
function picture(map, glue, look) {
  const { data } = map.toImage(look);
  return glue.png(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

/** What KML calls a map unless the caller does. */
const TITLE = 'Radio map';

/** @param {ArrayLike<unknown>} levels */
function numbers(levels) {
  if (levels == null || typeof levels !== 'object') throw new RadioError({ code: 'levels', field: 'levels', message: `levels is ${levels}, expected an array of numbers` });
  return Float64Array.from(Array.from(levels, (level, i) => numberField(`levels[${i}]`, 'levels', level)));
}

/**
 * What every map can do to become a file.
 * @implements {MapFiles}
 */
export class WritableMap {
  /**
   * @template T
   * @param {(raster: ExportRaster, glue: typeof Glue, map: RadioMap) => T} write
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async #write(write, signal) {
    signal?.throwIfAborted();
    const glue = await abortable(loadFormats(), signal);
    const map = /** @type {RadioMap} */ (/** @type {unknown} */ (this));
    const { west, south, east, north } = map.bounds;
    try {
      const raster = new glue.ExportRaster(map.values, NAMES[map.quantity], map.metersPerPixel, Float64Array.of(west, south, east, north));
      map.transmitters.forEach(({ lng, lat }, i) => raster.addPoint(`Transmitter ${i + 1}`, lng, lat));
      const result = write(raster, glue, map);
      raster.free();
      return result;
    } catch (error) {
      if (error instanceof RadioError) throw error;
      throw new RadioError({ code: error instanceof WebAssembly.RuntimeError ? 'crashed' : 'export', message: `the map cannot be written: ${messageOf(error)}` });
    }
  }

  /** @param {Abortable} [options] */
  toGeoTIFF({ signal } = {}) {
    return this.#write((raster) => raster.geotiff(), signal);
  }

  /** @param {Parameters<MapFiles['toPNG']>[0]} options */
  toPNG({ signal, ...look }) {
    return this.#write((_, glue, map) => picture(map, glue, look), signal);
  }

  /** @param {Abortable} [options] */
  toWorldFile({ signal } = {}) {
    return this.#write((raster) => raster.worldFile(), signal);
  }

  /** @param {Parameters<MapFiles['toKML']>[0]} options */
  toKML({ image, title = TITLE, signal }) {
    return this.#write((raster) => raster.kml(String(image), title), signal);
  }

  /** @param {Parameters<MapFiles['toKMZ']>[0]} options */
  toKMZ({ title = TITLE, signal, ...look }) {
    return this.#write((raster, glue, map) => raster.kmz(picture(map, glue, { ...look, projection: 'equirectangular' }), title), signal);
  }

  /**
   * @param {Parameters<MapFiles['toContours']>[0]} levels
   * @param {Abortable} [options]
   */
  async toContours(levels, { signal } = {}) {
    const at = numbers(levels);
    return JSON.parse(await this.#write((raster) => raster.contours(at), signal));
  }

  /** @param {Abortable} [options] */
  async toCSV({ signal } = {}) {
    return new TextDecoder().decode(await this.#write((raster) => raster.csv(), signal));
  }

  /** @param {Abortable} [options] */
  toNpy({ signal } = {}) {
    return this.#write((raster) => raster.npy(), signal);
  }
}
