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
  #calls = new Calls(() => this.#replace());
  #open;
  #setup;
  /** @type {Port | null} */
  #port = null;
  /** The scene that it has. @type {object | null} */
  #scene = null;

  /**
   * @param {OpenPort} open
   * @param {object} setup what the runtime's `open` takes
   */
  constructor(open, setup) {
    this.#open = open;
    this.#setup = setup;
  }

  /**
   * @param {OpenPort} open
   * @param {object} setup
   */
  static async start(open, setup) {
    const helper = new Helper(open, setup);
    try {
      await helper.#start();
    } catch (error) {
      helper.close(error);
      throw error;
    }
    return helper;
  }

  async #start() {
    /** @type {Port | null} */
    let port = null;
    // A port that was closed may still have something to say.
    const crashed = (/** @type {string} */ message) => port === this.#port && this.close(new RadioError({ code: 'crashed', message }));
    const receive = (/** @type {Answer} */ answer) => {
      if (port !== this.#port) return;
      if (answer.fatal) crashed(answer.error?.message ?? 'it gave no reason');
      else this.#calls.receive(answer);
    };
    port = await this.#open(receive, crashed);
    if (this.lost) {
      port.close();
      return;
    }
    this.#port = port;
    await this.#calls.open(port.post, { ...this.#setup, backend: 'cpu' });
  }

  /** Starts another worker in the place of one that goes on with a call that nobody waits for. */
  #replace() {
    this.#port?.close();
    this.#port = this.#scene = null;
    this.#calls.hold();
    this.#start().catch((error) => this.close(error));
  }

  /**
   * Sends a call about a scene, which travels with the first.
   * @param {object | null} scene null where the call needs none
   * @param {string} call
   * @param {object} args
   * @param {Callbacks} [callbacks]
   */
  send(scene, call, args, callbacks) {
    const post = (/** @type {any} */ message) => {
      this.#port?.post(message);
      // What cannot be sent has brought no scene.
      if (message.scene) this.#scene = scene;
    };
    return this.#calls.send(post, call, () => ({ scene: this.#scene === scene ? undefined : (scene ?? undefined), ...args }), callbacks);
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
