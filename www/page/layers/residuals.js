// The measured places on the map, as dots: how far each measurement is from what the calibrated map says that was not given its block of
// ground. What the map was given it fits, so that the plain difference would flatter it.

import { divergingPaletteNames, palette } from '../../index.js';
import { calibration, state } from '../state.js';
import { metersBetween, signedDb } from '../units.js';

/** Residuals beyond have the last colours, dB. */
const MOST_DB = 15;
/** A dot is read from this far away, metres. */
const REACH_M = 4;
const UNKNOWN = 'rgb(128 128 128)';

/** The dots of a calibration, made once. */
const known = new WeakMap();
const NONE = [];

/** [{ lng, lat, color }] of what is shown; the same list until something else is. */
export function dots() {
  const fitted = calibration();
  if (!fitted || !state.dots) return NONE;
  if (!known.has(fitted)) known.set(fitted, fitted.places.map(({ lng, lat, ...place }) => ({ lng, lat, color: colorOf(residual(place)) })));
  return known.get(fitted);
}

const residual = ({ powerDbm, predictedDbm }) => (predictedDbm == null ? undefined : powerDbm - predictedDbm);

function colorOf(db) {
  if (db === undefined) return UNKNOWN;
  const share = Math.min(1, Math.max(0, (db / MOST_DB + 1) / 2));
  return `rgb(${palette(divergingPaletteNames[0])(share).map(Math.round).join(' ')})`;
}

/** A line about the measured place that lies at another; undefined where there is none or none is shown. */
export function measuredAt(place) {
  const fitted = calibration();
  if (!fitted || !state.dots) return undefined;
  const reach = Math.max(REACH_M, 1.5 * fitted.map.metersPerPixel);
  let nearest = { away: reach };
  for (const measured of fitted.places) {
    const away = metersBetween(measured, place);
    if (away < nearest.away) nearest = { away, measured };
  }
  if (!nearest.measured) return undefined;
  const db = residual(nearest.measured);
  const power = `measured ${nearest.measured.powerDbm.toFixed(1)} dBm`;
  return db === undefined ? power : `${power}, ${signedDb(db)} from what other blocks predict`;
}
