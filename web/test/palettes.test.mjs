// Colours: the ends of a scale, the stops between them, and names that are no palette.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RadioError, divergingPaletteNames, palette, paletteNames } from '../js/index.js';

test('every palette goes from its first colour to its last through whole colours', () => {
  for (const name of [...paletteNames, ...divergingPaletteNames]) {
    const color = palette(name);
    for (let t = 0; t <= 1; t += 1 / 64) {
      const channels = color(t);
      assert.equal(channels.length, 3, name);
      assert.ok(channels.every((channel) => channel >= 0 && channel <= 255), `${name} at ${t}: ${channels}`);
    }
    assert.notDeepEqual(color(0), color(1), name);
  }
});

test('the ends and the middle are those of the published maps', () => {
  assert.deepEqual(palette('viridis')(0), [0x44, 0x01, 0x54]);
  assert.deepEqual(palette('viridis')(1), [0xfd, 0xe7, 0x25]);
  assert.deepEqual(palette('rdbu')(0.5), [0xf7, 0xf7, 0xf7]);
});

test('between two stops the colour is interpolated', () => {
  const [low, high] = [palette('inferno')(0), palette('inferno')(1 / 9)];
  palette('inferno')(0.5 / 9).forEach((channel, i) => assert.ok(Math.abs(channel - (low[i] + high[i]) / 2) < 1e-9));
});

test('a name that is no palette is refused with the names there are', () => {
  for (const name of ['plaid', '', 'constructor', undefined]) {
    assert.throws(() => palette(name), (error) => {
      assert.ok(error instanceof RadioError);
      assert.equal(error.code, 'palette');
      assert.match(error.message, /turbo, viridis, inferno, rdbu/);
      return true;
    });
  }
});
