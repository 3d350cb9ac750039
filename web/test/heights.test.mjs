// Rasters of heights with stand-ins for workers: one trace serves all that wait for it, and ends with the last of them.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { isTiff } from '../js/buildings.js';
import { withoutRaster } from '../js/heights.js';
import { initExport } from '../js/module.js';

before(() => initExport(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])));

let rasters = 0;
/** A TIFF that no test before has had. */
const raster = () => new Uint8Array([0x49, 0x49, 42, 0, (rasters += 1)]);

/** Runtimes that trace once `go` is called, or fail with a message. */
function runtimes() {
  const started = [];
  const open = async (receive) => {
    const runtime = { closed: false };
    started.push(runtime);
    const post = ({ id, call }) => {
      if (call === 'open') queueMicrotask(() => receive({ id, result: {} }));
      if (call !== 'trace') return;
      runtime.go = (message) => {
        receive({ id, progress: { phase: 'trace', loaded: 1, total: 1 } });
        receive(message ? { id, error: { code: 'geojson', message }, fatal: message === 'unreachable' } : { id, result: 'footprints' });
      };
    };
    return { post, close: () => { runtime.closed = true; } };
  };
  return { started, beside: async () => ({ open, setup: {}, weights: null }) };
}

const { signal: never } = new AbortController();
const turn = () => new Promise(setImmediate);

test('TIFF and BigTIFF of either byte order are told by their first bytes', () => {
  for (const head of ['II*\0', 'MM\0*', 'II+\0', 'MM\0+']) assert.ok(isTiff(Buffer.from(`${head}....`)), head);
  for (const head of ['II\0*', 'II', '{"a"', '']) assert.ok(!isTiff(Buffer.from(head)), head);
});

test('callers of the same raster share one trace, and each hears of its progress', async () => {
  const { started, beside } = runtimes();
  const bytes = raster();
  const heard = [];
  const calls = [0, 1].map((caller) => withoutRaster(bytes.slice(), beside, { ended: never, onProgress: ({ phase }) => heard.push(`${phase} ${caller}`) }));
  await turn();
  started[0].go();
  assert.deepEqual(await Promise.all(calls), ['footprints', 'footprints']);
  assert.deepEqual([await withoutRaster(bytes, beside, { ended: never }), started.length, heard], ['footprints', 1, ['trace 0', 'trace 1']]);
});

test('who aborts, or whose engine ends, leaves the others their trace; without a caller it ends', async () => {
  const { started, beside } = runtimes();
  const bytes = raster();
  const controllers = Array.from({ length: 3 }, () => new AbortController());
  const call = (signal, ended) => withoutRaster(bytes, beside, { signal, ended }).catch((error) => error);
  const calls = [call(controllers[0].signal, never), call(undefined, controllers[1].signal), call(controllers[2].signal, never)];
  await turn();
  for (const i of [0, 1]) {
    controllers[i].abort(`reason ${i}`);
    assert.equal(await calls[i], `reason ${i}`);
  }
  await turn();
  assert.equal(started[0].closed, false);
  controllers[2].abort('the last');
  assert.equal(await calls[2], 'the last');
  const again = call(undefined, never);
  await turn();
  assert.deepEqual(started.map(({ closed }) => closed), [true, false]);
  started[1].go();
  assert.equal(await again, 'footprints');
});

test('a trace that failed is tried again, and a trap is not said to be the engine\'s', async () => {
  const { started, beside } = runtimes();
  const bytes = raster();
  const crashed = 'crashed: what works beside the engine crashed (unreachable); in a worker the next such call starts it again';
  for (const [i, [message, told]] of [['too rugged', 'geojson: too rugged'], ['unreachable', crashed], [undefined, 'footprints']].entries()) {
    const call = withoutRaster(bytes, beside, { ended: never }).catch((error) => `${error.code}: ${error.message}`);
    await turn();
    started[i].go(message);
    assert.equal(await call, told);
  }
});
