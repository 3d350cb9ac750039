// The package's types, written by hand and documented here. `npm run typecheck` holds the code to them.

import type { Callbacks, Look, MapFiles } from './files.js';
import type { CalibrationReport, CalibrationRequest, PathProfile, ProfileRequest, SitesRequest, SuggestedSites } from './planning.js';

export type * from './files.js';
export type * from './planning.js';

/** Degrees, EPSG:4326. */
export interface Bounds { west: number; south: number; east: number; north: number }

/**
 * A number, or text that spells one.
 *
 * Every number field of a request, and of a question to a map, follows one rule:
 * - A field that is missing, `undefined`, `null` or blank text (an empty form field) has its default. Without a default it is an error.
 * - Text that spells a number is that number, spaces around it aside: `"23"`, `" 5900 "`.
 * - Everything else is an error of that field: `false`, `[]`, `{}`, `NaN`, `"23 dBm"`. The error's `code` names the part of the request,
 *   its `field` the field, such as `transmitters[0].powerDbm`.
 */
export type NumberField = number | string | null | undefined;

export interface Transmitter {
  /** Degrees; no default. */
  lng: number | string;
  /** Degrees; no default. */
  lat: number | string;
  /**
   * Height of the antenna above the ground, 0.5 to 200 m; the default is 1.5. `alt`, CloudRF's word, is the same. Inside a building an
   * antenna above the roof stands on it; one below the roof is moved outdoors, with a warning. The network counts it
   * within `antennaHeightsM` of its `ModelInfo`.
   */
  heightM?: NumberField;
  alt?: NumberField;
  /** Transmit power, -200 to 200 dBm; the default is 23. */
  powerDbm?: NumberField;
  /** Gain of the antenna in its strongest direction, -200 to 200 dBi; the default is 0. `antenna.txg` comes before it. */
  antennaGainDbi?: NumberField;
  /**
   * 500 to 100000 MHz; the default is 5900. `rays` are traced at this frequency. Other maps are made for 5900 MHz. For another frequency
   * they are scaled by free space and, out of sight, by a knife edge, and a warning says so.
   */
  frequencyMHz?: NumberField;
  /** The default radiates equally in all directions. */
  antenna?: Antenna | null | undefined;
}

/**
 * An antenna in CloudRF's words. It radiates equally in all directions with none of `azi`, `hbw`, `vbw`, `fbr` and `csv`, with 0 for
 * both beamwidths, and with the number of a pattern of CloudRF's own library in `ant`, which is not known here. Any other antenna
 * without a csv is the sector of 3GPP TR 38.901, table 7.3-1. A value out of range is brought into it, and a field that cannot be
 * used is left out, each with a warning. Number fields follow the rule of {@link NumberField}, but a wrong one is a warning here.
 *
 * The pattern is added to the map afterwards, by the direction of the straight line to a pixel, also out of sight: the map's paths
 * are those of an antenna that radiates equally.
 */
export interface Antenna {
  /** Gain in the strongest direction, dBi; the default is that of the csv, else `antennaGainDbi`. */
  txg?: NumberField;
  /** Number of a pattern in CloudRF's library; the default is 0, the pattern that `hbw` and `vbw` describe. */
  ant?: NumberField;
  /** Where it points, degrees clockwise from north. */
  azi?: NumberField;
  /** How far it points down, degrees; it counts by the heights of transmitter and receivers. */
  tlt?: NumberField;
  /** Horizontal angle between the directions with half the power, degrees; the default is 65; 0 and 360 are equal all around. */
  hbw?: NumberField;
  /** The same vertically. */
  vbw?: NumberField;
  /** Front to back, dB; the default is 30. */
  fbr?: NumberField;
  /** Polarisation; not modelled. */
  pol?: string | null | undefined;
  /**
   * A measured pattern: lines `azimuth_deg,elevation_deg,gain_dbi`, azimuth clockwise from where the antenna points, elevation
   * upwards, every azimuth with every elevation. Lines that begin with # are skipped.
   */
  csv?: string | null | undefined;
}

/** A transmitter as it was used: every default is filled in, and `antenna` has the values that count. */
export interface PlacedTransmitter {
  lng: number;
  lat: number;
  heightM: number;
  powerDbm: number;
  antennaGainDbi: number;
  frequencyMHz: number;
  antenna: { txg: number; azi?: number; tlt?: number; hbw?: number; vbw?: number; fbr?: number; csv?: string };
}

/**
 * Every error the package throws, apart from an aborted signal's reason. `message` says what was expected, what was found and where.
 *
 * | code | meaning |
 * |---|---|
 * | `geojson`, `bounds` | the buildings, the cars (`field`: `cars`) or the bounds cannot be used |
 * | `too-large` | the plan would not fit into memory: larger pixels, smaller bounds or fewer transmitters are needed |
 * | `transmitter`, `height`, `power`, `frequency`, `antenna`, `steps`, `seed`, `start`, `method`, `interactions`, `walls`, `backend` (`field`: `precision`) | that part of a request cannot be used |
 * | `candidates`, `count`, `measurements` | that part of a site search or a calibration cannot be used |
 * | `samples`, `receiver`, `layers`, `threshold` | that part of a request cannot be used, or a map does not have that layer |
 * | `palette`, `scale`, `projection` | that part of a question to a map cannot be used |
 * | `difference` | the two maps are not of the same place |
 * | `levels`, `export` | contours without numbers as levels, a map that cannot be written in a format |
 * | `request` | the request is no object, or holds something that cannot be sent to a worker |
 * | `no-scene`, `no-weights` | the engine was not given what the request needs |
 * | `weights-missing` | the weights could not be fetched; `reason`: `address`, `network`, `status`, `interrupted`, in Node `file` |
 * | `weights` | the weights are refused; `reason`: `html` (a web page came instead), `truncated`, `hash` (damaged, or not the pinned file), `format` (foreign, or made for another version) |
 * | `no-webgpu` | WebGPU was asked for by name and cannot be had |
 * | `device-lost`, `out-of-memory`, `failed` | the engine failed and no other could take over, or the weights give no numbers |
 * | `wasm` | the module could not be fetched or compiled, or the page's Content-Security-Policy forbids it |
 * | `no-simd` | the browser's WebAssembly has no fixed-width SIMD |
 * | `worker` | a worker was asked for and could not be started, its scripts could not be loaded on the calling thread either, a function `worker` returned the same one twice, or `workers` is no whole number from 1 |
 * | `crashed` | a defect of this package; the next call starts a new worker, without a worker it is final. Where a file is written or a raster traced, most probably want of memory, and the engine goes on |
 * | `disposed` | `dispose` was called |
 */
export class RadioError extends Error {
  constructor(cause: { code: string; message: string; field?: string; reason?: string });
  readonly code: string;
  /** What exactly is wrong with weights. */
  readonly reason: string | undefined;
  /** The field of the request that cannot be used, such as `transmitters[0].powerDbm`, where one is to blame. */
  readonly field: string | undefined;
}

export type Progress = (progress: {
  /**
   * `download` counts bytes of the weights; `compile` is the wasm module, `build` the networks, `warm-up` and `step` count the
   * sampler's steps. Module and weights load beside each other. `scene` is the reading of new buildings, before it `trace` that of a
   * raster of heights, `write` the writing of a file: each is 0 of 1, then 1 of 1. `candidates` counts maps of a site search, `fit`
   * the parts of a calibration, `rows` those of its map. `transmitters` counts those of a physical map.
   */
  phase: 'download' | 'compile' | 'build' | 'trace' | 'scene' | 'warm-up' | 'step' | 'candidates' | 'fit' | 'rows' | 'transmitters' | 'write';
  /** At most `total`. */
  loaded: number;
  /** Bytes of weights as they are once unpacked, which the file's own beginning tells: unknown until that is there. */
  total: number | undefined;
}) => void;

/** What the weights file says of itself. */
export interface ModelInfo {
  name: string;
  /**
   * `samples` are maps that the place could have, drawn one by one by diffusion. `quantiles` are the power that each place exceeds with 95,
   * 90, ... 5 % probability, all found in one evaluation.
   */
  kind: 'samples' | 'quantiles';
  /** Where it was fetched from; null for bytes. */
  url: string | null;
  /** Over the manifest and all tensors, verified. */
  sha256: string;
  /** Pixels along a side of its maps. */
  mapSize: number;
  metersPerPixel: number;
  /**
   * The fewest and the most pixels along a side, and the smallest and the largest side of a pixel in metres, of the maps that it draws. Where
   * they differ, `method: 'network'` draws on every grid between them; else on its own alone.
   */
  mapSizes: [number, number];
  pixelSizesM: [number, number];
  /** What the networks draw; `predict` turns it into received power. */
  quantity: 'path-gain-db' | 'received-power-dbm';
  /** The least and the greatest value that it can say, in the unit of `quantity`. */
  range: [number, number];
  /** The lowest and the highest antenna that it knows: the same where it is not told heights. Others are a warning. */
  antennaHeightsM: [number, number];
  /**
   * Steps of the sampler in which several samples differ as they should, and are drawn unless a request names another number. Null where
   * the file does not say: then 1 is the default.
   */
  stepsOfSamples: number | null;
  /** It is told the heights of roofs that the buildings' file states, and takes the others as unknown. Of those that ship, `quantiles` is. */
  knowsRoofs: boolean;
  /** It is told where cars stand. The networks that ship are not. */
  knowsCars: boolean;
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
  /** The adapter itself computes on the CPU. `auto` never chooses such an adapter. */
  software: boolean;
  /** Why this backend, in a sentence. */
  reason: string;
  /** The adapter has shader-f16. */
  f16: boolean;
  /** Bits of convolutions: `f16-weights` has weights of 16 bits and products of 32. */
  precision: 'f32' | 'f16-weights' | 'f16';
  /** The engine computes in a worker; else on the calling thread, which waits meanwhile. */
  worker: boolean;
  model: ModelInfo | null;
  /** Substitutions: no worker or fewer could be started, a worker was lost, the weights could not be kept in the browser. */
  warnings: string[];
}

/** Buildings that stand together. */
export interface BuildingCluster {
  buildings: number;
  /** The middle of the buildings, degrees. */
  lng: number;
  lat: number;
  /** What a map around that middle covers. */
  bounds: Bounds;
}

export interface SceneInfo {
  /** Pixels along a side. */
  size: number;
  metersPerPixel: number;
  /** What the map covers: a square around the centre of the bounds that were asked for. */
  bounds: Bounds;
  /** What was left out of the buildings, repaired or assumed: the first features by name, many by their number. */
  warnings: string[];
  /** The format that was recognised, in words, such as `GeoJSON` or `OpenStreetMap XML`. */
  format: string;
  /**
   * Groups of buildings too far apart for one map, the largest first; the map stands at the first. Only where no bounds were asked
   * for and there is more than one group. To see another, ask for its `bounds`.
   */
  clusters: BuildingCluster[];
  /** How many cars are on the map. */
  cars: number;
  /** 1 inside buildings, row 0 in the north. */
  mask: Uint8Array;
}

/** GeoJSON of buildings: each has its height in metres, the default one where the file states none. */
export interface FootprintCollection {
  type: 'FeatureCollection';
  features: { type: 'Feature'; properties: { height: number }; geometry: { type: 'Polygon'; coordinates: number[][][] } }[];
}

/** Whether an image's rows are equally high in degrees of latitude or in Web Mercator (EPSG:3857). Its corners are the same. */
export type Projection = 'equirectangular' | 'mercator';

/**
 * What a plan's layer tells of each place.
 * - `received-power`: the strongest transmitter's power at the receiver, dBm; every map has it as `values`.
 * - `path-loss`: the least loss between isotropic antennas, dB.
 * - `snr`: the strongest power over the noise, dB. `sinr`: over the noise and the other transmitters' power in its channel.
 * - `best-server`: the number of the strongest transmitter, from 1.
 */
export type Layer = 'received-power' | 'path-loss' | 'snr' | 'sinr' | 'best-server';

/** What a map's values are. */
export type Quantity = 'received-power-dbm' | 'path-loss-db' | 'snr-db' | 'sinr-db' | 'best-server' | 'standard-deviation-db' | 'probability' | 'difference-db';

/** The receiver that the transmitters serve. Number fields follow the rule of {@link NumberField}. */
export interface Receiver {
  /** Height of all receivers above the ground, 0.5 to 200 m; the default is 1.5. `alt`, CloudRF's word, is the same. */
  heightM?: NumberField;
  alt?: NumberField;
  /** Gain of its antenna in every direction, -200 to 200 dBi; the default is 0. */
  gainDbi?: NumberField;
  /** Width of its channel, MHz; the default is 20. Transmitters radiate evenly over as much around their frequency. */
  bandwidthMHz?: NumberField;
  /** Noise it adds to the thermal noise, 0 to 100 dB; the default is 7, with 20 MHz a noise floor of -94 dBm. */
  noiseFigureDb?: NumberField;
  /** The noise floor itself, dBm, instead of bandwidth and noise figure. */
  noiseFloorDbm?: NumberField;
}

/** How much of the ground is covered: where the power is at least the threshold. */
export interface CoverageStatistics {
  threshold: number;
  outdoorPixels: number;
  coveredPixels: number;
  outdoorAreaM2: number;
  coveredAreaM2: number;
  /** Covered share of the outdoor pixels, 0 to 1. */
  share: number;
  /** The largest distance of a covered place from the transmitter that serves it, metres. */
  largestRangeM: number | null;
  /** For each transmitter, the share of the outdoor pixels that it covers as the best server. */
  servedShare: number[];
  /** Null where there is no value. */
  min: number | null;
  max: number | null;
  mean: number | null;
  /** Cumulative distribution: the share of the outdoor pixels at or below each whole number. */
  cdf: { value: number; share: number }[];
}

/** What `map.stats` tells of a map's values; fields that `map.coverage` has too say the same of the received power. */
export interface MapStatistics extends Omit<CoverageStatistics, 'threshold' | 'servedShare'> {
  /**
   * The largest distance of a covered place from the transmitter that serves it, metres. Null where nothing is covered, of a difference,
   * and of several transmitters at another threshold than the request's, unless the request asked for the layer `best-server`.
   */
  largestRangeM: number | null;
  /** Root mean square of a difference, which is its error, or of a standard deviation; null of anything else. */
  rms: number | null;
}

export type Palette = string | ((t: number) => [number, number, number]);

export interface RadioMap extends MapFiles {
  /** Received power in dBm, row 0 in the north, NaN inside buildings. Of several transmitters the strongest: a plain maximum. */
  readonly values: Float32Array;
  readonly quantity: Quantity;
  /** The layers that were asked for, each as `values` is; `layer` makes maps of them. */
  readonly layers: Partial<Record<Layer, Float32Array>>;
  /** Two of the layers, where they were asked for. */
  readonly bestServer: Float32Array | undefined;
  readonly sinr: Float32Array | undefined;
  /** Of a forecast (quantiles, or several samples), how much it may be off in each pixel, dB; of a calibrated map, its uncertainty. */
  readonly stddev: Float32Array | undefined;
  /** Of a forecast, the share of it at or above `thresholdDbm`, 0 to 1. */
  readonly probability: Float32Array | undefined;
  /** Statistics at the request's `thresholdDbm`, of a single sample. */
  readonly coverage: CoverageStatistics | undefined;
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
  /** `calibrated` for the map of a calibration. */
  readonly method: Method | 'calibrated';
  /** The backend that drew it. */
  readonly backend: 'webgpu' | 'cpu';
  /** How many workers drew it together. */
  readonly workers: number;
  /** Repairs and substitutions made to the request and the scene, and failures that were recovered from. */
  readonly warnings: string[];
  /** Time the map took in the worker, the scene's preparation included where it was new. */
  readonly milliseconds: number;
  /** dBm at a place in degrees; NaN inside buildings, undefined outside the map. */
  at(lng: number, lat: number): number | undefined;
  /** A layer that was asked for, or of a forecast its spread, as a map: with its own `values`, `at`, `stats` and `toImage`. */
  layer(name: Layer | 'standard-deviation' | 'probability'): RadioMap;
  /**
   * This map minus another of the same place, in dB: how far a generated map (`method: 'network'`) is from the physical one
   * (`method: 'dominant-path'`), or what moving a transmitter gains. Of the former, lines a pixel wide are no more than what a physical map
   * goes without on pixels of up to 1.5 m. Its `at`, `stats` and `toImage` are those of a map.
   */
  difference(other: RadioMap): RadioMap;
  /**
   * This map where another of the same place is at or above a value, without a value elsewhere: `map.layer('sinr').where(map, -100)` is
   * the SINR of the covered ground, and so are its files.
   */
  where(other: RadioMap, least: number | string): RadioMap;
  /**
   * Statistics over the outdoor pixels, at any threshold: places with a value at or above it are covered, of a path loss at or below it.
   * Without `thresholdDbm` all are. Of a layer the threshold is in the layer's unit.
   */
  stats(options?: { thresholdDbm?: NumberField }): MapStatistics;
  /** For a canvas. */
  toImage(look: Look): ImageData;
}

/**
 * How a map is drawn.
 * - `dominant-path` searches the path of least loss over building corners and roofs. It needs no weights and uses the heights that are
 *   stated.
 * - `rays` traces all paths of a few reflections and diffractions (`interactions`) between walls of stated heights and materials
 *   (`walls`), by first principles. It takes longer than `dominant-path` and shows what that leaves out: streets that reflections light.
 * - `network` draws with the weights. `quantiles` says in one evaluation what cars, and roofs whose heights nobody states, may change: the
 *   map is the expected power, with `stddev` and, where there is a `thresholdDbm`, `probability`. `nano` is told footprints alone and draws a
 *   map that the place could have: ask for several `samples`.
 *
 * docs/accuracy.md has the figures.
 */
export type Method = 'network' | 'dominant-path' | 'rays';

/** What walls are made of, by the constants of ITU-R P.2040-3, table 3 (`stone` is its marble; `metal` reflects everything). */
export type WallMaterial = 'brick' | 'concrete' | 'glass' | 'stone' | 'wood' | 'metal';

/**
 * Buildings: a GeoJSON object, or a file as text, bytes, `Blob` or `File`. The format is told by the content: GeoJSON (also a feature
 * a line, and text sequences), OpenStreetMap's .osm XML, each also packed by gzip, and GeoTIFF: one band of heights above the ground in
 * metres, or a mask, which the module that writes files reads. GeoJSON is in EPSG:4326, GeoTIFF or BigTIFF in degrees, UTM or Web
 * Mercator. Feature by feature, whatever is no building or cannot be used is left out with a warning; only a file without any usable
 * building is refused.
 */
export type Buildings = object | string | ArrayBuffer | ArrayBufferView | Blob;

/**
 * Parked cars: GeoJSON in the same forms as buildings. Every Polygon of a car's size, at most 6 m long and 16 m², is a car, whatever its
 * properties; others are left out with a warning, and cars off the map are ignored.
 */
export type Cars = Buildings;

/** The buildings of a call and where they are put. */
export interface SceneFields {
  /**
   * The scene is kept while buildings and bounds are the same, so that a transmitter can be dragged; a string is compared fastest.
   * Left out, the last scene is used.
   */
  buildings?: Buildings | null | undefined;
  /**
   * They weaken the dominant path, most between antennas at 1.5 m, and the less the higher an antenna stands. Other methods leave them out
   * with a warning. Only beside `buildings`; the last scene keeps its cars.
   */
  cars?: Cars | null | undefined;
  /** The map is centred on them; the default is the buildings' centre. */
  bounds?: Bounds | null | undefined;
  /**
   * Side of a pixel, 0.1 to 100 m. With it the map covers the bounds, with 8 to 4096 pixels a side: 4 km at 1 m, unless its transmitters
   * need more memory than there is (`too-large`). The default is the network's grid, 256 x 256 pixels of 1 m around the middle of the
   * bounds. A network draws the grids that `info.model` says.
   */
  metersPerPixel?: NumberField;
  /** Height of buildings that the file gives neither a height nor storeys, 0.5 to 1000 m; the default is 25. A warning counts them. */
  buildingHeightM?: NumberField;
}

export interface PredictRequest extends SceneFields {
  /** At least one. */
  transmitters: Transmitter[];
  /** The default is `network` where the engine has weights and no `metersPerPixel` asks for another grid; see {@link Method}. */
  method?: Method | null | undefined;
  /**
   * Steps of the sampler of networks whose `kind` is `samples`, 1 to 1000. The default is 1 of a single map, and `info.model.stepsOfSamples`
   * of several: in as many they differ as heights and cars can make them. Another number is a warning.
   */
  steps?: NumberField;
  /** Seed of the sampler's noise, 0 to 2^53 - 1; the default is 0. The same seed gives the same map. */
  seed?: NumberField;
  /**
   * The sampler's time to begin at, from 1 (the default: noise alone) down to 0.0001. Below 1 the sampler begins from the dominant
   * path's map with as much noise as belongs to that time, so that the nearer to 0, the more of that map stays. Only with `network`, and
   * with weights that have an encoder; those that ship have none.
   */
  start?: NumberField;
  /**
   * Maps that are drawn with the seeds that follow `seed`, 1 to 1000; the default is 1. Of several, the map is their mean, with
   * `stddev` and, where there is a `thresholdDbm`, `probability`: what roofs and cars that nobody stated can change. Eight are
   * a start. They are moved apart by the factor that the weights carry, found on validation maps, so that they differ as much as the
   * truth may; a single map is as it was drawn. The progress counts the steps of all maps, of which there are at most 1000 over all
   * transmitters. Only of networks whose `kind` is `samples`.
   */
  samples?: NumberField;
  /**
   * The most reflections and diffractions of a path together, a whole number from 0 to 4; the default is 2. At most two of them diffract.
   * Each more takes several times as long. Only with `rays`; other methods leave it out with a warning.
   */
  interactions?: NumberField;
  /**
   * Material of walls that the file says nothing of; the default is `brick`. OpenStreetMap's `building:material` comes before it. Only with
   * `rays`; other methods leave it out with a warning.
   */
  walls?: WallMaterial | null | undefined;
  receiver?: Receiver | null | undefined;
  /** Layers beside the received power; `best-server` only of one map, not of a forecast. */
  layers?: readonly Layer[] | null | undefined;
  /** From this power on a place is covered: the map has `coverage`, a forecast `probability`. */
  thresholdDbm?: NumberField;
  /**
   * Aborting rejects at once with the signal's reason; the worker stops before its next step, or is replaced by another where that takes
   * longer than 300 ms. On the calling thread the step goes on; one transmitter's map or quantiles are one step.
   */
  signal?: AbortSignal | undefined;
  onProgress?: Progress | undefined;
}

export interface Engine {
  /** It changes when WebGPU is lost or fails; a map's warnings say so too. */
  readonly info: EngineInfo;
  /** Prepares a scene ahead of the first `predict`. Without buildings it tells of the last scene. */
  setScene(scene: SceneFields & Callbacks): Promise<SceneInfo>;
  /** The buildings on the map as they count, whatever format they came in, to draw them. Without buildings the last scene's. */
  footprints(scene?: SceneFields & Callbacks): Promise<FootprintCollection>;
  predict(request: PredictRequest): Promise<RadioMap>;
  /** Places for new transmitters that cover most together with those that are there, by the dominant path. */
  suggestSites(request: SitesRequest): Promise<SuggestedSites>;
  /** What stands between a transmitter and one receiver. */
  profile(request: ProfileRequest): Promise<PathProfile>;
  /** Fits the map of a cell to measured power. */
  calibrate(request: CalibrationRequest): Promise<CalibrationReport>;
  /** Compiles kernels and maps memory, by drawing an empty place. */
  warmup(options?: Callbacks): Promise<{ milliseconds: number }>;
  /** For tests: loses the GPU's device as a driver that restarts does. The next map, or the one being drawn, is drawn anew. */
  loseDevice(): Promise<void>;
  /** For tests: WebGPU computes by the kernels for GPUs from here on, also on an adapter that computes on the CPU. */
  computeAsOnAGpu(): Promise<void>;
  /** For tests: makes the module trap as a defect in it would, and rejects with the code `crashed`. */
  crash(): Promise<void>;
  /** Ends the worker; pending calls are rejected. */
  dispose(): void;
}

/**
 * Compiles the wasm module ahead of `createEngine`, which otherwise does it: from the file beside this one, a URL, bytes or a
 * compiled module.
 */
export function init(source?: string | URL | BufferSource | WebAssembly.Module): Promise<WebAssembly.Module>;

/** The same for the module that fits maps to measurements, which the first `calibrate` otherwise compiles. */
export function initCalibration(source?: string | URL | BufferSource | WebAssembly.Module): Promise<WebAssembly.Module>;

/** The same for the module that writes files, which `map.toGeoTIFF()` and its like, or buildings that are a GeoTIFF, otherwise compile. */
export function initExport(source?: string | URL | BufferSource | WebAssembly.Module): Promise<WebAssembly.Module>;

export interface EngineOptions {
  /**
   * Weights: a URL, the bytes of a file, or a URL with the SHA-256 that `engine.info.model` told of the file, which is then refused in
   * every other version. Without them the engine draws the dominant path only. A file packed by gzip is unpacked.
   */
  model?: string | URL | { url: string | URL; sha256?: string | null | undefined } | ArrayBuffer | ArrayBufferView | null | undefined;
  /** `auto`, the default, takes WebGPU where a GPU is behind it, else the CPU; `webgpu` takes any adapter and fails without one. */
  backend?: 'auto' | 'webgpu' | 'cpu' | undefined;
  /**
   * Bits of convolutions on WebGPU. `f32` is the default. With `f16` kernels read weights of 16 bits, and multiply in 16 bits where the
   * adapter has `shader-f16`, which may make a map faster on your GPU: measure it. The shipped networks' maps differ by less than 0.1 dB.
   * The CPU takes no notice.
   */
  precision?: 'f32' | 'f16' | undefined;
  /**
   * Left out, the engine computes in a worker of its own and, where none can be started, on the calling thread with a warning in
   * `info`. True insists on the worker, false takes the calling thread, where a crash is final for all engines that do so. A function
   * starts the worker itself, from the package's `./worker`. It is called for every worker: when the engine starts, after a crash, for a
   * large map, after the network's first map, for a raster of heights, for each file that a
   * map becomes, and by each `suggestSites` and `calibrate`. It must return a new one each time; the same one
   * again is refused with the code `worker`.
   */
  worker?: boolean | (() => Worker) | undefined;
  /**
   * The most workers that draw one map together, from 1; the default is the machine's cores, at most 4. Several share a large map of
   * several transmitters, which does not depend on their number. Where `workers` is named and the page is cross-origin isolated, two
   * share the network's maps on the CPU once the second has loaded, which begins after the first map; their map differs from one worker's
   * by rounding, and one draws where `start` is below 1. Each worker of a large map holds the whole scene in memory, the second of the
   * network its weights. Fewer draw a plan with which these would take more than half of the machine's memory (`navigator.deviceMemory`,
   * 8 GiB where the browser does not say it). With `worker: false` there are none.
   */
  workers?: number | undefined;
  /** False keeps weights out of the browser's store (Cache API), where they are otherwise found by their hash at the next visit. */
  cache?: boolean | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: Progress | undefined;
}

/** Aborting rejects with the signal's reason, whatever it was doing. */
export function createEngine(options?: EngineOptions): Promise<Engine>;

/** Removes all weights that the package keeps in the browser; true where there were some. */
export function clearCache(): Promise<boolean>;

/** Names of the built-in palettes. */
export const paletteNames: string[];
/** Names of the palettes for differences: blue below the middle, white there, red above. */
export const divergingPaletteNames: string[];
/** A palette as a function from [0, 1] to [r, g, b]. */
export function palette(name: string): (t: number) => [number, number, number];
