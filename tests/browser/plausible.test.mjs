// The check of maps is itself checked: on a map that is right and on each way of being wrong.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { agreement, faults } from './plausible.mjs';

const SIZE = 256;
const DEGREES = SIZE / 111_320;

/** A map at the equator, one building, the transmitter in the middle; `change` alters the values. */
function map(change = (value) => value) {
  const [left, right] = [0.1 * DEGREES, 0.3 * DEGREES];
  const ring = [[left, left], [right, left], [right, right], [left, right], [left, left]];
  const values = Float32Array.from({ length: SIZE * SIZE }, (_, index) => {
    const [x, y] = [(index % SIZE) + 0.5, SIZE - Math.floor(index / SIZE) - 0.5];
    const indoors = [x, y].every((place) => place > 0.1 * SIZE && place < 0.3 * SIZE);
    return change(indoors ? NaN : -25 - 25 * Math.log10(Math.hypot(x - SIZE / 2, y - SIZE / 2)), index);
  });
  const request = {
    buildings: { type: 'FeatureCollection', features: [{ type: 'Feature', geometry: { type: 'Polygon', coordinates: [ring] } }] },
    bounds: { west: 0, south: 0, east: DEGREES, north: DEGREES },
    transmitters: [{ lng: DEGREES / 2, lat: DEGREES / 2 }],
  };
  return { request, values, width: SIZE, height: SIZE };
}

test('a map by the distance law with an empty building is plausible', () => assert.deepEqual(faults(map()), []));

for (const [what, change, words] of [
  ['nothing but one value', () => -80, /indoors.*have no value/],
  ['holes in the street', (value, index) => (index % 3 ? value : NaN), /outdoors.*have a value/],
  ['an infinite value', (value, index) => (index ? value : Infinity), /infinite/],
  ['power growing with distance', (value) => -value - 100, /near the transmitter/],
]) {
  test(`a map with ${what} is not`, () => assert.match(faults(map(change)).join('; '), words));
}

test('a map turned upside down is not', () => {
  const turned = map();
  turned.values.reverse();
  assert.match(faults(turned).join('; '), /indoors/);
});

test('agreement counts a value on one side only as a difference, and leaves out pixels that are indoors on both sides', () => {
  assert.equal(agreement([NaN, -80, -80, NaN, -70], [NaN, -80.9, NaN, -80, -70], 1), 0.5);
  assert.equal(agreement([NaN], [NaN], 1), 0);
});
