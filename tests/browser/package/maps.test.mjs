// Radio maps on MapLibre GL and Leaflet, and the examples with them.

import { after, before, test } from 'node:test';

import { dragMarker, openExample } from './examples.mjs';
import { application, launch } from './lib.mjs';
import { checkOverlay } from './overlays.mjs';

let browser;
let app;
before(async () => {
  app = application('tools');
  browser = await launch('--enable-unsafe-swiftshader');
});
after(async () => {
  await browser.close();
  app.remove();
});

for (const library of ['maplibre', 'leaflet']) {
  test(`${library} shows a radio map where it is, to the pixel`, { timeout: 120_000 }, (t) => checkOverlay(t, browser, app, library));
}

for (const [library, marker] of [['maplibre', '.maplibregl-marker'], ['leaflet', '.leaflet-marker-icon']]) {
  test(`the example for ${library} draws a map that follows its transmitter`, { timeout: 120_000 }, async (t) => {
    await dragMarker(await openExample(t, browser, app, library), marker);
  });
}
