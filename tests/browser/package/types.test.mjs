// That what Rust hands to JavaScript is what the package's types say: answers of the real module, written as literals of the declared
// types, which TypeScript refuses where a field is missing, is of another kind, or is one that the types do not know. The types are those
// of the installed package, found as an application finds them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

import { PAGES, install, result, setUp, visit } from './lib.mjs';
import { serve } from './server.mjs';

const TSC = fileURLToPath(new URL('../../../web/node_modules/typescript/bin/tsc', import.meta.url));

const ready = setUp(install);

/** What tsc says of a module beside the installed package. */
function check(source) {
  writeFileSync(join(ready.app.folder, 'crossing.ts'), source);
  const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2022,dom'];
  const { stdout, status } = spawnSync(process.execPath, [TSC, ...options, 'crossing.ts'], { cwd: ready.app.folder, encoding: 'utf8' });
  return { status, said: stdout };
}

/** Each answer as a literal of its type. */
const literals = (answers) => Object.entries(answers).map(([name, [type, value]]) => `export const ${name}: ${type} = ${JSON.stringify(value)};`).join('\n');

test('answers of the module are of the declared types, no field more and none less', { timeout: 120_000 }, async (t) => {
  const { origin } = await serve(t, { folders: { '/radiodiff-web/': ready.app.dist, '/': PAGES } });
  const page = await visit(t, ready.browser, `${origin}/?package=./radiodiff-web/index.js&scenario=crossing`);
  const { info, bare, scene, transmitters, coverage, sites, calibration } = await result(page);
  const answers = {
    info: ['EngineInfo', info], bare: ['EngineInfo', bare], scene: ["Omit<SceneInfo, 'mask'>", scene], transmitters: ['PlacedTransmitter[]', transmitters],
    coverage: ['CoverageStatistics', coverage], sites: ['SuggestedSites', sites], calibration: ["Omit<CalibrationReport, 'map'>", calibration],
  };
  const imports = "import type { CalibrationReport, CoverageStatistics, EngineInfo, PlacedTransmitter, SceneInfo, SuggestedSites } from 'radiodiff-web';\n";
  assert.deepEqual(check(imports + literals(answers)), { status: 0, said: '' });
  assert.ok(scene.clusters.length > 1 && transmitters.length === 3 && sites.sites.length === 1 && calibration.blocks.length > 1, 'some fields do not cross');

  // And the check would tell.
  const wrong = [{ surprise: 1 }, { size: undefined }, { size: '256' }].map((change, i) => `// @ts-expect-error\n${literals({ [`wrong${i}`]: ["Omit<SceneInfo, 'mask'>", { ...scene, ...change }] })}`);
  assert.deepEqual(check(imports + wrong.join('\n')), { status: 0, said: '' });
});

test('every export has its types', { timeout: 60_000 }, () => {
  const checked = check(`
    import { createEngine, clearCache, init, initCalibration, initExport, paletteNames } from 'radiodiff-web';
    import { addRadioMap as addToMapLibre } from 'radiodiff-web/maplibre';
    import { addRadioMap as addToLeaflet } from 'radiodiff-web/leaflet';
    import { addRadioMap as addToOpenLayers } from 'radiodiff-web/openlayers';
    import { radioMapLayer } from 'radiodiff-web/deckgl';
    import wasm from 'radiodiff-web/wasm';
    import exporter from 'radiodiff-web/export-wasm';
    import fitter from 'radiodiff-web/calibration-wasm';
    import nano from 'radiodiff-web/nano.safetensors';
    export async function draw(): Promise<number> {
      await Promise.all([init(wasm), initExport(exporter), initCalibration(fitter)]);
      const engine = await createEngine({ model: nano });
      const map = await engine.predict({ buildings: '', transmitters: [{ lng: 1, lat: 2 }] });
      return map.values.length + paletteNames.length + (await map.toGeoTIFF()).length;
    }
    export const all = [clearCache, addToMapLibre, addToLeaflet, addToOpenLayers, radioMapLayer];
  `);
  assert.deepEqual(checked, { status: 0, said: '' });
});
