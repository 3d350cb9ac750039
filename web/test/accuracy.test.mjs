// The page's figures are those of the documentation.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { BY_STEPS, REAL_MAPS, WORTH } from '../../www/page/accuracy.js';

const documented = readFileSync(new URL('../../docs/accuracy.md', import.meta.url), 'utf8').replace(/\s+/g, ' ');

test('the error on real maps is the documented one', () => {
  assert.ok(documented.includes(`${REAL_MAPS.count} real`), 'the number of real maps');
  for (const { nmse, rmseDb } of [REAL_MAPS.physical, REAL_MAPS.generated]) {
    assert.ok(documented.includes(`| ${nmse} | ${rmseDb} |`), `${nmse}, ${rmseDb} dB`);
  }
});

test('the error by steps is the documented one', () => {
  assert.ok(documented.includes(`first ${BY_STEPS.count} synthetic test maps`), 'the number of synthetic maps');
  for (const [, nmse] of BY_STEPS.nmse) assert.ok(documented.includes(String(nmse)), String(nmse));
});

test('every layer says what it is worth, and the page says that more steps are worse as long as they are', () => {
  assert.deepEqual(Object.keys(WORTH).sort(), ['difference', 'generated', 'physical']);
  const errors = BY_STEPS.nmse.map(([, nmse]) => nmse);
  assert.equal(/More steps make the map worse/.test(WORTH.generated), errors.every((error, i) => i === 0 || error > errors[i - 1]));
  assert.equal(/most accurate/.test(WORTH.physical), REAL_MAPS.physical.nmse < REAL_MAPS.generated.nmse);
});
