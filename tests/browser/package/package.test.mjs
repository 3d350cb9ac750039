// The package from its tarball, in a real browser, under the conditions of other people's pages: no bundler, a sub-path, a strict
// Content-Security-Policy with Trusted Types, another origin.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PAGES, drawnTwice, install, launch, result, setUp, visit } from './lib.mjs';
import { serve } from './server.mjs';

const ready = setUp(install);

const SUB_PATH = '/an/app/of/ours/';
/** No eval, no inline script, nothing from elsewhere, and no script address that the package's policy has not made. */
const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types radiodiff-web";

/** Serves the pages and the package below `SUB_PATH`; with `cdn`, the package on another origin with those headers. */
async function site(t, { policy = STRICT, cdn = null } = {}) {
  const here = await serve(t, { folders: { [`${SUB_PATH}radiodiff-web/`]: ready.app.dist, [SUB_PATH]: PAGES }, headers: () => ({ 'content-security-policy': policy }) });
  const there = cdn && await serve(t, { folders: { '/npm/': ready.app.dist }, headers: cdn });
  const index = there ? `${there.origin}/npm/index.js` : './radiodiff-web/index.js';
  const run = async (scenario, options = {}) => {
    const address = new URL(SUB_PATH, here.origin);
    address.search = new URLSearchParams({ package: index, scenario, options: JSON.stringify(options) });
    const page = await visit(t, ready.browser, address.href);
    const found = await result(page);
    assert.deepEqual(page.failures, []);
    return found;
  };
  return { run, here };
}

test('unbundled, below a path, under a strict policy with Trusted Types, mounted and disposed of twice', { timeout: 120_000 }, async (t) => {
  const { run, here } = await site(t);
  const mounts = await run('mountTwice');
  drawnTwice(mounts);
  assert.deepEqual(mounts[0].warnings, []);
  // The worker is one file, the module is fetched once, and nothing else is.
  const fetched = here.asked.filter((path) => !path.endsWith('favicon.ico')).map((path) => path.replace(SUB_PATH, ''));
  assert.deepEqual(fetched.filter((path) => !path.endsWith('.js')), ['', 'radiodiff-web/radiodiff-web_bg.wasm']);
  assert.ok(!fetched.includes('radiodiff-web/runtime.js'), 'the worker imports files');
});

test('a map becomes a file and is fitted to measurements by modules of their own, which are loaded then', { timeout: 120_000 }, async (t) => {
  const { run, here } = await site(t);
  drawnTwice(await run('mountTwice', { write: true }), { written: true });
  const fetched = here.asked.filter((path) => /-export|-calibration/.test(path)).map((path) => path.replace(SUB_PATH, ''));
  // The worker has the modules' scripts in its own file.
  assert.deepEqual(fetched.sort(), ['radiodiff-web/radiodiff-web-calibration_bg.wasm', 'radiodiff-web/radiodiff-web-export_bg.wasm']);
});

const CORS = () => ({ 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' });
/** As STRICT, for a package at `origin`: the worker is a script of this origin that imports the package's. */
const foreign = (origin) => STRICT.replaceAll("'self' 'wasm", `'self' ${origin} 'wasm`).replace("worker-src 'self'", `worker-src blob: ${origin}`).replace("connect-src 'self'", `connect-src 'self' ${origin}`);

test('from another origin, under a strict policy with Trusted Types', { timeout: 120_000 }, async (t) => {
  const there = await serve(t, { folders: { '/npm/': ready.app.dist }, headers: CORS });
  const here = await serve(t, { folders: { '/': PAGES }, headers: () => ({ 'content-security-policy': foreign(there.origin) }) });
  const address = new URL(here.origin);
  address.search = new URLSearchParams({ package: `${there.origin}/npm/index.js`, scenario: 'mountTwice', options: JSON.stringify({ write: true }) });
  const page = await visit(t, ready.browser, address.href);
  const mounts = await result(page);
  drawnTwice(mounts, { written: true });
  assert.deepEqual(mounts[0].warnings, []);
  assert.deepEqual(page.failures, []);
});

for (const [what, policy, cdn, words] of [
  ['a policy that allows no worker', STRICT.replace("worker-src 'self'", "worker-src 'none'"), null, /worker-src/],
  ["Trusted Types without the package's policy", STRICT.replace('trusted-types radiodiff-web', "trusted-types 'none'"), null, /Trusted Types policy radiodiff-web/],
  ['a server elsewhere that does not let its worker be imported', "default-src * blob: 'wasm-unsafe-eval'", (path) => (path.endsWith('worker.js') ? {} : CORS()), /Access-Control-Allow-Origin/],
]) {
  test(`${what}: maps are drawn on the page's thread, and the engine says so; who insists on the worker gets an error`, { timeout: 120_000 }, async (t) => {
    const { run } = await site(t, { policy, cdn });
    const mounts = await run('mountTwice');
    drawnTwice(mounts, { worker: false });
    assert.match(mounts[0].warnings.join(' '), /page's own thread/);
    const { error } = await run('create', { worker: true });
    assert.deepEqual([error?.name, error?.code], ['RadioError', 'worker']);
    for (const told of [mounts[0].warnings.join(' '), error.message]) assert.match(told, words);
  });
}

test('a policy that forbids WebAssembly is told with the word that allows it', { timeout: 120_000 }, async (t) => {
  const { run } = await site(t, { policy: STRICT.replace(" 'wasm-unsafe-eval'", '') });
  const { error } = await run('create');
  assert.deepEqual([error.name, error.code], ['RadioError', 'wasm']);
  assert.match(error.message, /add 'wasm-unsafe-eval' to its script-src/);
});

for (const [what, answer, words] of [
  ['is missing', (response) => response.writeHead(404).end(), /answers 404.*copy it beside/],
  ['is a web page', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><p>Our app</p>'), /is a web page/],
  ['is damaged', (response) => response.writeHead(200, { 'content-type': 'application/wasm' }).end('\0asm\x01\0\0\0damaged'), /could not be loaded/],
]) {
  test(`a module that ${what} is a typed error`, { timeout: 120_000 }, async (t) => {
    const path = '/radiodiff-web/radiodiff-web_bg.wasm';
    const here = await serve(t, { folders: { '/radiodiff-web/': ready.app.dist, '/': PAGES }, answers: { [path]: answer } });
    const page = await visit(t, ready.browser, `${here.origin}/?package=./radiodiff-web/index.js&scenario=create`);
    const { error } = await result(page);
    assert.deepEqual([error.name, error.code], ['RadioError', 'wasm']);
    assert.match(error.message, words);
  });
}

test('a module of files that is missing is a typed error, and maps can be written once it has another address', { timeout: 120_000 }, async (t) => {
  const answers = { '/radiodiff-web/radiodiff-web-export_bg.wasm': (response) => response.writeHead(404).end() };
  const here = await serve(t, { folders: { '/radiodiff-web/': ready.app.dist, '/elsewhere/': ready.app.dist, '/': PAGES }, answers });
  const options = JSON.stringify({ address: '/elsewhere/radiodiff-web-export_bg.wasm' });
  const page = await visit(t, ready.browser, `${here.origin}/?${new URLSearchParams({ package: './radiodiff-web/index.js', scenario: 'writeTwice', options })}`);
  const { first, stopped, second, levels, quantity } = await result(page);
  assert.deepEqual([first.name, first.code, stopped.name], ['RadioError', 'wasm', 'AbortError']);
  assert.match(first.message, /radiodiff-web-export_bg\.wasm.*answers 404.*copy it beside/);
  assert.match(second.join(' '), /^lng,lat,dbm 8\.99\d+,50\.00\d+,-\d+/);
  assert.deepEqual([levels.code, quantity.code], ['levels', 'levels']);
});

test('a browser without SIMD is told which have it', { timeout: 120_000 }, async (t) => {
  const old = await launch('--js-flags=--no-enable-sse4-1,--no-enable-ssse3');
  t.after(() => old.close());
  const here = await serve(t, { folders: { '/radiodiff-web/': ready.app.dist, '/': PAGES } });
  const page = await visit(t, old, `${here.origin}/?package=./radiodiff-web/index.js&scenario=create`);
  const { error } = await result(page);
  assert.deepEqual([error.name, error.code], ['RadioError', 'no-simd']);
  assert.match(error.message, /Safari 16\.4/);
});
