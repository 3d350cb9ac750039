// The files that the shown layer and the plan are saved as. Maps are written by the package; a plan is JSON that this page opens again.

import { picture } from '../layers/shown.js';
import { planText } from '../plan/link.js';

/** Contours in the menu's file are this far apart, in the layer's unit. */
const CONTOUR_STEP = 10;

/** How the page shows the layer, without what only a screen has. */
function colours() {
  const { palette, min, max, threshold } = picture().options;
  return { min, max, threshold, ...(palette && { palette }) };
}

/** From the ends of the legend's scale, of power from the threshold. */
function levels({ quantity }) {
  if (quantity === 'best-server') throw new Error('the numbers of transmitters are no levels, so choose another layer');
  const { min, max, threshold } = picture().options;
  const from = threshold ?? min;
  return Array.from({ length: Math.floor((max - from) / CONTOUR_STEP) + 1 }, (_, i) => from + i * CONTOUR_STEP);
}

/**
 * In the menu's order. `write` gives the files' endings, types and contents; it is called with `{ map, name, saved }`: the shown layer's
 * map, the files' name, and what a plan holds. All but the plan need a map.
 */
export const FORMATS = {
  plan: { name: 'Plan', says: 'opens here again, with its buildings', write: async ({ saved }) => [['plan.json', 'application/json', planText(saved)]] },
  png: {
    name: 'Image',
    says: 'PNG with a world file',
    write: async ({ map }) => [['png', 'image/png', await map.toPNG(colours())], ['pgw', 'text/plain', await map.toWorldFile()]],
  },
  tif: { name: 'GeoTIFF', says: 'float32 values for GIS, EPSG:4326', write: async ({ map }) => [['tif', 'image/tiff', await map.toGeoTIFF()]] },
  kmz: {
    name: 'KMZ',
    says: 'image and transmitters for Google Earth',
    write: async ({ map, name }) => [['kmz', 'application/vnd.google-earth.kmz', await map.toKMZ({ ...colours(), title: name })]],
  },
  contours: {
    name: 'Contours',
    says: 'GeoJSON areas, a level every 10 dB',
    write: async ({ map }) => [['contours.geojson', 'application/geo+json', JSON.stringify(await map.toContours(levels(map)))]],
  },
  csv: { name: 'Table', says: 'CSV, a line for each place', write: async ({ map }) => [['csv', 'text/csv', await map.toCSV()]] },
  npy: { name: 'NumPy array', says: 'float32, row 0 in the north', write: async ({ map }) => [['npy', 'application/octet-stream', await map.toNpy()]] },
};
