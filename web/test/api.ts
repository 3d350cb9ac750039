// The package as a caller sees it, and the code held against its types: this file is compiled by `npm run typecheck` and never run.

import * as deckgl from '../js/deckgl.js';
import * as declared from '../js/index.js';
import * as leaflet from '../js/leaflet.js';
import * as maplibre from '../js/maplibre.js';
import * as openlayers from '../js/openlayers.js';
import { radioMapLayer } from '../js/adapters/deckgl.js';
import { addRadioMap as addToLeaflet } from '../js/adapters/leaflet.js';
import { addRadioMap as addToMapLibre } from '../js/adapters/maplibre.js';
import { addRadioMap as addToOpenLayers } from '../js/adapters/openlayers.js';
import { createEngine } from '../js/engine.js';
import { RadioError } from '../js/errors.js';
import { RadioMap } from '../js/map.js';
import { init, initCalibration, initExport } from '../js/module.js';
import { divergingNames, names, palette } from '../js/palettes.js';
import { clearCache } from '../js/store.js';

/** What js/index.js exports, from the code itself. Its declaration must fit, and leave nothing out. */
const implemented = { clearCache, createEngine, init, initCalibration, initExport, RadioError, divergingPaletteNames: divergingNames, paletteNames: names, palette };
export const exported: typeof declared = implemented;
export const complete: Record<keyof typeof declared, unknown> & Record<keyof typeof implemented, unknown> = declared;
export const adapters: [typeof maplibre, typeof leaflet, typeof openlayers, typeof deckgl] =
  [{ addRadioMap: addToMapLibre }, { addRadioMap: addToLeaflet }, { addRadioMap: addToOpenLayers }, { radioMapLayer }];
export const mapOf = (map: RadioMap): declared.RadioMap => map;

/** The calls of README and of users' applications. */
export async function plan(form: { power: string; model?: string }): Promise<number | undefined> {
  const engine = await declared.createEngine({ workers: 2, model: form.model, backend: 'auto', onProgress: ({ phase, loaded }) => console.log(phase, loaded) });
  const buildings = { type: 'FeatureCollection', features: [] };
  const cars = new Uint8Array();
  const optional: { powerDbm?: number } = {};
  const map = await engine.predict({
    buildings,
    cars,
    bounds: { west: 9, south: 50, east: 9.01, north: 50.01 },
    transmitters: [{ lng: 9, lat: 50, powerDbm: form.power, frequencyMHz: undefined, antenna: { azi: 90, tlt: '5' } }, { lng: 9, lat: 50, ...optional }],
    method: 'dominant-path',
    steps: undefined,
    signal: new AbortController().signal,
  });
  await engine.predict({ transmitters: [], method: 'rays', interactions: '3', walls: 'concrete' });
  await declared.createEngine({ model: { url: 'nano.safetensors', sha256: engine.info.model?.sha256 }, worker: () => new Worker('worker.js'), cache: false });
  await engine.setScene({ buildings: new Blob(['{}']) });
  await engine.setScene({ buildings: new Uint8Array(4) });
  const dbm: number = map.transmitter.powerDbm;
  map.toImage({ palette: (t) => [t, t, t], min: -100, max: dbm, projection: 'mercator' });
  const warned: string[] = [...engine.info.warnings, ...map.warnings];
  console.log(warned, await declared.clearCache());
  return map.at(9, 50) ?? map.difference(map).stats({ thresholdDbm: -90 }).share;
}

export function refusals(engine: declared.Engine): void {
  // @ts-expect-error: a request has transmitters
  void engine.predict({ buildings: '' });
  // @ts-expect-error: a power is a number or text
  void engine.predict({ transmitters: [{ lng: 9, lat: 50, powerDbm: false }] });
  // @ts-expect-error: there is no such method
  void engine.predict({ transmitters: [{ lng: 9, lat: 50 }], method: 'magic' });
  // @ts-expect-error: there is no such material
  void engine.predict({ transmitters: [{ lng: 9, lat: 50 }], walls: 'straw' });
  // @ts-expect-error: there is no such backend
  void declared.createEngine({ backend: 'abacus' });
}

export function handle(error: unknown): string {
  return error instanceof declared.RadioError ? `${error.code} ${error.field ?? ''}` : 'other';
}
