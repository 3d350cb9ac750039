// The second worker for the networks' maps, with stand-ins for workers: who is asked for what, and what happens when one fails.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RadioError } from '../js/errors.js';
import { Partner } from '../js/partner.js';
import { Team } from '../js/team.js';

/** A partner whose runtime answers as `assist(message)` says, and what its runtime was asked. */
async function partnerOf(assist, start = () => ({})) {
  const asked = [];
  const warnings = [];
  let closed = false;
  const open = async (receive) => ({
    post: (message) => {
      asked.push(message);
      if ('abort' in message) return;
      setImmediate(() => {
        if (closed) return;
        try {
          receive({ id: message.id, result: message.call === 'open' ? start() : assist(message) });
        } catch (error) {
          receive({ id: message.id, error: { code: 'failed', message: error.message }, fatal: error.fatal });
        }
      });
    },
    close: () => { closed = true; },
  });
  const partner = new Partner(open, { weights: new Uint8Array(3) }, (warning) => warnings.push(warning));
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
  return { partner, asked, warnings, closed: () => closed };
}

/** The engine's own runtime: it exchanges a number with its partner, alone it draws without. */
const own = (calls) => async (call, args) => {
  calls.push([call, args.team?.rank]);
  if (args.team) {
    const received = new Float32Array(2);
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    try {
      new Team(args.team).gather(Float32Array.of(5), received);
    } catch (error) {
      throw new RadioError({ code: 'failed', message: error.message });
    }
    return { values: [...received] };
  }
  return { values: 'alone' };
};

/** Takes part: its number is there when the other looks for it. */
const takesPart = ({ team }) => {
  team.slots[2 * (team.slots.length / 4)] = 7;
  Atomics.add(team.control, 0, 1);
  return {};
};

test('both are asked for the same map at the same moment', async () => {
  const { partner, asked, warnings, closed } = await partnerOf(takesPart);
  assert.deepEqual([asked[0].call, asked[0].backend, asked[0].weights.length], ['open', 'cpu', 3]);
  const calls = [];
  const request = { transmitters: [{ lng: 1, lat: 2 }] };
  const drawing = partner.draw(own(calls), request, {});
  assert.equal(asked.length, 2, 'the partner was asked before anything else happened');
  assert.deepEqual(await drawing, { values: [5, 7], workers: 2 });
  await partner.draw(own(calls), request, {});
  assert.deepEqual(calls, [['predict', 0], ['predict', 0]]);
  const assisted = asked.slice(1);
  assert.deepEqual(assisted.map(({ call, scene, request, team }) => [call, scene, request, team.rank]), Array(2).fill(['assist', undefined, request, 1]));
  assert.deepEqual(warnings, []);
  partner.close(new Error('the end'));
  assert.ok(closed());
});

test('a partner that fails costs a warning, and the other draws alone', async () => {
  for (const fatal of [false, true]) {
    const { partner, warnings } = await partnerOf(() => { throw Object.assign(new Error('out of order'), { fatal }); });
    const calls = [];
    assert.deepEqual(await partner.draw(own(calls), {}, {}), { values: 'alone' });
    assert.deepEqual(calls, [['predict', 0], ['predict', undefined]]);
    await partner.draw(own(calls), {}, {});
    assert.deepEqual(calls.at(-1), ['predict', undefined], 'it is asked no more');
    assert.deepEqual(warnings, ["A worker that shared the network's maps was lost (out of order); the other draws alone."]);
  }
});

test('what is wrong with a request is said once, and the partner stays', async () => {
  const wrong = new RadioError({ code: 'transmitter', message: 'it stands indoors' });
  let refused = false;
  const { partner, warnings } = await partnerOf((message) => {
    if (refused) return takesPart(message);
    refused = true;
    throw wrong;
  });
  // The partner may be the first to see it.
  const refuses = async (_, { team }) => {
    while (!refused) await new Promise(setImmediate);
    await new Promise(setImmediate);
    assert.equal(new Team(team).rank, 0);
    throw wrong;
  };
  await assert.rejects(partner.draw(refuses, {}, {}), wrong);
  const calls = [];
  await partner.draw(own(calls), {}, {});
  assert.deepEqual([calls[0], warnings], [['predict', 0], []]);
});

test('a partner that does not start costs a warning', async () => {
  const { partner, warnings } = await partnerOf(takesPart, () => { throw new Error('no memory'); });
  assert.deepEqual(await partner.draw(own([]), {}, {}), { values: 'alone' });
  assert.deepEqual(warnings, ["The network's maps are drawn by one worker: no memory."]);
});

test('an engine that ends while the partner starts leaves no worker', async () => {
  let closed = false;
  let answer;
  const open = async (receive) => ({ post: ({ id }) => { answer = () => receive({ id, result: {} }); }, close: () => { closed = true; } });
  const partner = new Partner(open, {}, assert.fail);
  await new Promise(setImmediate);
  partner.close(new Error('the end'));
  answer();
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  assert.ok(closed);
});
