// Long work in a runtime of its own, which ends with it. In a worker, the engine's own runtime goes on drawing meanwhile, and work that is
// aborted ends at once, wherever it is. Without a worker both share the calling thread, and the work ends between two of its steps.

import { abortable } from './abort.js';
import { Calls } from './calls.js';
import { RadioError } from './errors.js';

/** @import { Callbacks } from './calls.js' */
/** @import { OpenPort, Port } from './ports.js' */

/**
 * @param {OpenPort} open
 * @param {object} setup what the runtime's `open` takes
 * @param {string} call a method of the runtime
 * @param {object} args
 * @param {Callbacks & { ended?: AbortSignal }} callbacks `ended` ends the work with the engine
 * @returns {Promise<any>}
 */
export async function callBeside(open, setup, call, args, { signal, ended, onProgress }) {
  const stop = new AbortController();
  const release = [signal, ended].map((other) => other && follow(stop, other));
  const calls = new Calls();
  const crashed = (/** @type {string} */ message) => calls.abandon(new RadioError({ code: 'crashed', message: `what works beside the engine crashed (${message}); in a worker the next such call starts it again` }));
  const opening = open((answer) => (answer.fatal ? crashed(answer.error?.message ?? 'it gave no reason') : calls.receive(answer)), crashed);
  try {
    const { post } = await abortable(opening, stop.signal);
    await calls.open(post, { ...setup, weights: null, backend: 'cpu' }, { signal: stop.signal });
    return await calls.send(post, call, args, { signal: stop.signal, onProgress });
  } finally {
    for (const off of release) off?.();
    opening.then((port) => port.close()).catch(() => {});
  }
}

/**
 * Aborts when another signal does.
 * @param {AbortController} controller
 * @param {AbortSignal} signal
 * @returns {() => void} ends that
 */
function follow(controller, signal) {
  const abort = () => controller.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}
