// Several transmitters and several samples, from request to layers, in a real browser. What the layers are is tested in Rust (planning);
// here is that they come through, and that they fit each other.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { headerEnd } from '../../../web/js/safetensors.js';
import { PAGES, install, result, setUp, visit } from './lib.mjs';
import { serve } from './server.mjs';

const ready = setUp(install);

/** In how many steps samples of the shipped weights are drawn, and the factor by which they are moved away from their mean: as their file says. */
function ensemble() {
  const file = readFileSync(new URL('../../../models/nano.safetensors', import.meta.url));
  const header = JSON.parse(file.subarray(8, headerEnd(file)));
  return JSON.parse(header.__metadata__.radiodiff).ensemble;
}

const near = (found, expected, within, what) => found.forEach((value, i) => {
  if (value === null || expected[i] === null) assert.equal(value, expected[i], what);
  else assert.ok(Math.abs(value - expected[i]) <= within, `${what}: ${value} where ${expected[i]} is expected`);
});

/** What a map counts itself is what the module counted. */
function assertSameStatistics({ rms, cdf, ...stats }, coverage) {
  assert.equal(rms, null, 'of powers');
  for (const [field, value] of Object.entries(stats)) assert.ok(Math.abs(value - coverage[field]) < 1e-6, `${field}: ${value} where ${coverage[field]} is expected`);
  assert.deepEqual(cdf, coverage.cdf);
}

test('a plan has the layers and the statistics it was asked for, and samples have their spread', { timeout: 120_000 }, async (t) => {
  const { origin } = await serve(t, { folders: { '/radiodiff-web/': ready.app.dist, '/': PAGES } });
  const page = await visit(t, ready.browser, `${origin}/?package=./radiodiff-web/index.js&scenario=plan`);
  const plan = await result(page);
  const { one, other, both, layers } = plan;
  const outdoors = both.flatMap((value, i) => (value === null ? [] : [i]));

  assert.ok(plan.named, 'layers by their own names');
  near(both, one.map((value, i) => value && Math.max(value, other[i])), 0, 'the strongest');
  near(layers['best-server'], one.map((value, i) => value && (other[i] > value ? 2 : 1)), 0, 'the best server');
  near(layers.snr, both.map((value) => value && value + 90), 1e-4, 'SNR');
  // Powers add in milliwatts: noise of -90 dBm and the weaker transmitter, in the same channel.
  near(layers.sinr, one.map((value, i) => value && Math.max(value, other[i]) - 10 * Math.log10(10 ** -9 + 10 ** (Math.min(value, other[i]) / 10))), 1e-3, 'SINR');
  near(layers['path-loss'], one.map((value, i) => value && Math.min(23 - value, 30 - other[i])), 1e-4, 'path loss');

  const covered = outdoors.filter((i) => both[i] >= -70);
  assert.ok(covered.length > 1000 && covered.length < outdoors.length);
  const { coverage, stats } = plan;
  assert.deepEqual([coverage.outdoorPixels, coverage.coveredPixels, coverage.threshold], [outdoors.length, covered.length, -70]);
  assert.equal(coverage.share, covered.length / outdoors.length);
  assertSameStatistics(stats, coverage);
  // Without the layer `best-server` nobody knows who serves at another threshold.
  assertSameStatistics(plan.bareStats, coverage);
  assert.deepEqual(plan.otherRanges.map((range) => range === null), [false, true]);
  assert.ok(plan.otherRanges[0] > coverage.largestRangeM);
  assertSameStatistics(plan.single.stats, plan.single.coverage);
  assert.equal(coverage.cdf.at(-1).share, 1);
  assert.deepEqual(plan.bare, [null, 0]);

  // Single maps are as they were drawn; samples are moved away from their mean.
  const { steps, widening: factor } = ensemble();
  assert.ok(factor > 1 && steps > 1 && plan.steps === steps);
  const ofSteps = (warning) => /samples differ as they should in/.test(warning);
  assert.deepEqual([plan.hasty.filter(ofSteps).length, plan.calm.filter(ofSteps).length], [1, 0]);
  const [a, b, c] = plan.singles;
  const meanOf = (i) => (a[i] + b[i] + c[i]) / 3;
  const samplesOf = (i) => [a[i], b[i], c[i]].map((value) => meanOf(i) + factor * (value - meanOf(i)));
  near(plan.sampled, a.map((value, i) => value && meanOf(i)), 1e-3, 'the mean');
  near(plan.stddev, a.map((value, i) => value && Math.sqrt(samplesOf(i).reduce((sum, sample) => sum + (sample - meanOf(i)) ** 2, 0) / 3)), 1e-3, 'the standard deviation');
  // Rounding may lift a sample over the threshold that it is at.
  const sure = outdoors.filter((i) => samplesOf(i).every((power) => Math.abs(power + 80) > 1e-3));
  near(sure.map((i) => plan.probability[i]), sure.map((i) => samplesOf(i).filter((power) => power >= -80).length / 3), 1e-6, 'the probability');
  near(plan.snr, plan.sampled.map((value) => value && value + 90), 1e-3, 'SNR of samples');
  assert.ok(Math.max(...plan.stddev) > 0.1, 'samples do not differ');

  assert.deepEqual(plan.refused.map(({ code }) => code), ['layers', 'layers', 'receiver']);
  assert.match(plan.warned.join(' '), /receiver\.rxg is not known.*no randomness/);
  assert.deepEqual(page.failures, []);
});
