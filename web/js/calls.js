// Calls to a runtime that wait for their answers. The protocol is runtime.js's.

import { RadioError, messageOf } from './errors.js';

/** @import { Progress } from './index.js' */
/** @import { Answer } from './runtime.js' */

/** @typedef {{ signal?: AbortSignal | undefined, onProgress?: Progress | undefined }} Callbacks */
/** @typedef {(message: object) => void} Post hands a message to the runtime */
/**
 * @typedef {object} Sent
 * @property {(result: any) => void} resolve
 * @property {(reason: unknown) => void} reject
 * @property {Progress | undefined} onProgress
 * @property {() => void} settled
 * @property {() => void} post sends the call, also a second time to another runtime
 * @property {string} call
 * @property {number} sentAt
 * @property {number | null} abortedAt
 */
/** @typedef {{ firstMs: number, leastMs: number | null }} Times of a call on one scene: the first, which prepared it, and the fastest after it */

/**
 * How long at least a runtime may go on with a call that was aborted: most calls end between two steps. Where it takes longer to prepare
 * the scene again in another runtime, it may go on as long as that.
 */
const PATIENCE_MS = 300;

export class Calls {
  /** Those without an answer, in the order they were sent; the runtime works on the first. @type {Map<number, Sent>} */
  #sent = new Map();
  /** Those that wait for another runtime. @type {Map<number, Sent> | null} */
  #held = null;
  #next = 0;
  #stuck;
  /** Of calls on the runtime's scene. @type {Map<string, Times>} */
  #times = new Map();
  #answeredAt = 0;

  /** @param {() => void} [stuck] the runtime still works on a call that was aborted a while ago */
  constructor(stuck) {
    this.#stuck = stuck;
  }

  /**
   * @param {Post} post
   * @param {string} call a method of the runtime
   * @param {object | (() => object)} args a function makes them whenever the call is sent
   * @param {Callbacks} [callbacks]
   * @returns {Promise<any>}
   */
  send(post, call, args, { signal, onProgress } = {}) {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      const abort = () => {
        sent.abortedAt = performance.now();
        if (!this.#held?.delete(id)) post({ abort: id });
        reject(signal?.reason);
        if (this.#stuck) setTimeout(() => this.#look(), this.#patienceMs());
      };
      /** @type {Sent} */
      const sent = {
        resolve, reject, onProgress, call, sentAt: 0, abortedAt: null,
        settled: () => signal?.removeEventListener('abort', abort),
        post: () => {
          this.#sent.set(id, sent);
          sent.sentAt = performance.now();
          const given = typeof args === 'function' ? args() : args;
          if ('scene' in given && given.scene) this.#times.clear();
          try {
            post({ id, call, ...given });
          } catch (error) {
            this.receive({ id, error: { code: 'request', message: `the request holds something that cannot be sent to a worker: ${messageOf(error)}` } });
          }
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      if (this.#held) this.#held.set(id, sent);
      else sent.post();
      // The call travels even so: it may bring a scene that later ones are about.
      if (signal?.aborted) abort();
    });
  }

  #look() {
    const [first] = this.#sent.values();
    // Timers may be early by a millisecond.
    if (first?.abortedAt != null && performance.now() - first.abortedAt > this.#patienceMs() - 2) this.#stuck?.();
  }

  /** The scene's preparation is what the first call took longer than a later one; before there is one, half of the first. */
  #patienceMs() {
    const again = [...this.#times.values()].reduce((sum, { firstMs, leastMs }) => sum + (leastMs === null ? firstMs / 2 : firstMs - leastMs), 0);
    return Math.max(PATIENCE_MS, again);
  }

  /** @param {Sent} sent that is answered */
  #time({ call, sentAt }) {
    const now = performance.now();
    const ms = now - Math.max(sentAt, this.#answeredAt);
    this.#answeredAt = now;
    const times = this.#times.get(call);
    if (!times) this.#times.set(call, { firstMs: ms, leastMs: null });
    else times.leastMs = Math.min(times.firstMs, times.leastMs ?? ms, ms);
  }

  /** @param {Answer} answer */
  receive({ id, result, error, progress }) {
    const call = this.#sent.get(id);
    if (!call) return;
    if (progress) {
      if (call.abortedAt === null) call.onProgress?.(progress);
      return;
    }
    this.#sent.delete(id);
    call.settled();
    if (error) {
      this.#answeredAt = performance.now();
      call.reject(new RadioError(error));
    } else {
      this.#time(call);
      call.resolve(result);
    }
  }

  /** The runtime has ended: what somebody waits for, and what is sent meanwhile, is kept for another. */
  hold() {
    this.#held = new Map([...this.#sent].filter(([, { abortedAt }]) => abortedAt === null));
    this.#sent.clear();
  }

  get holding() {
    return this.#held !== null;
  }

  /**
   * Opens a runtime, and sends it what was kept.
   * @param {Post} post
   * @param {object} args
   * @param {Callbacks} [callbacks]
   */
  open(post, args, callbacks) {
    const held = this.#held ?? new Map();
    this.#held = null;
    this.#times.clear();
    const opened = this.send(post, 'open', args, callbacks);
    for (const sent of held.values()) sent.post();
    return opened;
  }

  /**
   * Rejects whatever waits.
   * @param {unknown} reason
   */
  abandon(reason) {
    for (const { reject, settled } of [...this.#sent.values(), ...(this.#held?.values() ?? [])]) {
      settled();
      reject(reason);
    }
    this.#sent.clear();
    this.#held = null;
  }
}
