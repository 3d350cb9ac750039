// A plan: what a planner decides. Plain data that is never changed in place, so that undo is a list of plans and a link is one plan as
// text. The scene says which buildings; everything else has a default. What comes from a link or a file is brought into shape here.

import { carsOf } from './cars.js';

/** Fields of a transmitter with their defaults and ranges; the engine's own are those of index.d.ts. */
export const FIELDS = {
  heightM: { initial: 1.5, min: 0.5, max: 200 },
  powerDbm: { initial: 23, min: -30, max: 80 },
  frequencyMHz: { initial: 5900, min: 500, max: 100_000 },
  gainDbi: { initial: 0, min: -20, max: 40 },
  azimuthDeg: { initial: 90, min: 0, max: 359 },
  downtiltDeg: { initial: 0, min: -90, max: 90 },
  beamwidthDeg: { initial: 65, min: 5, max: 180 },
};

/** Ranges of a place. */
export const DEGREES = { lng: { min: -180, max: 180 }, lat: { min: -85, max: 85 } };

/** Fields of the receiver that all transmitters serve. */
export const RECEIVER_FIELDS = {
  heightM: { initial: 1.5, min: 0.5, max: 200 },
  gainDbi: { initial: 0, min: -20, max: 40 },
  bandwidthMHz: { initial: 20, min: 0.001, max: 1000 },
  noiseFigureDb: { initial: 7, min: 0, max: 30 },
};

export const ANTENNAS = ['omni', 'sector', 'pattern'];
/** Gain of a sector as 3GPP TR 38.901, table 7.3-1, has it. */
export const SECTOR_GAIN_DBI = 8;
const FRONT_TO_BACK_DB = 30;

export const THRESHOLD_DBM = { initial: -110, min: -140, max: -30 };
/** More transmitters than this do not follow a finger on any machine. */
export const MOST_TRANSMITTERS = 32;
const LONGEST_NAME = 40;
/** More measured places than this take minutes to fit. */
export const MOST_PLACES = 5000;

const defaults = (fields) => Object.fromEntries(Object.entries(fields).map(([name, { initial }]) => [name, initial]));

/** A transmitter at a place, with the first free number as its name. */
export function newTransmitter({ lng, lat }, others = []) {
  const taken = new Set(others.map(({ name }) => name));
  let number = 1;
  while (taken.has(`Site ${number}`)) number += 1;
  return { id: freeId(others), name: `Site ${number}`, lng, lat, antenna: 'omni', active: true, ...defaults(FIELDS) };
}

/** A copy of a transmitter, at another place, with a name of its own. */
export function copyOf(transmitter, { lng, lat }, others) {
  const { id, name } = newTransmitter({ lng, lat }, others);
  return { ...transmitter, id, name, lng, lat };
}

/** Ids stay with their transmitter, so that undo, markers and the selection mean the same one. */
function freeId(others) {
  return 1 + Math.max(0, ...others.map(({ id }) => id));
}

export function newPlan(at) {
  return { transmitters: at ? [newTransmitter(at)] : [], receiver: defaults(RECEIVER_FIELDS), thresholdDbm: THRESHOLD_DBM.initial };
}

/** Whether a place lies on a map; on none without its bounds. */
export const isOn = (bounds, { lng, lat }) => bounds !== undefined && lng > bounds.west && lng < bounds.east && lat > bounds.south && lat < bounds.north;

/** The middle of a map. */
export const middleOf = ({ west, south, east, north }) => ({ lng: (west + east) / 2, lat: (south + north) / 2 });

/** The transmitters that a map is drawn of: those that are on and stand on it. */
export const drawnOf = ({ transmitters }, bounds) => transmitters.filter((transmitter) => transmitter.active && isOn(bounds, transmitter));

/** A transmitter as the package's requests have it. */
export function requestOf(transmitter) {
  const { lng, lat, heightM, powerDbm, frequencyMHz, gainDbi } = transmitter;
  const antenna = antennaOf(transmitter);
  return { lng, lat, heightM, powerDbm, frequencyMHz, antennaGainDbi: gainDbi, ...(antenna && { antenna }) };
}

/** In CloudRF's words; undefined where it radiates equally all around. A pattern brings its own gain. */
function antennaOf({ antenna, pattern, gainDbi, azimuthDeg, downtiltDeg, beamwidthDeg }) {
  const pointing = { azi: azimuthDeg, tlt: downtiltDeg };
  if (antenna === 'sector') return { txg: gainDbi, ...pointing, hbw: beamwidthDeg, vbw: beamwidthDeg, fbr: FRONT_TO_BACK_DB };
  if (antenna === 'pattern' && pattern) return { ...pattern.antenna, ...pointing };
  return undefined;
}

/** Those transmitters as the package's requests have them. */
export const requested = (plan, bounds) => drawnOf(plan, bounds).map(requestOf);

/** A number within its range; what is no number has the default. */
export function within({ initial, min, max }, value) {
  const number = typeof value === 'string' && value.trim() === '' ? NaN : Number(value ?? NaN);
  return Number.isFinite(number) ? Math.min(max, Math.max(min, number)) : initial;
}

const shaped = (fields, found) => Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, within(field, found?.[name])]));

const isObject = (found) => typeof found === 'object' && found !== null && !Array.isArray(found);

/** A name as the page keeps it; undefined where there is none. */
export const nameOf = (found) => (typeof found === 'string' && found.trim() ? found.trim().slice(0, LONGEST_NAME) : undefined);

/**
 * Places as a plan keeps them: all of them, or MOST_PLACES that are spread evenly over the list, and then `placesMeasured`, how many there
 * were. The list runs over the map in strips, so that they are spread over the ground too.
 */
export function keptPlaces(places, placesMeasured = places.length) {
  const step = Math.max(1, places.length / MOST_PLACES);
  const kept = step === 1 ? places : Array.from({ length: MOST_PLACES }, (_, i) => places[Math.floor((i + 0.5) * step)]);
  return { places: kept, ...(placesMeasured > kept.length && { placesMeasured }) };
}

/**
 * What was measured of a cell: the table's name, the transmitter's name, the cell as it was requested, how many readings there were, and
 * [longitude, latitude, dBm] of each place, as `keptPlaces` has them. Undefined where it cannot be fitted to.
 */
function measuredOf(found) {
  const places = Array.isArray(found?.places) ? found.places.map((place) => (Array.isArray(place) ? place.slice(0, 3).map(Number) : [])) : [];
  const { lng, lat } = found?.cell ?? {};
  if (!places.length || !places.every((place) => place.length === 3 && place.every(Number.isFinite)) || !Number.isFinite(lng) || !Number.isFinite(lat)) return undefined;
  const atLeast = (least, number) => Math.max(least, Math.round(Number(number) || 0));
  const kept = keptPlaces(places, atLeast(places.length, found.placesMeasured));
  return { table: nameOf(found.table) ?? 'measurements', name: nameOf(found.name) ?? 'the transmitter', cell: found.cell, readings: atLeast(places.length, found.readings), ...kept };
}

/**
 * A plan out of anything that was parsed: unknown fields are dropped, wrong ones have their default.
 * @throws where there is no list of transmitters with places
 */
export function planOf(found) {
  if (!Array.isArray(found?.transmitters)) throw new Error('it has no list of transmitters');
  const transmitters = [];
  for (const given of found.transmitters.slice(0, MOST_TRANSMITTERS)) {
    const [lng, lat] = [given?.lng, given?.lat].map(Number);
    if (!(Math.abs(lng) <= DEGREES.lng.max && Math.abs(lat) <= DEGREES.lat.max)) throw new Error(`transmitter ${transmitters.length + 1} has no longitude and latitude`);
    const { id, name } = newTransmitter({ lng, lat }, transmitters);
    transmitters.push({
      id,
      name: nameOf(given.name) ?? name,
      lng,
      lat,
      antenna: ANTENNAS.includes(given.antenna) ? given.antenna : 'omni',
      ...(isObject(given.pattern?.antenna) && { pattern: { name: nameOf(given.pattern.name) ?? 'pattern', antenna: given.pattern.antenna } }),
      active: given.active !== false,
      ...shaped(FIELDS, given),
    });
  }
  const [measured, cars] = [measuredOf(found.measured), carsOf(found.cars)];
  return { transmitters, receiver: shaped(RECEIVER_FIELDS, found.receiver), thresholdDbm: within(THRESHOLD_DBM, found.thresholdDbm), ...(measured && { measured }), ...(cars && { cars }) };
}
