// A map answers by place, in numbers and as an image.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { RadioMap } from '../js/map.js';

// Node has no canvas; these are the parts of ImageData that a map fills.
before(() => {
  globalThis.ImageData ??= class {
    constructor(width, height) {
      Object.assign(this, { width, height, data: new Uint8ClampedArray(4 * width * height) });
    }
  };
});

const BOUNDS = { west: 10, south: 50, east: 12, north: 54 };

/** A map of 2 x 2 pixels: the north first, a building in the south-east. */
const map = (change = {}) => new RadioMap({
  scene: { size: 2, metersPerPixel: 3, bounds: BOUNDS },
  values: Float32Array.of(-50, -60, -70, NaN),
  warnings: [],
  transmitters: [{ lng: 10.5, lat: 53 }, { lng: 11, lat: 51 }],
  method: 'dominant-path',
  backend: 'cpu',
  milliseconds: 1,
  ...change,
});

test('a place is looked up from the north-west', () => {
  assert.equal(map().at(10.5, 53), -50);
  assert.equal(map().at(11.5, 53), -60);
  assert.equal(map().at(10.5, 51), -70);
  assert.ok(Number.isNaN(map().at(11.5, 51)));
});

test('the map ends at its bounds', () => {
  assert.equal(map().at(10, 54), -50, 'the north-west corner is on the map');
  for (const [lng, lat] of [[9.999, 53], [12.001, 53], [10.5, 54.001], [10.5, 49.999], [NaN, 53]]) {
    assert.equal(map().at(lng, lat), undefined, `${lng}, ${lat}`);
  }
});

test('statistics are over outdoor pixels', () => {
  const { cdf, largestRangeM, ...counted } = map({ transmitters: [{ lng: 10.5, lat: 53 }] }).stats({ thresholdDbm: -60 });
  assert.deepEqual(counted, { outdoorPixels: 3, coveredPixels: 2, outdoorAreaM2: 27, coveredAreaM2: 18, share: 2 / 3, min: -70, max: -50, mean: -60, rms: null });
  assert.equal(largestRangeM, 3, 'the pixel in the north-east, from the transmitter in the middle of that in the north-west');
  assert.deepEqual([cdf.length, cdf[0], cdf[9], cdf[10], cdf[20]], [21, { value: -70, share: 1 / 3 }, { value: -61, share: 1 / 3 }, { value: -60, share: 2 / 3 }, { value: -50, share: 1 }]);
  assert.equal(map().stats().share, 1, 'without a threshold every outdoor pixel is covered');
  const { outdoorPixels, share, min, mean, cdf: none } = map({ values: new Float32Array(4).fill(NaN) }).stats();
  assert.deepEqual([outdoorPixels, share, min, mean, none], [0, 0, null, null, []]);
});

test('a path loss covers where it is at or below the threshold', () => {
  const loss = map({ quantity: 'path-loss-db', values: Float32Array.of(80, 90, 100, NaN) });
  assert.deepEqual([loss.stats({ thresholdDbm: 90 }).coveredPixels, loss.stats().coveredPixels], [2, 3]);
});

test('a distribution is at every whole number around the values', () => {
  const { cdf } = map({ values: Float32Array.of(-0.5, 0.25, 1, NaN) }).stats();
  assert.deepEqual(cdf, [{ value: -1, share: 0 }, { value: 0, share: 1 / 3 }, { value: 1, share: 1 }]);
});

test('ranges are measured from the transmitter that serves, where the map knows which', () => {
  const range = (change, thresholdDbm) => map(change).stats({ thresholdDbm }).largestRangeM;
  const layers = { 'best-server': Float32Array.of(1, 1, 2, NaN), sinr: Float32Array.of(3, 2, 1, NaN) };
  assert.deepEqual([range({ layers }, -60), range({ layers }, -40)], [3, null], 'nothing has -40 dBm');
  assert.ok(range({ layers }, -70) === 3, 'the second stands 1.5 m from the middle of its pixel');
  assert.equal(map({ layers }).layer('sinr').stats({ thresholdDbm: 3 }).largestRangeM, 0, 'a layer has the map\'s servers');
  const coverage = { threshold: -60, largestRangeM: 7 };
  assert.deepEqual([range({}, -60), range({ coverage }, -60), range({ coverage }, -61)], [null, 7, null]);
});

test('a map is cut by another of its place, and so are its statistics', () => {
  const power = map();
  const sinr = map({ quantity: 'sinr-db', values: Float32Array.of(20, 4, 3, NaN) });
  const cut = sinr.where(power, '-60');
  assert.deepEqual([...cut.values], [20, 4, NaN, NaN]);
  assert.deepEqual([cut.quantity, cut.stats().outdoorPixels, cut.transmitters.length], ['sinr-db', 2, 2]);
  assert.deepEqual([...sinr.values], [20, 4, 3, NaN], 'the whole layer stays');
  assert.throws(() => sinr.where(map({ scene: { size: 2, metersPerPixel: 3, bounds: { ...BOUNDS, west: 9 } } }), -60), { name: 'RadioError', code: 'difference' });
  assert.throws(() => sinr.where(power, NaN), { code: 'threshold', field: 'least' });
});

test('an image is transparent below the threshold and inside buildings', () => {
  const { data, width } = map().toImage({ palette: (t) => [255 * t, 0, 0], min: -70, max: -50, threshold: -65 });
  assert.equal(width, 2);
  assert.deepEqual([...data], [255, 0, 0, 255, 128, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test('values beyond the scale have its last colours', () => {
  const { data } = map().toImage({ palette: (t) => [255 * t, 0, 0], min: -65, max: -55 });
  assert.deepEqual([data[0], data[4], data[8], data[11]], [255, 128, 0, 255]);
});

test('a blank threshold is none, text is the number it spells, and anything else is refused', () => {
  const covered = (thresholdDbm) => map().stats({ thresholdDbm }).share;
  const visible = (threshold) => map().toImage({ min: '-70', max: ' -50', threshold }).data.filter((value, i) => i % 4 === 3 && value).length;
  for (const nothing of [undefined, null, '', ' ']) assert.deepEqual([covered(nothing), visible(nothing)], [1, 3], String(nothing));
  for (const text of ['-60', ' -6e1 ', -60]) assert.deepEqual([covered(text), visible(text)], [2 / 3, 2], String(text));
  for (const wrong of [false, [], {}, NaN, 'loud', '0x10', '-60 dBm']) {
    assert.throws(() => covered(wrong), { name: 'RadioError', code: 'threshold', field: 'thresholdDbm' });
    assert.throws(() => visible(wrong), { name: 'RadioError', code: 'threshold', field: 'threshold' });
    assert.throws(() => map().toImage({ min: wrong, max: -50 }), { name: 'RadioError', code: 'scale', field: 'min' });
  }
  for (const nothing of [undefined, null, '']) {
    assert.throws(() => map().toImage({ min: -70, max: nothing }), { code: 'scale', message: 'max is missing, expected a number' });
  }
});

test('a difference is pixel by pixel, in decibels, with a palette of its own', () => {
  const difference = map().difference(map({ values: Float32Array.of(-60, -60, -60, NaN) }));
  assert.equal(difference.quantity, 'difference-db');
  assert.deepEqual([...difference.values], [10, 0, -10, NaN]);
  assert.ok(Math.abs(difference.stats().rms - Math.sqrt(200 / 3)) < 1e-9, 'the error');
  assert.equal(difference.stats().largestRangeM, null);
  const { data } = difference.toImage({ min: -10, max: 10 });
  assert.ok(data[0] > data[2], 'the stronger is red');
  assert.ok(data[10] > data[8], 'the weaker is blue');
  assert.deepEqual([...data.subarray(4, 7)], [0xf7, 0xf7, 0xf7]);
});

test('maps of different places, sizes or quantities have no difference', () => {
  const others = [
    map({ scene: { size: 2, metersPerPixel: 3, bounds: { ...BOUNDS, west: 10.1 } } }),
    map({ scene: { size: 1, metersPerPixel: 3, bounds: BOUNDS } }),
    map().difference(map()),
  ];
  for (const other of others) {
    assert.throws(() => map().difference(other), { name: 'RadioError', code: 'difference', message: /2 x 2 pixels of received-power-dbm/ });
  }
});

test('the first transmitter has a name of its own', () => assert.equal(map().transmitter.lat, 53));

test('an image for a map library has its rows in Mercator: in the north a row of the map is higher', () => {
  // From the equator to 80 degrees north, in 8 rows of 10 degrees.
  const size = 8;
  const values = Float32Array.from({ length: size * size }, (_, i) => Math.floor(i / size));
  const tall = map({ scene: { size, metersPerPixel: 1, bounds: { west: 0, south: 0, east: 80, north: 80 } }, values });
  const rows = (projection) => {
    const { data } = tall.toImage({ palette: (t) => [255 * t, 0, 0], min: 0, max: 255, projection });
    return Array.from({ length: size }, (_, row) => data[4 * size * row]);
  };
  assert.deepEqual(rows('equirectangular'), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(rows(undefined), rows('equirectangular'));
  // The middles of Mercator's rows, from ln(tan(45 + lat / 2)): 78.4, 74.3, 68.8, 61.5, 52.0, 39.9, 25.3 and 8.7 degrees.
  const middles = Array.from({ length: size }, (_, row) => {
    const y = Math.log(Math.tan(((45 + 40) * Math.PI) / 180)) * (1 - (row + 0.5) / size);
    return (2 * Math.atan(Math.exp(y)) * 180) / Math.PI - 90;
  });
  assert.deepEqual(rows('mercator'), middles.map((lat) => Math.floor((80 - lat) / 10)));
  assert.throws(() => tall.toImage({ min: 0, max: 1, projection: 'globe' }), { code: 'projection', field: 'projection' });
});

test('a layer that was asked for is a map of its own, and one that was not is refused with those there are', () => {
  const plan = map({ layers: { sinr: Float32Array.of(1, 2, 3, NaN) }, stddev: Float32Array.of(4, 5, 6, NaN) });
  assert.deepEqual([plan.layer('sinr').quantity, plan.layer('sinr').at(11.5, 53), plan.layer('sinr').stats().mean], ['sinr-db', 2, 2]);
  assert.equal(plan.layer('standard-deviation').stats().max, 6);
  assert.deepEqual(plan.layer('received-power').values, plan.values);
  assert.throws(() => plan.layer('snr'), { code: 'layers', message: /no layer snr, only received-power, sinr, standard-deviation/ });
  assert.throws(() => plan.layer('sinr').layer('received-power'), { code: 'layers' });
  assert.throws(() => map().layer('probability'), { code: 'layers' });
});
