// The page's figures are those of the documentation, and the shipped network is worth its layers.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { REAL_MAPS, worth } from '../../www/page/accuracy.js';
import { FIGURES } from '../../www/page/figures.js';
import { headerEnd, readHeader } from '../js/safetensors.js';

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url));
const documented = read('docs/accuracy.md').toString().replace(/\s+/g, ' ');

test('the error on real maps is the documented one', () => {
  const { count, physical: { nmse, rmseDb } } = REAL_MAPS;
  assert.ok(documented.includes(`${count} real`), 'the number of real maps');
  assert.ok(documented.includes(`| ${nmse} | ${rmseDb} |`), `${nmse}, ${rmseDb} dB`);
});

test('what the page\'s network is worth is documented, and the cards are of the very weights that ship', () => {
  const { maps, physical, network } = FIGURES;
  assert.ok(documented.includes(`| ${maps} maps | CRPS, dB | RMSE outdoors, dB |`), 'the number of maps');
  assert.ok(documented.includes(`| physical map, without heights and cars | ${physical.crpsDb.toFixed(2)} | ${physical.rmseDb.toFixed(2)} |`), 'the physical map');
  assert.ok(documented.includes(`| the network: 19 quantiles | ${network.crpsDb.toFixed(2)} |`), 'the quantiles');
  for (const name of ['quantiles', 'nano']) {
    const weights = read(`models/${name}.safetensors`);
    assert.ok(read(`models/${name}.md`).includes(readHeader(weights.subarray(0, headerEnd(weights))).sha256), `the card of ${name} is of other weights`);
  }
});

test('every layer of the network is better than the physical map of the same knowledge, and says so', () => {
  const { physical, network } = FIGURES;
  assert.ok(network.crpsDb < physical.crpsDb && network.rmseDb <= physical.rmseDb, JSON.stringify(FIGURES));
  for (const layer of ['mean', 'deviation', 'probability']) {
    const words = worth(layer);
    assert.ok(words.includes(`CRPS ${network.crpsDb.toFixed(2)} instead of ${physical.crpsDb.toFixed(2)} dB`), words);
    assert.equal(/too sure/.test(words), network.holds < 0.85);
  }
});

test('antenna heights of the network are those that its file says, once it is loaded', () => {
  const heights = (model) => worth('mean', model).match(/antennas? .*m high\.$/)?.[0];
  assert.equal(heights({ antennaHeightsM: [2, 30] }), 'antennas 2 to 30 m high.');
  assert.equal(heights({ antennaHeightsM: [1.5, 1.5] }), 'antenna as 1.5 m high.');
  assert.equal(heights(undefined), undefined);
  for (const layer of ['physical', 'traced', 'difference']) assert.equal(worth(layer, { antennaHeightsM: [2, 30] }), worth(layer));
  assert.equal(worth('calibrated'), undefined);
});
