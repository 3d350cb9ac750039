// What wasm-bindgen makes of web/src/api, for type-checking this folder without building the module. The classes and their methods
// are those of the #[wasm_bindgen] items there.

import type { EngineInfo, ModelInfo, PlacedTransmitter as UsedTransmitter, SceneInfo } from './index.js';

/** Instantiates the module. */
export default function init(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;

type Freeable = { free(): void };

export class Request implements Freeable {
  constructor(request: unknown);
  readonly method: 'network' | 'dominant-path' | undefined;
  readonly transmitterCount: number;
  free(): void;
}

export class SceneHandle implements Freeable {
  constructor(source: string | Uint8Array, request: { bounds: unknown }, size: number, metersPerPixel: number);
  info(): Omit<SceneInfo, 'mask'>;
  mask(): Uint8Array;
  place(request: Request, index: number): PlacedTransmitter;
  dominantPath(placed: PlacedTransmitter): Float32Array;
  free(): void;
}

export class PlacedTransmitter implements Freeable {
  private constructor();
  report(): UsedTransmitter & { warnings: string[] };
  free(): void;
}

export class Weights implements Freeable {
  constructor(bytes: Uint8Array);
  info(): Omit<ModelInfo, 'url'>;
  free(): void;
}

export class Network implements Freeable {
  private constructor();
  static onCpu(weights: Weights): Network;
  static onGpu(weights: Weights, allowSoftware: boolean): Promise<Network>;
  report(): Pick<EngineInfo, 'backend' | 'adapter' | 'software' | 'f16'>;
  lost(): string | undefined;
  release(): void;
  predict(
    scene: SceneHandle,
    placed: PlacedTransmitter,
    request: Request,
    between: (done: number, steps: number) => Promise<void>,
  ): Promise<Float32Array>;
  warmup(between: (done: number, steps: number) => Promise<void>): Promise<void>;
  free(): void;
}

/** Panics in the middle of asynchronous work: the module traps and the promise never settles. */
export function crash(): Promise<never>;
