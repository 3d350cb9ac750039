// Radio maps on MapLibre GL and Leaflet, and the examples with them.

import { test } from 'node:test';

import { dragMarker, openExample } from './examples.mjs';
import { application, setUp } from './lib.mjs';
import { checkOverlay } from './overlays.mjs';

const ready = setUp(() => application('tools'), '--enable-unsafe-swiftshader');

for (const library of ['maplibre', 'leaflet']) {
  test(`${library} shows a radio map where it is, to the pixel`, { timeout: 120_000 }, (t) => checkOverlay(t, ready.browser, ready.app, library));
}

for (const [library, marker] of [['maplibre', '.maplibregl-marker'], ['leaflet', '.leaflet-marker-icon']]) {
  test(`the example for ${library} draws a map that follows its transmitter`, { timeout: 120_000 }, async (t) => {
    await dragMarker(await openExample(t, ready.browser, ready.app, library), marker);
  });
}
