// Applications that bundlers build: the pages of these tests with `bundled.html` as their index.html.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';

import { PAGES, application, drawnTwice, result, visit } from './lib.mjs';
import { serve } from './server.mjs';

/** An application in `folder`/src, beside the packages that `list` names; `run` runs one of their programs there. */
export function bundledApplication(list) {
  const app = application(list);
  cpSync(PAGES, join(app.folder, 'src'), { recursive: true });
  copyFileSync(join(PAGES, 'bundled.html'), join(app.folder, 'src/index.html'));
  const run = (name, ...words) => execFileSync(join(app.folder, 'node_modules/.bin', name), words, { cwd: join(app.folder, 'src'), encoding: 'utf8' });
  return { ...app, run };
}

/** That the bundle in `folder`, served below `base`, draws the same map twice, in a worker. */
export async function checkBundle(t, browser, folder, base = '/') {
  const { origin } = await serve(t, { folders: { [base]: folder } });
  const page = await visit(t, browser, origin + base);
  drawnTwice(await result(page), { written: true });
  assert.deepEqual(page.failures, []);
}
