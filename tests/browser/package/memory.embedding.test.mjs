// Memory of a page that goes on: fifty engines made and disposed of, a thousand maps drawn. The renderer's resident memory is measured
// after a fifth of them and at the end, each time after a collection; it has to be flat.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { PAGES, install, result, setUp, visit } from './lib.mjs';
import { serve } from './server.mjs';

const MIB = 1024 * 1024;
/** What the browser's own bookkeeping moves by. One leaked engine is 30 MiB, a thousand leaked maps are 250. */
const FLAT_MIB = 24;
const skip = existsSync('/proc/self/statm') ? false : 'resident memory is read from /proc';

const ready = setUp(install);

/** Runs `work(page, times)` for `times[0]` and then until `times[1]`, and tells the memory after both, MiB. */
async function measure(t, times, work) {
  const { origin } = await serve(t, { folders: { '/radiodiff-web/': ready.app.dist, '/': PAGES } });
  const page = await visit(t, ready.browser, `${origin}/?package=./radiodiff-web/index.js&scenario=expose`);
  await result(page);
  const devtools = await page.context().newCDPSession(page);
  const processes = await ready.browser.newBrowserCDPSession();
  const resident = async () => {
    for (let i = 0; i < 3; i += 1) await devtools.send('HeapProfiler.collectGarbage');
    await page.waitForTimeout(1000);
    const { processInfo } = await processes.send('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer');
    return renderers.reduce((sum, { id }) => sum + Number(readFileSync(`/proc/${id}/statm`, 'utf8').split(' ')[1]) * 4096, 0) / MIB;
  };
  const found = [];
  for (const [i, until] of times.entries()) {
    await work(page, until - (times[i - 1] ?? 0));
    found.push(await resident());
  }
  t.diagnostic(times.map((count, i) => `${count}: ${found[i].toFixed(1)} MiB`).join(', '));
  const grown = found.at(-1) - found[0];
  assert.ok(grown < FLAT_MIB, `it grows by ${grown.toFixed(1)} MiB from ${times[0]} to ${times.at(-1)}`);
}

for (const worker of [true, false]) {
  test(`fifty engines with networks, made and disposed of ${worker ? 'in workers' : "on the page's thread"}, leave memory flat`, { skip, timeout: 600_000 }, async (t) => {
    await measure(t, [10, 30, 50], (page, count) => page.evaluate(([count, worker]) => window.scenarios.makeEngines(window.package, { count, worker }), [count, worker]));
  });
}

for (const [what, method, times] of [['physical', 'dominant-path', [200, 600, 1000]], ['generated', 'network', [50, 150, 250]]]) {
  test(`${times.at(-1)} ${what} maps leave memory flat`, { skip, timeout: 600_000 }, async (t) => {
    await measure(t, times, (page, count) => page.evaluate(([count, method]) => window.scenarios.drawMany(window.package, { count, method }), [count, method]));
  });
}
