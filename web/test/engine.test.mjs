// The client's own part of `createEngine`, which needs no module: options, weights, the module's file.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RadioError, createEngine, init } from '../js/index.js';
import { loadWeights } from '../js/weights.js';

test('a backend that does not exist is refused with those that do', async () => {
  for (const backend of ['abacus', '', 3]) {
    await assert.rejects(createEngine({ backend }), { name: 'RadioError', code: 'backend', message: /auto, webgpu, cpu/ });
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

test('weights are taken as bytes, without a copy, from where a view begins', async () => {
  const bytes = new Uint8Array([1, 2, 3, 4]);
  assert.deepEqual(await loadWeights(bytes.subarray(1, 3)), { bytes: new Uint8Array([2, 3]), url: null });
  assert.deepEqual(await loadWeights(bytes.buffer), { bytes, url: null });
});

/** Runs `work` with a server's answer in place of the network. */
async function answering(answer, work) {
  const real = globalThis.fetch;
  globalThis.fetch = async () => answer();
  try {
    return await work();
  } finally {
    globalThis.fetch = real;
  }
}

test('a download tells how far it is and of how much', async () => {
  const seen = [];
  const answer = () => new Response(new Uint8Array(10), { headers: { 'content-length': '10' } });
  const { bytes, url } = await answering(answer, () => loadWeights('https://example.org/nano.safetensors', undefined, (progress) => seen.push(progress)));
  assert.deepEqual([bytes.length, url], [10, 'https://example.org/nano.safetensors']);
  assert.deepEqual(seen.at(-1), { phase: 'download', loaded: 10, total: 10 });
});

test('weights that cannot be had are told with their address and the reason', async () => {
  for (const [answer, reason] of [
    [() => new Response('not found', { status: 404 }), /answers 404/],
    [() => { throw new TypeError('fetch failed'); }, /fetch failed/],
  ]) {
    const loading = answering(answer, () => loadWeights('https://example.org/nano.safetensors'));
    await assert.rejects(loading, (error) => {
      assert.ok(error instanceof RadioError);
      assert.equal(error.code, 'weights-missing');
      assert.match(error.message, /https:\/\/example\.org\/nano\.safetensors/);
      assert.match(error.message, reason);
      return true;
    });
  }
});
