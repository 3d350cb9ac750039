// Types: maps as images and as files of other programs.

import type { NumberField, Palette, Progress, Projection } from './index.js';

/**
 * How a map looks as an image; pixels below `threshold` or inside buildings are transparent. `palette` is a name of `paletteNames` or
 * `divergingPaletteNames`, or a function; differences have a diverging one unless it is given.
 */
export interface Look {
  palette?: Palette | undefined;
  /** The values of the first and the last colour. */
  min: number | string;
  max: number | string;
  threshold?: NumberField;
  /**
   * A map library stretches an image over its corners in Web Mercator: give it `mercator`. World files, KML and GeoTIFF want
   * `equirectangular`, the default.
   */
  projection?: Projection | undefined;
}

/** Of calls that take long. Aborting rejects at once with the signal's reason. */
export interface Callbacks { signal?: AbortSignal | undefined; onProgress?: Progress | undefined }

/** Areas, as GeoJSON (RFC 7946): one feature for each level. */
export interface Contours {
  type: 'FeatureCollection';
  features: {
    type: 'Feature';
    /** `layer` is what the values are, such as `received-power`; `unit` their unit, such as `dBm`. */
    properties: { layer: string; unit: string; level: number };
    geometry: { type: 'MultiPolygon'; coordinates: [number, number][][][] };
  }[];
}

/**
 * A map as files of other programs, each written in a worker of its own. The first of these calls loads a second wasm module;
 * `initExport` loads it ahead or from another address. Every map can be written: a layer
 * (`map.layer('sinr').toGeoTIFF()`), a spread, a difference. The codes of errors are `export` of a map that the format cannot hold,
 * `levels`, of pictures `palette`, `scale`, `threshold` and `projection`, `wasm` and `worker` of what could not be loaded or started, and
 * `crashed`, most probably for want of memory. After a crash the engine goes on; without a worker no other file can be written.
 */
export interface MapFiles {
  /** One float32 band in the map's own unit, NaN as no data, EPSG:4326. */
  toGeoTIFF(callbacks?: Callbacks): Promise<Uint8Array<ArrayBuffer>>;
  /** What `toImage` shows. */
  toPNG(options: Look & Callbacks): Promise<Uint8Array<ArrayBuffer>>;
  /** The text of the world file (`.pgw`) that says where an equirectangular PNG lies, in EPSG:4326. */
  toWorldFile(callbacks?: Callbacks): Promise<string>;
  /** KML that lays `image`, the name of an equirectangular PNG beside it, on the ground, with the transmitters as points. */
  toKML(options: { image: string; title?: string | undefined } & Callbacks): Promise<string>;
  /** KML and image in one file. */
  toKMZ(options: Omit<Look, 'projection'> & { title?: string | undefined } & Callbacks): Promise<Uint8Array<ArrayBuffer>>;
  /** The areas at or above each level in the map's unit, of a path loss at or below it; at most 100 levels. Buildings are left out. */
  toContours(levels: ArrayLike<number | string>, callbacks?: Callbacks): Promise<Contours>;
  /** A line for each pixel that has a value: `lng,lat` of its centre and the value, in a column such as `dbm`. */
  toCSV(callbacks?: Callbacks): Promise<string>;
  /** A NumPy array: float32 (N, N), row 0 in the north, NaN where there is no value. */
  toNpy(callbacks?: Callbacks): Promise<Uint8Array<ArrayBuffer>>;
}
