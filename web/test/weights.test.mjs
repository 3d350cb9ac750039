// Weights as given and as servers send them: whole or in pieces, packed, cut, foreign. tests/browser/package has the same in a browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { RadioError } from '../js/errors.js';
import { loadWeights } from '../js/weights.js';

const SHA256 = 'ab'.repeat(32);
const ADDRESS = 'https://example.org/nano.safetensors';

/** A file of one tensor with `length` bytes, whose header claims another length where one is given. */
function safetensors(length = 10, claimed = length) {
  const manifest = JSON.stringify({ content_sha256: SHA256 });
  const header = JSON.stringify({ __metadata__: { radiodiff: manifest }, a: { dtype: 'U8', shape: [claimed], data_offsets: [0, claimed] } });
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  return new Uint8Array(Buffer.concat([size, Buffer.from(header), Buffer.alloc(length, 7)]));
}

/** A body that arrives in pieces of so many bytes, and then breaks where `error` says so. */
function pieces(bytes, size, error) {
  const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
  return new ReadableStream({
    pull: (controller) => {
      if (parts.length) controller.enqueue(parts.shift());
      else if (error) controller.error(error);
      else controller.close();
    },
  });
}

/** Loads from a server that answers so; the reports of progress are kept. */
async function load(answer, model = ADDRESS, options = {}) {
  const real = globalThis.fetch;
  globalThis.fetch = async () => answer();
  const progress = [];
  try {
    return { ...await loadWeights(model, { onProgress: (report) => progress.push(report), ...options }), progress };
  } finally {
    globalThis.fetch = real;
  }
}

test('weights are taken as bytes, without a copy, from where a view begins', async () => {
  const bytes = new Uint8Array([1, 2, 3, 4]);
  assert.deepEqual((await loadWeights(bytes.subarray(1, 3))).bytes, new Uint8Array([2, 3]));
  const { bytes: same, url } = await loadWeights(bytes.buffer);
  assert.deepEqual([same, url], [bytes, null]);
  assert.equal(same.buffer, bytes.buffer);
});

for (const size of [1, 7, 64, 100_000]) {
  test(`a download in pieces of ${size} is whole and tells how far it is and of how much`, async () => {
    const file = safetensors();
    const { bytes, url, sha256, progress } = await load(() => new Response(pieces(file, size), { headers: { 'content-length': '3' } }));
    assert.deepEqual([bytes, url, sha256], [file, ADDRESS, SHA256]);
    assert.deepEqual(progress.at(-1), { phase: 'download', loaded: file.length, total: file.length });
    for (const { loaded, total } of progress) assert.ok(total === undefined || (loaded <= total && total === file.length));
  });
}

test('a file packed by gzip is unpacked, and its progress is that of what is in it', async () => {
  const file = safetensors(5000);
  const { bytes, progress } = await load(() => new Response(pieces(gzipSync(file), 20)));
  assert.deepEqual(bytes, file);
  assert.deepEqual(progress.at(-1), { phase: 'download', loaded: file.length, total: file.length });
});

const page = new TextEncoder().encode('\n<!DOCTYPE html><title>Our app</title>');

for (const [what, answer, code, reason, words] of [
  ['an address that is unknown', () => new Response('not found', { status: 404 }), 'weights-missing', 'status', /answers 404.*check the address/],
  ['no server', () => { throw new TypeError('fetch failed'); }, 'weights-missing', 'network', /fetch failed.*Access-Control/],
  ['a connection that breaks', () => new Response(pieces(safetensors(), 64, new TypeError('reset'))), 'weights-missing', 'interrupted', /broke after \d+.*reset.*try again/],
  ['a connection that breaks at once', () => new Response(pieces(new Uint8Array(), 64, new TypeError('reset'))), 'weights-missing', 'interrupted', /reset/],
  ['a web page', () => new Response(page), 'weights', 'html', /not a safetensors file but a web page/],
  ['nothing', () => new Response(new Uint8Array()), 'weights', 'truncated', /ends after 0 bytes/],
  ['a file cut in its header', () => new Response(safetensors().slice(0, 40)), 'weights', 'truncated', /ends after 40 bytes/],
  ['a file cut in its tensors', () => new Response(safetensors().slice(0, -4)), 'weights', 'truncated', /ends after \d+ of \d+ bytes/],
  ['a packed file that was cut', () => new Response(gzipSync(safetensors(5000)).subarray(0, 60)), 'weights', 'truncated', /gzip.*cut off or damaged/],
  ['a file that goes on', () => new Response(new Uint8Array([...safetensors(), 0])), 'weights', 'format', /goes on after/],
  ["a file of PyTorch's", () => new Response(new Uint8Array([0x50, 0x4b, 3, 4, ...Array(60).fill(0xff)])), 'weights', 'format', /not a safetensors file/],
  ['a header that is no JSON', () => new Response(new Uint8Array([4, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])), 'weights', 'format', /not a safetensors file/],
  ['a header that speaks of more than memory holds', () => new Response(safetensors(10, 2 ** 50)), 'weights', 'format', /more than fit into memory/],
]) {
  test(`${what} is a typed error that says what to do`, async () => {
    await assert.rejects(load(answer), (error) => {
      assert.ok(error instanceof RadioError);
      assert.deepEqual([error.code, error.reason], [code, reason], error.message);
      assert.match(error.message, words);
      assert.ok(error.message.includes(ADDRESS) || reason === 'interrupted');
      return true;
    });
  });
}

test('weights that are pinned by their hash are refused in another version before the rest of them arrives', async () => {
  const file = safetensors();
  assert.deepEqual((await load(() => new Response(file), { url: ADDRESS, sha256: SHA256 })).bytes, file);
  let cancelled = false;
  const endless = () => new Response(new ReadableStream({ start: (controller) => controller.enqueue(safetensors(1e6).slice(0, 1000)), cancel: () => { cancelled = true; } }));
  await assert.rejects(load(endless, { url: ADDRESS, sha256: 'cd'.repeat(32) }), { code: 'weights', reason: 'hash', message: /abab.*expected cdcd/ });
  assert.ok(cancelled, 'the download goes on');
  await assert.rejects(load(() => new Response(file), { url: ADDRESS, sha256: 'abc' }), { code: 'weights', message: /64 hexadecimal digits/ });
});

test("a browser's store that never answers costs a download", async (t) => {
  globalThis.caches = { open: () => new Promise(() => {}) };
  t.after(() => delete globalThis.caches);
  // Time that has passed.
  t.mock.method(AbortSignal, 'timeout', () => AbortSignal.abort());
  const file = safetensors();
  assert.deepEqual((await load(() => new Response(file))).bytes, file);
});

test('an aborted download rejects with the reason', async () => {
  const controller = new AbortController();
  const reason = new Error('changed my mind');
  const answer = () => {
    const body = new ReadableStream({ start: (stream) => controller.signal.addEventListener('abort', () => stream.error(reason)) });
    setTimeout(() => controller.abort(reason), 5);
    return new Response(body);
  };
  await assert.rejects(load(answer, ADDRESS, { signal: controller.signal }), reason);
});
