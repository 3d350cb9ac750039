// Times the same networks in radiodiff and in onnxruntime-web, in one browser session: node bench-web.mjs <runs> [webgpu]
//
// Each program waits in a worker of its own, and they draw in turns, so that what else the machine does meets all of them. A map is one
// evaluation of the whole network, from the condition's channels to the gray levels, in one step. Beside the time by the clock stands
// what the workers' threads computed together. The last column is the largest difference of a gray level from radiodiff's on the CPU:
// it says that the programs compute the same network.

import { launch, url } from './lib.mjs';
import { computedMs, computedSince } from './threads.mjs';

const [runs, webgpu] = process.argv.slice(2);
const own = 'radiodiff';
const rows = [
  { name: 'radiodiff, 1 worker', programs: [own] },
  { name: 'radiodiff, 2 workers, one map', programs: [own, own], shared: true },
  { name: 'radiodiff, 2 workers, a map each', programs: [own, own] },
  { name: 'onnxruntime-web, 1 thread', programs: ['onnxruntime-web, 1 thread'] },
  { name: 'onnxruntime-web, 2 threads', programs: ['onnxruntime-web, 2 threads'] },
];
if (webgpu) {
  // A software adapter takes seconds a map.
  for (const name of ['radiodiff, WebGPU', 'onnxruntime-web, WebGPU']) rows.push({ name, programs: [name], most: 3 });
}

/** In the page: opens the programs, makes their input, and leaves `window.draw(row)`, which lets a row's programs draw a map each. */
async function prepare(rows) {
  const { newControl, newSlots } = await import('/team.js');
  const ask = (worker, message) => new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
    worker.onerror = (event) => reject(new Error(event.message ?? 'the worker failed'));
    worker.postMessage(message);
  });
  const workers = [];
  const failures = [];
  const slots = newSlots(2);
  let shapes;
  for (const [row, { programs }] of rows.entries()) {
    try {
      workers[row] = programs.map(() => new Worker('/worker.js', { type: 'module' }));
      const answers = await Promise.all(workers[row].map((worker, i) => ask(worker, { program: programs[i] })));
      shapes ??= answers[0].shapes;
    } catch (error) {
      failures[row] = error.message;
    }
  }

  // Mulberry32: the same numbers in every session.
  let state = 1;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const filled = (shape, draw) => ({ shape, values: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, draw) });
  const input = { condition: filled(shapes.condition, () => 2 * uniform() - 1), noise: filled(shapes.noise, normal) };

  let reference;
  window.draw = async (row) => {
    const started = performance.now();
    const control = rows[row].shared && newControl();
    const answers = await Promise.all(workers[row].map((worker, rank, { length: members }) => ask(worker, { ...input, team: control && { control, slots, members, rank } })));
    const together = performance.now() - started;
    const maps = control ? 1 : answers.length;
    const { gray } = answers.at(-1);
    reference ??= gray;
    const difference = gray.reduce((most, level, i) => Math.max(most, Math.abs(level - reference[i])), 0);
    return { difference, milliseconds: answers.length === 1 ? answers[0].milliseconds : together / maps };
  };
  return failures;
}

const browser = await launch({ webgpu: Boolean(webgpu) });
try {
  const page = await browser.newPage();
  await page.goto(url);
  const failures = await page.evaluate(prepare, rows);
  const measured = rows.map((row, i) => ({ ...row, error: failures[i], clock: [], threads: [] }));
  // The first rounds compile and map memory.
  for (let round = -1; round < Number(runs); round += 1) {
    for (const [i, row] of measured.entries()) {
      if (row.error || round >= (row.most ?? Infinity)) continue;
      try {
        // onnxruntime's second thread spins for a while after its map, beside whoever draws next.
        await new Promise((resolve) => setTimeout(resolve, 300));
        const before = await computedMs();
        const { milliseconds, difference } = await page.evaluate((row) => window.draw(row), i);
        const computed = (await computedSince(before)).reduce((sum, ms) => sum + ms, 0);
        row.difference = difference;
        if (round < 0) continue;
        row.clock.push(milliseconds);
        row.threads.push(row.shared ? computed : computed / row.programs.length);
      } catch (error) {
        row.error = error.message;
      }
    }
  }
  const sorted = (times) => [...times].sort((a, b) => a - b);
  const median = (times) => (sorted(times)[(times.length - 1) >> 1] + sorted(times)[times.length >> 1]) / 2;
  console.log(`Chromium ${browser.version()}, milliseconds a map: median, least`);
  console.log(`${'program'.padEnd(34)} maps           by the clock            of threads  difference`);
  for (const { name, clock, threads, difference, error } of measured) {
    const columns = [clock, threads].map((times) => [median(times), Math.min(...times)].map((time) => time.toFixed(1).padStart(10)).join(' '));
    const line = error ? `does not run: ${error}` : `${String(clock.length).padStart(4)}  ${columns.join(' ')}  ${difference.toExponential(1)}`;
    console.log(`${name.padEnd(34)} ${line}`);
  }
} finally {
  await browser.close();
}
