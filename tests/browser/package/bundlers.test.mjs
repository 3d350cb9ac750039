// The package in bundles: what npm installed from the tarball, built by the bundlers that applications use, draws a map in a browser.
// docs/embedding.md says the lines of configuration that are used here.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { bundledApplication, checkBundle } from './bundles.mjs';
import { COPIED, PAGES, drawnTwice, result, setUp, visit } from './lib.mjs';

const ready = setUp(() => bundledApplication('tools'));

test("esbuild, with the worker and the module copied beside the bundle", { timeout: 120_000 }, async (t) => {
  ready.app.run('esbuild', 'bundled.js', '--bundle', '--format=esm', '--splitting', '--minify', '--outdir=../esbuild', '--log-level=warning');
  for (const name of COPIED) copyFileSync(join(ready.app.dist, name), join(ready.app.folder, 'esbuild', name));
  copyFileSync(join(PAGES, 'bundled.html'), join(ready.app.folder, 'esbuild/index.html'));
  await checkBundle(t, ready.browser, join(ready.app.folder, 'esbuild'));
});

test('Vite, built for a sub-path', { timeout: 120_000 }, async (t) => {
  ready.app.run('vite', 'build', '--outDir', '../vite', '--config', 'vite.config.js', '--emptyOutDir');
  await checkBundle(t, ready.browser, join(ready.app.folder, 'vite'), '/an/app/of/ours/');
});

test("Vite's development server", { timeout: 120_000 }, async (t) => {
  const server = spawn(process.execPath, [join(ready.app.folder, 'node_modules/vite/bin/vite.js'), '--port', '0', '--host', '127.0.0.1', '--logLevel', 'info'], { cwd: join(ready.app.folder, 'src') });
  t.after(() => server.kill());
  const address = await new Promise((resolve, reject) => {
    let said = '';
    const listen = (data) => {
      said += data;
      const found = said.replace(/\x1b\[\d*m/g, '').match(/http:\/\/127\.0\.0\.1:\d+\S*/);
      if (found) resolve(found[0]);
    };
    server.stdout.on('data', listen);
    server.stderr.on('data', listen);
    server.on('exit', () => reject(new Error(`vite ended: ${said}`)));
  });
  const page = await visit(t, ready.browser, address);
  drawnTwice(await result(page), { written: true });
  assert.deepEqual(page.failures, []);
});
