// The pool with stand-ins for workers: who gets which part, and what happens when one is missing, is lost or nobody waits any more.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Pool } from '../js/pool.js';

const SCENE = { source: 'a city' };
const PLAN = { transmitters: [{ lng: 1, lat: 1 }, { lng: 2, lat: 2 }, { lng: 3, lat: 3 }] };
const MANY = { transmitters: Array.from({ length: 9 }, (_, index) => ({ lng: index, lat: 0 })) };

/**
 * The answer of a runtime whose gains tell the transmitter.
 * @param {{ scenes: object[], gains: number[] }} runtime
 */
function answer(runtime, { call, scene, request, index }) {
  if (scene) runtime.scenes.push(scene);
  if (call !== 'gain') return {};
  runtime.gains.push(index);
  return { gain: Float32Array.of(request.transmitters[index].lng) };
}

const stand = () => ({ scenes: [], gains: [], closed: false });

/** A port to a stand-in that answers a moment later; `failing(message)` may throw what ends it, as a trap does. */
function opener(failing = () => {}) {
  const runtimes = [];
  const open = async (receive) => {
    const runtime = stand();
    const number = runtimes.push(runtime) - 1;
    const post = (message) => setImmediate(() => {
      if (runtime.closed || 'abort' in message) return;
      try {
        failing(message, number);
        receive({ id: message.id, result: answer(runtime, message) });
      } catch (error) {
        receive({ id: message.id, error: { code: 'crashed', message: error.message }, fatal: true });
      }
    });
    return { post, close: () => { runtime.closed = true; } };
  };
  return { open, runtimes };
}

/** The engine's own runtime. */
function ownRuntime() {
  const runtime = stand();
  const send = (call, args, { signal } = {}) => new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    setImmediate(() => resolve(answer(runtime, { call, ...args })));
  });
  return { runtime, send };
}

test('transmitters are dealt among all workers', async () => {
  const { open, runtimes } = opener();
  const { runtime, send } = ownRuntime();
  const pool = new Pool(open, {}, 2, assert.fail);
  const told = [];
  const gains = await pool.gains(send, SCENE, PLAN, { onProgress: (progress) => told.push(progress) });
  assert.deepEqual(gains.map(([first]) => first), [1, 2, 3]);
  const all = [runtime, ...runtimes];
  assert.equal(all.length, 3);
  assert.deepEqual(all.flatMap((each) => each.gains).sort(), [0, 1, 2]);
  assert.ok(all.every((each) => each.gains.length === 1), 'one transmitter for each');
  // The scene travels once; the engine's own runtime has it from its caller.
  assert.deepEqual(runtimes.map(({ scenes }) => scenes), [[SCENE], [SCENE]]);
  assert.deepEqual(told.at(0), { phase: 'transmitters', loaded: 0, total: 3 });
  assert.deepEqual(told.at(-1), { phase: 'transmitters', loaded: 3, total: 3 });
  pool.close(new Error('the end'));
  await pool.gains(send, {}, PLAN, {}).catch(() => {});
  assert.ok(runtimes.every(({ closed }) => closed));
});

test('only a transmitter that moved is drawn again, and of a new scene all are', async () => {
  const { open, runtimes } = opener();
  const { runtime, send } = ownRuntime();
  const pool = new Pool(open, {}, 1, assert.fail);
  const drawn = () => [runtime, ...runtimes].flatMap(({ gains }) => gains.splice(0)).sort();
  await pool.gains(send, SCENE, PLAN, {});
  assert.deepEqual(drawn(), [0, 1, 2]);
  const moved = { transmitters: PLAN.transmitters.with(1, { lng: 9, lat: 2 }) };
  const gains = await pool.gains(send, SCENE, moved, {});
  assert.deepEqual([drawn(), gains.map(([first]) => first)], [[1], [1, 9, 3]]);
  await pool.gains(send, SCENE, { ...moved, receiver: { heightM: 10 } }, {});
  assert.deepEqual(drawn(), [0, 1, 2]);
  const other = { source: 'another city' };
  await pool.gains(send, other, moved, {});
  assert.deepEqual(drawn(), [0, 1, 2]);
  assert.deepEqual(runtimes[0].scenes, [SCENE, other]);
  pool.close(new Error('the end'));
});

test('helpers that do not start leave the work to the others, with one warning', async () => {
  const { open } = opener();
  let tried = 0;
  const some = (...args) => (tried++ ? Promise.reject(new Error('the policy forbids it')) : open(...args));
  const { runtime, send } = ownRuntime();
  const warnings = [];
  const pool = new Pool(some, {}, 3, (warning) => warnings.push(warning));
  await pool.gains(send, SCENE, PLAN, {});
  assert.equal(runtime.gains.length, 2);
  assert.deepEqual(warnings, ['Large maps are drawn by 2 of 4 workers: the policy forbids it.']);
  pool.close(new Error('the end'));
});

test('a helper that crashes is given up with a warning, and its part goes to the others', async () => {
  let left = 2;
  const { open, runtimes } = opener((message, number) => {
    if (message.call === 'gain' && number === 0 && (left -= 1) <= 0) throw new Error('unreachable');
  });
  const { send } = ownRuntime();
  const warnings = [];
  const pool = new Pool(open, {}, 2, (warning) => warnings.push(warning));
  const gains = await pool.gains(send, SCENE, MANY, {});
  assert.deepEqual(gains.map(([first]) => first), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual([warnings.length, runtimes[0].closed], [1, true]);
  assert.match(warnings[0], /A worker was lost.*unreachable/);
  pool.close(new Error('the end'));
});

test('an error of the request ends the work at once, and so does aborting; the pool goes on', async () => {
  const { open } = opener();
  const { send } = ownRuntime();
  const pool = new Pool(open, {}, 1, assert.fail);
  const refused = new Error('the transmitter stands off the map');
  const refusing = (call, ...rest) => (call === 'gain' ? Promise.reject(refused) : send(call, ...rest));
  await assert.rejects(pool.gains(refusing, SCENE, PLAN, {}), refused);
  const abort = new AbortController();
  const reason = new Error('changed my mind');
  let jobs = 0;
  const onProgress = () => {
    jobs += 1;
    if (jobs === 3) abort.abort(reason);
  };
  await assert.rejects(pool.gains(send, { source: 'another city' }, MANY, { signal: abort.signal, onProgress }), reason);
  // What was under way when it was aborted may still come in.
  assert.ok(jobs <= 5, `${jobs} jobs`);
  assert.equal((await pool.gains(send, { source: 'a third' }, PLAN, {})).length, 3);
  pool.close(new Error('the end'));
});
