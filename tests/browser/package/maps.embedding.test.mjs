// Radio maps on OpenLayers and deck.gl.

import { test } from 'node:test';

import { application, setUp } from './lib.mjs';
import { checkOverlay } from './overlays.mjs';

const ready = setUp(() => application('libraries'), '--enable-unsafe-swiftshader');

for (const library of ['openlayers', 'deckgl']) {
  test(`${library} shows a radio map where it is, to the pixel`, { timeout: 120_000 }, (t) => checkOverlay(t, ready.browser, ready.app, library));
}
