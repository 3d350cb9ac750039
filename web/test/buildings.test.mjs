// Buildings and cars in every form that a page has them, brought into one that can be compared and sent to a worker.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { plainBounds, readScene, readTable, sameScene } from '../js/buildings.js';

const TEXT = '{"type":"FeatureCollection","features":[]}';
const BYTES = new TextEncoder().encode(TEXT);

const readBuildings = async (given) => (await readScene(given)).source;

test('text stays, an object is written as JSON', async () => {
  assert.equal(await readBuildings(TEXT), TEXT);
  assert.equal(await readBuildings(JSON.parse(TEXT)), TEXT);
});

test('a view, a buffer, a blob and a file give their bytes', async () => {
  const padded = new Uint8Array([0, ...BYTES, 0]).subarray(1, -1);
  for (const given of [BYTES, padded, new DataView(BYTES.buffer), BYTES.buffer, new Blob([TEXT]), new File([TEXT], 'site.osm.gz')]) {
    assert.deepEqual(await readBuildings(given), BYTES, given.constructor.name);
  }
});

test('bytes are copied: what the caller does with them later does not matter', async () => {
  const given = BYTES.slice();
  const [view, buffer] = [await readBuildings(given), await readBuildings(given.buffer)];
  given.fill(0);
  assert.deepEqual([view, buffer], [BYTES, BYTES]);
});

test('a blob is read once, however often a map is asked for', async () => {
  const blob = new Blob([TEXT]);
  let reads = 0;
  const arrayBuffer = blob.arrayBuffer.bind(blob);
  blob.arrayBuffer = () => {
    reads += 1;
    return arrayBuffer();
  };
  for (let i = 0; i < 3; i += 1) assert.deepEqual(await readBuildings(blob), BYTES);
  assert.equal(reads, 1);
});

test('what holds no buildings is refused by its field', async () => {
  const cyclic = {};
  cyclic.self = cyclic;
  for (const given of [3, false, Symbol('x'), () => {}, cyclic, { toJSON: () => undefined }]) {
    await assert.rejects(readBuildings(given), { name: 'RadioError', code: 'geojson', field: 'buildings' });
    await assert.rejects(readScene(TEXT, given), { name: 'RadioError', code: 'geojson', field: 'cars', message: /cars/ });
  }
});

test('cars come in the same forms, beside buildings alone', async () => {
  assert.deepEqual(await readScene(TEXT, JSON.parse(TEXT)), { source: TEXT, cars: TEXT });
  assert.deepEqual(await readScene(TEXT, new Blob([TEXT])), { source: TEXT, cars: BYTES });
  for (const none of [undefined, null]) {
    assert.equal((await readScene(TEXT, none)).cars, undefined);
    assert.deepEqual(await readScene(none, none), {});
    await assert.rejects(readScene(none, TEXT), { code: 'geojson', field: 'cars', message: /cars are given without buildings/ });
  }
});

test('a file that changed on the disk says to choose it again', async () => {
  const gone = Object.assign(new Blob([]), { arrayBuffer: () => Promise.reject(new Error('The file was modified')) });
  await assert.rejects(readBuildings(gone), { code: 'geojson', message: /modified.*choose it again/ });
  await assert.rejects(readTable(gone), { code: 'measurements', field: 'measurements', message: /modified.*choose it again/ });
});

test('a table of measurements is text in the end, and a list stays one', async () => {
  const table = 'lng,lat,rsrp_dbm\n9,50,-80\n';
  const bytes = new TextEncoder().encode(table);
  for (const given of [table, bytes, bytes.buffer, new DataView(bytes.buffer), new Blob([table])]) assert.equal(await readTable(given), table);
  // As spreadsheets save "Unicode text", and with the mark that Windows puts before UTF-8.
  const wide = new Uint8Array([0xff, 0xfe, ...new Uint8Array(Uint16Array.from(table, (letter) => letter.charCodeAt(0)).buffer)]);
  const swapped = wide.map((_, i) => wide[i ^ 1]);
  for (const given of [wide, wide.buffer, new Blob([wide]), swapped, new Uint8Array([0xef, 0xbb, 0xbf, ...bytes])]) assert.equal(await readTable(given), table);
  const list = [{ lng: 9, lat: 50, powerDbm: -80 }];
  assert.equal(await readTable(list), list);
});

test('scenes are the same by content and bounds', async () => {
  const bounds = { west: 1, south: 2, east: 3, north: 4 };
  const scene = (source, bounds) => ({ source, bounds: plainBounds(bounds) });
  const same = [
    [scene(TEXT), scene(TEXT, undefined)],
    [scene(TEXT), scene(TEXT, null)],
    [scene(TEXT, bounds), scene(TEXT, { ...bounds, name: 'here' })],
    [scene(BYTES, bounds), scene(BYTES.slice(), bounds)],
    [scene(TEXT, { west: NaN }), scene(TEXT, { west: NaN })],
    [{ ...scene(TEXT), cars: BYTES }, { ...scene(TEXT), cars: BYTES.slice() }],
  ];
  for (const [a, b] of same) assert.ok(sameScene(a, b));
  const mended = BYTES.slice();
  mended[5] ^= 1;
  const different = [
    [null, scene(TEXT)],
    [scene(TEXT), scene(`${TEXT} `)],
    [scene(TEXT), scene(BYTES)],
    [scene(BYTES), scene(mended)],
    [scene(TEXT), scene(TEXT, bounds)],
    [scene(TEXT), { ...scene(TEXT), cars: BYTES }],
    [{ ...scene(TEXT), cars: TEXT }, scene(TEXT)],
    [scene(TEXT, bounds), scene(TEXT, { ...bounds, north: 5 })],
    [scene(TEXT, bounds), { ...scene(TEXT, bounds), buildingHeightM: 9 }],
    [scene(TEXT, bounds), scene(TEXT, { ...bounds, north: '4' })],
  ];
  for (const [a, b] of different) assert.ok(!sameScene(a, b));
});

test('bounds keep their four sides and nothing else, and what is no object is left for the worker to refuse', () => {
  assert.deepEqual(plainBounds({ west: 1, south: 2, east: 3, north: 4, toString() {} }), { west: 1, south: 2, east: 3, north: 4 });
  for (const given of [undefined, null, 'everywhere', 3]) assert.equal(plainBounds(given), given);
});
