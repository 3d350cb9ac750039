// The adapter for Leaflet. The package does not depend on it: these are the parts that are used.

import type { RadioMap } from './index.js';
import type { Overlay, OverlayOptions } from './overlay.js';

export type { Overlay, OverlayOptions };

/** Leaflet itself, usually `L`. */
export interface Leaflet {
  SVGOverlay: new (element: any, bounds: any, options?: any) => any;
  LatLngBounds: new (corners: any) => any;
}

/** Leaflet's `Map`. */
export interface LeafletMap {
  addLayer(layer: any): unknown;
}

/** Adds a radio map to a Leaflet map. */
export function addRadioMap(leaflet: Leaflet, map: LeafletMap, radioMap: RadioMap, options?: OverlayOptions): Overlay;
