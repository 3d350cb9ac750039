// What the adapters for map libraries share: how a map looks as an overlay, and its picture on a canvas. An adapter is handed the
// library's own objects, so that the package depends on none of the libraries.

/** @import { OverlayOptions } from '../overlay.js' */
/** @import { Bounds, RadioMap } from '../index.js' */

const DEFAULTS = { opacity: 0.75, smooth: false };
/** @type {Record<RadioMap['quantity'], { min: number, max: number }>} */
const SCALES = {
  'received-power-dbm': { min: -120, max: -40 },
  'path-loss-db': { min: 40, max: 140 },
  'snr-db': { min: -10, max: 40 },
  'sinr-db': { min: -10, max: 40 },
  'best-server': { min: 1, max: 8 },
  'standard-deviation-db': { min: 0, max: 10 },
  probability: { min: 0, max: 1 },
  'difference-db': { min: -20, max: 20 },
};

/**
 * The options, with defaults for what they leave out.
 * @param {RadioMap} radioMap
 * @param {OverlayOptions} options
 */
export function lookOf(radioMap, options) {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return /** @type {OverlayOptions & typeof DEFAULTS & { min: number, max: number }} */ ({ ...DEFAULTS, ...SCALES[radioMap.quantity], ...given });
}

/**
 * The picture that a map library stretches over the map's corners.
 * @param {RadioMap} radioMap
 * @param {OverlayOptions} options
 */
export function pictureOf(radioMap, options) {
  const { palette, min, max, threshold } = lookOf(radioMap, options);
  return radioMap.toImage({ ...(palette === undefined ? {} : { palette }), min, max, threshold, projection: 'mercator' });
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {RadioMap} radioMap
 * @param {OverlayOptions} options
 */
export function paint(canvas, radioMap, options) {
  const picture = pictureOf(radioMap, options);
  if (canvas.width !== picture.width || canvas.height !== picture.height) Object.assign(canvas, { width: picture.width, height: picture.height });
  canvas.getContext('2d')?.putImageData(picture, 0, 0);
}

/**
 * North-west, north-east, south-east, south-west; degrees.
 * @param {Bounds} bounds
 * @returns {[[number, number], [number, number], [number, number], [number, number]]}
 */
export const cornersOf = ({ west, south, east, north }) => [[west, north], [east, north], [east, south], [west, south]];
