// A GeoTIFF of heights, as a laser scan gives: written byte by byte, because no program of these tests writes one.

const [SHORT, LONG, DOUBLE] = [3, 4, 12];
const BYTES = { [SHORT]: 2, [LONG]: 4, [DOUBLE]: 8 };

/**
 * `height(column, row)` in metres above the ground; `west` and `north` are the corner and `pixel` the sides of a pixel, degrees; `system` is an
 * EPSG code, geographic unless `projected`; `big` is for BigTIFF, whose counts and places have 64 bits.
 */
export function geotiff({ width, rows, west, north, pixel: [x, y], height, system = 4326, projected = false, big = false }) {
  const keys = [1, 1, 0, 3, 1024, 0, 1, projected ? 1 : 2, 1025, 0, 1, 1, projected ? 3072 : 2048, 0, 1, system];
  const tags = [
    [256, SHORT, [width]], [257, SHORT, [rows]], [258, SHORT, [32]], [259, SHORT, [1]], [262, SHORT, [1]],
    // Where the pixels begin, known once the tags have their places.
    [273, LONG, [0]], [277, SHORT, [1]], [278, SHORT, [rows]], [279, LONG, [4 * width * rows]], [339, SHORT, [3]],
    [33550, DOUBLE, [x, y, 0]], [33922, DOUBLE, [0, 0, 0, west, north, 0]], [34735, SHORT, keys],
  ];
  const sizeOf = ([, type, values]) => BYTES[type] * values.length;
  const [directory, countBytes, entryBytes, wordBytes] = big ? [16, 8, 20, 8] : [8, 2, 12, 4];
  const long = tags.filter((tag) => sizeOf(tag) > wordBytes);
  let end = directory + countBytes + entryBytes * tags.length + wordBytes;
  const places = new Map(long.map((tag) => [tag, (end += sizeOf(tag)) - sizeOf(tag)]));
  tags.find(([name]) => name === 273)[2] = [end];
  const view = new DataView(new ArrayBuffer(end + 4 * width * rows));
  const put = { [SHORT]: (at, value) => view.setUint16(at, value, true), [LONG]: (at, value) => view.setUint32(at, value, true), [DOUBLE]: (at, value) => view.setFloat64(at, value, true) };
  new Uint8Array(view.buffer).set(big ? [0x49, 0x49, 43, 0, 8, 0, 0, 0, directory] : [0x49, 0x49, 42, 0, directory]);
  view.setUint16(directory, tags.length, true);
  tags.forEach((tag, i) => {
    const [name, type, values] = tag;
    const at = directory + countBytes + entryBytes * i;
    const value = at + 4 + wordBytes;
    view.setUint16(at, name, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, values.length, true);
    const place = places.get(tag);
    if (place) view.setUint32(value, place, true);
    values.forEach((number, k) => put[type]((place ?? value) + BYTES[type] * k, number));
  });
  for (let i = 0; i < width * rows; i += 1) view.setFloat32(end + 4 * i, height(i % width, Math.floor(i / width)), true);
  return new Uint8Array(view.buffer);
}

/** Two houses of 9 and 6 m among grass, near Munich; pixels of a metre. */
export const HEIGHTS = {
  width: 100, rows: 80, height: (column, row) => (row >= 20 && row < 50 ? (column >= 15 && column < 40 ? 9.1 : column >= 60 && column < 85 ? 6.2 : 0.2) : 0.1),
  west: 11.57, north: 48.14, pixel: [1.345e-5, 8.983e-6],
};
