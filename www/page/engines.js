// The engines that draw. The physical one starts with the page and needs no weights. The one with the networks is started, and its
// weights are downloaded, when a layer first asks for it.

import { createEngine } from '../index.js';
import { say } from './notices.js';

const MODEL = 'models/quantiles.safetensors';
/** Names of the methods on the page. */
const METHODS = { network: 'Network of quantiles', 'dominant-path': 'Dominant path', rays: 'Ray tracing' };

export const engines = { physical: undefined, network: undefined };

const status = document.getElementById('engine');
const credit = document.getElementById('model');
let startingPhysical;
let startingCoarse;
let startingTracer;
let starting;

/** Starts the physical engine, once; rejects where it cannot be had. */
export function startPhysical() {
  startingPhysical ??= createEngine().then((engine) => { engines.physical = engine; });
  return startingPhysical;
}

/** An engine for coarse maps of a large area, started once: it keeps the place on its pixels beside the other's. */
export function startCoarse() {
  startingCoarse ??= createEngine({ workers: 1 });
  return startingCoarse;
}

/** An engine that traces rays beside the physical one, so that a map that follows the hand need not wait for it. */
export function startTracer() {
  startingTracer ??= createEngine({ workers: 1 }).catch((error) => {
    // The next rays try again.
    startingTracer = undefined;
    throw error;
  });
  return startingTracer;
}

/** Ends what it is tracing. The next rays are traced by another. */
export function stopTracer() {
  startingTracer?.then((engine) => engine.dispose(), () => {});
  startingTracer = undefined;
}

/** The engine with the networks, started once; undefined where it cannot be had, after the page said why. */
export function startNetworks() {
  starting ??= start().catch((error) => {
    const trouble = `The network is not available: ${error.message}. The physical map is shown.`;
    say('networks', trouble, 'error');
    credit.textContent = trouble;
  });
  return starting;
}

async function start() {
  const backend = new URLSearchParams(location.search).get('backend') ?? 'auto';
  const onProgress = ({ phase, loaded, total }) => {
    if (phase === 'compile') return;
    const share = total ? ` ${Math.min(100, Math.round((100 * loaded) / total))} %` : '';
    status.textContent = phase === 'download' ? `Loading the networks…${share}` : 'Building the networks…';
  };
  engines.network = await createEngine({ model: MODEL, backend, onProgress });
  const { model } = engines.network.info;
  credit.textContent = `${METHODS.network} ${model.name}, ${model.license}.`;
  credit.title = `Trained on ${model.trainingData}`;
  return engines.network;
}

/** What drew a map, where, how fast and why there. */
export function tellEngine(map) {
  const { info } = map.method === 'network' ? engines.network : engines.physical;
  const machine = map.backend === 'webgpu' ? `WebGPU (${info.adapter})` : "this machine's CPU (WebAssembly SIMD)";
  const why = map.method === 'network' ? info.reason : '';
  status.textContent = `${METHODS[map.method]} on ${machine} in ${map.milliseconds.toFixed(0)} ms. ${why}`;
}
