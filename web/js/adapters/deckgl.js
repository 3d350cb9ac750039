// A radio map as a BitmapLayer of deck.gl. Its layers are descriptions that are made anew: for another map, or another look, make the
// layer again with the same id.

import { lookOf, pictureOf } from './overlay.js';

/** @import { DeckGlOptions } from '../deckgl.js' */
/** @import { RadioMap } from '../index.js' */

/**
 * @template T
 * @param {new (props: any) => T} BitmapLayer
 * @param {RadioMap} radioMap
 * @param {DeckGlOptions} [options]
 * @returns {T}
 */
export function radioMapLayer(BitmapLayer, radioMap, { id = 'radio-map', ...options } = {}) {
  const { opacity, smooth } = lookOf(radioMap, options);
  const filter = smooth ? 'linear' : 'nearest';
  const { west, south, east, north } = radioMap.bounds;
  return new BitmapLayer({
    id,
    image: pictureOf(radioMap, options),
    bounds: [west, south, east, north],
    opacity,
    textureParameters: { minFilter: filter, magFilter: filter, mipmapFilter: 'none', addressModeU: 'clamp-to-edge', addressModeV: 'clamp-to-edge' },
  });
}
