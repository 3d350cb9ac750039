// The adapter for MapLibre GL JS. The package does not depend on it: these are the parts of its map that are used.

import type { RadioMap } from './index.js';
import type { Overlay, OverlayOptions } from './overlay.js';

export type { Overlay, OverlayOptions };

/** MapLibre's `Map`. */
export interface MapLibreMap {
  addSource(id: string, source: any): unknown;
  getSource(id: string): any;
  removeSource(id: string): unknown;
  addLayer(layer: any, beforeId?: string): unknown;
  getLayer(id: string): unknown;
  removeLayer(id: string): unknown;
  setPaintProperty(layer: string, name: any, value: any): unknown;
  triggerRepaint(): void;
}

export interface MapLibreOptions extends OverlayOptions {
  /** Of the source and the layer; the default is `radio-map`. */
  id?: string | undefined;
  /** The layer that stays above it, such as the first one with labels. */
  beforeId?: string | undefined;
}

/** Adds a radio map to a MapLibre map whose style has loaded. */
export function addRadioMap(map: MapLibreMap, radioMap: RadioMap, options?: MapLibreOptions): Overlay;
