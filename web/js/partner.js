// A second worker for the networks' maps where workers may share memory: it draws the same maps at the same time, and each of the two
// computes half of the rows of every image (engines/src/bands). It has the networks and no scene: what they are told of a transmitter
// comes from the engine's own worker.
//
// A partner that cannot be started, or is lost, costs a warning: the engine's own worker draws alone.

import { RadioError, messageOf } from './errors.js';
import { Helper } from './helper.js';
import { leave, newControl, newSlots } from './team.js';

/** @import { Callbacks } from './calls.js' */
/** @import { Send } from './helper.js' */
/** @import { OpenPort } from './ports.js' */

const MEMBERS = 2;

export class Partner {
  /** The worker, once it has its networks. @type {Helper | null} */
  #helper = null;
  #slots = newSlots(MEMBERS);
  /** @type {(warning: string) => void} */
  #warn;
  /** Why it takes part no more. @type {unknown} */
  #closed = null;

  /**
   * @param {OpenPort} open
   * @param {object} setup what the runtime's `open` takes
   * @param {(warning: string) => void} warn
   */
  constructor(open, setup, warn) {
    this.#warn = warn;
    Helper.start(open, setup).then(
      (helper) => {
        if (this.#closed) helper.close(this.#closed);
        else this.#helper = helper;
      },
      (error) => this.#closed || warn(`The network's maps are drawn by one worker: ${messageOf(error)}.`),
    );
  }

  /**
   * Draws a map, together once the second worker is ready. Both calls are sent in this moment, so that the two workers draw the same maps
   * in the same order.
   * @param {Send} own asks the engine's own runtime
   * @param {object} request
   * @param {Callbacks} callbacks
   */
  async draw(own, request, callbacks) {
    const helper = this.#helper;
    if (helper?.lost) this.#goOnAlone('it ended between two maps');
    if (!helper || helper.lost) return own('predict', { request }, callbacks);
    const control = newControl();
    const team = (/** @type {number} */ rank) => ({ control, slots: this.#slots, members: MEMBERS, rank });
    /** @type {unknown} */
    let failed = null;
    helper.send(null, 'assist', { request, team: team(1) }, { signal: callbacks.signal }).catch((error) => {
      failed = error;
      leave(control);
    });
    try {
      return { ...(await own('predict', { request, team: team(0) }, callbacks)), workers: MEMBERS };
    } catch (error) {
      // What is wrong with the request has another code. A defect of the own worker's comes again when it draws alone.
      const lost = !this.#closed && !callbacks.signal?.aborted && error instanceof RadioError && error.code === 'failed';
      if (!lost) throw error;
      helper.close(failed ?? error);
      this.#goOnAlone(messageOf(failed ?? error));
      return own('predict', { request }, callbacks);
    } finally {
      leave(control);
    }
  }

  /** @param {string} why */
  #goOnAlone(why) {
    if (this.#helper) this.#warn(`A worker that shared the network's maps was lost (${why}); the other draws alone.`);
    this.#helper = null;
  }

  /** @param {unknown} reason why what is under way is rejected */
  close(reason) {
    this.#closed = reason ?? true;
    this.#helper?.close(reason);
  }
}
