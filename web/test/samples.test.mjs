// The spread of maps over seeds.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Spread } from '../js/samples.js';

test('mean, standard deviation and probability are those of the maps, NaN stays NaN', () => {
  const spread = new Spread(3, -80);
  for (const values of [[-70, -100, NaN], [-80, -100, NaN], [-90, -100, NaN]]) spread.add(Float32Array.from(values));
  assert.deepEqual([...spread.mean], [-80, -100, NaN]);
  assert.deepEqual([...spread.stddev], [Math.fround(Math.sqrt(200 / 3)), 0, NaN]);
  assert.deepEqual([...spread.probability], [Math.fround(2 / 3), 0, NaN]);
  assert.equal(new Spread(3).probability, undefined);
});
