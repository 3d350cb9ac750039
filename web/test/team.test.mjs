// Members that exchange values in shared memory, on threads of their own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

import { Team, leave, newControl, newSlots } from '../js/team.js';

const SCRIPT = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData.team).then(({ Team }) => {
    const { setup, lengths, most } = workerData;
    const team = new Team(setup);
    const wrong = [];
    try {
      for (const [round, length] of lengths.entries()) {
        if (round === most) return parentPort.postMessage({ left: true });
        const value = (member, index) => 1000 * member + ((index + round) % 997);
        const sent = Float32Array.from({ length }, (_, index) => value(team.rank, index));
        const received = new Float32Array(length * team.members);
        team.gather(sent, received);
        const at = received.findIndex((found, i) => found !== value(Math.floor(i / length), i % length));
        if (at >= 0) wrong.push([round, length, at, received[at]]);
      }
      parentPort.postMessage({ wrong });
    } catch (error) {
      parentPort.postMessage({ error: error.message });
    }
  });
`;

/** What each member says at its end; the member `rank` stops before round `most[rank]`. */
function gathered(members, lengths, most = []) {
  const [control, slots] = [newControl(), newSlots(members)];
  const answers = Array.from({ length: members }, (_, rank) => new Promise((resolve, reject) => {
    const setup = { control, slots, members, rank };
    const worker = new Worker(SCRIPT, { eval: true, workerData: { team: new URL('../js/team.js', import.meta.url).href, setup, lengths, most: most[rank] } });
    worker.once('message', (said) => {
      if (said.left) leave(control);
      resolve(said);
    });
    worker.once('error', reject);
  }));
  return Promise.all(answers);
}

test('every member gets what each has sent, in rounds of any length', { timeout: 60_000 }, async () => {
  const lengths = [1, 7, 262_144, 262_145, 600_000, 3, ...Array.from({ length: 400 }, (_, i) => 1 + (i * 37) % 500)];
  for (const members of [2, 3]) {
    assert.deepEqual(await gathered(members, lengths), Array(members).fill({ wrong: [] }));
  }
});

test('a member that goes is an error for those that wait, and none for those that have all', { timeout: 60_000 }, async () => {
  const lengths = Array(20).fill(100);
  const [left, waiting] = await gathered(2, lengths, [13]);
  assert.deepEqual([left, waiting], [{ left: true }, { error: 'a worker that shared the map is gone' }]);
  const control = newControl();
  const team = new Team({ control, slots: newSlots(1), members: 1, rank: 0 });
  leave(control);
  const received = new Float32Array(2);
  team.gather(Float32Array.of(1, 2), received);
  assert.deepEqual([...received], [1, 2]);
});
