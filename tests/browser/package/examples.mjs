// The examples as somebody runs them who copied their folder: built by Vite beside the installed package, and looked at in a browser.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';

import { EXAMPLES, visit } from './lib.mjs';
import { serve } from './server.mjs';

/** Opens an example; `level` says what it tells of its map, once that differs from `before`. */
export async function openExample(t, browser, app, name) {
  cpSync(EXAMPLES, join(app.folder, 'examples'), { recursive: true });
  const folder = join(app.folder, `built-${name}`);
  execFileSync(join(app.folder, 'node_modules/.bin/vite'), ['build', `examples/${name}`, '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn', '--target', 'es2022'], { cwd: app.folder });
  const { origin } = await serve(t, { folders: { '/': folder } });
  const page = await visit(t, browser, origin);
  const level = async (before = '') => {
    await page.waitForFunction((before) => /% of the streets/.test(document.querySelector('#level')?.value) && document.querySelector('#level').value !== before, before);
    return page.locator('#level').innerText();
  };
  return { page, level };
}

/** Drags what is at the middle of an element to the west; the example tells of another map. */
export async function dragMarker({ page, level }, selector) {
  const before = await level();
  const box = await page.locator(selector).boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (const away of [10, 30, 50]) await page.mouse.move(x - away, y + 4);
  await page.mouse.up();
  assert.notEqual(await level(before), before);
  assert.deepEqual(page.failures, []);
}
