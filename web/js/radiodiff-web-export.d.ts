// What wasm-bindgen makes of web/export/src/api.rs, for type-checking this folder without building the module.

/** Instantiates the module. */
export default function init(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;

export class ExportRaster {
  /** `sides` are west, south, east and north. */
  constructor(values: Float32Array, quantity: string, metersPerPixel: number, sides: Float64Array);
  addPoint(name: string, lng: number, lat: number): void;
  geotiff(): Uint8Array<ArrayBuffer>;
  worldFile(): string;
  kml(image: string, title: string): string;
  kmz(png: Uint8Array, title: string): Uint8Array<ArrayBuffer>;
  contours(levels: Float64Array): string;
  csv(): Uint8Array<ArrayBuffer>;
  npy(): Uint8Array<ArrayBuffer>;
  free(): void;
}

/** GeoJSON as text. */
export function buildingsOfGeotiff(bytes: Uint8Array): string;

export function png(rgba: Uint8Array): Uint8Array<ArrayBuffer>;
