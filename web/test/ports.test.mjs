// The client's ways to the runtime: by a worker that the caller starts, and on the calling thread.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { threadPort, workerPort } from '../js/ports.js';

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

test("on the calling thread, scripts that do not come are the worker's error, after the same time", async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const stalled = threadPort(() => new Promise(nothing))(nothing, nothing);
  let ended = false;
  stalled.catch(() => { ended = true; });
  t.mock.timers.tick(29_999);
  await Promise.resolve();
  assert.equal(ended, false);
  t.mock.timers.tick(1);
  await assert.rejects(stalled, { name: 'RadioError', code: 'worker', message: /\(it said nothing for 30 s\); serve runtime\.js/ });
  const missing = threadPort(() => Promise.reject(new TypeError('Failed to fetch dynamically imported module')))(nothing, nothing);
  await assert.rejects(missing, { name: 'RadioError', code: 'worker', message: /\(Failed to fetch dynamically imported module\)/ });
});

test('on the calling thread, what is posted is answered', async () => {
  const answers = [];
  const serve = (answer) => ({ id }) => answer({ id });
  const port = await threadPort(async () => ({ serve }))((answer) => answers.push(answer.id), nothing);
  port.post({ id: 3 });
  await new Promise(setImmediate);
  assert.deepEqual(answers, [3]);
  port.close();
});
