// The package as a user has it: installed from the tarball that would be published, into a folder that knows nothing of this repository.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';

const require = createRequire(`${process.env.RADIODIFF_NODE_MODULES}/`);
const { chromium } = require('playwright-core');

/** The pages of these tests, and the example scene. */
export const PAGES = fileURLToPath(new URL('pages', import.meta.url));
export const EXAMPLES = fileURLToPath(new URL('../../../examples', import.meta.url));

/** A fresh folder with the package in its node_modules; `remove` takes it away. */
export function install() {
  return installed((folder) => writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' })));
}

/** As `install`, beside other people's packages: those that the folder `list` of these tests names. */
export function application(list) {
  return installed((folder) => {
    for (const name of ['package.json', 'package-lock.json']) copyFileSync(fileURLToPath(new URL(`${list}/${name}`, import.meta.url)), join(folder, name));
    npm(folder, 'ci', '--prefer-offline');
  });
}

function installed(prepare) {
  const folder = mkdtempSync(join(tmpdir(), 'radiodiff-package-'));
  prepare(folder);
  npm(folder, 'install', '--offline', '--no-save', process.env.RADIODIFF_PACKAGE);
  return { folder, dist: join(folder, 'node_modules/radiodiff-web/dist'), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** That an application drew the same map twice, and with `written` made a NumPy array of it: 128 bytes of header and float32, and a fit. */
export function drawnTwice(mounts, { worker = true, written = false } = {}) {
  assert.equal(mounts.length, 2);
  for (const mount of mounts) {
    assert.equal(mount.worker, worker, mount.warnings.join(' '));
    assert.equal(mount.written, written ? 128 + 4 * 65536 : undefined);
    assert.ok(written ? mount.fitted > 50 : mount.fitted === undefined, `${mount.fitted} squares`);
    assert.ok(mount.indoors > 1000 && mount.max > -60, JSON.stringify(mount));
  }
  assert.deepEqual(mounts[0], mounts[1]);
}

/** What an application copies beside its bundle where its bundler does not. */
export const COPIED = ['worker.js', 'radiodiff-web_bg.wasm', 'radiodiff-web-export_bg.wasm', 'radiodiff-web-calibration_bg.wasm'];

/** Runs npm in a folder; what it prints is shown where it fails. */
export function npm(folder, ...words) {
  try {
    return execFileSync('npm', [...words, '--no-audit', '--no-fund'], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`npm ${words.join(' ')} failed:\n${error.stdout}${error.stderr}`);
  }
}

export const launch = (...flags) => chromium.launch({
  executablePath: process.env.RADIODIFF_CHROMIUM,
  args: ['--headless', '--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', ...flags],
  timeout: 60_000,
});

/** What the tests of a file share: `app`, which `make` installs, and `browser`. They are there once the tests run, and go after the last one. */
export function setUp(make, ...flags) {
  const ready = {};
  before(async () => {
    ready.app = make();
    ready.browser = await launch(...flags);
  });
  after(async () => {
    await ready.browser?.close();
    ready.app?.remove();
  });
  return ready;
}

/** Opens a page until the test `t` ends. `page.failures` collects exceptions nobody caught and files that were not found. */
export async function visit(t, browser, url, options = {}) {
  const page = await browser.newPage(options);
  t.after(() => page.close());
  page.setDefaultTimeout(60_000);
  page.failures = [];
  page.on('pageerror', (error) => page.failures.push(String(error)));
  page.on('response', (response) => response.status() >= 400 && !response.url().endsWith('/favicon.ico') && page.failures.push(`${response.status()} ${response.url()}`));
  await page.goto(url, { timeout: 60_000 });
  return page;
}

/** What a page writes as `data-result` on its root, JSON, once it is there. */
export async function result(page) {
  try {
    await page.locator('html[data-result]').waitFor({ state: 'attached', timeout: 60_000 });
  } catch {
    throw new Error(`${page.url()} gives no result; it threw: ${page.failures.join('; ') || 'nothing'}`);
  }
  return JSON.parse(await page.locator('html').getAttribute('data-result'));
}
