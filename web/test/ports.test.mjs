// The client's way to a worker that the caller starts.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { workerPort } from '../js/ports.js';

/** Stands for a worker whose script runs: it says so as soon as somebody listens. */
function fakeWorker() {
  const worker = { ended: false, postMessage() {}, terminate() { worker.ended = true; } };
  queueMicrotask(() => worker.onmessage({ data: {} }));
  return worker;
}

const nothing = () => {};

test('a worker that says nothing is ended with an error that says what to do', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const worker = { ended: false, postMessage() {}, terminate() { worker.ended = true; } };
  const opening = workerPort(() => worker)(nothing, nothing);
  t.mock.timers.tick(30_000);
  await assert.rejects(opening, { name: 'RadioError', code: 'worker', message: /could not be started \(it said nothing for 30 s\); serve worker\.js beside index\.js/ });
  assert.equal(worker.ended, true);
});

test('a function that returns a worker again is refused, and the worker goes on', async () => {
  const worker = fakeWorker();
  const open = workerPort(() => worker);
  const port = await open(nothing, nothing);
  const again = { name: 'RadioError', code: 'worker', message: /called for every worker.*suggestSites and calibrate.*new one each time/ };
  await assert.rejects(open(nothing, nothing), again);
  assert.equal(worker.ended, false);
  // An ended worker is of no use to another engine either.
  port.close();
  assert.equal(worker.ended, true);
  await assert.rejects(workerPort(() => worker)(nothing, nothing), again);
});

test('a function that starts a new worker each time is called for each', async () => {
  const workers = [];
  const open = workerPort(() => workers[workers.push(fakeWorker()) - 1]);
  for (const port of [await open(nothing, nothing), await open(nothing, nothing)]) port.close();
  assert.deepEqual(workers.map(({ ended }) => ended), [true, true]);
});
