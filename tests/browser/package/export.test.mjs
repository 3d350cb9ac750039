// Maps as files, from the installed package in Node, read back by programs that know nothing of it: GDAL where it is on the search path,
// else by the readers below. What the formats hold in detail is tested in Rust (planning); here is that a map comes through.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { inflateSync } from 'node:zlib';

import { EXAMPLES, install } from './lib.mjs';

const gdal = spawnSync('gdalinfo', ['--version']).status === 0 ? false : 'gdalinfo is not on the search path';

let package_;
let folder;
/** What was drawn: bounds, values, layers and samples of toImage. */
let drawn;
before(() => {
  package_ = install();
  folder = package_.folder;
  execFileSync(process.execPath, ['--input-type=module', '--eval', `
    import { readFile, writeFile } from 'node:fs/promises';
    import { createEngine } from 'radiodiff-web';
    const engine = await createEngine();
    const buildings = await readFile(process.argv[1], 'utf8');
    const transmitters = [{ lng: 24.9384, lat: 60.1699, powerDbm: 23 }, { lng: 24.9365, lat: 60.1692, powerDbm: 17 }];
    const map = await engine.predict({ buildings, transmitters, layers: ['best-server', 'sinr', 'path-loss'] });
    const other = await engine.predict({ buildings, transmitters: [{ ...transmitters[0], powerDbm: 30 }] });
    const look = { palette: 'viridis', min: -120, max: -40, threshold: -90 };
    const files = {
      'map.tif': await map.toGeoTIFF(), 'sinr.tif': await map.layer('sinr').toGeoTIFF(), 'map.png': await map.toPNG(look), 'map.pgw': await map.toWorldFile(),
      'map.kml': await map.toKML({ image: 'map.png', title: 'Two & two' }), 'map.kmz': await map.toKMZ(look), 'map.npy': await map.toNpy(), 'map.csv': await map.toCSV(),
      'loss.csv': await map.layer('path-loss').toCSV(), 'difference.npy': await map.difference(other).toNpy(),
      'areas.geojson': JSON.stringify(await map.toContours([-90, '-70'])), 'server.geojson': JSON.stringify(await map.layer('best-server').toContours([2])),
      'drawn.json': JSON.stringify({ bounds: map.bounds, size: map.size, values: [...map.values].map(String), sinr: [...map.layers.sinr].map(String), loss: [...map.layers['path-loss']].map(String), rgba: [...map.toImage(look).data], transmitters: map.transmitters }),
    };
    for (const [name, data] of Object.entries(files)) await writeFile(name, data);
    engine.dispose();
  `, join(EXAMPLES, 'buildings.json')], { cwd: folder, encoding: 'utf8' });
  drawn = JSON.parse(readFileSync(join(folder, 'drawn.json'), 'utf8'));
  for (const name of ['values', 'sinr', 'loss']) drawn[name] = drawn[name].map(Number);
});
after(() => package_.remove());

const bytes = (name) => readFileSync(join(folder, name));
const text = (name) => readFileSync(join(folder, name), 'utf8');

/** A NumPy array of version 1: its shape and its values. */
function numpy(name) {
  const file = bytes(name);
  assert.equal(file.subarray(0, 8).toString('latin1'), '\x93NUMPY\x01\0');
  const start = 10 + file.readUInt16LE(8);
  const header = file.subarray(10, start).toString('latin1');
  assert.match(header, /'descr': '<f4'/);
  const shape = header.match(/'shape': \((\d+), (\d+)/).slice(1).map(Number);
  return { shape, values: new Float32Array(file.buffer.slice(file.byteOffset + start, file.byteOffset + file.length)) };
}

test('arrays have every value', () => {
  const { shape, values } = numpy('map.npy');
  assert.deepEqual(shape, [drawn.size, drawn.size]);
  assert.deepEqual(values, Float32Array.from(drawn.values));
  const outdoors = numpy('difference.npy').values.filter((value) => !Number.isNaN(value));
  assert.ok(outdoors.length > 1000 && Math.min(...outdoors) >= -7.001, 'one transmitter with 7 dB more is nowhere more than 7 dB stronger');
});

test('tables have a line for every pixel outdoors', () => {
  for (const [name, column, values] of [['map.csv', 'dbm', drawn.values], ['loss.csv', 'path_loss_db', drawn.loss]]) {
    const [head, ...lines] = text(name).trim().split('\n');
    assert.equal(head, `lng,lat,${column}`);
    const outdoors = values.flatMap((value, i) => (Number.isNaN(value) ? [] : [i]));
    assert.equal(lines.length, outdoors.length);
    const { west, east, south, north } = drawn.bounds;
    lines.forEach((line, n) => {
      const [lng, lat, value] = line.split(',').map(Number);
      const [column, row] = [Math.floor(((lng - west) / (east - west)) * drawn.size), Math.floor(((north - lat) / (north - south)) * drawn.size)];
      assert.equal(row * drawn.size + column, outdoors[n]);
      assert.equal(Math.fround(value), values[outdoors[n]]);
    });
  }
});

/** The pixels of a PNG with eight bits of red, green, blue and alpha (ISO 15948: chunks, zlib, filters). */
function pixelsOf(png) {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  assert.deepEqual([...png.subarray(24, 29)], [8, 6, 0, 0, 0]);
  const data = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const packed = inflateSync(Buffer.concat(data));
  const row = 4 * width;
  const pixels = Buffer.alloc(row * height);
  for (let y = 0; y < height; y += 1) {
    const filter = packed[y * (row + 1)];
    for (let x = 0; x < row; x += 1) {
      const left = x < 4 ? 0 : pixels[y * row + x - 4];
      const up = y === 0 ? 0 : pixels[(y - 1) * row + x];
      const corner = x < 4 || y === 0 ? 0 : pixels[(y - 1) * row + x - 4];
      const guess = left + up - corner;
      const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
      const nearest = a <= b && a <= c ? left : b <= c ? up : corner;
      pixels[y * row + x] = packed[y * (row + 1) + 1 + x] + [0, left, up, (left + up) >> 1, nearest][filter];
    }
  }
  return { width, height, pixels };
}

test('a PNG is what the map shows, and lies where its world file and its KML say', () => {
  const { width, height, pixels } = pixelsOf(bytes('map.png'));
  assert.deepEqual([width, height], [drawn.size, drawn.size]);
  assert.deepEqual([...pixels], drawn.rgba);
  const { west, east, south, north } = drawn.bounds;
  const [x, , , y, left, top] = text('map.pgw').trim().split('\n').map(Number);
  for (const [found, side] of [[left - x / 2, west], [left + (width - 0.5) * x, east], [top - y / 2, north], [top + (height - 0.5) * y, south]]) assert.ok(Math.abs(found - side) < 1e-9);
  const kml = text('map.kml');
  for (const side of ['west', 'south', 'east', 'north']) assert.ok(Math.abs(Number(kml.match(`<${side}>(.*)</${side}>`)[1]) - drawn.bounds[side]) < 1e-9);
  assert.match(kml, /<href>map\.png<\/href>/);
  assert.match(kml, /<name>Two &amp; two<\/name>/);
  const points = [...kml.matchAll(/<coordinates>(.*),(.*)<\/coordinates>/g)].map(([, lng, lat]) => [Number(lng), Number(lat)]);
  assert.equal(points.length, 2);
  points.forEach(([lng, lat], i) => assert.ok(Math.abs(lng - drawn.transmitters[i].lng) < 1e-8 && Math.abs(lat - drawn.transmitters[i].lat) < 1e-8));
  const kmz = bytes('map.kmz');
  assert.equal(kmz.readUInt32LE(0), 0x04034b50, 'a zip file');
  assert.ok(kmz.includes(bytes('map.png')) && kmz.includes('<href>files/map.png</href>'));
});

/** Whether a place lies within areas: even-odd over all rings. */
const within = (areas, x, y) => areas.flat().filter((ring) => ring.slice(1).filter(([bx, by], i) => {
  const [ax, ay] = ring[i];
  return (ay > y) !== (by > y) && x < ax + ((y - ay) / (by - ay)) * (bx - ax);
}).length % 2).length % 2 === 1;

test('areas hold the places at or above their level', () => {
  const { features } = JSON.parse(text('areas.geojson'));
  assert.deepEqual(features.map(({ properties }) => properties), [-90, -70].map((level) => ({ layer: 'received-power', unit: 'dBm', level })));
  const { west, east, south, north } = drawn.bounds;
  for (const { properties: { level }, geometry } of features) {
    let [checked, wrong] = [0, 0];
    for (let i = 7; i < drawn.values.length; i += 97) {
      const [row, column] = [Math.floor(i / drawn.size), i % drawn.size];
      const value = drawn.values[i];
      // Outlines run between pixels.
      if (Math.abs(value - level) < 1) continue;
      checked += 1;
      if (within(geometry.coordinates, west + ((column + 0.5) / drawn.size) * (east - west), north - ((row + 0.5) / drawn.size) * (north - south)) !== value >= level) wrong += 1;
    }
    assert.ok(checked > 400 && wrong === 0, `${wrong} of ${checked} places`);
  }
  assert.equal(JSON.parse(text('server.geojson')).features[0].properties.layer, 'best-server');
});

for (const [name, layer, description, unit] of [['map.tif', 'values', 'received power', 'dBm'], ['sinr.tif', 'sinr', 'signal to interference and noise ratio', 'dB']]) {
  test(`GDAL finds ${name} where the map is, with its values`, { skip: gdal }, () => {
    const path = join(folder, name);
    const info = JSON.parse(execFileSync('gdalinfo', ['-json', path], { encoding: 'utf8' }));
    const { upperLeft, lowerRight } = info.cornerCoordinates;
    const { west, east, south, north } = drawn.bounds;
    // GDAL prints seven decimals.
    [...upperLeft, ...lowerRight].forEach((found, i) => assert.ok(Math.abs(found - [west, north, east, south][i]) < 1e-6));
    assert.match(info.coordinateSystem.wkt, /ID\["EPSG",4326\]/);
    assert.deepEqual([info.bands[0].type, info.bands[0].noDataValue, info.bands[0].description, info.bands[0].unit], ['Float32', 'NaN', description, unit]);
    const raw = join(folder, 'raw');
    execFileSync('gdal_translate', ['-q', '-of', 'ENVI', path, raw]);
    const file = bytes('raw');
    assert.deepEqual(new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.length)), Float32Array.from(drawn[layer]));
  });
}
