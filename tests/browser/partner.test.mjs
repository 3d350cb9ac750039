// Two workers that share the network's maps: the page is isolated, so that they may share memory.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { MODEL, SAMPLER, launch, open } from './lib.mjs';

let browser;
before(async () => { browser = await launch({ webgpu: false }); });
after(() => browser.close());

/** Loads what the tests need beside the page: an engine of two workers that are counted, and maps until both have drawn one. */
async function prepare(page) {
  await page.evaluate(() => {
    const { createEngine, request } = window.radiodiff;
    window.opened = async (model) => {
      const workers = [];
      const worker = () => workers[workers.push(new Worker('worker.js', { type: 'module' })) - 1];
      const engine = await createEngine({ model, backend: 'cpu', workers: 2, worker });
      return { engine, workers };
    };
    const { buildings, bounds, transmitters } = request;
    window.asked = { buildings, bounds, transmitters: [transmitters[0]], method: 'network', thresholdDbm: -90 };
    window.untilShared = async (engine) => {
      const shared = [];
      for (let tries = 0; tries < 100; tries += 1) {
        const map = await engine.predict(window.asked);
        shared.push(map.workers);
        if (map.workers === 2) return shared;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error('the second worker never took part');
    };
  });
}

for (const [model, more] of [[MODEL, {}], [SAMPLER, { steps: 2, samples: 2, seed: 5 }]]) {
  test(`two workers draw what one draws with ${model}`, { timeout: 120_000 }, async () => {
    const page = await open(browser);
    await prepare(page);
    const found = await page.evaluate(async ([model, more]) => {
      const { engine } = await window.opened(model);
      const alone = await window.radiodiff.createEngine({ model, backend: 'cpu', workers: 1 });
      const shared = await window.untilShared(engine);
      const first = { ...window.asked, ...more };
      const moved = { ...first, transmitters: [{ ...first.transmitters[0], lng: first.transmitters[0].lng + 2e-4 }] };
      const several = { ...moved, transmitters: [...moved.transmitters, ...first.transmitters] };
      const differences = [];
      for (const request of [first, moved, several]) {
        const [one, two] = [await alone.predict(request), await engine.predict(request)];
        const worst = (a, b) => a.reduce((most, value, i) => Math.max(most, Number.isNaN(value) && Number.isNaN(b[i]) ? 0 : Math.abs(value - b[i])), 0);
        differences.push({ workers: [one.workers, two.workers], db: worst(one.values, two.values), stddev: worst(one.stddev, two.stddev), same: JSON.stringify(one.transmitters) === JSON.stringify(two.transmitters) });
      }
      const { warnings } = engine.info;
      for (const each of [engine, alone]) each.dispose();
      return { isolated: crossOriginIsolated, shared, differences, warnings };
    }, [model, more]);
    assert.equal(found.isolated, true);
    assert.equal(found.shared[0], 1, 'the first map does not wait for a second worker');
    for (const { workers, db, stddev, same } of found.differences) {
      assert.deepEqual([workers, same], [[1, 2], true]);
      assert.ok(db < 0.01 && stddev < 0.01, `${db} and ${stddev} dB apart`);
    }
    assert.deepEqual([found.warnings, page.failures], [[], []]);
    await page.close();
  });
}

test('aborted maps, wrong requests and a lost worker leave an engine that draws', { timeout: 120_000 }, async () => {
  const page = await open(browser);
  await prepare(page);
  const found = await page.evaluate(async (model) => {
    const { engine, workers } = await window.opened(model);
    await window.untilShared(engine);
    const aborted = [];
    for (const delay of [0, 5, 30, 60, 100]) {
      const controller = new AbortController();
      const drawing = engine.predict({ ...window.asked, signal: controller.signal }).then(() => 'drawn', ({ name }) => name);
      await new Promise((resolve) => setTimeout(resolve, delay));
      const asked = performance.now();
      controller.abort();
      const said = await drawing;
      aborted.push([said, performance.now() - asked]);
    }
    const code = (promise) => promise.then(() => 'drawn', (error) => error.code);
    const wrong = [
      await code(engine.predict({ ...window.asked, transmitters: [{ lng: 0, lat: 0 }] })),
      await code(engine.predict({ ...window.asked, transmitters: [] })),
      await code(engine.predict({ ...window.asked, start: 7 })),
    ];
    const after = (await engine.predict(window.asked)).workers;
    const both = engine.predict(window.asked);
    workers[1].dispatchEvent(new ErrorEvent('error', { message: 'out of memory' }));
    const lost = await both;
    const alone = await engine.predict(window.asked);
    const { warnings } = engine.info;
    engine.dispose();
    return { aborted, wrong, after, lost: lost.workers, alone: alone.workers, warnings, started: workers.length };
  }, MODEL);
  for (const [said, milliseconds] of found.aborted) {
    assert.ok(said === 'AbortError' || said === 'drawn', said);
    assert.ok(milliseconds < 100, `aborted after ${milliseconds} ms`);
  }
  assert.equal(found.aborted[0][0], 'AbortError');
  assert.deepEqual(found.wrong, ['transmitter', 'transmitter', 'start']);
  assert.deepEqual([found.after, found.lost, found.alone, found.started], [2, 1, 1, 2]);
  assert.equal(found.warnings.length, 1);
  assert.match(found.warnings[0], /A worker that shared the network's maps was lost \(.*\); the other draws alone/);
  assert.deepEqual(page.failures, []);
  await page.close();
});
