// What goes wrong with weights and what is aborted, in a real browser: each is a typed error that says what to do, or a fallback that
// says so, and afterwards the engine works.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { geotiff } from '../heights.mjs';
import { PAGES, install, result, setUp, visit } from './lib.mjs';
import { serve } from './server.mjs';

const ready = setUp(install);
let weights;
before(() => { weights = readFileSync(join(ready.app.dist, 'nano.safetensors')); });

/** Runs a scenario on a page of an origin of its own; `answers` are those of its server. */
async function run(t, scenario, options, answers = {}) {
  const { origin, asked } = await serve(t, { folders: { '/radiodiff-web/': ready.app.dist, '/': PAGES }, answers });
  const search = new URLSearchParams({ package: './radiodiff-web/index.js', scenario, options: JSON.stringify(options) });
  const page = await visit(t, ready.browser, `${origin}/?${search}`);
  return { ...await result(page), asked, page };
}

const MODEL = '/models/nano.safetensors';
const whole = (response) => response.writeHead(200, { 'content-length': weights.length }).end(weights);

for (const [what, answer, code, reason, words] of [
  ['are not there', (response) => response.writeHead(404).end('not found'), 'weights-missing', 'status', /answers 404; check the address/],
  ['are a web page', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>App</title>'), 'weights', 'html', /a web page.*check the address/],
  ['are cut off', (response) => response.end(weights.subarray(0, weights.length / 2)), 'weights', 'truncated', /ends after \d+ of \d+ bytes.*publish it again/],
  ['break off', (response) => response.writeHead(200, { 'content-length': weights.length }).write(weights.subarray(0, 200_000), () => setTimeout(() => response.destroy(), 300)), 'weights-missing', 'interrupted', /broke after.*try again/],
  ['are damaged', (response) => response.end(weights.map((byte, i) => (i === weights.length - 1000 ? byte ^ 1 : byte))), 'weights', 'hash', /SHA-256.*download or export it again/],
  ['are another file', (response) => response.end('PK\x03\x04 a checkpoint of PyTorch'), 'weights', 'format', /not a safetensors file/],
  ['come from another origin that does not allow it', null, 'weights-missing', 'network', /Access-Control-Allow-Origin/],
]) {
  test(`weights that ${what} are a typed error that says what to do`, { timeout: 120_000 }, async (t) => {
    const elsewhere = answer ? null : await serve(t, { folders: {}, answers: { [MODEL]: whole } });
    const { error } = await run(t, 'create', { model: elsewhere ? elsewhere.origin + MODEL : MODEL }, { [MODEL]: answer ?? whole });
    assert.deepEqual([error?.name, error?.code, error?.reason], ['RadioError', code, reason], error?.message);
    assert.match(error.message, words);
    assert.ok(error.message.includes(MODEL) || reason === 'hash', error.message);
  });
}

for (const [what, answer] of [
  ['served with Content-Encoding gzip', (response) => {
    const packed = gzipSync(weights);
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed);
  }],
  ['in a file packed by gzip', (response) => response.end(gzipSync(weights))],
]) {
  test(`weights ${what} are read, and their progress ends at its total`, { timeout: 120_000 }, async (t) => {
    const { info, method, progress } = await run(t, 'create', { model: MODEL }, { [MODEL]: answer });
    assert.deepEqual([info.model.name, method], ['nano', 'network']);
    assert.deepEqual(progress.at(-1), [weights.length, weights.length]);
    for (const [loaded, total] of progress) assert.ok(total === undefined || total === null || loaded <= total, `${loaded} of ${total}`);
  });
}

test('weights are kept by their hash and found at the next start; clearCache forgets them', { timeout: 120_000 }, async (t) => {
  let sent = 0;
  const answer = (response) => {
    // Slowly, so that what was not wanted is not sent.
    response.on('close', () => { sent += response.writableFinished ? 1 : 0; });
    response.writeHead(200, { 'content-length': weights.length }).write(weights.subarray(0, 200_000));
    setTimeout(() => response.end(weights.subarray(200_000)), 500);
  };
  const { first, second, third, cleared } = await run(t, 'createThrice', { model: MODEL }, { [MODEL]: answer });
  assert.deepEqual([first, second, third].map(({ method }) => method), Array(3).fill('network'));
  assert.deepEqual(cleared, [true, false]);
  assert.equal(sent, 2, 'the second start downloads the whole file again');
  assert.deepEqual(first.info.warnings, []);
});

test('weights that are pinned by their hash are not even asked for again, and nothing else is taken for them', { timeout: 120_000 }, async (t) => {
  const header = JSON.parse(weights.subarray(8, 8 + Number(weights.readBigUInt64LE(0))));
  const sha256 = JSON.parse(header.__metadata__.radiodiff).content_sha256;
  const kept = await run(t, 'createThrice', { model: { url: MODEL, sha256 } }, { [MODEL]: whole });
  assert.equal(kept.second.info.model.sha256, sha256);
  assert.equal(kept.asked.filter((path) => path === MODEL).length, 2, 'the second start asks the server');
  const { error } = await run(t, 'create', { model: { url: MODEL, sha256: 'ab'.repeat(32) } }, { [MODEL]: whole });
  assert.deepEqual([error.code, error.reason], ['weights', 'hash']);
  assert.ok(error.message.includes(sha256) && error.message.includes('abab'));
});

test('weights that were damaged in the browser are forgotten and downloaded again', { timeout: 120_000 }, async (t) => {
  const { second, asked } = await run(t, 'damageStore', { model: MODEL }, { [MODEL]: whole });
  assert.equal(second.method, 'network');
  assert.equal(asked.filter((path) => path === MODEL).length, 3);
});

test('a store that never answers keeps no map from being drawn', { timeout: 120_000 }, async (t) => {
  const { method, info } = await run(t, 'hangingStore', { model: MODEL }, { [MODEL]: whole });
  assert.deepEqual([method, info.warnings], ['network', []]);
});

test('where there is no room the weights stay in memory, and the engine says so', { timeout: 120_000 }, async (t) => {
  const { origin } = await serve(t, { folders: { '/radiodiff-web/': ready.app.dist, '/': PAGES }, answers: { [MODEL]: whole } });
  const page = await visit(t, ready.browser, `${origin}/about.html`);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 100_000 });
  const search = new URLSearchParams({ package: './radiodiff-web/index.js', scenario: 'create', options: JSON.stringify({ model: MODEL }) });
  await page.goto(`${origin}/?${search}`);
  const { info, method } = await result(page);
  assert.equal(method, 'network');
  assert.match(info.warnings.join(' '), /could not be kept.*[Qq]uota.*stay in memory/);
});

/** A block of forty heights, which takes seconds to trace. */
const RASTER = {
  '/heights.tif': (response) => response.end(geotiff({ width: 1000, rows: 1000, west: 11.57, north: 48.14, pixel: [1.345e-5, 8.983e-6], height: (column) => 6 + 3 * ((column >> 3) % 40) })),
};

test('the page answers while a raster of heights is traced, and hears of its progress', { timeout: 120_000 }, async (t) => {
  const { format, progress, took, longest } = await run(t, 'trace', {}, RASTER);
  assert.deepEqual([format, progress], ['GeoJSON', ['trace 0/1', 'trace 1/1', 'scene 0/1', 'scene 1/1']]);
  assert.ok(longest < took / 3, `of ${took} ms the page did not answer for ${longest} ms`);
});

/** Answers that never end: a part of the file, and silence. */
const stalled = (bytes, type) => (response) => response.writeHead(200, { 'content-type': type }).write(bytes.subarray(0, 300_000));

for (const [what, phase, options, answers] of [
  ['while weights download', 'download', {}, { [MODEL]: whole }],
  ['while a download stalls', 'stalled', {}, { [MODEL]: stalled }],
  ['before the module is compiled', 'compile', {}, { [MODEL]: whole }],
  ['while networks are built', 'build', {}, { [MODEL]: whole }],
  ['while the engine warms up', 'warm-up', {}, { [MODEL]: whole }],
  ["between the sampler's steps", 'step', {}, { [MODEL]: whole }],
  ['while the physical map is drawn', 'physical', {}, { [MODEL]: whole }],
  ['while the scene is read', 'scene', {}, { [MODEL]: whole }],
  ['while a raster of heights is traced', 'trace', {}, { [MODEL]: whole, ...RASTER }],
  ['while a map is written as a file', 'write', {}, { [MODEL]: whole }],
  ['while rays are traced', 'rays', {}, { [MODEL]: whole }],
  ['while sites are sought', 'candidates', {}, { [MODEL]: whole }],
  ['while a map is fitted to measurements', 'fit', {}, { [MODEL]: whole }],
]) {
  test(`aborted ${what}, the call rejects within 100 ms, and the engine goes on`, { timeout: 120_000 }, async (t) => {
    const served = answers[MODEL] === stalled ? { [MODEL]: stalled(weights, 'application/octet-stream') } : answers;
    const { waited, method } = await run(t, 'abort', { model: MODEL, backend: 'cpu', phase, ...options }, served);
    assert.equal(typeof waited, 'number', `it ${JSON.stringify(waited)}`);
    assert.ok(waited < 100, `it rejects after ${waited} ms`);
    const isOfTheStart = ['download', 'stalled', 'compile', 'build'].includes(phase);
    assert.equal(method, isOfTheStart ? 'dominant-path' : 'network');
  });
}

test('aborted while the module stalls, the start rejects, and the next one has the module', { timeout: 120_000 }, async (t) => {
  const module = readFileSync(join(ready.app.dist, 'radiodiff-web_bg.wasm'));
  let ending;
  const answer = (response) => {
    response.writeHead(200, { 'content-type': 'application/wasm' }).write(module.subarray(0, 1000));
    ending = setTimeout(() => response.end(module.subarray(1000)), 2000);
  };
  t.after(() => clearTimeout(ending));
  const { waited, method } = await run(t, 'abort', { phase: 'stalled' }, { '/radiodiff-web/radiodiff-web_bg.wasm': answer });
  assert.ok(waited < 100, `it rejects after ${waited} ms`);
  assert.equal(method, 'dominant-path');
});

for (const [what, options] of [['one transmitter', { side: 1500 }], ['several, which several workers draw', { side: 1000, transmitters: 4, workers: 2 }]]) {
  test(`a large map of ${what} that is aborted does not keep the next call waiting for its end`, { timeout: 240_000 }, async (t) => {
    const { first, next, second, again, warnings } = await run(t, 'abortLarge', options);
    t.diagnostic(JSON.stringify({ first, next, second, again }));
    assert.deepEqual([first.isReason, second.isReason, warnings], [true, true, []]);
    assert.equal(next.size, 256);
    // It waits for 300 ms, another worker and its scene; the large map takes seconds.
    assert.ok(next.ms < 0.6 * again.ms, `the next call took ${next.ms} ms, the large map ${again.ms}`);
    assert.equal(again.size, options.side, 'the scene of the aborted call is there');
  });
}
