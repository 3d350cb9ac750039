// The adapter for OpenLayers. The package does not depend on it: these are the parts that are used.

import type { RadioMap } from './index.js';
import type { Overlay, OverlayOptions } from './overlay.js';

export type { Overlay, OverlayOptions };

export interface OpenLayersClasses {
  /** The default export of `ol/layer/Image.js`. */
  ImageLayer: new (options: any) => any;
  /** The default export of `ol/source/ImageCanvas.js`. */
  ImageCanvasSource: new (options: any) => any;
}

/** OpenLayers' `Map`. */
export interface OpenLayersMap {
  addLayer(layer: any): unknown;
  removeLayer(layer: any): unknown;
}

/** Adds a radio map to an OpenLayers map; a view in another projection than EPSG:3857 reprojects it. */
export function addRadioMap(classes: OpenLayersClasses, map: OpenLayersMap, radioMap: RadioMap, options?: OverlayOptions): Overlay;
