// Calls to a runtime that wait for their answers. The protocol is runtime.js's.

import { RadioError, messageOf } from './errors.js';

/** @import { Progress } from './index.js' */
/** @import { Answer } from './runtime.js' */

/** @typedef {{ signal?: AbortSignal | undefined, onProgress?: Progress | undefined }} Callbacks */
/** @typedef {{ resolve: (result: any) => void, reject: (reason: unknown) => void, onProgress?: Progress | undefined, settled: () => void }} Waiting */

export class Calls {
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();
  #next = 0;

  /**
   * @param {(message: object) => void} post hands a message to the runtime
   * @param {string} call a method of the runtime
   * @param {object} args
   * @param {Callbacks} [callbacks]
   * @returns {Promise<any>}
   */
  send(post, call, args, { signal, onProgress } = {}) {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      const abort = () => {
        this.#waiting.delete(id);
        post({ abort: id });
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.set(id, { resolve, reject, onProgress, settled: () => signal?.removeEventListener('abort', abort) });
      try {
        post({ id, call, ...args });
        // The call travels even so: it may bring a scene that later ones are about.
        if (signal?.aborted) abort();
      } catch (error) {
        this.receive({ id, error: { code: 'request', message: `the request holds something that cannot be sent to a worker: ${messageOf(error)}` } });
      }
    });
  }

  /** @param {Answer} answer */
  receive({ id, result, error, progress }) {
    const call = this.#waiting.get(id);
    if (!call) return;
    if (progress) {
      call.onProgress?.(progress);
      return;
    }
    this.#waiting.delete(id);
    call.settled();
    if (error) call.reject(new RadioError(error));
    else call.resolve(result);
  }

  /**
   * Rejects whatever waits.
   * @param {unknown} reason
   */
  abandon(reason) {
    for (const { reject, settled } of this.#waiting.values()) {
      settled();
      reject(reason);
    }
    this.#waiting.clear();
  }
}
