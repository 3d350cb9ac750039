#!/usr/bin/env node
// `npx radiodiff-web predict`: a map from the command line, without a browser. The command `radiodiff` does the same natively, with more
// formats; this one needs only Node.

import { readFile, rename, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { createEngine } from '../dist/node.js';

const HELP = `Usage: radiodiff-web predict SCENE --tx LNG,LAT[,DBM] --out MAP.json|tif|csv|npy [options]

Draws the radio map of a scene (GeoJSON or OpenStreetMap XML, also packed by gzip) and writes it: as JSON with bounds, size, transmitters,
warnings, and values in dBm from the north-west, row by row, null inside buildings; as GeoTIFF; as a table; as a NumPy array.

  --tx LNG,LAT[,DBM]     a transmitter; may be given more than once
  --out FILE             where the map is written; its ending says as what
  --cars FILE            parked cars (GeoJSON), of which the physical model knows what they cost
  --frequency MHZ        of all transmitters, 5900 unless given
  --threshold DBM        also print how much is covered from this power on
  --layer NAME           also write path-loss, snr, sinr or, of the physical model, best-server, as JSON; may be given more than once
  --method NAME          the physical model: dominant-path, unless given, or rays
  --interactions N       of rays: most reflections and diffractions of a path, 0 to 4, 2 unless given; each more takes several times as long
  --walls MATERIAL       of rays: what walls are made of that the file says nothing of, brick (unless given), concrete, glass, stone, wood
                         or metal
  --network              draw with the network that comes with the package instead of the physical model
  --model FILE           draw with the network of this file
  --seed N               of the noise, with --model of a network that draws samples
`;

/** A command line that cannot be used. */
class UsageError extends Error {}

/** What a file holds, by the ending of its name. */
const WRITERS = { json: asJson, tif: (map) => map.toGeoTIFF(), csv: (map) => map.toCSV(), npy: (map) => map.toNpy() };

async function main() {
  const { values: options, positionals } = commandLine();
  if (options.help || !positionals.length) {
    process.stdout.write(HELP);
    return;
  }
  const [command, scene, ...rest] = positionals;
  if (command !== 'predict') throw new UsageError(`there is no command ${command}; the command is predict`);
  if (!scene || rest.length) throw new UsageError(`predict takes one scene, found ${positionals.length - 1}`);
  if (!options.tx || !options.out) throw new UsageError('predict needs --tx and --out');
  const { tx, out, cars, frequency, threshold, layer, seed, interactions, walls } = options;
  const ending = out.slice(out.lastIndexOf('.') + 1).toLowerCase();
  const write = Object.hasOwn(WRITERS, ending) ? WRITERS[ending] : null;
  if (!write) throw new UsageError(`--out ${out}: expected a name that ends in ${Object.keys(WRITERS).map((known) => `.${known}`).join(', ')}`);
  if (layer && write !== asJson) throw new UsageError('--layer needs --out MAP.json: the other formats hold one layer');
  const model = options.model ?? (options.network ? new URL('../dist/quantiles.safetensors', import.meta.url) : undefined);
  if (model && options.method) throw new UsageError('--method chooses a physical model: leave --network and --model out');
  const [buildings, parked] = await Promise.all([scene, cars].map((file) => file && readFile(file)));
  const engine = await createEngine({ model, backend: 'cpu' });
  const map = await engine.predict({
    buildings,
    cars: parked,
    transmitters: tx.map((text) => transmitter(text, frequency)),
    layers: layer,
    thresholdDbm: threshold,
    seed,
    interactions,
    walls,
    method: model ? 'network' : (options.method ?? 'dominant-path'),
  });
  const { size, warnings } = map;
  // Whole or not at all.
  await writeFile(`${out}.part`, await write(map));
  await rename(`${out}.part`, out);
  for (const warning of warnings) console.error(`warning: ${warning}`);
  const { min, max } = map.stats();
  console.log(`${out}: ${size} x ${size} pixels, ${min.toFixed(1)} to ${max.toFixed(1)} dBm`);
  const covered = map.coverage?.share ?? (map.probability && map.layer('probability').stats().mean);
  if (covered !== undefined) console.log(`covered: ${(100 * covered).toFixed(1)} % of the ground outdoors${map.coverage ? '' : ' on average'}`);
  engine.dispose();
}

function commandLine() {
  const text = { type: 'string' };
  const texts = { type: 'string', multiple: true };
  const flag = { type: 'boolean' };
  const options = { tx: texts, out: text, cars: text, frequency: text, threshold: text, layer: texts, method: text, interactions: text, walls: text, network: flag, model: text, seed: text, help: { ...flag, short: 'h' } };
  try {
    return parseArgs({ args: negativeNumbers(process.argv.slice(2)), options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

/** `--tx -0.12,51.5` as `--tx=-0.12,51.5`: the parser takes what begins with a dash for an option. */
function negativeNumbers(words) {
  const joined = [];
  for (const word of words) {
    if (/^-[\d.]/.test(word) && joined.at(-1)?.startsWith('--')) joined.push(`${joined.pop()}=${word}`);
    else joined.push(word);
  }
  return joined;
}

function asJson({ bounds, size, metersPerPixel, method, transmitters, warnings, values, layers }) {
  const written = { bounds, size, metersPerPixel, method, transmitters, warnings, values: list(values), layers: Object.fromEntries(Object.entries(layers).map(([name, layer]) => [name, list(layer)])) };
  return `${JSON.stringify(written)}\n`;
}

/** The engine checks the numbers themselves. */
function transmitter(text, frequencyMHz) {
  const [lng, lat, powerDbm, ...rest] = text.split(',');
  if (lat === undefined || rest.length) throw new UsageError(`--tx ${text}: expected LNG,LAT or LNG,LAT,DBM`);
  return { lng, lat, powerDbm, frequencyMHz };
}

/** Float32 values in as few digits as tell them apart; JSON has no NaN. */
const list = (values) => Array.from(values, (value) => (Number.isNaN(value) ? null : Number(value.toPrecision(8))));

main().catch((error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
