// Times large physical maps in the page's own browser: node bench-areas.mjs <buildings.geojson> <side, m> <metres a pixel> <moves>
//
// The scene is prepared and drawn once; then a single transmitter moves by a pixel at a time, and one of three; by one worker and by as
// many as the package takes here. Beside the time by the clock stands what the busiest worker computed, which other programs on the
// machine do not lengthen; Linux counts it.

import { readFile } from 'node:fs/promises';

import { launch, open } from './lib.mjs';
import { computedMs, computedSince } from './threads.mjs';

const [file, side, metersPerPixel, moves] = process.argv.slice(2);
const buildings = await readFile(file, 'utf8');

/** What the busiest worker computed since. */
const busiestMs = async (before) => Math.max(...(await computedSince(before)));

const columns = (cells) => console.log(cells.map((cell, i) => String(cell).padEnd(i ? 22 : 9)).join(''));
const rounded = (ms) => ms.toFixed(0);

const browser = await launch();
try {
  const page = await open(browser);
  console.log(`${file}: ${side} m at ${metersPerPixel} m a pixel; milliseconds by the clock, computed by the busiest worker; of ${moves} moves the medians`);
  columns(['workers', 'first map', 'a move', 'a move of one of three']);
  for (const workers of [1, undefined]) {
    await page.evaluate(async ([buildings, side, metersPerPixel, workers]) => {
      const engine = await window.radiodiff.createEngine({ workers });
      const { bounds } = await engine.setScene({ buildings });
      const [lng, lat] = [(bounds.west + bounds.east) / 2, (bounds.south + bounds.north) / 2];
      const [east, north] = [(bounds.east - bounds.west) / 256, (bounds.north - bounds.south) / 256];
      const half = side / 2;
      const around = { west: lng - half * east, east: lng + half * east, south: lat - half * north, north: lat + half * north };
      const at = ([x, y]) => ({ lng: lng + x * east, lat: lat + y * north, heightM: 24 });
      window.measured = {
        engine,
        async draw(places) {
          const started = performance.now();
          await engine.predict({ buildings, bounds: around, metersPerPixel, transmitters: places.map(at), method: 'dominant-path', thresholdDbm: -90 });
          return performance.now() - started;
        },
      };
    }, [buildings, Number(side), Number(metersPerPixel), workers]);
    const draw = async (places) => {
      const before = await computedMs();
      const clockMs = await page.evaluate((places) => window.measured.draw(places), places);
      return [clockMs, await busiestMs(before)];
    };
    const series = async (rest) => {
      // The first also draws those that stand.
      await draw([[0, 0], ...rest]);
      const times = [];
      for (let move = 1; move <= moves; move += 1) times.push(await draw([[move * metersPerPixel, 0], ...rest]));
      return [0, 1].map((of) => times.map((time) => time[of]).sort((a, b) => a - b)[times.length >> 1]);
    };
    const first = await draw([[0, 0]]);
    const others = [[side / 4, 0], [0, -side / 4]];
    columns([workers ?? 'all', ...[first, await series([]), await series(others)].map((times) => times.map(rounded).join(', '))]);
    await page.evaluate(() => window.measured.engine.dispose());
  }
} finally {
  await browser.close();
}
