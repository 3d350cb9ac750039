import { Deck, MapView } from '@deck.gl/core';
import { BitmapLayer } from '@deck.gl/layers';
import { radioMapLayer } from 'radiodiff-web/deckgl';
import { start } from './overlay.js';

start(async (container, { lng, lat }, zoom) => {
  // deck.gl's zoom levels are those of tiles of 512 pixels.
  const viewState = { longitude: lng, latitude: lat, zoom: zoom - 1 };
  let rendered = () => {};
  const deck = new Deck({ parent: container, views: new MapView(), initialViewState: viewState, layers: [], useDevicePixels: 1, onAfterRender: () => rendered() });
  await new Promise((resolve) => { rendered = resolve; });
  let look = {};
  const put = (radioMap, options) => {
    look = { ...look, ...options };
    deck.setProps({ layers: [radioMapLayer(BitmapLayer, radioMap, look)] });
  };
  return {
    add: (radioMap, options) => {
      put(radioMap, options);
      return { update: put, remove: () => deck.setProps({ layers: [] }) };
    },
    drawn: async () => {
      for (let i = 0; i < 3; i += 1) {
        const next = new Promise((resolve) => { rendered = resolve; });
        deck.redraw('a test looks');
        await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 200))]);
      }
    },
    project: (lng, lat) => deck.getViewports()[0].project([lng, lat]),
  };
});
