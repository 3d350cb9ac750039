// The engines that draw. The physical one starts with the page and needs no weights. The one with the networks is started, and its
// weights are downloaded, when a layer first asks for it, and the ray tracer likewise; the physical one goes on drawing meanwhile.

import { createEngine } from '../index.js';
import { say } from './notices.js';

const MODEL = 'models/quantiles.safetensors';
/** The pixels of its maps in metres, and the most of them along a side: `info.model` says them, but not before its weights are fetched. */
const [FINEST_M, COARSEST_M, MOST_PIXELS] = [1, 4, 1024];
/** Names of the methods on the page. */
const METHODS = { network: 'Network of quantiles', 'dominant-path': 'Dominant path', rays: 'Ray tracing' };

/** Whether the networks draw maps of a scene. */
export const networksDraw = ({ size, metersPerPixel }) => FINEST_M <= metersPerPixel && metersPerPixel <= COARSEST_M && size <= MOST_PIXELS;

/** Each is there once it was started. */
export const engines = { physical: undefined, network: undefined, tracer: undefined };

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
  startingTracer ??= createEngine({ workers: 1 }).then((engine) => (engines.tracer = engine), (error) => {
    // The next rays try again.
    startingTracer = undefined;
    throw error;
  });
  return startingTracer;
}

/** Ends what it is tracing. The next rays are traced by another. */
export function stopTracer() {
  engines.tracer?.dispose();
  startingTracer = engines.tracer = undefined;
}

/**
 * The engine with the networks, started once; undefined where it cannot be had, after the page said why. `loaded` is called with the
 * share of its weights that is there.
 */
export function startNetworks(loaded) {
  starting ??= start(loaded).catch((error) => {
    const trouble = `The network is not available: ${error.message}. The physical map is shown.`;
    say('networks', trouble, 'error');
    credit.textContent = trouble;
  });
  return starting;
}

async function start(loaded) {
  const backend = new URLSearchParams(location.search).get('backend') ?? 'auto';
  const onProgress = ({ phase, loaded: bytes, total }) => {
    if (phase === 'download' && total) loaded(Math.min(1, bytes / total));
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
