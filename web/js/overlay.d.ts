// The types that the adapters for map libraries share.

import type { NumberField, Palette, RadioMap } from './index.js';

/** How a map looks on a map library's map. */
export interface OverlayOptions {
  /** As of `RadioMap.toImage`. */
  palette?: Palette | undefined;
  /** The scale's ends; the defaults are the quantity's, for received power -120 and -40 dBm. */
  min?: number | string | undefined;
  max?: number | string | undefined;
  /** Pixels below it are transparent. */
  threshold?: NumberField;
  /** 0 to 1; the default is 0.75. */
  opacity?: number | undefined;
  /** True interpolates between pixels; the default shows them as they are. */
  smooth?: boolean | undefined;
}

/** A radio map that a map library shows. */
export interface Overlay {
  /** Shows another map in its place, or the same in another look; what the options leave out stays as it was. Fast enough for a drag. */
  update(radioMap: RadioMap, options?: OverlayOptions): void;
  /** Takes it off the map. */
  remove(): void;
}
