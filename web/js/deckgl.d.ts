// The adapter for deck.gl. The package does not depend on it.

import type { RadioMap } from './index.js';
import type { OverlayOptions } from './overlay.js';

export type { OverlayOptions };

export interface DeckGlOptions extends OverlayOptions {
  /** Of the layer; the default is `radio-map`. */
  id?: string | undefined;
}

/**
 * A layer that shows a radio map; `BitmapLayer` is the class of `@deck.gl/layers`. To show another map, give `deck.setProps` a new layer
 * with the same id.
 */
export function radioMapLayer<T>(BitmapLayer: new (props: any) => T, radioMap: RadioMap, options?: DeckGlOptions): T;
