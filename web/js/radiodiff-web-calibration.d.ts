// What wasm-bindgen makes of web/calibration/src/api.rs, for type-checking this folder without building the module.

import type { CalibrationReport } from './index.js';

/** Instantiates the module. */
export default function init(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;

export class CalibrationHandle {
  constructor(terms: object, mask: Uint8Array, statedRoofs: Float32Array, wallDistance: Float64Array, gain: Float32Array, measurements: { measurements: unknown; device: unknown });
  fit(): void;
  validate(): void;
  drawRow(): void;
  power(): Float32Array<ArrayBuffer>;
  deviation(): Float32Array<ArrayBuffer>;
  report(): Omit<CalibrationReport, 'map' | 'milliseconds'>;
  free(): void;
}
