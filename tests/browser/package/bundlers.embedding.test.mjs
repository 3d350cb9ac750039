// The package in a bundle of webpack.

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { bundledApplication, checkBundle } from './bundles.mjs';
import { PAGES, setUp } from './lib.mjs';

const ready = setUp(() => bundledApplication('libraries'));

for (const mode of ['production', 'development']) {
  test(`webpack, for ${mode}`, { timeout: 120_000 }, async (t) => {
    const folder = join(ready.app.folder, `webpack-${mode}`);
    ready.app.run('webpack', '--entry', './bundled.js', '--mode', mode, '--output-path', folder, '--output-filename', 'bundled.js');
    copyFileSync(join(PAGES, 'bundled.html'), join(folder, 'index.html'));
    await checkBundle(t, ready.browser, folder);
  });
}
