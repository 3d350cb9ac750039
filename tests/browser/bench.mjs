// Times warm maps in the page's own browser: node bench.mjs <runs> <engine>...

import { MODEL, launch, open } from './lib.mjs';

const [runs, ...engines] = process.argv.slice(2);
const browser = await launch();
try {
  const page = await open(browser);
  console.log('engine     runs   median ms      min ms      max ms');
  for (const backend of engines) {
    const times = await page.evaluate(async ([model, backend, runs]) => {
      const { createEngine, request } = window.radiodiff;
      const timed = await createEngine({ model, backend });
      // The transmitter moves: everything but the buildings is computed anew, as when it is dragged.
      const [at] = request.transmitters;
      const map = (seed) => timed.predict({ ...request, method: 'network', transmitters: [{ ...at, lng: at.lng + seed * 1e-6 }], seed });
      await map(0);
      const times = [];
      for (let seed = 1; seed <= runs; seed += 1) {
        const started = performance.now();
        await map(seed);
        times.push(performance.now() - started);
      }
      timed.dispose();
      return times.sort((a, b) => a - b);
    }, [MODEL, backend, Number(runs)]);
    const median = (times[(times.length - 1) >> 1] + times[times.length >> 1]) / 2;
    const columns = [median, times[0], times[times.length - 1]].map((time) => time.toFixed(0).padStart(11)).join(' ');
    console.log(`${backend.padEnd(9)} ${runs.padStart(5)} ${columns}`);
  }
} finally {
  await browser.close();
}
