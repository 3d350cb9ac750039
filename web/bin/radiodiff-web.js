#!/usr/bin/env node
// `npx radiodiff-web predict`: a map from the command line, without a browser. The command `radiodiff` does the same natively, and more;
// this one needs only Node.

import { readFile, rename, writeFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine, paletteNames } from '../dist/node.js';

const HELP = `Usage: radiodiff-web predict SCENE --tx LNG,LAT[,DBM] --out FILE [options]

Draws the radio map of a scene (GeoJSON, OpenStreetMap XML, each also packed by gzip, or a GeoTIFF of heights) and writes it as the ending
of FILE says:

  .json             bounds, size, transmitters, warnings, and values in dBm from the north-west, row by row, null inside buildings
  .tif              GeoTIFF
  .png              image, and the world file .pgw that says where it lies
  .kml, .kmz        overlay for Google Earth; .kml comes with its .png
  .geojson          for each level, the area at or above it
  .csv, .npy        table of the outdoor pixels, NumPy array

  --tx LNG,LAT[,DBM]     a transmitter; may be given more than once
  --out FILE             where the map is written; may be given more than once
  --bounds W,S,E,N       what the map is centred on, in degrees; the buildings unless given
  --resolution M         side of a pixel in metres; the map then covers the bounds. Without it the map has 256 x 256 pixels of 1 m
  --height M             of all transmitters above the ground, 1.5 m unless given
  --receiver-height M    of the receivers, 1.5 m unless given
  --building-height M    of buildings without a height or storeys, 25 m unless given
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
  --palette NAME         of images: turbo, unless given, or another of the package's
  --range LOW,HIGH       of images: the dBm of the first and the last colour, -120,-40 unless given
  --levels DBM,...       of .geojson: the threshold unless given, else every 10 dB of the range
`;

/** A command line that cannot be used. */
class UsageError extends Error {}

/** The files of a map, by the ending of the name: each has an ending and a content. The stem is the name without folder and ending. */
const WRITERS = {
  json: async (map) => [['json', asJson(map)]],
  tif: async (map) => [['tif', await map.toGeoTIFF()]],
  png: async (map, { look }) => [['png', await map.toPNG(look)], ['pgw', await map.toWorldFile()]],
  kml: async (map, { look, stem }) => [['kml', await map.toKML({ image: `${stem}.png` })], ['png', await map.toPNG(look)]],
  kmz: async (map, { look }) => [['kmz', await map.toKMZ(look)]],
  geojson: async (map, { levels }) => [['geojson', JSON.stringify(await map.toContours(levels))]],
  csv: async (map) => [['csv', await map.toCSV()]],
  npy: async (map) => [['npy', await map.toNpy()]],
};

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
  const files = out.map(outFile);
  if (layer && !files.some(({ format }) => format === 'json')) throw new UsageError('--layer needs --out MAP.json: the other formats hold one layer');
  const bounds = options.bounds && boundsOf(options.bounds);
  if (options.resolution && !bounds) throw new UsageError('--resolution needs --bounds, which the map covers then');
  const looks = looksOf(options);
  const model = options.model ?? (options.network ? new URL('../dist/quantiles.safetensors', import.meta.url) : undefined);
  if (model && options.method) throw new UsageError('--method chooses a physical model: leave --network and --model out');
  const [buildings, parked] = await Promise.all([scene, cars].map((file) => file && readFile(file)));
  const engine = await createEngine({ model, backend: 'cpu' });
  const map = await engine.predict({
    buildings,
    cars: parked,
    bounds,
    metersPerPixel: options.resolution,
    buildingHeightM: options['building-height'],
    transmitters: tx.map((text) => transmitter(text, frequency, options.height)),
    receiver: { heightM: options['receiver-height'] },
    layers: layer,
    thresholdDbm: threshold,
    seed,
    interactions,
    walls,
    method: model ? 'network' : (options.method ?? 'dominant-path'),
  });
  const { size, warnings } = map;
  for (const { name, format, base } of files) {
    for (const [ending, content] of await WRITERS[format](map, { ...looks, stem: basename(base) })) {
      const path = ending === format ? name : `${base}.${ending}`;
      // Whole or not at all.
      await writeFile(`${path}.part`, content);
      await rename(`${path}.part`, path);
    }
  }
  for (const warning of warnings) console.error(`warning: ${warning}`);
  const { min, max } = map.stats();
  console.log(`${out.join(', ')}: ${size} x ${size} pixels${min === null ? '' : `, ${min.toFixed(1)} to ${max.toFixed(1)} dBm`}`);
  const covered = map.coverage?.share ?? (map.probability && map.layer('probability').stats().mean);
  if (covered !== undefined) console.log(`covered: ${(100 * covered).toFixed(1)} % of the ground outdoors${map.coverage ? '' : ' on average'}`);
  engine.dispose();
}

function commandLine() {
  const text = { type: 'string' };
  const texts = { type: 'string', multiple: true };
  const flag = { type: 'boolean' };
  const options = {
    tx: texts, out: texts, bounds: text, resolution: text, height: text, 'receiver-height': text, 'building-height': text, cars: text, frequency: text, threshold: text, layer: texts,
    method: text, interactions: text, walls: text, network: flag, model: text, seed: text, palette: text, range: text, levels: text, help: { ...flag, short: 'h' },
  };
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

/** A file that is asked for: its format, and its name without the ending. */
function outFile(name) {
  const ending = extname(name);
  const format = ending.slice(1).toLowerCase();
  if (!Object.hasOwn(WRITERS, format)) throw new UsageError(`--out ${name}: expected a name that ends in ${Object.keys(WRITERS).map((known) => `.${known}`).join(', ')}`);
  return { name, format, base: name.slice(0, name.length - ending.length) };
}

/** Numbers between commas. */
function numbers(option, text, expected) {
  const found = text.split(',').map((word) => (word.trim() === '' ? NaN : Number(word)));
  if (found.some(Number.isNaN)) throw new UsageError(`--${option} ${text}: expected ${expected}`);
  return found;
}

/** The engine checks that they are a place. */
function boundsOf(text) {
  const [west, south, east, north, ...rest] = numbers('bounds', text, 'W,S,E,N in degrees');
  if (north === undefined || rest.length) throw new UsageError(`--bounds ${text}: expected W,S,E,N in degrees`);
  return { west, south, east, north };
}

/** How images look and which contours are drawn. */
function looksOf({ palette, range = '-120,-40', threshold, levels }) {
  const [min, max, ...rest] = numbers('range', range, 'LOW,HIGH');
  if (!(min < max) || rest.length) throw new UsageError(`--range ${range}: expected LOW,HIGH`);
  if (palette && !paletteNames.includes(palette)) throw new UsageError(`--palette ${palette}: expected ${paletteNames.join(', ')}`);
  const usual = threshold === undefined ? Array.from({ length: Math.min(100, Math.floor((max - min) / 10) + 1) }, (_, i) => min + 10 * i) : [threshold];
  return { look: { palette, min, max, threshold }, levels: levels ? numbers('levels', levels, 'levels in dBm between commas') : usual };
}

function asJson({ bounds, size, metersPerPixel, method, transmitters, warnings, values, layers }) {
  const written = { bounds, size, metersPerPixel, method, transmitters, warnings, values: list(values), layers: Object.fromEntries(Object.entries(layers).map(([name, layer]) => [name, list(layer)])) };
  return `${JSON.stringify(written)}\n`;
}

/** The engine checks the numbers themselves. */
function transmitter(text, frequencyMHz, heightM) {
  const [lng, lat, powerDbm, ...rest] = text.split(',');
  if (lat === undefined || rest.length) throw new UsageError(`--tx ${text}: expected LNG,LAT or LNG,LAT,DBM`);
  return { lng, lat, powerDbm, frequencyMHz, heightM };
}

/** Float32 values in as few digits as tell them apart; JSON has no NaN. */
const list = (values) => Array.from(values, (value) => (Number.isNaN(value) ? null : Number(value.toPrecision(8))));

main().catch((error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
