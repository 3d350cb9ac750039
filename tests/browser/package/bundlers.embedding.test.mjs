// The package in a bundle of webpack.

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { bundledApplication, checkBundle } from './bundles.mjs';
import { PAGES, launch } from './lib.mjs';

let browser;
let app;
before(async () => {
  app = bundledApplication('libraries');
  browser = await launch();
});
after(async () => {
  await browser.close();
  app.remove();
});

for (const mode of ['production', 'development']) {
  test(`webpack, for ${mode}`, { timeout: 120_000 }, async (t) => {
    const folder = join(app.folder, `webpack-${mode}`);
    app.run('webpack', '--entry', './bundled.js', '--mode', mode, '--output-path', folder, '--output-filename', 'bundled.js');
    copyFileSync(join(PAGES, 'bundled.html'), join(folder, 'index.html'));
    await checkBundle(t, browser, folder);
  });
}
