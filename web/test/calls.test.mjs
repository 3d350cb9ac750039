// Calls that wait for a runtime's answers.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Calls } from '../js/calls.js';

/** A clock that goes on by `wait` alone. */
function clock(t) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let ms = 0;
  t.mock.method(performance, 'now', () => ms);
  const wait = (more) => {
    ms += more;
    t.mock.timers.tick(more);
  };
  return { wait, now: () => ms };
}

test('a call whose signal has aborted already is rejected at once, and the runtime is told after the scene that it brings', async () => {
  const posted = [];
  const reason = new Error('changed my mind');
  const signal = AbortSignal.abort(reason);
  const calls = new Calls();
  await assert.rejects(calls.send((message) => posted.push(message), 'predict', { scene: 'a city' }, { signal }), reason);
  assert.deepEqual(posted, [{ id: 0, call: 'predict', scene: 'a city' }, { abort: 0 }]);
  // An answer that comes all the same is nobody's.
  calls.receive({ id: 0, result: {} });
});

test('a call that goes on after it was aborted is told of once, where the runtime works on it and not on one before', async (t) => {
  const { wait } = clock(t);
  let told = 0;
  const calls = new Calls(() => { told += 1; });
  const [first, second] = [new AbortController(), new AbortController()];
  const rejected = [first, second].map(({ signal }) => assert.rejects(calls.send(() => {}, 'predict', {}, { signal })));
  second.abort();
  wait(400);
  assert.equal(told, 0, 'the runtime works on the first call, which somebody waits for');
  first.abort();
  wait(200);
  assert.equal(told, 0, 'it may end between two steps');
  wait(100);
  assert.equal(told, 1);
  await Promise.all(rejected);

  const third = new AbortController();
  const answered = assert.rejects(calls.send(() => {}, 'predict', {}, { signal: third.signal }));
  for (const id of [0, 1]) calls.receive({ id, error: { code: 'aborted', message: '' } });
  third.abort();
  calls.receive({ id: 2, error: { code: 'aborted', message: '' } });
  wait(400);
  assert.equal(told, 1, 'it has ended');
  await answered;
});

test('where a scene takes long to prepare, a call that was aborted may go on as long', async (t) => {
  const { wait, now } = clock(t);
  const told = [];
  const calls = new Calls(() => told.push(now()));
  let id = 0;
  const answered = (args, ms) => {
    const outcome = calls.send(() => {}, 'predict', args);
    wait(ms);
    calls.receive({ id: id++, result: {} });
    return outcome;
  };
  /** How long a call goes on that is aborted. */
  const patience = async () => {
    const controller = new AbortController();
    const outcome = assert.rejects(calls.send(() => {}, 'predict', {}, { signal: controller.signal }));
    const from = now();
    controller.abort();
    for (let step = 0; step < 100; step += 1) wait(100);
    calls.receive({ id: id++, error: { code: 'aborted', message: '' } });
    await outcome;
    return told.pop() - from;
  };
  assert.equal(await patience(), 300);
  await answered({ scene: 'a city' }, 4000);
  assert.equal(await patience(), 2000, 'half of the first call');
  await answered({}, 500);
  assert.equal(await patience(), 3500, 'what a later one takes less');
  await answered({ scene: 'a village' }, 100);
  assert.equal(await patience(), 300, 'another scene');
});

test('calls that wait when their runtime is replaced are sent to the next one behind its opening, with what they need then', async () => {
  const posted = [];
  const post = (message) => posted.push(message);
  const calls = new Calls();
  let scene = 'a city';
  const controllers = Array.from({ length: 4 }, () => new AbortController());
  const send = (number) => calls.send(post, 'predict', () => ({ scene, number }), { signal: controllers[number].signal });
  const outcomes = [0, 1, 2].map(send);
  const refused = [0, 2].map((number) => assert.rejects(outcomes[number]));
  controllers[0].abort();
  posted.length = 0;

  calls.hold();
  scene = 'the city again';
  controllers[2].abort();
  outcomes.push(send(3));
  assert.deepEqual(posted, []);
  const opened = calls.open(post, { backend: 'cpu' });
  assert.deepEqual(posted.map(({ id, call, ...args }) => [call, args]), [['open', { backend: 'cpu' }], ...[1, 3].map((number) => ['predict', { scene, number }])]);
  // An answer of the runtime that has ended may still be under way.
  calls.receive({ id: 0, result: 'late' });
  for (const { id, number } of posted) calls.receive({ id, result: number });
  assert.deepEqual(await Promise.all([opened, outcomes[1], outcomes[3]]), [undefined, 1, 3]);
  await Promise.all(refused);

  const held = assert.rejects(calls.send(post, 'predict', {}), { message: 'the end' });
  calls.hold();
  calls.abandon(new Error('the end'));
  await held;
});
