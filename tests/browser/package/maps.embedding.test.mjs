// Radio maps on OpenLayers and deck.gl.

import { after, before, test } from 'node:test';

import { application, launch } from './lib.mjs';
import { checkOverlay } from './overlays.mjs';

let browser;
let app;
before(async () => {
  app = application('libraries');
  browser = await launch('--enable-unsafe-swiftshader');
});
after(async () => {
  await browser.close();
  app.remove();
});

for (const library of ['openlayers', 'deckgl']) {
  test(`${library} shows a radio map where it is, to the pixel`, { timeout: 120_000 }, (t) => checkOverlay(t, browser, app, library));
}
