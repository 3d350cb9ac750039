// Checks that hold for any radio map of a city: values outdoors, none in buildings, and far less power far away.

const NEAR_M = 20;
const FAR_M = 100;
const LEAST_DROP_DB = 10;
// A pixel that a wall crosses may count either way.
const LEAST_AGREEMENT = 0.95;
const METERS_PER_DEGREE = 111_320;

/** The reasons why the map cannot be right; empty when it can. */
export function faults({ request, values, width, height }) {
  if (values.length !== width * height) return [`${values.length} values do not fill ${width} x ${height} pixels`];
  const { west, south, east, north } = request.bounds;
  const { lng, lat } = request.transmitters[0];
  const eastM = METERS_PER_DEGREE * Math.cos((lat * Math.PI) / 180);
  const polygons = request.buildings.features.flatMap(({ geometry }) =>
    geometry.type === 'MultiPolygon' ? geometry.coordinates : [geometry.coordinates],
  );
  const covered = coverage(polygons, request.bounds, width, height);

  const near = [];
  const far = [];
  const agreement = { indoors: [0, 0], outdoors: [0, 0] };
  let infinite = 0;
  values.forEach((value, index) => {
    if (value === Infinity || value === -Infinity) infinite += 1;
    const place = covered[index] ? agreement.indoors : agreement.outdoors;
    place[0] += Number.isNaN(value) === Boolean(covered[index]);
    place[1] += 1;
    const x = west + (((index % width) + 0.5) / width) * (east - west);
    const y = north - ((Math.floor(index / width) + 0.5) / height) * (north - south);
    const distance = Math.hypot((x - lng) * eastM, (y - lat) * METERS_PER_DEGREE);
    if (Number.isFinite(value)) (distance < NEAR_M ? near : distance > FAR_M ? far : []).push(value);
  });

  const found = [];
  if (infinite) found.push(`${infinite} values are infinite`);
  for (const [place, [agreeing, all]] of Object.entries(agreement)) {
    if (!all) found.push(`no pixel is ${place}`);
    else if (agreeing < LEAST_AGREEMENT * all) {
      found.push(`of ${all} pixels ${place} only ${agreeing} ${place === 'indoors' ? 'have no value' : 'have a value'}`);
    }
  }
  if (!near.length || !far.length) found.push(`${near.length} values nearer than ${NEAR_M} m and ${far.length} beyond ${FAR_M} m: too few to compare`);
  else if (mean(near) - mean(far) < LEAST_DROP_DB) {
    found.push(`${mean(near).toFixed(1)} dBm near the transmitter and ${mean(far).toFixed(1)} dBm far away: less than ${LEAST_DROP_DB} dB apart`);
  }
  return found;
}

/** 1 for each pixel whose centre lies in a polygon, by the even-odd rule over its rings. */
function coverage(polygons, { west, south, east, north }, width, height) {
  const covered = new Uint8Array(width * height);
  const column = (lng) => ((lng - west) / (east - west)) * width - 0.5;
  const row = (lat) => ((north - lat) / (north - south)) * height - 0.5;
  for (const rings of polygons) {
    const points = rings.map((ring) => ring.map(([lng, lat]) => [column(lng), row(lat)]));
    const rows = points[0].map(([, y]) => y);
    for (let y = Math.max(0, Math.ceil(Math.min(...rows))); y <= Math.min(height - 1, Math.max(...rows)); y += 1) {
      const crossings = points.flatMap((ring) => ring.flatMap(([x1, y1], i) => {
        const [x2, y2] = ring[(i + 1) % ring.length];
        return y1 > y !== y2 > y ? [x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)] : [];
      }));
      crossings.sort((a, b) => a - b);
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        for (let x = Math.max(0, Math.ceil(crossings[i])); x <= Math.min(width - 1, crossings[i + 1]); x += 1) covered[y * width + x] = 1;
      }
    }
  }
  return covered;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The share of outdoor pixels on which two maps differ by at most `withinDb`; a value on one side only is a difference. */
export function agreement(a, b, withinDb) {
  let [agreeing, outdoors] = [0, 0];
  a.forEach((value, i) => {
    if (Number.isNaN(value) && Number.isNaN(b[i])) return;
    outdoors += 1;
    agreeing += Math.abs(value - b[i]) <= withinDb;
  });
  return a.length === b.length && outdoors ? agreeing / outdoors : 0;
}
