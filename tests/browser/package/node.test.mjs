// The package in Node: the example, errors, the command.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { HEIGHTS, geotiff } from '../heights.mjs';
import { EXAMPLES, install } from './lib.mjs';

let package_;
before(() => {
  package_ = install();
  cpSync(EXAMPLES, join(package_.folder, 'examples'), { recursive: true });
});
after(() => package_.remove());

/** What a module prints that stands beside the installed package. */
const node = (...words) => execFileSync(process.execPath, words, { cwd: package_.folder, encoding: 'utf8' });

test('the example for Node tells what two transmitters cover', { timeout: 60_000 }, () => {
  const told = node('examples/node/predict.mjs');
  const [, share, first, second] = told.match(/^([\d.]+) % of the streets.*, ([\d.]+) % and ([\d.]+) % from each/).map(Number);
  assert.ok(first > 0 && second > 0 && Math.abs(first + second - share) < 0.11, told);
  assert.match(told, /[\d.]+ % have 10 dB over noise and interference/);
});

test('weights are read from a file, and one that is missing is a typed error', { timeout: 60_000 }, () => {
  const told = node('--input-type=module', '--eval', `
    import { createEngine } from 'radiodiff-web';
    const engine = await createEngine({ model: new URL(import.meta.resolve('radiodiff-web/nano.safetensors')), backend: 'cpu' });
    const { name, sha256 } = engine.info.model;
    const { code, reason, message } = await createEngine({ model: './nowhere.safetensors' }).catch((error) => error);
    console.log(JSON.stringify({ name, digits: sha256.length, worker: engine.info.worker, code, reason, message }));
  `);
  const { message, ...rest } = JSON.parse(told);
  assert.deepEqual(rest, { name: 'nano', digits: 64, worker: false, code: 'weights-missing', reason: 'file' });
  assert.match(message, /nowhere\.safetensors/);
});

test('a raster of heights is read as buildings', { timeout: 60_000 }, () => {
  writeFileSync(join(package_.folder, 'heights.tif'), geotiff(HEIGHTS));
  const told = node('--input-type=module', '--eval', `
    import { readFileSync } from 'node:fs';
    import { createEngine } from 'radiodiff-web';
    const engine = await createEngine();
    const buildings = readFileSync('heights.tif');
    const { mask, warnings } = await engine.setScene({ buildings });
    const again = await engine.footprints({ buildings });
    const { code, field, message } = await engine.setScene({ buildings: buildings.subarray(0, 300) }).catch((error) => error);
    console.log(JSON.stringify({ indoors: mask.reduce((sum, inside) => sum + inside, 0), warnings, heights: again.features.map(({ properties }) => properties.height).sort(), code, field, message }));
  `);
  const { indoors, message, ...rest } = JSON.parse(told);
  assert.deepEqual(rest, { warnings: [], heights: [6, 9], code: 'geojson', field: 'buildings' });
  assert.ok(Math.abs(indoors - 1500) < 30, `${indoors} pixels are indoors`);
  assert.match(message, /TIFF image/);
});

test('a raster of more heights than a browser can trace is refused at once', { timeout: 120_000 }, () => {
  // A chain of pixels that touch by their corners: 4096 x 4096 pixels times 256 heights are 2^32, which 32 bits count as none.
  const rugged = { ...HEIGHTS, width: 4096, rows: 4096, height: (column, row) => (column === row ? 3 * ((column % 256) + 1) : 0) };
  writeFileSync(join(package_.folder, 'rugged.tif'), geotiff(rugged));
  const told = node('--input-type=module', '--eval', `
    import { readFileSync } from 'node:fs';
    import { createEngine } from 'radiodiff-web';
    const engine = await createEngine();
    const { code, message } = await engine.setScene({ buildings: readFileSync('rugged.tif') }).catch((error) => error);
    console.log(code, message);
  `);
  assert.match(told, /^geojson .*too rugged to be traced/);
});

/** A module whose memory may grow by eight pages (WebAssembly Core 1.0, 5.5.8: the section 5 holds flags, least and most pages). */
function withLittleMemory(module) {
  let [at, start, end] = [8, 8, 8];
  do {
    [at, start] = [end, end + 1];
    let size = 0;
    for (let shift = 0; shift === 0 || module[start - 1] & 128; shift += 7) size |= (module[start++] & 127) << shift;
    end = start + size;
  } while (module[at] !== 5);
  const least = module[start + 2];
  assert.deepEqual([...module.subarray(start, end)], [1, 0, least]);
  return Buffer.concat([module.subarray(0, at), Uint8Array.of(5, 4, 1, 1, least, least + 8), module.subarray(end)]);
}

test('a file that memory does not suffice for is a typed error, after which the engine goes on', { timeout: 60_000 }, () => {
  const module = readFileSync(join(package_.folder, 'node_modules/radiodiff-web/dist/radiodiff-web-export_bg.wasm'));
  writeFileSync(join(package_.folder, 'little.wasm'), withLittleMemory(module));
  const told = node('--input-type=module', '--eval', `
    import { readFileSync } from 'node:fs';
    import { createEngine, initExport } from 'radiodiff-web';
    await initExport(readFileSync('little.wasm'));
    const engine = await createEngine();
    const request = { buildings: readFileSync('examples/buildings.json', 'utf8'), transmitters: [{ lng: 24.9384, lat: 60.1699 }] };
    const map = await engine.predict(request);
    const refusals = [];
    for (const write of ['toCSV', 'toNpy']) refusals.push(await map[write]().catch(({ name, code, message }) => [name, code, message].join(' ')));
    console.log(JSON.stringify({ refusals, size: (await engine.predict(request)).size }));
  `);
  const { refusals, size } = JSON.parse(told);
  assert.match(refusals[0], /^RadioError crashed writing the file failed, probably for want of memory: take larger pixels or another format \(/);
  assert.match(refusals[1], /^RadioError crashed .*cannot be started again: reload/);
  assert.equal(size, 256);
});

/** Runs the package's command. */
function command(...words) {
  const { status, stdout, stderr } = spawnSync(join(package_.folder, 'node_modules/.bin/radiodiff-web'), words, { cwd: package_.folder, encoding: 'utf8' });
  return { status, stdout, stderr };
}

for (const [layer, ...network] of [['best-server'], ['snr', '--network']]) {
  test(`the command writes a map ${network.join('')}`, { timeout: 60_000 }, () => {
    const out = join(package_.folder, 'map.json');
    const asked = ['predict', 'examples/buildings.json', '--tx', '24.9384,60.1699,23', '--tx=24.9365,60.1692', '--layer', layer, '--threshold', '-80', '--out', out, ...network];
    const { status, stdout, stderr } = command(...asked);
    assert.equal(status, 0, stderr);
    assert.match(stdout, network.length ? /256 x 256 pixels.*\ncovered: [\d.]+ % .*on average/ : /256 x 256 pixels.*\ncovered: [\d.]+ % of the ground outdoors\n/);
    const map = JSON.parse(readFileSync(out, 'utf8'));
    assert.deepEqual([map.size, map.values.length, map.method], [256, 65536, network.length ? 'network' : 'dominant-path']);
    assert.deepEqual(map.transmitters.map(({ powerDbm }) => powerDbm), [23, 23]);
    if (!network.length) assert.deepEqual([...new Set(map.layers[layer])].sort(), [1, 2, null]);
    assert.equal(map.values.filter((value) => value === null).length, map.layers[layer].filter((value) => value === null).length);
  });
}

test('the command draws what parked cars cost', { timeout: 60_000 }, () => {
  const [west, south] = [24.9385, 60.16986];
  const [east, north] = [west + 8e-5, south + 1.8e-5];
  const cars = join(package_.folder, 'cars.geojson');
  writeFileSync(cars, JSON.stringify({ type: 'Polygon', coordinates: [[[west, south], [east, south], [east, north], [west, north], [west, south]]] }));
  const [without, parked] = [[], ['--cars', cars]].map((more) => {
    const out = join(package_.folder, 'map.json');
    const { status, stderr } = command('predict', 'examples/buildings.json', '--tx', '24.9384,60.1699,23', '--out', out, ...more);
    assert.equal(status, 0, stderr);
    return JSON.parse(readFileSync(out, 'utf8')).values;
  });
  const lost = without.map((value, i) => value - parked[i]);
  assert.ok(lost.filter((db) => db > 0.5).length > 20 && lost.every((db) => db > -1e-3), `${Math.min(...lost)} to ${Math.max(...lost)} dB lost`);
});

test('the command traces rays as radiodiff does, by as many interactions and between such walls as it is told', { timeout: 60_000 }, () => {
  // Mean dBm of `radiodiff predict examples/buildings.json --tx 24.9384,60.1699,23 --method rays` with the same options.
  for (const [mean, ...options] of [
    [-84.722],
    [-112.197, '--interactions', '0'],
    [-87.733, '--interactions', '1', '--walls', 'metal'],
    [-82.012, '--interactions', '3', '--walls', 'concrete'],
  ]) {
    const out = join(package_.folder, 'map.json');
    const { status, stderr } = command('predict', 'examples/buildings.json', '--tx', '24.9384,60.1699,23', '--method', 'rays', '--out', out, ...options);
    assert.equal(status, 0, stderr);
    const { method, values } = JSON.parse(readFileSync(out, 'utf8'));
    const outdoors = values.filter((value) => value !== null);
    const found = outdoors.reduce((sum, value) => sum + value, 0) / outdoors.length;
    assert.equal(method, 'rays');
    assert.ok(Math.abs(found - mean) < 0.01, `${options.join(' ')}: ${found} dBm on average, ${mean} by radiodiff`);
  }
});

test('the command writes what its file is called after', { timeout: 60_000 }, () => {
  for (const [name, begins] of [['map.tif', 'II*\0'], ['map.CSV', 'lng,lat,dbm\n'], ['map.npy', '\x93NUMPY']]) {
    const out = join(package_.folder, name);
    const { status, stderr } = command('predict', 'examples/buildings.json', '--tx', '24.9384,60.1699,23', '--out', out);
    assert.equal(status, 0, stderr);
    assert.ok(readFileSync(out, 'latin1').startsWith(begins), name);
  }
});

test('the command writes pictures and areas of one map', { timeout: 60_000 }, () => {
  const file = (name) => join(package_.folder, name);
  const outs = ['picture.png', 'overlay.kml', 'overlay.kmz', 'areas.geojson'].flatMap((name) => ['--out', file(name)]);
  const { status, stderr } = command('predict', 'examples/buildings.json', '--tx', '24.9384,60.1699,23', '--levels', '-90,-70', '--threshold', '-90', ...outs);
  assert.equal(status, 0, stderr);
  const text = (name) => readFileSync(file(name), 'latin1');
  for (const [name, begins] of [['picture.png', '\x89PNG'], ['overlay.png', '\x89PNG'], ['overlay.kmz', 'PK'], ['overlay.kml', '<?xml']]) assert.ok(text(name).startsWith(begins), name);
  assert.match(text('overlay.kml'), />overlay\.png</);
  assert.equal(text('picture.pgw').trim().split('\n').length, 6);
  assert.deepEqual(JSON.parse(text('areas.geojson')).features.map(({ properties }) => properties.level), [-90, -70]);
});

test('the command covers bounds with pixels as large as it is told, from antennas as high as it is told', { timeout: 60_000 }, () => {
  const out = join(package_.folder, 'map.json');
  const draw = (...options) => {
    const { status, stderr } = command('predict', 'examples/buildings.json', '--tx', '24.9384,60.1699,23', '--bounds', '24.936,60.1687,24.9409,60.1711', '--out', out, ...options);
    assert.equal(status, 0, stderr);
    return JSON.parse(readFileSync(out, 'utf8'));
  };
  const low = draw('--resolution', '2');
  assert.deepEqual([low.metersPerPixel, low.size, low.transmitters[0].heightM], [2, 136, 1.5]);
  const high = draw('--resolution', '2', '--height', '40', '--receiver-height', '3', '--building-height', '10');
  assert.equal(high.transmitters[0].heightM, 40);
  const mean = ({ values }) => values.reduce((sum, value) => sum + (value ?? 0), 0) / values.filter((value) => value !== null).length;
  assert.ok(mean(high) > mean(low) + 5, `${mean(high)} from 40 m, ${mean(low)} from 1.5 m`);
});

test('the command tells a wrong command line (2) from work that failed (1)', { timeout: 60_000 }, () => {
  for (const [status, words, message] of [
    [2, ['predict', 'examples/buildings.json'], /needs --tx and --out/],
    [2, ['paint'], /no command paint/],
    [2, ['predict', 'examples/buildings.json', '--tx', '1', '--out', 'x.json'], /LNG,LAT/],
    [2, ['predict', 'a', '--colour', 'red'], /colour/],
    [2, ['predict', 'a', '--tx', '1,2', '--out', 'map.bmp'], /ends in \.json, \.tif, \.png, \.kml, \.kmz, \.geojson, \.csv, \.npy/],
    [2, ['predict', 'a', '--tx', '1,2', '--out', 'map.tif', '--resolution', '2'], /--resolution needs --bounds/],
    [2, ['predict', 'a', '--tx', '1,2', '--out', 'map.tif', '--bounds', '1,2,3'], /W,S,E,N/],
    [2, ['predict', 'a', '--tx', '1,2', '--out', 'map.png', '--range', '-40,-120'], /LOW,HIGH/],
    [2, ['predict', 'a', '--tx', '1,2', '--out', 'map.png', '--palette', 'grey'], /turbo/],
    [2, ['predict', 'a', '--tx', '1,2', '--out', 'map.tif', '--layer', 'snr'], /one layer/],
    [2, ['predict', 'a', '--tx', '1,2', '--out', 'map.tif', '--network', '--method', 'rays'], /leave --network and --model out/],
    [1, ['predict', 'examples/buildings.json', '--tx', '24.9384,60.1699', '--out', 'x.json', '--method', 'rays', '--walls', 'straw'], /walls is "straw", expected "brick" or "concrete"/],
    [1, ['predict', 'nowhere.geojson', '--tx', '1,2', '--out', 'x.json'], /nowhere\.geojson/],
    [1, ['predict', 'examples/buildings.json', '--tx', '-0.12,51.5', '--out', 'x.json'], /outside the map/],
  ]) {
    const found = command(...words);
    assert.equal(found.status, status, found.stderr);
    assert.match(found.stderr, message);
  }
});
