// The networks of a runtime: the engine that they run on, how they draw a transmitter, and what happens when WebGPU is lost or fails.

import { codeOf, failure, messageOf } from './errors.js';
import { Network, Weights } from './radiodiff-web.js';
import { Team, leave } from './team.js';
import { between, ofMany } from './turns.js';

/** @import { EngineInfo, ModelInfo } from './index.js' */
/** @import { PlacedTransmitter, Request, SceneHandle, TransmitterSignal } from './radiodiff-web.js' */
/** @import { TeamSetup } from './team.js' */
/** @import { Watch } from './turns.js' */

/** @typedef {Omit<EngineInfo, 'model' | 'worker' | 'warnings'> & { model: Omit<ModelInfo, 'url'> | null }} RuntimeInfo */
/** @typedef {{ backend: string, precision?: string }} Asked */

/** Errors of WebGPU after which the networks are built anew: a GPU engine that failed once answers no more. */
const ENGINE_ERRORS = ['device-lost', 'out-of-memory', 'failed'];

/** What runs until a network does. */
const ON_CPU = /** @type {const} */ ({ backend: 'cpu', adapter: null, software: false, f16: false, precision: 'f32' });

export class Networks {
  /** @type {Weights | null} */
  #weights = null;
  /** @type {Network | null} */
  #network = null;
  #rebuilt = false;
  #asked;
  #half;
  /** @type {RuntimeInfo} */
  info = { ...ON_CPU, reason: 'The engine is starting.', model: null };

  /** @param {Asked} asked what the caller wants */
  constructor(asked) {
    this.#asked = asked.backend;
    this.#half = asked.precision === 'f16';
  }

  /**
   * The networks of a weights file, or none.
   * @param {Uint8Array | null} weights
   * @param {Asked} asked
   * @param {string} [because] why there are no weights, or why the CPU is taken
   */
  static async open(weights, asked, because) {
    const networks = new Networks(asked);
    if (weights) {
      networks.#weights = new Weights(weights);
      try {
        await networks.#choose(networks.#weights, because);
      } catch (error) {
        if (!(error instanceof WebAssembly.RuntimeError)) networks.dispose();
        throw error;
      }
    } else {
      networks.#describe(because ?? 'No weights were given: the dominant path is computed on the CPU.');
    }
    return networks;
  }

  /**
   * WebGPU where it is worth it or was asked for, else the CPU.
   * @param {Weights} weights
   * @param {string} [because]
   */
  async #choose(weights, because) {
    let reason = because ?? 'The CPU engine was asked for.';
    if (this.#asked !== 'cpu') {
      try {
        this.#network = await Network.onGpu(weights, this.#asked === 'webgpu', this.#half);
        const slow = this.#network.report().software ? '; its adapter computes on the CPU, which is slow' : '';
        return this.#describe(this.#asked === 'webgpu' ? `WebGPU was asked for${slow}.` : 'This machine has a GPU.');
      } catch (error) {
        if (this.#asked === 'webgpu' || codeOf(error) !== 'no-webgpu') throw error;
        // The words after the last semicolon advise a caller who asked for WebGPU.
        reason = `WebGPU is not used: ${messageOf(error).replace(/;[^;]*$/, '')}.`;
      }
    }
    this.#network = Network.onCpu(weights);
    this.#describe(reason);
  }

  /** @param {string} reason */
  #describe(reason) {
    const report = this.#network?.report() ?? ON_CPU;
    this.info = { ...report, reason, model: this.#weights?.info() ?? null };
  }

  /** Whether they say quantiles, and draw no samples. */
  get sayQuantiles() {
    return this.info.model?.kind === 'quantiles';
  }

  /**
   * Refuses so many transmitters whose maps, quantiles or so many samples, would not fit into memory.
   * @param {SceneHandle} scene
   * @param {number} transmitters
   * @param {number} samples
   */
  checkMemory(scene, transmitters, samples) {
    this.#running().network.checkMemory(scene, transmitters, samples);
  }

  /**
   * A transmitter's signals: its quantiles, lowest first, or so many samples.
   * @param {SceneHandle} scene
   * @param {PlacedTransmitter} placed
   * @param {Request} request
   * @param {number} samples
   * @param {Watch} watch
   * @param {string[]} warnings
   */
  draw(scene, placed, request, samples, watch, warnings) {
    return this.sayQuantiles ? this.#quantiles(scene, placed, watch, warnings) : this.#samples(scene, placed, request, samples, watch, warnings);
  }

  /**
   * Several samples are as far apart as the weights' file says.
   * @param {SceneHandle} scene
   * @param {PlacedTransmitter} placed
   * @param {Request} request
   * @param {number} count
   * @param {Watch} watch
   * @param {string[]} warnings
   */
  async #samples(scene, placed, request, count, watch, warnings) {
    // All samples share it.
    const condition = this.#running().network.condition(scene, placed);
    /** @type {TransmitterSignal[]} */
    const drawn = [];
    await holding(condition, async () => {
      for (let sample = 0; sample < count; sample += 1) {
        const watched = between(ofMany(watch, sample, count), 'step');
        drawn.push(await this.#again(warnings, (network) => network.predict(scene, placed, condition, request, sample, watched)));
      }
    });
    return count > 1 ? this.#running().weights.widened(drawn) : drawn;
  }

  /**
   * Before them the runtime can be stopped.
   * @param {SceneHandle} scene
   * @param {PlacedTransmitter} placed
   * @param {Watch} watch
   * @param {string[]} warnings
   */
  async #quantiles(scene, placed, watch, warnings) {
    await between(watch, 'transmitters')(0, 1);
    const condition = this.#running().network.condition(scene, placed);
    const found = await holding(condition, () => this.#again(warnings, (network) => network.quantiles(scene, placed, condition)));
    watch.progress('transmitters', 1, 1);
    return found;
  }

  /**
   * Takes part in the maps of a call that another worker answers. The other worker has the scene, and sends what networks are told of it.
   * @param {Request} request
   * @param {Watch} watch
   */
  async assist(request, watch) {
    const samples = this.sayQuantiles ? 1 : request.samples;
    const { network } = this.#running();
    const next = between(watch, 'transmitters');
    for (let index = 0; index < request.transmitterCount; index += 1) {
      await next(index, request.transmitterCount);
      const condition = network.receivedCondition();
      await holding(condition, async () => {
        for (let sample = 0; sample < samples; sample += 1) await network.assist(condition, request, sample, between(watch, 'step'));
      });
    }
  }

  /**
   * Draws in a team of workers, or alone.
   * @template Drawn
   * @param {TeamSetup | undefined} team
   * @param {() => Promise<Drawn>} draw
   */
  async inTeam(team, draw) {
    try {
      this.#network?.join(team && new Team(team));
      return await draw();
    } finally {
      if (team) leave(team.control);
    }
  }

  /** @param {Watch} watch */
  async warmup(watch) {
    this.#network?.join();
    await this.#network?.warmup(between(watch, 'warm-up'));
  }

  /** The networks and their weights. */
  #running() {
    if (!this.#weights || !this.#network) throw failure('disposed', 'the engine was disposed of');
    return { weights: this.#weights, network: this.#network };
  }

  /**
   * Draws, and once more after WebGPU was lost or failed.
   * @template Drawn
   * @param {string[]} warnings
   * @param {(network: Network) => Promise<Drawn>} draw
   * @returns {Promise<Drawn>}
   */
  async #again(warnings, draw) {
    for (;;) {
      const { weights, network } = this.#running();
      try {
        return await draw(network);
      } catch (error) {
        if (this.info.backend !== 'webgpu' || !ENGINE_ERRORS.includes(codeOf(error) ?? '')) throw error;
        warnings.push(await this.#recover(weights, network, error));
      }
    }
  }

  /**
   * After WebGPU failed: the same networks on WebGPU once more, then on the CPU. Returns the warning.
   * @param {Weights} weights
   * @param {Network} failed
   * @param {unknown} cause
   */
  async #recover(weights, failed, cause) {
    const lost = failed.lost();
    const verb = lost || codeOf(cause) === 'device-lost' ? 'was lost' : 'failed';
    const why = lost ?? messageOf(cause);
    failed.free();
    this.#network = null;
    if (!this.#rebuilt && codeOf(cause) === 'device-lost') {
      this.#rebuilt = true;
      try {
        this.#network = await Network.onGpu(weights, this.#asked === 'webgpu', this.#half);
        this.#describe(`WebGPU ${verb} (${why}) and opened again.`);
        return `WebGPU ${verb} in the middle (${why}). It was opened again and the map drawn anew.`;
      } catch (error) {
        if (error instanceof WebAssembly.RuntimeError) throw error;
      }
    }
    this.#network = Network.onCpu(weights);
    this.#describe(`WebGPU ${verb} (${why}).`);
    return `WebGPU ${verb} in the middle (${why}). From now on the CPU draws.`;
  }

  /** For tests: the kernels for GPUs on any adapter. */
  computeAsOnAGpu() {
    this.#network?.computeAsOnAGpu();
  }

  /** Gives a GPU's device back; what is drawn afterwards fails with `device-lost`. */
  release() {
    this.#network?.release();
  }

  dispose() {
    this.release();
    for (const held of [this.#network, this.#weights]) held?.free();
    this.#network = this.#weights = null;
  }
}

/**
 * Frees an object of the module's when its work has ended. A module that trapped frees nothing any more, and would hide why it trapped.
 * @template Found
 * @param {{ free: () => void }} held
 * @param {() => Promise<Found>} work
 */
export async function holding(held, work) {
  try {
    const found = await work();
    held.free();
    return found;
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) held.free();
    throw error;
  }
}
