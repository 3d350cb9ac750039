// Several workers for one large plan: the engine's own and helpers beside it. Each has the whole scene, so that paths are the same whoever
// draws them. What is dealt among the workers is the plan's transmitters; the engine's own runtime then makes the plan's layers of all
// gains. A map itself is not cut, so it has no seams.
//
// A helper that cannot be started or crashes costs a warning: the others do its work.

import { abortable } from './abort.js';
import { messageOf } from './errors.js';
import { Helper } from './helper.js';

/** @import { Callbacks } from './calls.js' */
/** @import { Member, Send } from './helper.js' */
/** @import { OpenPort } from './ports.js' */

/** @typedef {{ lng: unknown, lat: unknown, heightM?: unknown, alt?: unknown }} Place */
/** @typedef {{ transmitters: readonly Place[], receiver?: any }} PlanRequest what a request says of its gains; it was checked */

export class Pool {
  /** How many had a part in the last plan, at least one. */
  workers = 1;
  /** The most that draw a plan, the engine's own among them. */
  size;
  /** @type {Promise<Helper[]>} */
  #helpers;
  /** @type {(warning: string) => void} */
  #warn;
  /** Lost members that the caller was told of. @type {WeakSet<Member>} */
  #missed = new WeakSet();
  #closed = false;
  /** The scene of the last plan. @type {object | null} */
  #scene = null;
  /** Gains of the last plan by what they depend on: moving one transmitter costs the map of that one. @type {Map<string, Float32Array>} */
  #gains = new Map();

  /**
   * @param {OpenPort} open
   * @param {object} setup what the runtime's `open` takes
   * @param {number} count helpers that are wanted
   * @param {(warning: string) => void} warn
   */
  constructor(open, setup, count, warn) {
    this.#warn = warn;
    this.size = count + 1;
    this.#helpers = this.#start(open, setup, count);
  }

  /**
   * @param {OpenPort} open
   * @param {object} setup
   * @param {number} count
   */
  async #start(open, setup, count) {
    const started = await Promise.allSettled(Array.from({ length: count }, () => Helper.start(open, { ...setup, weights: null })));
    const helpers = started.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const failed = started.find((outcome) => outcome.status === 'rejected');
    if (failed) this.#warn(`Large maps are drawn by ${helpers.length + 1} of ${count + 1} workers: ${messageOf(failed.reason)}.`);
    return helpers;
  }

  /**
   * The gains of a plan.
   * @param {Send} own asks the engine's own runtime
   * @param {object} scene as it travels to a runtime; the same object for the same scene
   * @param {PlanRequest} request
   * @param {Callbacks} callbacks
   */
  async gains(own, scene, request, { signal, onProgress }) {
    const helpers = (await abortable(this.#helpers, signal)).filter(({ lost }) => !lost);
    const members = [{ send: own, lost: false }, ...helpers.map((helper) => helper.about(scene))];
    if (this.#scene !== scene) this.#gains.clear();
    this.#scene = scene;
    return this.#ofPlan(members, request, { signal, onProgress });
  }

  /**
   * @param {Member[]} members
   * @param {PlanRequest} request
   * @param {Callbacks} callbacks
   */
  async #ofPlan(members, request, { signal, onProgress }) {
    const keys = request.transmitters.map(({ lng, lat, heightM, alt }) => JSON.stringify([lng, lat, heightM, alt, request.receiver?.heightM, request.receiver?.alt]));
    const missing = [...new Set(keys)].filter((key) => !this.#gains.has(key));
    let done = keys.length - missing.length;
    const tell = () => onProgress?.({ phase: 'transmitters', loaded: done, total: keys.length });
    tell();
    const took = new Set();
    await this.#deal(missing, members, signal, async (key, member) => {
      const { gain } = await member.send('gain', { request, index: keys.indexOf(key) }, { signal });
      took.add(member);
      this.#gains.set(key, gain);
      done += 1;
      tell();
    });
    this.workers = Math.max(1, took.size);
    const gains = keys.map((key) => /** @type {Float32Array} */ (this.#gains.get(key)));
    this.#gains = new Map(keys.map((key, index) => [key, gains[index]]));
    return gains;
  }

  /**
   * Deals jobs: each member takes the next when it is free. The job of a helper that is lost goes to another.
   * @template Job
   * @param {Job[]} jobs
   * @param {Member[]} members
   * @param {AbortSignal | undefined} signal
   * @param {(job: Job, member: Member) => Promise<void>} work
   */
  async #deal(jobs, members, signal, work) {
    const waiting = [...jobs];
    const serve = async (/** @type {Member} */ member) => {
      while (!member.lost && waiting.length) {
        const job = /** @type {Job} */ (waiting.shift());
        try {
          signal?.throwIfAborted();
          await work(job, member);
        } catch (error) {
          waiting.unshift(job);
          // Nobody else begins anything either.
          if (!member.lost) waiting.length = 0;
          this.#goOnWithout(member, error);
        }
      }
    };
    while (waiting.length) await Promise.all(members.map(serve));
  }

  /**
   * Throws an error that ends the work, as all but that of a lost helper do.
   * @param {Member} member
   * @param {unknown} error
   */
  #goOnWithout(member, error) {
    if (!member.lost || this.#closed) throw error;
    if (this.#missed.has(member)) return;
    this.#missed.add(member);
    this.#warn(`A worker was lost while it drew a large map (${messageOf(error)}); the others go on.`);
  }

  /** @param {unknown} reason why what is under way is rejected */
  close(reason) {
    this.#closed = true;
    this.#helpers.then((helpers) => {
      for (const helper of helpers) helper.close(reason);
    });
  }
}
