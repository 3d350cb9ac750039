// What wasm-bindgen makes of web/src/api, for type-checking this folder without building the module. The classes and their methods
// are those of the #[wasm_bindgen] items there.

import type { CoverageStatistics, EngineInfo, Layer, Method, ModelInfo, PathProfile, PlacedTransmitter as UsedTransmitter, SceneInfo, SuggestedSite, SuggestedSites } from './index.js';

/** Instantiates the module. */
export default function init(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;

type Freeable = { free(): void };

export class Request implements Freeable {
  constructor(request: unknown);
  readonly method: Method | undefined;
  readonly transmitterCount: number;
  readonly samples: number;
  readonly steps: number | undefined;
  /** Which of `interactions` and `walls` it says. */
  readonly rayFields: string[];
  readonly layers: Layer[];
  readonly thresholdDbm: number | undefined;
  readonly warnings: string[];
  free(): void;
}

export class SceneHandle implements Freeable {
  constructor(source: string | Uint8Array, cars: string | Uint8Array | undefined, request: { bounds: unknown; buildingHeightM?: unknown; metersPerPixel?: unknown }, size: number, metersPerPixel: number);
  info(): Omit<SceneInfo, 'mask'>;
  mask(): Uint8Array;
  rayWarnings(): string[];
  footprints(): string;
  place(request: Request, index: number): PlacedTransmitter;
  dominantPath(placed: PlacedTransmitter): TransmitterSignal;
  rays(placed: PlacedTransmitter, request: Request): TransmitterSignal;
  profile(request: unknown): Omit<PathProfile, 'transmitter'> & { transmitter: UsedTransmitter & { warnings: string[] } };
  workersWithin(request: Request, workers: number, mostBytes: number): number;
  /** A transmitter's part of a plan's work, and what another worker found of it. */
  gain(placed: PlacedTransmitter): Float32Array<ArrayBuffer>;
  signalOf(placed: PlacedTransmitter, gain: Float32Array): TransmitterSignal;
  free(): void;
}

export class PlacedTransmitter implements Freeable {
  private constructor();
  report(method: Method): UsedTransmitter & { warnings: string[] };
  free(): void;
}

export class TransmitterSignal implements Freeable {
  private constructor();
  free(): void;
}

export class CoverageHandle implements Freeable {
  constructor(scene: SceneHandle, request: Request);
  /** Takes the signal: it is not to be freed. */
  add(signal: TransmitterSignal): void;
  values(layer: string): Float32Array<ArrayBuffer>;
  statistics(layer: string, threshold: number): CoverageStatistics;
  free(): void;
}

export class SpreadHandle implements Freeable {
  constructor(threshold: number | undefined);
  add(plan: CoverageHandle, layer: string): void;
  mean(): Float32Array<ArrayBuffer>;
  standardDeviation(): Float32Array<ArrayBuffer>;
  probability(): Float32Array<ArrayBuffer> | undefined;
  free(): void;
}

type Warned = { warnings: string[] };

export class SiteSearch implements Freeable {
  constructor(scene: SceneHandle, request: unknown);
  readonly steps: number;
  draw(scene: SceneHandle): void;
  choose(scene: SceneHandle): Omit<SuggestedSites, 'sites' | 'milliseconds'> & { sites: (Omit<SuggestedSite, 'lng' | 'lat' | 'transmitter'> & { transmitter: UsedTransmitter & Warned })[] };
  free(): void;
}

export class CellSurroundings implements Freeable {
  constructor(scene: SceneHandle, request: { transmitter: unknown; squareM: unknown; blockM: unknown });
  /** What `CalibrationHandle` takes beside the arrays, with the cell as asked for and what was changed of it. */
  terms(): { size: number; transmitter: UsedTransmitter & Warned } & Warned;
  statedRoofs(): Float32Array<ArrayBuffer>;
  wallDistance(): Float64Array<ArrayBuffer>;
  gain(): Float32Array<ArrayBuffer>;
  free(): void;
}

export class Weights implements Freeable {
  constructor(bytes: Uint8Array);
  info(): Omit<ModelInfo, 'url'>;
  /** Takes the signals and gives others: those taken are not to be freed. */
  widened(samples: TransmitterSignal[]): TransmitterSignal[];
  free(): void;
}

/** What the networks are told of a transmitter in its scene. */
export class NetworkCondition implements Freeable {
  private constructor();
  free(): void;
}

export class Network implements Freeable {
  private constructor();
  static onCpu(weights: Weights): Network;
  static onGpu(weights: Weights, allowSoftware: boolean, half: boolean): Promise<Network>;
  report(): Pick<EngineInfo, 'backend' | 'adapter' | 'software' | 'f16' | 'precision'>;
  lost(): string | undefined;
  /** Shares the maps from here on with the other members of a team, or draws them alone. */
  join(team?: { readonly members: number; readonly rank: number; gather(sent: Float32Array, received: Float32Array): void }): void;
  computeAsOnAGpu(): void;
  release(): void;
  checkMemory(scene: SceneHandle, transmitters: number, samples: number): void;
  condition(scene: SceneHandle, placed: PlacedTransmitter): NetworkCondition;
  /** What the first member of a team has of `condition`. */
  receivedCondition(): NetworkCondition;
  assist(condition: NetworkCondition, request: Request, sample: number, between: (done: number, steps: number) => Promise<void>): Promise<void>;
  predict(
    scene: SceneHandle,
    placed: PlacedTransmitter,
    condition: NetworkCondition,
    request: Request,
    sample: number,
    between: (done: number, steps: number) => Promise<void>,
  ): Promise<TransmitterSignal>;
  /** The signals at the quantiles of a network that says them, lowest first. */
  quantiles(scene: SceneHandle, placed: PlacedTransmitter, condition: NetworkCondition): Promise<TransmitterSignal[]>;
  warmup(between: (done: number, steps: number) => Promise<void>): Promise<void>;
  free(): void;
}

/** Panics in the middle of asynchronous work: the module traps and the promise never settles. */
export function crash(): Promise<never>;
