// Calls that wait for a runtime's answers.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Calls } from '../js/calls.js';

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
