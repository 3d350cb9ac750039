// Web Mercator (EPSG:3857), in which map libraries draw. A map's rows are equally high in degrees; in Mercator, rows nearer to a pole
// are higher.

import { RadioError } from './errors.js';

/** @import { Bounds, Projection } from './index.js' */

/** Of EPSG:3857's sphere, metres. */
const RADIUS_M = 6_378_137;
const radians = (/** @type {number} */ degrees) => (degrees * Math.PI) / 180;

/** @param {number} lat degrees */
const mercatorY = (lat) => Math.asinh(Math.tan(radians(lat)));

/**
 * A place in EPSG:3857, metres.
 * @param {number} lng degrees
 * @param {number} lat degrees
 * @returns {[number, number]}
 */
export const toMercator = (lng, lat) => [RADIUS_M * radians(lng), RADIUS_M * mercatorY(lat)];

/**
 * For each row of an image in `projection`, from the north, the row of the map whose latitude its middle has.
 * @param {Projection} projection
 * @param {Bounds} bounds of both
 * @param {number} height rows of both
 */
export function rowsOf(projection, { south, north }, height) {
  const rows = Array.from({ length: height }, (_, row) => row);
  if (projection === 'equirectangular') return rows;
  if (projection !== 'mercator') {
    throw new RadioError({ code: 'projection', field: 'projection', message: `there is no projection ${projection}; the projections are equirectangular and mercator` });
  }
  const [top, bottom] = [mercatorY(north), mercatorY(south)];
  return rows.map((row) => {
    const lat = (Math.atan(Math.sinh(top + ((row + 0.5) / height) * (bottom - top))) * 180) / Math.PI;
    return Math.min(height - 1, Math.max(0, Math.floor(((north - lat) / (north - south)) * height)));
  });
}
