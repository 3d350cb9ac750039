// Turns of long work in the runtime: between two steps, messages come in and the caller hears of progress.

/** @import { Progress } from './index.js' */

/** @typedef {Parameters<Progress>[0]['phase']} Phase */
/** @typedef {{ check: () => void, progress: (phase: Phase, loaded: number, total: number) => void }} Watch `check` throws once nobody waits for the work */

/** Long work without the network looks for messages this often. */
const TURN_MS = 50;

/**
 * Lets messages in, which a long computation keeps out.
 * @returns {Promise<void>}
 */
const breathe = () => new Promise((resolve) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(null);
});

/**
 * What the module awaits between two steps.
 * @param {Watch} watch
 * @param {'warm-up' | 'step' | 'transmitters'} phase
 */
export const between = (watch, phase) => async (/** @type {number} */ done, /** @type {number} */ steps) => {
  watch.progress(phase, done, steps);
  await breathe();
  watch.check();
};

/**
 * Does the steps of long work one after the other; every TURN_MS messages are let in.
 * @param {number} steps
 * @param {Watch} watch
 * @param {Phase} phase
 * @param {(step: number) => void} work
 */
export async function inTurns(steps, watch, phase, work) {
  let rested = -Infinity;
  for (let step = 0; step < steps; step += 1) {
    if (performance.now() - rested > TURN_MS) {
      watch.progress(phase, step, steps);
      await breathe();
      watch.check();
      rested = performance.now();
    }
    work(step);
  }
  watch.progress(phase, steps, steps);
}

/**
 * The progress of one map as that of many, of which so many are drawn.
 * @param {Watch} watch
 * @param {number} drawn
 * @param {number} maps
 * @returns {Watch}
 */
export const ofMany = ({ check, progress }, drawn, maps) => ({ check, progress: (phase, done, steps) => progress(phase, drawn * steps + done, maps * steps) });
