// Maps as files. A runtime of its own writes each (writers.js), because a large map takes seconds. The module that it needs is loaded with
// the first one: most visitors export nothing, and it weighs as much as the physical model.

import { abortable } from './abort.js';
import { callBeside } from './beside.js';
import { RadioError } from './errors.js';
import { initExport } from './module.js';
import { numberField } from './numbers.js';

/** @import { Callbacks, Look, MapFiles, Quantity, RadioMap } from './index.js' */
/** @import { Beside } from './drawing.js' */
/** @typedef {Pick<Beside, 'open' | 'setup'>} Writer what a map's files are written by */

/**
 * The names of quantities in planning's RasterQuantity.
 * @type {Record<Quantity, string>}
 */
const NAMES = {
  'received-power-dbm': 'received-power', 'path-loss-db': 'path-loss', 'snr-db': 'snr', 'sinr-db': 'sinr', 'best-server': 'best-server',
  'standard-deviation-db': 'standard-deviation', probability: 'probability', 'difference-db': 'difference',
};

/**
 * The map's picture.
 * @param {RadioMap} map
 * @param {Look} look
 */
function picture(map, look) {
  const { data } = map.toImage(look);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
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
  /** @type {Writer | undefined} */
  #writer;

  /** @param {Writer | WritableMap} [writer] a map's own writer writes what is derived from it */
  constructor(writer) {
    this.#writer = writer instanceof WritableMap ? writer.#writer : writer;
  }

  /**
   * @param {string} format of writers.js
   * @param {Callbacks} callbacks
   * @param {unknown[]} args
   * @returns {Promise<any>}
   */
  async #write(format, { signal, onProgress }, ...args) {
    signal?.throwIfAborted();
    const module = await abortable(initExport(), signal);
    const { values, quantity, metersPerPixel, bounds: { west, south, east, north }, transmitters } = /** @type {RadioMap} */ (/** @type {unknown} */ (this));
    const points = transmitters.map(({ lng, lat }) => ({ lng, lat }));
    const map = { values, quantity: NAMES[quantity], metersPerPixel, sides: Float64Array.of(west, south, east, north), points };
    const { open, setup } = /** @type {Writer} */ (this.#writer);
    const { file } = await callBeside(open, setup, 'write', { module, map, format, args }, { signal, onProgress });
    return file;
  }

  /** @param {Callbacks} [callbacks] */
  toGeoTIFF(callbacks = {}) {
    return this.#write('geotiff', callbacks);
  }

  /** @param {Parameters<MapFiles['toPNG']>[0]} options */
  toPNG({ signal, onProgress, ...look }) {
    return this.#writePicture('png', { signal, onProgress }, look);
  }

  /** @param {Callbacks} [callbacks] */
  toWorldFile(callbacks = {}) {
    return this.#write('worldFile', callbacks);
  }

  /** @param {Parameters<MapFiles['toKML']>[0]} options */
  toKML({ image, title = TITLE, ...callbacks }) {
    return this.#write('kml', callbacks, String(image), title);
  }

  /** @param {Parameters<MapFiles['toKMZ']>[0]} options */
  toKMZ({ title = TITLE, signal, onProgress, ...look }) {
    return this.#writePicture('kmz', { signal, onProgress }, { ...look, projection: 'equirectangular' }, title);
  }

  /**
   * @param {string} format
   * @param {Callbacks} callbacks
   * @param {Look} look
   * @param {unknown[]} args
   */
  async #writePicture(format, callbacks, look, ...args) {
    return this.#write(format, callbacks, picture(/** @type {RadioMap} */ (/** @type {unknown} */ (this)), look), ...args);
  }

  /**
   * @param {Parameters<MapFiles['toContours']>[0]} levels
   * @param {Callbacks} [callbacks]
   */
  async toContours(levels, callbacks = {}) {
    return JSON.parse(await this.#write('contours', callbacks, numbers(levels)));
  }

  /** @param {Callbacks} [callbacks] */
  async toCSV(callbacks = {}) {
    return new TextDecoder().decode(await this.#write('csv', callbacks));
  }

  /** @param {Callbacks} [callbacks] */
  toNpy(callbacks = {}) {
    return this.#write('npy', callbacks);
  }
}
