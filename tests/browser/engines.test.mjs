// The engines behind the page: they agree, an engine that is missing or lost is replaced with a word about it, and damaged or foreign
// weights are refused.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { MODEL, SAMPLER, drawn, launch, open, openForecast, placeTransmitter, shownMap } from './lib.mjs';
import { agreement, faults } from './plausible.mjs';

const WITHIN_DB = 1;
const LEAST_SHARE = 0.999;

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** The map of the page's scene on `backend`, in the page's own browser. */
const predictOn = (page, backend, { precision, asOnAGpu, ...options } = {}) => page.evaluate(async ([model, backend, precision, asOnAGpu, options]) => {
  const { createEngine, request } = window.radiodiff;
  const other = await createEngine({ model, backend, precision });
  if (asOnAGpu) await other.computeAsOnAGpu();
  const map = await other.predict({ ...request, method: 'network', seed: 42, ...options });
  const answer = { info: other.info, backend: map.backend, values: Array.from(map.values, (value) => (Number.isNaN(value) ? null : value)) };
  other.dispose();
  return answer;
}, [SAMPLER, backend, precision, asOnAGpu, options]);

const numbers = ({ values }) => values.map((value) => value ?? NaN);

for (const steps of [1, 3]) {
  test(`WebGPU and CPU draw the same map in ${steps} step(s)`, { timeout: 400_000 }, async () => {
    const page = await open(browser);
    const [gpu, cpu] = [await predictOn(page, 'webgpu', { steps }), await predictOn(page, 'cpu', { steps })];
    assert.deepEqual([gpu.backend, cpu.backend], ['webgpu', 'cpu']);
    const share = agreement(numbers(gpu), numbers(cpu), WITHIN_DB);
    assert.ok(share >= LEAST_SHARE, `${(100 * share).toFixed(3)} % of the pixels are within ${WITHIN_DB} dB`);
    assert.deepEqual(page.failures, []);
    await page.close();
  });
}

test('the kernels for GPUs, which no software adapter takes by itself, draw the same map', { timeout: 400_000 }, async () => {
  const page = await open(browser);
  const [gpu, cpu] = [await predictOn(page, 'webgpu', { asOnAGpu: true }), await predictOn(page, 'cpu')];
  assert.deepEqual([gpu.backend, cpu.backend], ['webgpu', 'cpu']);
  const share = agreement(numbers(gpu), numbers(cpu), WITHIN_DB);
  assert.ok(share >= LEAST_SHARE, `${(100 * share).toFixed(3)} % of the pixels are within ${WITHIN_DB} dB`);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('WebGPU with weights of 16 bits draws the map of 32', { timeout: 400_000 }, async () => {
  const page = await open(browser);
  const [half, cpu] = [await predictOn(page, 'webgpu', { precision: 'f16' }), await predictOn(page, 'cpu', { precision: 'f16' })];
  // Where the adapter has shader-f16, products are of 16 bits too.
  assert.deepEqual([half.info.precision, cpu.info.precision], [half.info.f16 ? 'f16' : 'f16-weights', 'f32']);
  const share = agreement(numbers(half), numbers(cpu), 0.1);
  assert.ok(share >= LEAST_SHARE, `${(100 * share).toFixed(3)} % of the pixels are within 0.1 dB`);
  assert.ok(agreement(numbers(half), numbers(cpu), 1e-6) < 0.9, 'the weights are of 32 bits');
  await page.close();
});

test('WebGPU and CPU make the same forecast in one evaluation', { timeout: 400_000 }, async () => {
  const page = await open(browser);
  const [gpu, cpu] = await page.evaluate(async (model) => {
    const { createEngine, request } = window.radiodiff;
    const answers = [];
    for (const backend of ['webgpu', 'cpu']) {
      const engine = await createEngine({ model, backend });
      await engine.warmup();
      const phases = [];
      const map = await engine.predict({ ...request, method: 'network', thresholdDbm: -90, samples: 4, onProgress: ({ phase }) => phases.push(phase) });
      const layers = [map.values, map.stddev, map.probability].map((values) => Array.from(values, (value) => (Number.isNaN(value) ? null : value)));
      const code = await engine.predict({ ...request, method: 'network', layers: ['best-server'] }).then(() => 'answered', (error) => error.code);
      answers.push({ kind: engine.info.model.kind, backend: map.backend, layers, warnings: map.warnings, phases: [...new Set(phases)], code });
      engine.dispose();
    }
    return answers;
  }, MODEL);
  for (const { kind, warnings, phases, code } of [gpu, cpu]) {
    assert.deepEqual([kind, phases, code], ['quantiles', ['scene', 'transmitters'], 'layers']);
    assert.ok(warnings.some((warning) => /all quantiles at once, so samples is not used/.test(warning)), warnings.join('; '));
  }
  assert.deepEqual([gpu.backend, cpu.backend], ['webgpu', 'cpu']);
  for (const [layer, within] of [[0, WITHIN_DB], [1, WITHIN_DB], [2, 0.06]]) {
    const share = agreement(...[gpu, cpu].map(({ layers }) => layers[layer].map((value) => value ?? NaN)), within);
    assert.ok(share >= LEAST_SHARE, `layer ${layer}: ${(100 * share).toFixed(3)} % of the pixels are within ${within}`);
  }
  assert.ok(Math.max(...cpu.layers[1]) > 3, 'nothing is unsure');
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('both draw the map that burn draws off the browser', { timeout: 400_000 }, async () => {
  const file = readFileSync(process.env.RADIODIFF_REFERENCE);
  const expected = Array.from({ length: file.length / 4 }, (_, i) => file.readFloatLE(4 * i));
  const page = await open(browser);
  for (const backend of ['webgpu', 'cpu']) {
    const share = agreement(numbers(await predictOn(page, backend)), expected, WITHIN_DB);
    assert.ok(share >= LEAST_SHARE, `${backend}: ${(100 * share).toFixed(3)} % of the pixels are within ${WITHIN_DB} dB of burn's`);
  }
  await page.close();
});

test('a software adapter is taken only when it is asked for, and the page says what runs', { timeout: 300_000 }, async () => {
  const page = await openForecast(browser);
  const automatic = await page.evaluate(() => window.radiodiff.engine.info);
  const asked = await predictOn(page, 'webgpu');
  assert.equal(asked.info.backend, 'webgpu');
  assert.ok(asked.info.adapter, 'the adapter has no name');
  // On a machine with a GPU `auto` rightly takes it.
  assert.equal(automatic.backend, asked.info.software ? 'cpu' : 'webgpu');
  if (asked.info.software) assert.match(automatic.reason, /computes on the CPU/);
  assert.ok((await page.locator('#engine').innerText()).includes(automatic.reason));
  await page.close();
});

test('without WebGPU the CPU draws, and the page says so', { timeout: 300_000 }, async () => {
  const without = await launch({ webgpu: false });
  try {
    const page = await openForecast(without);
    assert.match(await page.locator('#engine').innerText(), /CPU.*WebGPU is not used: .*(no WebGPU|no adapter)/);
    assert.deepEqual(faults(await shownMap(page)), []);
    const code = await page.evaluate((model) => window.radiodiff.createEngine({ model, backend: 'webgpu' })
      .then(() => null, (error) => error.code), SAMPLER);
    assert.equal(code, 'no-webgpu');
    assert.deepEqual(page.failures, []);
  } finally {
    await without.close();
  }
});

test('WebGPU lost in the middle is opened once more, then the CPU draws, with the same map', { timeout: 400_000 }, async () => {
  const page = await open(browser);
  const expected = numbers(await predictOn(page, 'cpu', { steps: 3 }));
  const answers = await page.evaluate(async (model) => {
    const { createEngine, request } = window.radiodiff;
    const engine = await createEngine({ model, backend: 'webgpu' });
    const answers = [];
    for (let loss = 0; loss < 2; loss += 1) {
      let lost;
      // In the middle: when the first step is done.
      const onProgress = ({ phase, loaded }) => { if (phase === 'step' && loaded === 1) lost ??= engine.loseDevice(); };
      const map = await engine.predict({ ...request, method: 'network', steps: 3, seed: 42, onProgress });
      await lost;
      answers.push({ info: engine.info, backend: map.backend, warnings: map.warnings, values: Array.from(map.values, (value) => (Number.isNaN(value) ? null : value)) });
    }
    const calm = await engine.predict({ ...request, method: 'network' });
    engine.dispose();
    return { answers, calm: { backend: calm.backend, warnings: calm.warnings } };
  }, SAMPLER);
  assert.deepEqual(answers.answers.map(({ backend, info }) => [backend, info.backend]), [['webgpu', 'webgpu'], ['cpu', 'cpu']]);
  for (const answer of answers.answers) {
    assert.match(answer.warnings.join('; '), /WebGPU was lost/);
    assert.match(answer.info.reason, /WebGPU was lost/);
    assert.ok(agreement(numbers(answer), expected, WITHIN_DB) >= LEAST_SHARE, 'the map differs');
  }
  assert.deepEqual(answers.calm, { backend: 'cpu', warnings: [] });
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('the page draws with WebGPU when it is told to, tells of a lost device and goes on', { timeout: 300_000 }, async () => {
  const page = await openForecast(browser, { query: { backend: 'webgpu' } });
  assert.match(await page.locator('#engine').innerText(), /Network of quantiles on WebGPU/);
  assert.deepEqual(faults(await shownMap(page)), []);
  await page.evaluate(() => window.radiodiff.engine.loseDevice());
  await placeTransmitter(page, 0.25, 0.25);
  assert.match(await page.locator('[role=status]').innerText(), /WebGPU was lost/);
  assert.match(await page.locator('#engine').innerText(), /WebGPU was lost/);
  assert.deepEqual(faults(await shownMap(page)), []);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('WebGPU that fails for another reason is told as such, and the CPU draws', { timeout: 300_000 }, async () => {
  const page = await open(browser, { query: { backend: 'webgpu' } });
  // The networks' worker, as soon as it is there. More workgroups than any device allows: a validation error.
  const broken = page.waitForEvent('worker').then((worker) => worker.evaluate(() => {
    const { prototype } = GPUComputePassEncoder;
    const dispatch = prototype.dispatchWorkgroups;
    prototype.dispatchWorkgroups = function () { dispatch.call(this, 2 ** 32 - 1); };
  }));
  await page.selectOption('#layer', 'mean');
  await broken;
  await drawn(page);
  const [told, engine] = [await page.locator('[role=status]').innerText(), await page.locator('#engine').innerText()];
  assert.match(told, /WebGPU failed in the middle.*the CPU draws/s);
  assert.match(engine, /CPU.*WebGPU failed/s);
  assert.doesNotMatch(told + engine, /lost/);
  assert.deepEqual(faults(await shownMap(page)), []);
  await placeTransmitter(page, 0.3, 0.25);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a map that is aborted rejects with the reason, and the engine goes on', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const outcome = await page.evaluate(async (model) => {
    const { createEngine, request } = window.radiodiff;
    const engine = await createEngine({ model, backend: 'cpu' });
    const controller = new AbortController();
    const steps = [];
    const onProgress = ({ phase, loaded }) => {
      if (phase !== 'step') return;
      steps.push(loaded);
      if (loaded === 2) controller.abort(new Error('changed my mind'));
    };
    const long = { ...request, method: 'network', steps: 50, signal: controller.signal, onProgress };
    const reason = await engine.predict(long).then(() => 'answered', (error) => error.message);
    const started = performance.now();
    await engine.predict({ ...request, method: 'dominant-path' });
    const waitedMs = performance.now() - started;
    engine.dispose();
    return { reason, last: steps.at(-1), waitedMs };
  }, SAMPLER);
  assert.equal(outcome.reason, 'changed my mind');
  assert.equal(outcome.last, 2);
  assert.ok(outcome.waitedMs < 10_000, `the worker went on for ${outcome.waitedMs} ms`);
  await page.close();
});

test('the networks are warmed up, and the same seed gives the same map', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const [same, other] = await page.evaluate(async (model) => {
    const { createEngine, request } = window.radiodiff;
    const engine = await createEngine({ model, backend: 'cpu' });
    await engine.warmup();
    const draw = async (seed) => (await engine.predict({ ...request, method: 'network', seed })).values.filter((value) => !Number.isNaN(value));
    const [a, b, c] = [await draw(1), await draw(1), await draw(2)];
    engine.dispose();
    const equal = (x, y) => x.every((value, i) => value === y[i]);
    return [equal(a, b), equal(a, c)];
  }, SAMPLER);
  assert.deepEqual([same, other], [true, false]);
  await page.close();
});

test('a map that begins from the dominant path stays by it; weights without an encoder begin from noise alone', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  // The weights that shipped first have an encoder.
  const body = readFileSync(new URL('../goldens/nano.safetensors', import.meta.url));
  await page.route('**/first.safetensors', (route) => route.fulfill({ body }));
  const [near, noise, refused] = await page.evaluate(async (shipped) => {
    const model = 'first.safetensors';
    const { createEngine } = window.radiodiff;
    // The network knows buildings of one height, so the physical map is drawn of the same.
    const buildings = await fetch('scenes/munich-old-town.geojson').then((response) => response.json());
    for (const { properties } of buildings.features) for (const tag of ['height', 'building:levels']) delete properties[tag];
    const request = { ...window.radiodiff.request, buildings };
    const engine = await createEngine({ model, backend: 'cpu' });
    const physical = await engine.predict({ ...request, method: 'dominant-path' });
    const draw = (start) => engine.predict({ ...request, method: 'network', seed: 1, start });
    const errorDb = ({ values }) => {
      const squares = values.map((value, i) => (value - physical.values[i]) ** 2).filter((square) => !Number.isNaN(square));
      return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
    };
    const errors = [errorDb(await draw(0.0001)), errorDb(await draw(1))];
    engine.dispose();
    const other = await createEngine({ model: shipped, backend: 'cpu' });
    const { code, message } = await other.predict({ ...request, method: 'network', start: 0.5 }).catch((error) => error);
    other.dispose();
    return [...errors, `${code}: ${message}`];
  }, SAMPLER);
  assert.match(refused, /^start: .*no encoder/);
  assert.ok(near < 0.5 * noise, `${near} dB from the dominant path, ${noise} dB when begun from noise`);
  await page.close();
});

for (const worker of [true, false]) {
  test(`a panic ${worker ? 'in the worker' : 'on the page'} becomes a typed error`, { timeout: 300_000 }, async () => {
    const page = await open(browser);
    const { crashed, after } = await page.evaluate(async ([model, worker]) => {
      const { createEngine, request } = window.radiodiff;
      const outcome = (promise) => promise.then(() => 'answered', ({ name, code, message }) => `${name} ${code}: ${message}`);
      const engine = await createEngine({ model, backend: 'cpu', worker });
      // The call that traps, and one that waits behind it.
      const crashed = await Promise.all([outcome(engine.crash()), outcome(engine.predict({ ...request, method: 'network' }))]);
      const next = await outcome(engine.predict({ ...request, method: 'dominant-path' }));
      return { crashed, after: [next, await outcome(createEngine({ worker })), await outcome(createEngine())] };
    }, [SAMPLER, worker]);
    for (const error of crashed) {
      assert.match(error, worker ? /RadioError crashed.*the next call starts it again/ : /RadioError crashed.*cannot be started again/);
    }
    // The page has one instance of the module, and every worker its own.
    const [next, another, inWorker] = after.map((outcome) => outcome.replace(/:.*/s, ''));
    assert.deepEqual([next, another, inWorker], worker ? Array(3).fill('answered') : ['RadioError crashed', 'RadioError crashed', 'answered']);
    assert.deepEqual(page.failures, []);
    await page.close();
  });
}

/** A weights file like `bytes` whose tensor `name` is zero, with the SHA-256 that belongs to it. */
function withZero(bytes, name) {
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata, ...tensors } = JSON.parse(bytes.subarray(8, start));
  const data = Buffer.from(bytes.subarray(start));
  data.fill(0, ...tensors[name].data_offsets);
  const manifest = (sha256) => metadata.radiodiff.replace(/"content_sha256":"\w*"/, `"content_sha256":"${sha256}"`);
  const hash = createHash('sha256').update(manifest(''));
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(tensors).sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`\n${name} ${dtype} [${shape.join(', ')}]\n`).update(data.subarray(...data_offsets));
  }
  const header = Buffer.from(JSON.stringify({ __metadata__: { ...metadata, radiodiff: manifest(hash.digest('hex')) }, ...tensors }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, data]);
}

test('weights that give no numbers are an error on both engines, not a map of buildings', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const body = async (route) => withZero(Buffer.from(await (await route.fetch()).body()), 'scale_factor');
  await page.route(`**/${SAMPLER}`, async (route) => route.fulfill({ body: await body(route) }));
  for (const backend of ['cpu', 'webgpu']) {
    await assert.rejects(predictOn(page, backend), /gray levels are not finite/);
  }
  await page.close();
});

const damages = [
  ['truncated', (bytes) => bytes.subarray(0, bytes.length / 2)],
  ['foreign', () => Buffer.from('<!doctype html><title>not found</title>')],
  ['bit-flipped', (bytes) => { bytes[bytes.length - 1000] ^= 1; return bytes; }],
];

for (const [what, damage] of damages) {
  test(`${what} weights are refused with a typed error, and the page says so and draws the dominant path`, { timeout: 300_000 }, async () => {
    const weights = async (route) => route.fulfill({ body: damage(Buffer.from(await (await route.fetch()).body())) });
    const page = await openForecast(browser, { weights });
    const error = await page.evaluate((model) => window.radiodiff.createEngine({ model, backend: 'cpu' })
      .then(() => null, (error) => ({ name: error.name, code: error.code, message: error.message })), MODEL);
    assert.equal(error?.name, 'RadioError', 'the weights were accepted');
    assert.equal(error.code, 'weights', error.message);
    assert.match(error.message, /safetensors|sha-256/i);
    assert.ok((await page.locator('#model').innerText()).includes(error.message), 'the page does not say why');
    assert.deepEqual(faults(await shownMap(page)), []);
    await placeTransmitter(page, 0.25, 0.25);
    assert.deepEqual(page.failures, []);
    await page.close();
  });
}
