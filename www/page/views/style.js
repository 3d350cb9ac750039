// MapLibre styles: the page's own, which fetches nothing, and those around tiles or a style that the planner named.

const GROUND = { light: '#e9edf1', dark: '#101419' };
const BUILDINGS = {
  light: { roof: '#b9c2cc', outline: '#8b96a3', edge: '#7d8896' },
  dark: { roof: '#3d4855', outline: '#5b6775', edge: '#66727f' },
};
const CAR_HEIGHT_M = 1.5;

/** The page's own style, with tiles where an address of some is given. */
export function plainStyle(theme, tiles, attribution) {
  const style = { version: 8, light: { anchor: 'map', position: [1.5, 210, 40], intensity: 0.35 }, sources: {}, layers: [{ id: 'ground', type: 'background', paint: { 'background-color': GROUND[theme] } }] };
  if (!tiles) return style;
  style.sources.tiles = { type: 'raster', tiles: [tiles], tileSize: 256, maxzoom: 19, attribution };
  style.layers.push({ id: 'tiles', type: 'raster', source: 'tiles' });
  return style;
}

/** The style of the ground: `background` is '', or the address of tiles ({z}, {x}, {y}) or of a style, which is fetched. */
export async function groundStyle({ background, attribution, theme }) {
  if (!background || isTiles(background)) return plainStyle(theme, background, attribution);
  const answer = await fetch(background);
  if (!answer.ok) throw new Error(`${background} answers ${answer.status}`);
  const style = await answer.json().catch(() => undefined);
  if (style?.version !== 8 || !Array.isArray(style.layers)) throw new Error(`${background} is no MapLibre style`);
  return style;
}

const isTiles = (background) => ['{z}', '{x}', '{y}'].every((part) => background.includes(part));

/** The page's sources. Names of sources and layers are the page's own, since a style of the planner's may well have `buildings`. */
export const SOURCES = { edge: 'planner-edge', buildings: 'planner-buildings', cars: 'planner-cars', dots: 'planner-dots' };
/** Layers of the buildings; the radio map goes below the flat ones. */
export const BELOW = 'planner-buildings-flat';
export const EXTRUDED = 'planner-buildings-extruded';

/** The page's layers above the ground, lowest first; measured places are dots of a radius in pixels. */
export function sceneLayers(theme, tilted, dotRadius) {
  const { roof, outline, edge } = BUILDINGS[theme];
  const visible = (when) => ({ visibility: when ? 'visible' : 'none' });
  return [
    { id: SOURCES.edge, type: 'line', source: SOURCES.edge, paint: { 'line-color': edge, 'line-width': 1.5, 'line-dasharray': [3, 2] } },
    { id: BELOW, type: 'fill', source: SOURCES.buildings, layout: visible(!tilted), paint: { 'fill-color': roof, 'fill-outline-color': outline } },
    {
      id: EXTRUDED,
      type: 'fill-extrusion',
      source: SOURCES.buildings,
      layout: visible(tilted),
      paint: { 'fill-extrusion-color': roof, 'fill-extrusion-height': ['get', 'height'], 'fill-extrusion-vertical-gradient': true },
    },
    { id: SOURCES.cars, type: 'fill-extrusion', source: SOURCES.cars, paint: { 'fill-extrusion-color': outline, 'fill-extrusion-height': CAR_HEIGHT_M } },
    { id: SOURCES.dots, type: 'circle', source: SOURCES.dots, paint: { 'circle-radius': dotRadius, 'circle-color': ['get', 'color'], 'circle-stroke-color': '#000', 'circle-stroke-width': 0.75 } },
  ];
}

/** Places with a colour as GeoJSON. */
export const pointsOf = (places) => ({
  type: 'FeatureCollection',
  features: places.map(({ lng, lat, color }) => ({ type: 'Feature', properties: { color }, geometry: { type: 'Point', coordinates: [lng, lat] } })),
});

/** The edge of the map as GeoJSON. */
export const edgeOf = ({ west, south, east, north }) => ({
  type: 'Feature',
  properties: {},
  geometry: { type: 'LineString', coordinates: [[west, south], [east, south], [east, north], [west, north], [west, south]] },
});
