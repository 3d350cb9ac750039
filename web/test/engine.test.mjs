// The client's own part of `createEngine`, which needs no module: options, weights, the module's file.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createEngine, init } from '../js/index.js';

test('a backend that does not exist is refused with those that do', async () => {
  for (const backend of ['abacus', '', 3]) {
    await assert.rejects(createEngine({ backend }), { name: 'RadioError', code: 'backend', message: /auto, webgpu, cpu/ });
  }
});

test('a precision that does not exist is refused with those that do', async () => {
  for (const precision of ['f64', '', 16]) {
    await assert.rejects(createEngine({ precision }), { name: 'RadioError', code: 'backend', field: 'precision', message: /f32 and f16/ });
  }
});

test('workers are a whole number from 1', async () => {
  for (const workers of [0, -1, 1.5, NaN, '2']) {
    await assert.rejects(createEngine({ workers }), { name: 'RadioError', code: 'worker', field: 'workers', message: /whole number from 1/ });
  }
});

test('an aborted signal ends the start with its reason', async () => {
  const reason = new Error('changed my mind');
  await assert.rejects(createEngine({ signal: AbortSignal.abort(reason) }), reason);
});

test('a module that cannot be compiled is a typed error, and the next try is a new one', async () => {
  await assert.rejects(init(new Uint8Array([1, 2, 3])), { name: 'RadioError', code: 'wasm' });
  const module = await init(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  assert.ok(module instanceof WebAssembly.Module);
});
