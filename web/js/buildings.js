// Buildings, cars and bounds as they travel to the worker. The worker reads the format from the bytes; here they are only brought into a
// form that can be compared with the last scene's and sent.

import { RadioError, messageOf } from './errors.js';

/** @typedef {string | Uint8Array} Source text or bytes that nobody else changes */
/** @typedef {{ cars?: Source, bounds?: unknown, buildingHeightM?: unknown, metersPerPixel?: unknown }} SceneTerms what stands beside the buildings, and how they are put on a map */
/** @typedef {SceneTerms & { source: Source }} SceneRequest */

const NUMBERS = /** @type {const} */ (['buildingHeightM', 'metersPerPixel']);

const SIDES = /** @type {const} */ (['west', 'south', 'east', 'north']);

/** Parts of a request that files are read for, as errors name them. */
const BUILDINGS = /** @type {const} */ ({ code: 'geojson', field: 'buildings' });
const CARS = /** @type {const} */ ({ code: 'geojson', field: 'cars' });
const MEASUREMENTS = /** @type {const} */ ({ code: 'measurements', field: 'measurements' });

/**
 * The buildings and the cars of a call; without buildings it is about the last scene and its cars.
 * @param {unknown} buildings
 * @param {unknown} cars
 * @returns {Promise<{ source?: Source, cars?: Source }>}
 */
export async function readScene(buildings, cars) {
  if (buildings == null && cars != null) throw refusal('cars are given without buildings: give both, or neither for the last scene', CARS);
  if (buildings == null) return {};
  const [source, read] = await Promise.all([readSource(buildings, BUILDINGS), cars == null ? undefined : readSource(cars, CARS)]);
  return { source, cars: read };
}

/** How TIFF and BigTIFF begin, in either byte order. */
const TIFF = ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'];

/**
 * Whether a file is a TIFF image, by its first bytes.
 * @param {Source | undefined} source
 * @returns {source is Uint8Array}
 */
export const isTiff = (source) => source instanceof Uint8Array && TIFF.includes(String.fromCharCode(...source.subarray(0, 4)));

/**
 * @param {unknown} given
 * @param {typeof BUILDINGS | typeof CARS} part of the request
 * @returns {Promise<Source>}
 */
async function readSource(given, part) {
  if (typeof given === 'string') return given;
  // Copies: the caller may use the memory for something else.
  if (ArrayBuffer.isView(given)) return new Uint8Array(given.buffer, given.byteOffset, given.byteLength).slice();
  if (given instanceof ArrayBuffer) return new Uint8Array(given.slice(0));
  if (given instanceof Blob) return readBlob(given, part);
  if (typeof given !== 'object' || given === null) {
    throw refusal(`${part.field} is a ${typeof given}, expected GeoJSON as text or an object, or the bytes of a file`, part);
  }
  try {
    const text = JSON.stringify(given);
    // An object's own toJSON may give nothing.
    if (typeof text === 'string') return text;
  } catch (error) {
    throw refusal(`the ${part.field} cannot be written as JSON: ${messageOf(error)}`, part);
  }
  throw refusal(`the ${part.field} cannot be written as JSON`, part);
}

/**
 * Bytes of blobs that were read: a blob never changes, and a map that follows a transmitter is asked for many times a second.
 * @type {WeakMap<Blob, Uint8Array>}
 */
const read = new WeakMap();

/**
 * @param {Blob} blob
 * @param {typeof BUILDINGS | typeof CARS | typeof MEASUREMENTS} part of the request
 */
async function readBlob(blob, part) {
  const known = read.get(blob);
  if (known) return known;
  try {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    read.set(blob, bytes);
    return bytes;
  } catch (error) {
    // A file that was moved or changed since it was chosen.
    throw refusal(`the file cannot be read: ${messageOf(error)}; choose it again`, part);
  }
}

/**
 * A table of measurements as text; lists of them are passed on.
 * @param {unknown} measurements
 */
export async function readTable(measurements) {
  const bytes = measurements instanceof Blob ? await readBlob(measurements, MEASUREMENTS) : measurements;
  if (!ArrayBuffer.isView(bytes) && !(bytes instanceof ArrayBuffer)) return bytes;
  const [first, second] = ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes);
  // Spreadsheets write UTF-16 as "Unicode text".
  const encoding = first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}

/**
 * @param {string} message
 * @param {typeof BUILDINGS | typeof CARS | typeof MEASUREMENTS} part
 */
const refusal = (message, part) => new RadioError({ message, ...part });

/**
 * The sides of bounds as a plain object. What is no object is passed on, for the worker to refuse.
 * @param {unknown} bounds
 */
export function plainBounds(bounds) {
  if (typeof bounds !== 'object' || bounds === null) return bounds;
  const given = /** @type {Record<string, unknown>} */ (bounds);
  return Object.fromEntries(SIDES.map((side) => [side, given[side]]));
}

/**
 * Whether two requests are for the same scene.
 * @param {SceneRequest | null} a
 * @param {SceneRequest} b
 */
export function sameScene(a, b) {
  return a !== null && sameSource(a.source, b.source) && sameSource(a.cars, b.cars) && sameBounds(a.bounds, b.bounds)
    && NUMBERS.every((name) => Object.is(a[name] ?? undefined, b[name] ?? undefined));
}

/**
 * @param {Source | undefined} a
 * @param {Source | undefined} b
 */
export function sameSource(a, b) {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/**
 * @param {unknown} a
 * @param {unknown} b
 */
function sameBounds(a, b) {
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return Object.is(a ?? undefined, b ?? undefined);
  const [first, second] = [a, b].map((bounds) => /** @type {Record<string, unknown>} */ (bounds));
  return SIDES.every((side) => Object.is(first[side], second[side]));
}
