// Numbers as the page shows them.

const SQUARE_METERS_PER_HECTARE = 10_000;
const SQUARE_METERS_PER_KM2 = 1_000_000;

/** Decibels with their sign. */
export const signedDb = (db) => `${db > 0 ? '+' : ''}${db.toFixed(1)} dB`;

export const percent = (share) => `${(100 * share).toFixed(1)} %`;

export const area = (m2) => (m2 < SQUARE_METERS_PER_KM2 ? `${(m2 / SQUARE_METERS_PER_HECTARE).toFixed(2)} ha` : `${(m2 / SQUARE_METERS_PER_KM2).toFixed(2)} km²`);

export const distance = (meters) => (meters < 1000 ? `${meters.toFixed(0)} m` : `${(meters / 1000).toFixed(2)} km`);

/** Metres of a degree of longitude and of latitude on WGS84's ellipsoid, as a series of the latitude. */
function degreesM(lat) {
  const cos = (times) => Math.cos((times * lat * Math.PI) / 180);
  return { lng: 111_412.84 * cos(1) - 93.5 * cos(3) + 0.118 * cos(5), lat: 111_132.954 - 559.822 * cos(2) + 1.175 * cos(4) };
}

/** Metres between two places near each other. */
export function metersBetween(a, b) {
  const degree = degreesM(a.lat);
  return Math.hypot((a.lng - b.lng) * degree.lng, (a.lat - b.lat) * degree.lat);
}

/** A place so many metres east and north of another. */
export function moved({ lng, lat }, eastM, northM) {
  const degree = degreesM(lat);
  return { lng: lng + eastM / degree.lng, lat: lat + northM / degree.lat };
}

/** The bounds of a square whose side is in metres. */
export function squareAround(middle, sideM) {
  const [{ lng: west, lat: south }, { lng: east, lat: north }] = [moved(middle, -sideM / 2, -sideM / 2), moved(middle, sideM / 2, sideM / 2)];
  return { west, south, east, north };
}
