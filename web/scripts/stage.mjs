// Puts together what is published: `npm pack` runs it before it packs (package.json's `prepack`). Into web/ go the built module, the
// weights and the licences, beside the JavaScript of web/js; all of it is ignored by git.
//
// The worker is bundled into one file. Bundlers copy a file that `new URL('./worker.js', import.meta.url)` names as it is, so it must not
// import others; and from another origin one file is one request.

import { copyFileSync, cpSync, existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const path = (/** @type {string} */ relative) => fileURLToPath(new URL(relative, import.meta.url));

const BUILT = ['radiodiff-web', 'radiodiff-web-export', 'radiodiff-web-calibration'].flatMap((name) => [`${name}.js`, `${name}_bg.wasm`]);
const missing = BUILT.filter((name) => !existsSync(path(`../../dist/${name}`)));
if (missing.length) {
  console.error(`error: dist has no ${missing.join(' and no ')}; run \`cargo xtask package\`, which builds them first`);
  process.exit(1);
}

const target = path('../dist/');
rmSync(target, { recursive: true, force: true });
cpSync(path('../js'), target, { recursive: true, filter: (source) => !/radiodiff-web(-export|-calibration)?\.d\.ts$/.test(source) });
for (const name of BUILT) copyFileSync(path(`../../dist/${name}`), target + name);
for (const name of ['LICENSE-MIT', 'LICENSE-APACHE']) copyFileSync(path(`../../${name}`), path(`../${name}`));
for (const name of ['quantiles', 'nano']) copyFileSync(path(`../../models/${name}.safetensors`), `${target}${name}.safetensors`);

await build({ entryPoints: [`${target}worker.js`], outfile: `${target}worker.js`, allowOverwrite: true, bundle: true, format: 'esm', target: 'es2022', logLevel: 'warning' });
