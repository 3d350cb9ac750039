// The parked cars of a plan: { name, outlines }, each outline a ring of [longitude, latitude]. Their size is what tells a file of cars
// from one of buildings.

import { metersBetween } from '../units.js';

/** Between the two farthest corners of the longest car, and the ground of the largest; the package leaves out what is longer or larger. */
const LONGEST_CAR_M = 6;
const LARGEST_CAR_M2 = 16;
/** Digits of what a plan keeps of degrees: centimetres. */
const DIGITS = 7;

/** Outer rings of polygons in a text that may begin and end anywhere: the first of each geometry. */
const RINGS = /"coordinates"\s*:\s*\[(?:\s*\[)?\s*(\[\s*\[[^[\]]*\](?:\s*,\s*\[[^[\]]*\])*\s*\])/g;
/** A file is looked into at so many places, and so much of it is read there. */
const PIECES = 8;
const PIECE_BYTES = 1 << 16;
/** A file that shows no polygon, or other things in a whole piece, is parsed up to this size: the page waits meanwhile. */
const MOST_UNKNOWN_BYTES = 4 << 20;

/**
 * Whether a file of GeoJSON may be one of cars, by pieces spread over it alone: a city of buildings need not be parsed, also where it begins
 * with sheds.
 */
export async function mayHoldCars(file) {
  let [shown, isMixed] = [false, false];
  for (let piece = 0; piece < PIECES; piece += 1) {
    const start = Math.max(piece * PIECE_BYTES, Math.floor((piece * file.size) / PIECES));
    const text = await file.slice(start, start + PIECE_BYTES).text();
    const outlines = [...text.matchAll(RINGS)].map(([, ring]) => outlineOf(JSON.parse(ring))).filter(Boolean);
    if (!outlines.every(isSmall)) return false;
    if (outlines.length) shown = true;
    else if (text.includes('"coordinates"')) isMixed = true;
  }
  return (shown && !isMixed) || file.size <= MOST_UNKNOWN_BYTES;
}

/** The cars of parsed GeoJSON; undefined where it has no polygon, or one that is larger than a car or tagged as a building. */
export function carsIn(geojson, name) {
  const outlines = [];
  for (const ring of rings(geojson)) {
    const outline = outlineOf(ring);
    if (!outline || !isSmall(outline)) return undefined;
    outlines.push(outline.map((corner) => corner.map((degrees) => Number(degrees.toFixed(DIGITS)))));
  }
  return outlines.length ? { name, outlines } : undefined;
}

/** The outer rings of GeoJSON's polygons, wherever they are in it; undefined in place of a building. */
function* rings(found) {
  if (Array.isArray(found)) {
    for (const part of found) yield* rings(part);
    return;
  }
  const { type, properties, coordinates, features, geometry, geometries } = found ?? {};
  if (properties?.building) yield undefined;
  else if (type === 'Polygon') yield coordinates?.[0];
  else if (type === 'MultiPolygon') for (const polygon of coordinates ?? []) yield polygon?.[0];
  else yield* rings([features, geometries, geometry].filter(Boolean));
}

/** A ring as pairs of numbers; undefined where it is none. */
function outlineOf(ring) {
  const outline = Array.isArray(ring) ? ring.map((corner) => (Array.isArray(corner) ? corner.slice(0, 2).map(Number) : [])) : [];
  return outline.length > 2 && outline.every((corner) => corner.length === 2 && corner.every(Number.isFinite)) ? outline : undefined;
}

/** The ground within a small ring, by the triangles that its sides make with its first corner. */
function groundM2(corners) {
  const [first] = corners;
  const east = ({ lng }) => Math.sign(lng - first.lng) * metersBetween(first, { lng, lat: first.lat });
  const north = ({ lat }) => Math.sign(lat - first.lat) * metersBetween(first, { lng: first.lng, lat });
  const twice = corners.reduce((sum, corner, i) => {
    const next = corners[(i + 1) % corners.length];
    return sum + east(corner) * north(next) - east(next) * north(corner);
  }, 0);
  return Math.abs(twice) / 2;
}

function isSmall(outline) {
  const corners = outline.map(([lng, lat]) => ({ lng, lat }));
  return corners.every((a) => corners.every((b) => metersBetween(a, b) <= LONGEST_CAR_M)) && groundM2(corners) <= LARGEST_CAR_M2;
}

/** Cars out of anything that was parsed; undefined where there are none. */
export function carsOf(found) {
  const outlines = Array.isArray(found?.outlines) ? found.outlines.map(outlineOf) : [];
  const isSound = outlines.length > 0 && outlines.every(Boolean) && typeof found.name === 'string';
  return isSound ? { name: found.name, outlines } : undefined;
}

/** Cars as GeoJSON, to be drawn; none without a plan's cars. */
export function collectionOf(cars) {
  const feature = (outline) => ({ type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [outline] } });
  return { type: 'FeatureCollection', features: (cars?.outlines ?? []).map(feature) };
}

const texts = new WeakMap();

/** Cars as the text that the package takes, the same one as long as the cars are the same; undefined without cars. */
export function textOf(cars) {
  if (cars && !texts.has(cars)) texts.set(cars, JSON.stringify(collectionOf(cars)));
  return cars && texts.get(cars);
}
