// Times the first map after navigation: node bench-first.mjs <runs> <name> <url>...
//
// Each run opens a page in a context of its own, so that nothing is cached: as a visitor opens it, where MapLibre comes after the first map,
// and flat, without MapLibre. Pages are opened in turns, so that what else the machine does meets all of them. First on a fast line, which
// leaves what the machine computes, then on a slow one. A row has, of its runs, the medians of three times after the navigation began,
// and the least of the last: when the page's scripts were evaluated, when the page first painted something, and when it showed a map.

import { launch } from './lib.mjs';

const [runs, ...named] = process.argv.slice(2);
const pages = named.flatMap((name, i) => (i % 2 ? [] : [
  { name, address: named[i + 1] },
  { name: `${name}, flat`, address: new URL('?view=flat', named[i + 1]).href },
]));

const [MBIT_PER_S, LATENCY_MS] = [10, 40];
const lines = [
  { name: 'this machine' },
  { name: `${MBIT_PER_S} Mbit/s, ${LATENCY_MS} ms`, conditions: { offline: false, latency: LATENCY_MS, downloadThroughput: (MBIT_PER_S * 1e6) / 8, uploadThroughput: (MBIT_PER_S * 1e6) / 8 } },
];

/** In the page, before its own scripts: notes when its state says that a map is shown. */
function watch() {
  const observer = new MutationObserver(() => {
    if (document.documentElement.dataset.state !== 'ready') return;
    window.firstMapMs = performance.now();
    observer.disconnect();
  });
  observer.observe(document, { attributes: true, subtree: true, childList: true });
}

/** Milliseconds after navigation: [scripts evaluated, first paint, first map]. */
async function firstMap(browser, address, conditions) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.addInitScript(watch);
    if (conditions) {
      const session = await context.newCDPSession(page);
      await session.send('Network.enable');
      await session.send('Network.emulateNetworkConditions', conditions);
    }
    await page.goto(address);
    await page.waitForFunction(() => window.firstMapMs, undefined, { timeout: 60_000 });
    return await page.evaluate(() => [
      performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd,
      performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
      window.firstMapMs,
    ]);
  } finally {
    await context.close();
  }
}

const median = (times) => times.toSorted((a, b) => a - b)[times.length >> 1];

const browser = await launch();
try {
  console.log(`Chromium ${browser.version()}, milliseconds after navigation, of ${runs} fresh contexts the medians`);
  console.log(['page', 'line', 'scripts', 'first paint', 'first map', 'least'].map((title, i) => (i < 2 ? title.padEnd(24) : title.padStart(12))).join(''));
  for (const { name: line, conditions } of lines) {
    const measured = pages.map(() => []);
    // The first round starts the browser's processes.
    for (let round = -1; round < Number(runs); round += 1) {
      for (const [i, { address }] of pages.entries()) {
        const times = await firstMap(browser, address, conditions);
        if (round >= 0) measured[i].push(times);
      }
    }
    for (const [i, { name }] of pages.entries()) {
      const [scripts, paint, map] = [0, 1, 2].map((of) => measured[i].map((times) => times[of]));
      const columns = [median(scripts), median(paint), median(map), Math.min(...map)];
      console.log(name.padEnd(24) + line.padEnd(24) + columns.map((ms) => ms.toFixed(0).padStart(12)).join(''));
    }
  }
} finally {
  await browser.close();
}
