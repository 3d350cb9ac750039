/** Degrees, EPSG:4326. */
export interface Bounds { west: number; south: number; east: number; north: number }

export interface Transmitter {
  lng: number;
  lat: number;
  /** Transmit power in dBm, 23 unless given. */
  powerDbm?: number;
}

/** An error with a code: 'geojson', 'bounds', 'transmitter', 'power', 'no-scene', 'crashed', 'disposed' or 'failed'. */
export class RadioError extends Error { readonly code: string }

export interface SceneInfo {
  /** Pixels along a side. */
  size: number;
  metersPerPixel: number;
  bounds: Bounds;
  /** What was left out of the GeoJSON or repaired, with the feature it concerns. */
  warnings: string[];
  /** 1 inside buildings, row 0 in the north. */
  mask: Uint8Array;
}

export interface RadioMap {
  /** Received power in dBm, row 0 in the north, NaN inside buildings. */
  readonly values: Float32Array;
  /** Pixels along a side; width and height say the same. */
  readonly size: number;
  readonly width: number;
  readonly height: number;
  readonly metersPerPixel: number;
  readonly bounds: Bounds;
  readonly powerDbm: number;
  /** Where the transmitter stands; it is moved out of a building, and a warning says so. */
  readonly transmitter: { lng: number; lat: number };
  readonly warnings: string[];
  /** Time the map took in the worker. */
  readonly milliseconds: number;
  at(lng: number, lat: number): number | undefined;
  stats(options?: { thresholdDbm?: number }): { min: number; max: number; mean: number; outdoorPixels: number; covered: number };
  toImage(options: { color: (t: number) => [number, number, number]; min: number; max: number; threshold?: number }): ImageData;
}

export interface Engine {
  setScene(scene: { buildings: object | string; bounds?: Bounds }): Promise<SceneInfo>;
  predict(request: { transmitter: Transmitter; signal?: AbortSignal }): Promise<RadioMap>;
  dispose(): void;
}

/** Starts a worker and loads the module; `wasm` may be a URL or bytes, by default the file beside this one. */
export function createEngine(options?: { wasm?: string | URL | BufferSource }): Promise<Engine>;
