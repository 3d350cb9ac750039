// The page's plan: what a link or a file may hold, and what becomes of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { carsIn, collectionOf, mayHoldCars, textOf } from '../../www/page/plan/cars.js';
import { coarsePixel } from '../../www/page/plan/coarse.js';
import { FIELDS, MOST_PLACES, MOST_TRANSMITTERS, THRESHOLD_DBM, copyOf, keptPlaces, newPlan, newTransmitter, planOf, requested, within } from '../../www/page/plan/model.js';
import { metersBetween, moved, squareAround } from '../../www/page/units.js';

const HERE = { lng: 11.5766, lat: 48.1349 };
const AROUND = { west: HERE.lng - 0.002, south: HERE.lat - 0.001, east: HERE.lng + 0.002, north: HERE.lat + 0.001 };

test('a plan out of JSON is the plan that was written', () => {
  const first = newTransmitter(HERE);
  const second = { ...copyOf(first, { lng: 11.577, lat: 48.135 }, [first]), antenna: 'sector', azimuthDeg: 270, active: false };
  const plan = { ...newPlan(), transmitters: [first, second], thresholdDbm: -95 };
  assert.deepEqual(planOf(JSON.parse(JSON.stringify(plan))), plan);
  assert.deepEqual([first.name, second.name, second.id], ['Site 1', 'Site 2', 2]);
});

test('what is out of range comes into it, what is no number has its default, and what is unknown is dropped', () => {
  const plan = planOf({
    transmitters: [{ ...HERE, name: '  ', heightM: 1e9, powerDbm: null, frequencyMHz: 'fast', azimuthDeg: -5, antenna: 'dish', evil: true }],
    receiver: { heightM: '2', noiseFigureDb: [] },
    thresholdDbm: '',
    __proto__: { polluted: true },
  });
  const [{ name, heightM, powerDbm, frequencyMHz, azimuthDeg, antenna, evil }] = plan.transmitters;
  assert.deepEqual([name, heightM, powerDbm, frequencyMHz, azimuthDeg, antenna, evil], ['Site 1', FIELDS.heightM.max, FIELDS.powerDbm.initial, FIELDS.frequencyMHz.initial, 0, 'omni', undefined]);
  assert.deepEqual([plan.receiver.heightM, plan.thresholdDbm], [2, THRESHOLD_DBM.initial]);
  assert.equal(within({ initial: 7, min: 0, max: 10 }, Infinity), 7);
});

test('a plan without places is refused with the transmitter that lacks one', () => {
  for (const [found, words] of [
    [undefined, /no list of transmitters/],
    [{ transmitters: {} }, /no list of transmitters/],
    [{ transmitters: [HERE, null] }, /transmitter 2 has no longitude and latitude/],
    [{ transmitters: [{ lng: 11, lat: 95 }] }, /transmitter 1/],
  ]) assert.throws(() => planOf(found), words);
});

test('a plan has no more transmitters than the page draws', () => {
  assert.equal(planOf({ transmitters: Array(1000).fill(HERE) }).transmitters.length, MOST_TRANSMITTERS);
});

test('requests have the transmitters that are on and stand on the map, and a pattern only of sectors', () => {
  const on = newTransmitter(HERE);
  const off = { ...on, lng: AROUND.east };
  const plan = { ...newPlan(), transmitters: [on, { ...on, active: false }, { ...on, antenna: 'sector', gainDbi: 8, azimuthDeg: 120 }, off] };
  const [omni, sector, ...others] = requested(plan, AROUND);
  assert.equal(others.length, 0);
  assert.equal(omni.antenna, undefined);
  assert.deepEqual([sector.antenna.txg, sector.antenna.azi, sector.antenna.hbw], [8, 120, 65]);
});

test('a file of cars is told from one of buildings by their size, and cars travel with a plan', () => {
  const box = (eastM, widthM, heightM) => {
    const [a, b] = [moved(HERE, eastM, 0), moved(HERE, eastM + widthM, heightM)];
    return [[[a.lng, a.lat], [b.lng, a.lat], [b.lng, b.lat], [a.lng, b.lat], [a.lng, a.lat]]];
  };
  const geometry = (...polygons) => ({ type: 'MultiPolygon', coordinates: polygons });
  const feature = (geometry) => ({ type: 'Feature', properties: null, geometry });
  const cars = carsIn({ type: 'FeatureCollection', features: [feature(geometry(box(0, 2, 4), box(5, 4.5, 1.8))), feature({ type: 'Point', coordinates: [0, 0] })] }, 'parked.geojson');
  assert.deepEqual([cars.name, cars.outlines.length, collectionOf(cars).features.length], ['parked.geojson', 2, 2]);
  assert.equal(textOf(cars), textOf(cars));
  assert.deepEqual([textOf(undefined), collectionOf(undefined).features], [undefined, []]);
  const shed = { ...feature(geometry(box(0, 2, 4))), properties: { building: 'shed' } };
  for (const found of [geometry(box(0, 2, 4), box(5, 10, 12)), shed, geometry(), feature(null), geometry([[[1, 2], ['a', 3], [4, 5]]]), { transmitters: [] }, [], null, 7]) {
    assert.equal(carsIn(found, 'town.geojson'), undefined, JSON.stringify(found));
  }
  const plan = { ...newPlan(), transmitters: [newTransmitter(HERE)], cars };
  assert.deepEqual(planOf(JSON.parse(JSON.stringify(plan))), plan);
  for (const odd of [null, [], { name: 'x' }, { name: 'x', outlines: [] }, { name: 'x', outlines: [[[1, 2]]] }, { outlines: cars.outlines }]) {
    assert.ok(!('cars' in planOf({ ...plan, cars: odd })), JSON.stringify(odd));
  }
});

test('a file is told from one of cars by a few pieces of it, wherever its buildings begin', async () => {
  const ring = (size) => [[0, 0], [size, 0], [size, size], [0, size], [0, 0]].map(([x, y]) => [11.5 + x * 1e-5, 48.1 + y * 1e-5]);
  const text = (geometry, space) => `${JSON.stringify({ type: 'Feature', properties: {}, geometry }, null, space)},`;
  const [car, house] = [2, 20].map((size) => text({ type: 'Polygon', coordinates: [ring(size)] }));
  const [point, line] = [text({ type: 'Point', coordinates: [11.5, 48.1] }), text({ type: 'LineString', coordinates: ring(20) })];
  const of = (...parts) => new Blob(['{"type":"FeatureCollection","features":[', ...parts.map(([part, times]) => part.repeat(times))]);
  const parts = (geometry) => [text(geometry), text(geometry, 1)].map((part) => of([part, 1]));
  const files = [
    [of([car, 1]), true],
    [of([point, 3], [line, 3], [car, 9]), true],
    [of([car, 100_000]), true],
    [of([car, 1], [' ', 5_000_000]), true],
    [of([' ', 5_000_000]), false],
    [of([car, 1], [house, 1]), false],
    [of([car, 1], [house, 100_000]), false],
    [of([car, 50_000], [house, 50_000]), false],
    [of([car, 1], [point, 100_000], [house, 1]), false],
    [of([point, 100]), true],
    [of([point, 100_000]), false],
    [new Blob(['{"version":0.6,"elements":[{"type":"way","nodes":[1,2,3]}]}']), true],
    ...parts({ type: 'MultiPolygon', coordinates: [[ring(2)]] }).map((file) => [file, true]),
    ...parts({ type: 'MultiPolygon', coordinates: [[ring(20)], [ring(2)]] }).map((file) => [file, false]),
  ];
  for (const [i, [file, expected]] of files.entries()) {
    let read = 0;
    const slice = (start, end) => {
      const piece = file.slice(start, end);
      read += piece.size;
      return piece;
    };
    assert.equal(await mayHoldCars({ size: file.size, slice }), expected, `file ${i}`);
    assert.ok(read <= 8 * 65_536, `${read} bytes of file ${i} were read`);
  }
});

test('a pattern and measurements travel with a plan, and what cannot be used of them is dropped', () => {
  const pattern = { name: 'panel.csv', antenna: { csv: '0,0,12\n90,0,3' } };
  const measured = { table: 'drive.csv', name: 'Site 1', cell: { ...HERE, frequencyMHz: 3500 }, readings: 7, places: [[11.5766, 48.1349, -80.25], [11.5767, 48.1349, -82]] };
  const plan = { ...newPlan(), transmitters: [{ ...newTransmitter(HERE), antenna: 'pattern', pattern, azimuthDeg: 120 }], measured };
  const read = planOf(JSON.parse(JSON.stringify(plan)));
  assert.deepEqual(read, plan);
  assert.deepEqual(requested(read, AROUND)[0].antenna, { csv: pattern.antenna.csv, azi: 120, tlt: 0 });
  for (const wrong of [null, {}, { ...measured, places: [] }, { ...measured, places: [[1, 2]] }, { ...measured, places: [[1, 2, 'loud']] }, { ...measured, places: 7 }, { ...measured, cell: null }]) {
    assert.equal(planOf({ ...plan, measured: wrong }).measured, undefined, JSON.stringify(wrong));
  }
  for (const wrong of [null, 'panel', { antenna: [] }, { antenna: 'csv' }]) {
    const [without] = planOf({ transmitters: [{ ...HERE, antenna: 'pattern', pattern: wrong }] }).transmitters;
    assert.equal(without.pattern, undefined);
    assert.equal(requested({ transmitters: [without] }, AROUND)[0].antenna, undefined, 'without its file it radiates equally all around');
  }
});

test('of more places than a plan keeps it keeps an even selection, and says of how many', () => {
  const row = (length) => Array.from({ length }, (_, i) => [11.5 + i * 1e-6, 48.1, -80]);
  const all = row(MOST_PLACES);
  assert.deepEqual(keptPlaces(all), { places: all });

  for (const length of [MOST_PLACES + 1, 7300, 3 * MOST_PLACES]) {
    const given = row(length);
    const kept = keptPlaces(given);
    assert.deepEqual([kept.places.length, kept.placesMeasured], [MOST_PLACES, length]);
    const indices = kept.places.map((place) => given.indexOf(place));
    const step = length / MOST_PLACES;
    assert.ok(indices[0] <= step && length - 1 - indices.at(-1) <= step, `${indices[0]} to ${indices.at(-1)} of ${length}`);
    assert.ok(indices.every((index, i) => i === 0 || (index > indices[i - 1] && index - indices[i - 1] <= Math.ceil(step))));

    // A file that holds them all is read so too; what was kept once is kept as it is.
    const measured = { table: 'drive.csv', name: 'Site 1', cell: { ...HERE, frequencyMHz: 3500 }, readings: 20_000 };
    const read = planOf({ ...newPlan(), measured: { ...measured, places: given } });
    assert.deepEqual(read.measured, { ...measured, ...kept });
    assert.deepEqual(planOf(JSON.parse(JSON.stringify(read))), read);
  }
});

test('metres become degrees and back', () => {
  for (const lat of [0, 48.1, -60, 80]) {
    const away = moved({ lng: 179.9, lat }, 300, -400);
    assert.ok(Math.abs(metersBetween({ lng: 179.9, lat }, away) - 500) < 0.1, `${lat}`);
  }
  const { west, east, south, north } = squareAround(HERE, 1024);
  // WGS84 at this latitude: 74,431 m and 111,193 m a degree.
  assert.ok(Math.abs((east - west) * 74_431.3 - 1024) < 0.1 && Math.abs((north - south) * 111_192.9 - 1024) < 0.1);
});

test('a slow large map is followed on pixels that make at most 256 a side', () => {
  const map = { size: 512, metersPerPixel: 2, milliseconds: 400 };
  assert.equal(coarsePixel(map), 4);
  assert.equal(coarsePixel({ ...map, size: 1000 }), 8);
  assert.equal(coarsePixel({ ...map, milliseconds: 250 }), undefined);
  assert.equal(coarsePixel({ ...map, size: 256 }), undefined);
});
