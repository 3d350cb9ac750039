/** Degrees, EPSG:4326. */
export interface Bounds { west: number; south: number; east: number; north: number }

export interface Transmitter {
  lng: number;
  lat: number;
  /** Transmit power in dBm, 23 unless given. */
  powerDbm?: number;
  /** Gain of the antenna in its strongest direction, in dBi, 0 unless given; `antenna.txg` comes before it. */
  antennaGainDbi?: number;
  /**
   * 500 to 100000, 5900 unless given. Maps are made for 5900 MHz; another frequency is scaled to (free space, and a knife edge out of
   * sight) with a warning.
   */
  frequencyMHz?: number;
  /** Radiates equally in all directions unless given. */
  antenna?: Antenna;
}

/**
 * An antenna in CloudRF's words. With none of `azi`, `hbw`, `vbw`, `fbr` and `csv` it radiates equally in all directions, else it is
 * the sector of 3GPP TR 38.901, table 7.3-1. Values out of range and fields that are not known are answered with a warning.
 *
 * The pattern is added to the map afterwards, by the direction of the straight line to a pixel, also out of sight: the map's paths
 * are those of an antenna that radiates equally.
 */
export interface Antenna {
  /** Gain in the strongest direction, dBi; unless given the csv's, else `antennaGainDbi`. */
  txg?: number;
  /** Where it points, degrees clockwise from north. */
  azi?: number;
  /** How far it points down, degrees. Receivers stand as high as the transmitter. */
  tlt?: number;
  /** Angle between the directions with half the power, degrees, 65 unless given: horizontally (360 is all around) and vertically. */
  hbw?: number;
  vbw?: number;
  /** Front to back, dB, 30 unless given. */
  fbr?: number;
  /** Polarisation; not modelled. */
  pol?: string;
  /**
   * A measured pattern: lines `azimuth_deg,elevation_deg,gain_dbi`, azimuth clockwise from where the antenna points, elevation
   * upwards, every azimuth with every elevation; lines that begin with # are skipped.
   */
  csv?: string;
}

/** A transmitter as it was used: what was left out is filled in, and `antenna` has the values that count. */
export type PlacedTransmitter = Required<Transmitter>;

/**
 * Every error the package throws, apart from an aborted signal's reason. `message` says what was expected, what was found and where.
 *
 * | code | |
 * |---|---|
 * | `geojson`, `bounds` | the buildings or the bounds cannot be used |
 * | `transmitter`, `power`, `frequency`, `antenna`, `steps`, `seed`, `start`, `method`, `backend`, `palette` | that part of a request cannot be used |
 * | `difference` | the two maps are not of the same place |
 * | `request` | something in the request cannot be sent to a worker |
 * | `no-scene`, `no-weights` | the engine was not given what the request needs |
 * | `weights-missing` | the weights could not be fetched |
 * | `weights` | the weights are damaged, foreign, or made for another version |
 * | `no-webgpu` | WebGPU was asked for by name and cannot be had |
 * | `device-lost`, `out-of-memory`, `failed` | the engine failed and no other could take over, or the weights give no numbers |
 * | `wasm` | the module could not be fetched or compiled (it needs WebAssembly SIMD) |
 * | `crashed` | a defect of this package; the next call starts a new worker, without one it is final |
 * | `disposed` | `dispose` was called |
 */
export class RadioError extends Error { readonly code: string }

export type Progress = (progress: {
  /** `download` counts bytes of the weights, `build` the networks, `draw` the sampler's steps. */
  phase: 'download' | 'build' | 'draw';
  loaded: number;
  /** Unknown where a server does not say how large a file is. */
  total: number | undefined;
}) => void;

/** What the weights file says of itself. */
export interface ModelInfo {
  name: string;
  /** Where it was fetched from; null for bytes. */
  url: string | null;
  /** Over the manifest and all tensors, verified. */
  sha256: string;
  /** Pixels along a side of its maps. */
  mapSize: number;
  metersPerPixel: number;
  /** What the networks draw; `predict` turns it into received power. */
  quantity: 'path-gain-db' | 'received-power-dbm';
  license: string;
  trainingData: string;
  metrics: Record<string, number>;
  /** Commit of the code that trained it. */
  commit: string;
}

export interface EngineInfo {
  /** Where the networks run; without weights `cpu`, which draws the dominant path. */
  backend: 'webgpu' | 'cpu';
  /** The GPU's name; null on the CPU. */
  adapter: string | null;
  /** The adapter itself computes on the CPU. Never chosen by `auto`. */
  software: boolean;
  /** Why this backend, in a sentence. */
  reason: string;
  /** The adapter has shader-f16. */
  f16: boolean;
  model: ModelInfo | null;
}

export interface SceneInfo {
  /** Pixels along a side. */
  size: number;
  metersPerPixel: number;
  /** What the map covers: a square around the centre of the bounds that were asked for. */
  bounds: Bounds;
  /** What was left out of the GeoJSON or repaired, with the feature it concerns. */
  warnings: string[];
  /** 1 inside buildings, row 0 in the north. */
  mask: Uint8Array;
}

export type Palette = string | ((t: number) => [number, number, number]);

export interface RadioMap {
  /** Received power in dBm, row 0 in the north, NaN inside buildings. Of several transmitters the strongest: a plain maximum. */
  readonly values: Float32Array;
  /** What the values are; of a difference, dB. */
  readonly quantity: 'received-power-dbm' | 'difference-db';
  /** Pixels along a side; width and height say the same. */
  readonly size: number;
  readonly width: number;
  readonly height: number;
  readonly metersPerPixel: number;
  readonly bounds: Bounds;
  /** As asked for, with defaults filled in, where they stand: one inside a building is moved out, and a warning says so. */
  readonly transmitters: PlacedTransmitter[];
  /** The first of them. */
  readonly transmitter: PlacedTransmitter;
  readonly method: Method;
  /** What drew it. */
  readonly backend: 'webgpu' | 'cpu';
  /** What was changed in the request, left out of the scene, or went wrong and was made good. */
  readonly warnings: string[];
  /** Time the map took in the worker, the scene's preparation included where it was new. */
  readonly milliseconds: number;
  /** dBm at a place in degrees; NaN inside buildings, undefined outside the map. */
  at(lng: number, lat: number): number | undefined;
  /**
   * This map minus another of the same place, in dB: how far a generated map (`method: 'network'`) is from the physical one
   * (`method: 'dominant-path'`), or what moving a transmitter gains. Its `at`, `stats` and `toImage` are those of a map.
   */
  difference(other: RadioMap): RadioMap;
  /** Over outdoor pixels; `covered` is the share of them at or above the threshold, `rms` of a difference is the root mean square error. */
  stats(options?: { thresholdDbm?: number }): { min: number; max: number; mean: number; rms: number; outdoorPixels: number; covered: number };
  /**
   * For a canvas; what is below `threshold` or inside buildings is transparent. `palette` is a name of `paletteNames` or
   * `divergingPaletteNames`, or a function; differences have a diverging one unless it is given.
   */
  toImage(options: { palette?: Palette; min: number; max: number; threshold?: number }): ImageData;
}

/** `network` draws with the weights; `dominant-path` by the path of least loss over building corners, and needs none. */
export type Method = 'network' | 'dominant-path';

export interface Request {
  /**
   * GeoJSON in EPSG:4326 with Polygons and MultiPolygons. The scene is kept while buildings and bounds are the same, so that a
   * transmitter can be dragged; a string is compared fastest. Left out, the last scene is used.
   */
  buildings?: object | string;
  /** The map is centred on them, by default on the buildings. */
  bounds?: Bounds;
  transmitters: Transmitter[];
  /** `network` where the engine has weights. */
  method?: Method;
  /** Steps of the sampler, 1 unless given. */
  steps?: number;
  /** Of the sampler's noise, 0 unless given: the same seed gives the same map. */
  seed?: number;
  /**
   * The sampler's time to begin at, from 1 (noise alone, unless given) down to 0.0001: below 1 it begins from the dominant path's map
   * with as much noise as belongs to that time, so that the nearer to 0, the more of that map stays. Only with `network`.
   */
  start?: number;
  /** Aborting rejects at once with the signal's reason; the worker stops before its next step. */
  signal?: AbortSignal;
  onProgress?: Progress;
}

export interface Engine {
  /** It changes when WebGPU is lost or fails; a map's warnings say so too. */
  readonly info: EngineInfo;
  /** Prepares a scene ahead of the first `predict`. */
  setScene(scene: { buildings: object | string; bounds?: Bounds; signal?: AbortSignal }): Promise<SceneInfo>;
  predict(request: Request): Promise<RadioMap>;
  /** Compiles kernels and maps memory, by drawing an empty place. */
  warmup(options?: { signal?: AbortSignal; onProgress?: Progress }): Promise<{ milliseconds: number }>;
  /** For tests: loses the GPU's device as a driver that restarts does. The next map, or the one being drawn, is made good. */
  loseDevice(): Promise<void>;
  /** Ends the worker; what is pending is rejected. */
  dispose(): void;
}

/**
 * Compiles the wasm module ahead of `createEngine`, which otherwise does it: from the file beside this one, a URL, bytes or a
 * compiled module.
 */
export function init(source?: string | URL | BufferSource | WebAssembly.Module): Promise<WebAssembly.Module>;

export function createEngine(options?: {
  /** Weights: a URL, or the bytes of a file. Without them the engine draws the dominant path only. */
  model?: string | URL | ArrayBuffer | ArrayBufferView;
  /** `auto` takes WebGPU where a GPU is behind it, else the CPU; `webgpu` takes any adapter and fails without one. */
  backend?: 'auto' | 'webgpu' | 'cpu';
  /** False computes on the calling thread, where a crash is final, for all engines that do so. */
  worker?: boolean;
  signal?: AbortSignal;
  onProgress?: Progress;
}): Promise<Engine>;

/** Names of the built-in palettes. */
export const paletteNames: string[];
/** Names of those for differences: blue below the middle, white there, red above. */
export const divergingPaletteNames: string[];
/** A palette as a function from [0, 1] to [r, g, b]. */
export function palette(name: string): (t: number) => [number, number, number];
