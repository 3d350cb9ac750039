// A worker beside the engine's own, which does a part of the work.

import { Calls } from './calls.js';
import { RadioError } from './errors.js';

/** @import { Callbacks } from './calls.js' */
/** @import { OpenPort, Port } from './ports.js' */
/** @import { Answer } from './runtime.js' */

/** @typedef {(call: string, args: object, callbacks?: Callbacks) => Promise<any>} Send how a member is asked: a method of the runtime */
/** @typedef {{ send: Send, lost: boolean }} Member a worker that takes part; the engine's own is never lost */

/** A worker beside the engine's own. */
export class Helper {
  lost = false;
  #calls = new Calls();
  /** @type {Port | undefined} */
  #port;
  /** The scene that it has. @type {object | null} */
  #scene = null;

  /**
   * @param {OpenPort} open
   * @param {object} setup what the runtime's `open` takes
   */
  static async start(open, setup) {
    const helper = new Helper();
    const crashed = (/** @type {string} */ message) => helper.close(new RadioError({ code: 'crashed', message }));
    const receive = (/** @type {Answer} */ answer) => (answer.fatal ? crashed(answer.error?.message ?? 'it gave no reason') : helper.#calls.receive(answer));
    helper.#port = await open(receive, crashed);
    try {
      await helper.#calls.send(helper.#port.post, 'open', { ...setup, backend: 'cpu' });
    } catch (error) {
      helper.close(error);
      throw error;
    }
    return helper;
  }

  /**
   * Sends a call about a scene, which travels with the first.
   * @param {object | null} scene null where the call needs none
   * @param {string} call
   * @param {object} args
   * @param {Callbacks} [callbacks]
   */
  send(scene, call, args, callbacks) {
    const news = scene === null || this.#scene === scene ? undefined : scene;
    const post = (/** @type {object} */ message) => {
      this.#port?.post(message);
      // What cannot be sent has brought no scene.
      if (news && !('abort' in message)) this.#scene = news;
    };
    return this.#calls.send(post, call, { scene: news, ...args }, callbacks);
  }

  /**
   * The helper as a member that works on a scene.
   * @param {object} scene
   * @returns {Member}
   */
  about(scene) {
    const helper = this;
    return {
      send: (call, args, callbacks) => helper.send(scene, call, args, callbacks),
      get lost() {
        return helper.lost;
      },
    };
  }

  /** @param {unknown} reason why calls that wait are rejected */
  close(reason) {
    this.lost = true;
    this.#port?.close();
    this.#calls.abandon(reason);
  }
}
