// That a map library shows a radio map where it is: the overlay's edges on a screenshot, and where the library itself puts the corners.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { COPIED, PAGES, result, visit } from './lib.mjs';
import { serve } from './server.mjs';

/** Pixels of a screenshot for one of the page, so that an edge is told to half of one; libraries themselves round to pixels of the page. */
const SCALE = 2;
const MAGENTA = [255, 0, 255];
const CYAN = [0, 255, 255];

/** Adds, changes, moves and removes an overlay of `library` in an application that has it. */
export async function checkOverlay(t, browser, app, library) {
  const folder = join(app.folder, `overlay-${library}`);
  cpSync(PAGES, join(app.folder, 'src'), { recursive: true });
  execFileSync(join(app.folder, 'node_modules/.bin/esbuild'), [
    `src/overlay-${library}.js`, '--bundle', '--format=esm', '--splitting', '--loader:.png=dataurl', '--log-level=error', `--outdir=${folder}`,
  ], { cwd: app.folder });
  writeFileSync(join(folder, 'overlay.css'), '');
  for (const ending of ['js', 'css']) tryCopy(join(folder, `overlay-${library}.${ending}`), join(folder, `overlay.${ending}`));
  copyFileSync(join(PAGES, 'overlay.html'), join(folder, 'index.html'));
  for (const name of COPIED) copyFileSync(join(app.dist, name), join(folder, name));
  // MapLibre's own worker, which it looks for beside itself.
  for (const name of ['maplibre-gl-worker.mjs', 'maplibre-gl-shared.mjs']) tryCopy(join(app.folder, 'node_modules/maplibre-gl/dist', name), join(folder, name));
  const { origin } = await serve(t, { folders: { '/': folder } });
  const page = await visit(t, browser, origin, { deviceScaleFactor: SCALE });
  assert.equal(await result(page), true);

  const ask = (what, ...args) => page.evaluate(([what, args]) => window.overlay[what](...args), [what, args]);
  const shows = async (map, color) => {
    const [found, expected] = [await extent(page, color), await ask('expected', map)];
    assert.ok(found, `nothing of ${color} is on the screen`);
    found.forEach((edge, i) => assert.ok(Math.abs(edge - expected[i]) <= 1, `${library}: the overlay is at ${found}, the library puts it at ${expected}`));
  };
  await ask('add', 0, MAGENTA);
  await shows(0, MAGENTA);
  await ask('update', 0, CYAN);
  await shows(0, CYAN);
  assert.equal(await extent(page, MAGENTA), null);
  await ask('update', 1, MAGENTA);
  await shows(1, MAGENTA);
  const milliseconds = await ask('dragged', 10);
  t.diagnostic(`${library}: ${milliseconds.toFixed(1)} ms of the page's time for an update`);
  await ask('update', 0, CYAN);
  await ask('remove');
  assert.equal(await extent(page, CYAN), null);
  assert.deepEqual(page.failures, []);
}

function tryCopy(from, to) {
  try {
    copyFileSync(from, to);
  } catch (error) {
    // Not every library has it.
    if (error.code !== 'ENOENT') throw error;
  }
}

/** The edges of everything of a colour on a screenshot, in pixels of the page: left, top, right, bottom; null where nothing is. */
async function extent(page, color) {
  const picture = (await page.screenshot()).toString('base64');
  const edges = await page.evaluate(async ([picture, color]) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${picture}`)).blob());
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
    for (let i = 0; i < data.length; i += 4) {
      if (!color.every((value, channel) => Math.abs(data[i + channel] - value) < 100)) continue;
      const [x, y] = [(i / 4) % image.width, Math.floor(i / 4 / image.width)];
      [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
    }
    return right < 0 ? null : [left, top, right, bottom];
  }, [picture, color]);
  return edges && edges.map((edge) => edge / SCALE);
}
