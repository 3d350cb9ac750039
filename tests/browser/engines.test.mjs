// The engines behind the page: they agree, and one that is missing is replaced with a word about it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { launch, open, shownMap } from './lib.mjs';
import { agreement, faults } from './plausible.mjs';

const WITHIN_DB = 1;
const LEAST_SHARE = 0.999;

/** The values that the page's request gives on `backend`, in the page's own browser. */
const predictOn = (page, backend) => page.evaluate(async (backend) => {
  const { createEngine, request, engine } = window.radiodiff;
  const other = await createEngine({ model: engine.info.model.url, backend });
  const map = await other.predict({ ...request, seed: 42 });
  const answer = { backend: other.info.backend, values: Array.from(map.values, (value) => (Number.isNaN(value) ? null : value)) };
  other.dispose();
  return answer;
}, backend);

test('WebGPU and CPU draw the same map', { timeout: 400_000 }, async () => {
  const browser = await launch();
  try {
    const page = await open(browser);
    const [gpu, cpu] = [await predictOn(page, 'webgpu'), await predictOn(page, 'cpu')];
    assert.deepEqual([gpu.backend, cpu.backend], ['webgpu', 'cpu']);
    const [a, b] = [gpu, cpu].map(({ values }) => values.map((value) => value ?? NaN));
    const share = agreement(a, b, WITHIN_DB);
    assert.ok(share >= LEAST_SHARE, `${(100 * share).toFixed(3)} % of the pixels are within ${WITHIN_DB} dB`);
  } finally {
    await browser.close();
  }
});

test('without WebGPU the CPU draws, and the page says so', { timeout: 300_000 }, async () => {
  const browser = await launch({ webgpu: false });
  try {
    const page = await open(browser);
    assert.match(await page.locator('#engine').innerText(), /cpu/i);
    assert.deepEqual(faults(await shownMap(page)), []);
    assert.deepEqual(page.failures, []);
  } finally {
    await browser.close();
  }
});

for (const [what, damage] of [
  ['truncated', (bytes) => bytes.slice(0, bytes.length / 2)],
  ['foreign', () => new TextEncoder().encode('<!doctype html><title>not found</title>')],
  ['bit-flipped', (bytes) => { bytes[bytes.length >> 1] ^= 1; return bytes; }],
]) {
  test(`${what} weights are refused with a typed error`, { timeout: 300_000 }, async () => {
    const browser = await launch();
    try {
      const page = await open(browser);
      const error = await page.evaluate(async (damage) => {
        const { createEngine, engine } = window.radiodiff;
        const answer = await fetch(engine.info.model.url);
        const change = new Function(`return (${damage})`)();
        const model = change(new Uint8Array(await answer.arrayBuffer()));
        return createEngine({ model, backend: 'cpu' }).then(() => null, (error) => ({ name: error.name, message: error.message }));
      }, damage.toString());
      assert.ok(error, 'the weights were accepted');
      assert.notEqual(error.name, 'RuntimeError', `wasm panicked: ${error.message}`);
      assert.match(error.message, /weights|safetensors|checkpoint|sha/i);
    } finally {
      await browser.close();
    }
  });
}
