// What the browser's workers have computed: time that other programs on the machine do not lengthen. Linux counts it.

import { readFile, readdir } from 'node:fs/promises';

/** The processes that this one has started, by their parents. */
async function descendants() {
  const processes = await Promise.all((await readdir('/proc')).filter(Number).map(async (id) => {
    const status = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '');
    return [id, status.slice(status.lastIndexOf(')')).split(' ')[2]];
  }));
  const found = [String(process.pid)];
  for (const parent of found) found.push(...processes.flatMap(([id, of]) => (of === parent ? [id] : [])));
  return found;
}

/** Milliseconds that each worker of the browser has computed, by its thread; none where the system does not count them. */
export async function computedMs() {
  const threads = new Map();
  for (const id of await descendants().catch(() => [])) {
    for (const thread of await readdir(`/proc/${id}/task`).catch(() => [])) {
      const [name, counts] = await Promise.all(['comm', 'schedstat'].map((file) => readFile(`/proc/${id}/task/${thread}/${file}`, 'utf8').catch(() => '')));
      if (name.startsWith('DedicatedWorker')) threads.set(thread, Number(counts.split(' ')[0]) / 1e6);
    }
  }
  return threads;
}

/** What each worker computed since; a worker that is new began at nothing. */
export async function computedSince(before) {
  return [...(await computedMs())].map(([thread, ms]) => ms - (before.get(thread) ?? 0));
}
