// The files that the shown layer and the plan are saved as. Maps are written by the package; a plan is JSON that this page opens again.

import { shownLayer } from '../layers/model.js';
import { picture } from '../layers/shown.js';
import { planText } from '../plan/link.js';
import { reportFacts } from './facts.js';

/** Contours in the menu's file are this far apart, in the layer's unit, unless the layer has a step of its own. */
const CONTOUR_STEP = 10;

/** The map as the page shows it, with its colours but without what only a screen has. */
function shown() {
  const { map, options: { palette, min, max, threshold } } = picture();
  return { map, look: { min, max, threshold, ...(palette && { palette }) } };
}

/** From the ends of the legend's scale, of power from the threshold. */
function levels({ min, max, threshold = min }) {
  const { contourStep = CONTOUR_STEP } = shownLayer();
  // A hundredth of a step more, for what rounding takes.
  return Array.from({ length: Math.floor((max - threshold) / contourStep + 0.01) + 1 }, (_, i) => threshold + i * contourStep);
}

/** Of what is shown: places without a colour are in no area. */
function contours() {
  const { map, look } = shown();
  if (map.quantity === 'best-server') throw new Error('the numbers of transmitters are no levels, so choose another layer');
  return map.toContours(levels(look));
}

/**
 * In the menu's order. `write` gives the files' endings, types and contents; it is called with `{ map, name, saved, link }`: the shown
 * layer's map, the files' name, what gives what a plan holds, and what gives its address. All but the plan need a map. Pictures and areas show what the page shows; values are
 * those of the whole layer.
 */
export const FORMATS = {
  plan: { name: 'Plan', says: 'opens here again, with its buildings', write: async ({ saved }) => [['plan.json', 'application/json', planText(await saved())]] },
  report: {
    name: 'Report',
    says: 'a page to print: map, figures, sources',
    write: async ({ link }) => {
      const [{ reportOf }, facts] = await Promise.all([import('./report.js'), reportFacts(link)]);
      return [['report.html', 'text/html', reportOf(facts)]];
    },
  },
  png: {
    name: 'Image',
    says: 'PNG with a world file',
    write: async ({ map }) => [['png', 'image/png', await shown().map.toPNG(shown().look)], ['pgw', 'text/plain', await map.toWorldFile()]],
  },
  tif: { name: 'GeoTIFF', says: 'float32 values for GIS, EPSG:4326', write: async ({ map }) => [['tif', 'image/tiff', await map.toGeoTIFF()]] },
  kmz: {
    name: 'KMZ',
    says: 'image and transmitters for Google Earth',
    write: async ({ name }) => [['kmz', 'application/vnd.google-earth.kmz', await shown().map.toKMZ({ ...shown().look, title: name })]],
  },
  contours: {
    name: 'Contours',
    says: 'GeoJSON areas, level by level',
    write: async () => [['contours.geojson', 'application/geo+json', JSON.stringify(await contours())]],
  },
  csv: { name: 'Table', says: 'CSV, a line for each place', write: async ({ map }) => [['csv', 'text/csv', await map.toCSV()]] },
  npy: { name: 'NumPy array', says: 'float32, row 0 in the north', write: async ({ map }) => [['npy', 'application/octet-stream', await map.toNpy()]] },
};
