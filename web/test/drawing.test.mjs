// Who draws a map, with stand-ins for workers.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Drawing } from '../js/drawing.js';

const REQUEST = { transmitters: [{ lng: 1, lat: 1 }, { lng: 2, lat: 2 }, { lng: 3, lat: 3 }] };

/** Stand-ins for the engine's own runtime, in which `workers()` of those that are asked for fit into memory, and for workers beside it. */
function stand(workers) {
  const [calls, helpers] = [[], []];
  const gain = ({ index }) => ({ gain: Float32Array.of(index) });
  const own = async (call, args) => {
    calls.push([call, args]);
    if (call === 'outline') return { workers: Math.min(args.workers, workers()), transmitters: args.request.transmitters.length };
    return call === 'gain' ? gain(args) : { drawn: true };
  };
  const open = async (receive) => {
    const helper = { closed: false };
    helpers.push(helper);
    return { post: ({ id, call, ...args }) => setImmediate(() => receive({ id, result: call === 'gain' ? gain(args) : {} })), close: () => { helper.closed = true; } };
  };
  const drawing = new Drawing({ own, beside: async () => ({ open, setup: {}, weights: null }), warn: assert.fail });
  const scene = { source: 'a city', metersPerPixel: 1, known: true };
  const map = () => drawing.map(REQUEST, { workers: 4, shared: false, scene, info: { model: null, backend: 'cpu' } }, {});
  return { calls, helpers, map, drawing };
}

test('a plan is drawn by as many workers as there is memory for', async () => {
  let most = 3;
  const { calls, helpers, map, drawing } = stand(() => most);
  const open = () => helpers.filter(({ closed }) => !closed).length;
  await map();
  assert.deepEqual([calls[0], open()], [['outline', { request: REQUEST, workers: 4 }], 2]);
  assert.equal(calls.at(-1)[1].gains.length, 3);

  // A plan with less to hold keeps the workers that are there.
  most = 4;
  await map();
  assert.equal(helpers.length, 2);

  most = 2;
  const { workers } = await map();
  assert.deepEqual([open(), helpers.length, workers], [1, 3, 2]);

  most = 1;
  await map();
  assert.deepEqual([open(), calls.at(-1)], [0, ['predict', { request: REQUEST }]]);
  drawing.end(new Error('the end'));
});
