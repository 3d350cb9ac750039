// Who draws a map: the engine's own worker alone; it and a partner, who share the network's work (partner.js); or several for a large plan
// (pool.js). The others are started when they are first worth it, and end with the engine's runtime.

import { RadioError } from './errors.js';
import { Partner } from './partner.js';
import { Pool } from './pool.js';
import { canShareMemory } from './team.js';

/** @import { EngineInfo, PredictRequest } from './index.js' */
/** @import { SceneRequest } from './buildings.js' */
/** @import { Callbacks } from './calls.js' */
/** @import { Send } from './helper.js' */
/** @import { OpenPort } from './ports.js' */

/**
 * @typedef {object} Beside what a runtime beside the engine's own is opened with
 * @property {OpenPort} open
 * @property {object} setup
 * @property {Uint8Array | null} weights
 */
/**
 * @typedef {object} Host the engine
 * @property {Send} own asks its own runtime about the noted scene
 * @property {() => Promise<Beside>} beside
 * @property {(warning: string) => void} warn
 */
/**
 * @typedef {object} Means
 * @property {number} workers the most that draw one map; 1 where none can be had
 * @property {boolean} shared whether two of them share the network's maps, where they may
 * @property {SceneRequest | null} scene as it travels to a runtime; the same object for the same scene
 * @property {EngineInfo} info
 */

export class Drawing {
  /** Ends with the map that several workers draw: nothing comes between its parts. @type {Promise<void> | null} */
  sharing = null;
  #host;
  /** @type {Pool | null} */
  #pool = null;
  /** @type {Partner | null} */
  #partner = null;
  /** The runtime's life; a map may outlast it. @type {{ ended: unknown }} */
  #life = { ended: null };

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
  }

  /**
   * A map of the noted scene: the network's by two workers where the caller asks for them and they may share memory, a large plan by several.
   * @param {PredictRequest} request
   * @param {Means} means
   * @param {Callbacks} callbacks
   */
  map(request, { workers, shared, scene, info }, callbacks) {
    const alone = () => this.#host.own('predict', { request }, callbacks);
    if (workers < 2) return alone();
    // Without metres a pixel a map has the network's grid, on which one worker draws a physical map as fast.
    if (scene?.metersPerPixel != null && request.method !== 'network') return this.#inTurn(this.#plan(request, scene, workers, callbacks));
    // A map that begins from another needs the scene for more than its channels.
    const byNetwork = shared && info.model && info.backend === 'cpu' && (request.method ?? 'network') === 'network' && Number(request.start ?? 1) === 1;
    return byNetwork && canShareMemory() ? this.#networks(request, callbacks) : alone();
  }

  /**
   * Lets other calls about scenes wait until a map is drawn.
   * @param {Promise<any>} drawing
   */
  #inTurn(drawing) {
    const free = () => {
      this.sharing = null;
    };
    this.sharing = drawing.then(free, free);
    return drawing;
  }

  /**
   * The network's map by two workers. The second starts after the first map, which it would delay.
   * @param {PredictRequest} request
   * @param {Callbacks} callbacks
   */
  async #networks(request, callbacks) {
    const { own, beside, warn } = this.#host;
    if (this.#partner) return this.#inTurn(this.#partner.draw(own, request, callbacks));
    const life = this.#life;
    const drawn = await own('predict', { request }, callbacks);
    const { open, setup, weights } = await beside();
    if (!life.ended) this.#partner ??= new Partner(open, { ...setup, weights }, warn);
    return drawn;
  }

  /**
   * A plan on a grid of its own, whose transmitters are dealt among the workers where it is large.
   * @param {PredictRequest} request
   * @param {SceneRequest} scene
   * @param {number} workers
   * @param {Callbacks} callbacks
   */
  async #plan(request, scene, workers, callbacks) {
    const started = performance.now();
    const { own, beside, warn } = this.#host;
    const life = this.#life;
    const outline = await own('outline', { request, workers }, callbacks);
    if (outline.workers < 2) {
      this.#closePool(new RadioError({ code: 'disposed', message: 'the scene is drawn by one worker' }));
      return own('predict', { request }, callbacks);
    }
    // One map is not cut. The workers stay for a plan of several.
    if (outline.transmitters === 1) return own('predict', { request }, callbacks);
    const { open, setup } = await beside();
    if (life.ended) throw life.ended;
    if (this.#pool && this.#pool.size > outline.workers) this.#closePool(new RadioError({ code: 'disposed', message: 'the plan is drawn by fewer workers' }));
    this.#pool ??= new Pool(open, setup, outline.workers - 1, warn);
    const gains = await this.#pool.gains(own, scene, request, callbacks);
    const drawn = await own('predict', { request, gains }, callbacks);
    return { ...drawn, workers: this.#pool?.workers, milliseconds: performance.now() - started };
  }

  /**
   * The engine's runtime has ended: the others end too. A new one begins without them.
   * @param {unknown} reason
   */
  end(reason) {
    this.#life.ended = reason;
    this.#life = { ended: null };
    this.#closePool(reason);
    this.#partner?.close(reason);
    this.#partner = null;
  }

  /** @param {unknown} reason */
  #closePool(reason) {
    this.#pool?.close(reason);
    this.#pool = null;
  }
}
