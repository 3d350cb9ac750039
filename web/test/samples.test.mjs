// What is told of a network's samples.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { heightsIn } from '../js/samples.js';

test('a warning says which heights the network has not learnt', () => {
  const at = (...heights) => heights.map((heightM) => ({ heightM }));
  assert.deepEqual(heightsIn(at(1.5, 1.5), [1.5, 1.5]), []);
  assert.deepEqual(heightsIn(at(1.5, 20), [1.5, 1.5]), ['The network takes every antenna as 1.5 m high: one stands at 20 m.']);
  assert.deepEqual(heightsIn(at(12, 20), [1.5, 1.5]), ['The network takes every antenna as 1.5 m high: 2 stand at other heights.']);
  assert.deepEqual(heightsIn(at(1.5, 12, 40), [1.5, 40]), []);
  assert.deepEqual(heightsIn(at(1, 12), [1.5, 40]), ['The network has learnt antennas 1.5 to 40 m high: one stands at 1 m.']);
  assert.deepEqual(heightsIn(at(60, 41), [1.5, 40]), ['The network has learnt antennas 1.5 to 40 m high: 2 stand at other heights.']);
});
