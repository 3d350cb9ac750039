// The example for React.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openExample } from './examples.mjs';
import { application, setUp } from './lib.mjs';

const ready = setUp(() => application('libraries'));

test('the component for React draws a map and another when its properties change', { timeout: 120_000 }, async (t) => {
  const { page, level } = await openExample(t, ready.browser, ready.app, 'react');
  const before = await level();
  await page.locator('input[type=range]').fill('35');
  assert.notEqual(await level(before), before);
  const painted = await page.evaluate(() => {
    const canvas = document.querySelector('canvas');
    return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.filter((value, i) => i % 4 === 3 && value).length;
  });
  assert.ok(painted > 10_000, `${painted} pixels are painted`);
  assert.deepEqual(page.failures, []);
});
