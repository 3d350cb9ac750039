// Numbers as the page shows them.

const SQUARE_METERS_PER_HECTARE = 10_000;
const SQUARE_METERS_PER_KM2 = 1_000_000;
/** Of latitude, on a sphere. */
const DEGREE_M = 111_320;

/** Decibels with their sign. */
export const signedDb = (db) => `${db > 0 ? '+' : ''}${db.toFixed(1)} dB`;

export const percent = (share) => `${(100 * share).toFixed(1)} %`;

export const area = (m2) => (m2 < SQUARE_METERS_PER_KM2 ? `${(m2 / SQUARE_METERS_PER_HECTARE).toFixed(2)} ha` : `${(m2 / SQUARE_METERS_PER_KM2).toFixed(2)} km²`);

export const distance = (meters) => (meters < 1000 ? `${meters.toFixed(0)} m` : `${(meters / 1000).toFixed(2)} km`);

/** Metres between two places near each other. */
export function metersBetween(a, b) {
  return Math.hypot((a.lng - b.lng) * Math.cos((a.lat * Math.PI) / 180), a.lat - b.lat) * DEGREE_M;
}

/** A place so many metres east and north of another. */
export function moved({ lng, lat }, eastM, northM) {
  return { lng: lng + eastM / (DEGREE_M * Math.cos((lat * Math.PI) / 180)), lat: lat + northM / DEGREE_M };
}
