// Two ways to the runtime: through a worker, and on the calling thread. A port posts messages to the runtime (runtime.js has the
// protocol), hands its answers to `receive`, and calls `crashed(message)` when the runtime can answer no more.

import { messageOf } from './errors.js';

/**
 * @typedef {{ post: (message: object) => void, close: () => void }} Port
 * @typedef {import('./runtime.js').Answer} Answer
 * @typedef {(receive: (answer: Answer) => void, crashed: (message: string) => void) => Port | Promise<Port>} OpenPort
 */

/**
 * The runtime in a worker of its own.
 * @type {OpenPort}
 */
export function workerPort(receive, crashed) {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }) => receive(data);
  worker.onerror = (event) => {
    // The caller gets a typed error, so the page need not hear of an uncaught one.
    event.preventDefault();
    crashed(event.message || 'the worker could not be started');
  };
  return { post: (message) => worker.postMessage(message), close: () => worker.terminate() };
}

/**
 * Why the module computes no more on the calling thread. There is one instance of it, so a trap is final for every engine.
 * @type {string | null}
 */
let trap = null;

/**
 * The runtime on the calling thread.
 * @param {Parameters<OpenPort>[0]} receive
 * @param {Parameters<OpenPort>[1]} crashed
 * @returns {Promise<Port>}
 */
export async function directPort(receive, crashed) {
  const { serve } = await import('./runtime.js');
  const take = serve((answer) => queueMicrotask(() => {
    if (answer.fatal) trap = answer.error?.message ?? 'the module trapped';
    receive(answer);
  }));
  /**
   * A trap in an asynchronous call rejects no promise.
   * @param {ErrorEvent} event
   */
  const trapped = (event) => {
    if (!(event.error instanceof WebAssembly.RuntimeError)) return;
    event.preventDefault();
    trap = event.message || messageOf(event.error);
    crashed(trap);
  };
  addEventListener('error', trapped);
  const close = () => {
    removeEventListener('error', trapped);
    if (trap === null) take({ id: -1, call: 'dispose' });
  };
  return { post: (message) => (trap === null ? take(/** @type {any} */ (message)) : crashed(trap)), close };
}
