// The engines that draw. The physical one starts with the page and needs no weights. The one with the networks is started, and its
// weights are downloaded, when a layer first asks for it, and the ray tracer likewise; the physical one goes on drawing meanwhile. A
// visitor's own weights take the place of the page's until the page is left.

import { createEngine } from '../index.js';
import { say } from './notices.js';

const MODEL = 'models/quantiles.safetensors';
/** The maps that the page's networks draw: `info.model` says it, but not before their weights are fetched. */
const GRIDS = { mapSizes: [1, 1024], pixelSizesM: [1, 4] };
/** Names of the methods on the page. */
const METHODS = { 'dominant-path': 'Dominant path', rays: 'Ray tracing' };
const NETWORKS = { quantiles: 'Network of quantiles', samples: 'Diffusion' };

const within = ([least, most], value) => least <= value && value <= most;

/** Whether the networks draw maps of a scene. */
export function networksDraw({ size, metersPerPixel }) {
  const { mapSizes, pixelSizesM } = engines.network?.info.model ?? GRIDS;
  return within(pixelSizesM, metersPerPixel) && within(mapSizes, size);
}

/** Each is there once it was started. `areOwn`: the networks are of a file of the visitor's. */
export const engines = { physical: undefined, network: undefined, tracer: undefined, areOwn: false };

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
    // The visitor opened weights of their own meanwhile.
    if (engines.network) return engines.network;
    const trouble = `The network is not available: ${error.message}. The physical map is shown.`;
    say('networks', trouble, 'error');
    credit.textContent = trouble;
    return undefined;
  });
  return starting;
}

async function start(loaded) {
  const onProgress = ({ phase, loaded: bytes, total }) => {
    if (phase === 'download' && total) loaded(Math.min(1, bytes / total));
  };
  const engine = await createNetworks(MODEL, onProgress);
  // The visitor opened weights of their own meanwhile.
  if (engines.network) engine.dispose();
  else takeNetworks(engine);
  return engines.network;
}

function createNetworks(model, onProgress) {
  const backend = new URLSearchParams(location.search).get('backend') ?? 'auto';
  return createEngine({ model, backend, onProgress });
}

function takeNetworks(engine, file) {
  engines.network = engine;
  const { model } = engine.info;
  credit.textContent = `${NETWORKS[model.kind]} ${model.name}${file ? ` of ${file.name}` : ''}, ${model.license}.`;
  credit.title = `Trained on ${model.trainingData}`;
}

let filesOpened = 0;

/**
 * Networks of a file instead of those of before, which are returned to be disposed of: { before }. Undefined where another file was opened
 * meanwhile. Rejects, and leaves those of before, where the file is not one of weights.
 */
export async function openNetworks(file) {
  const turn = (filesOpened += 1);
  let engine;
  try {
    engine = await createNetworks(await file.arrayBuffer());
  } catch (error) {
    if (turn !== filesOpened) return undefined;
    throw error;
  }
  if (turn !== filesOpened) {
    engine.dispose();
    return undefined;
  }
  const before = engines.network;
  takeNetworks(engine, file);
  engines.areOwn = true;
  starting = Promise.resolve(engine);
  return { before };
}

/** What drew a map, where, how fast and why there. */
export function tellEngine(map) {
  const { info } = map.method === 'network' ? engines.network : engines.physical;
  const machine = map.backend === 'webgpu' ? `WebGPU (${info.adapter})` : "this machine's CPU (WebAssembly SIMD)";
  const why = map.method === 'network' ? info.reason : '';
  const name = METHODS[map.method] ?? NETWORKS[info.model.kind];
  status.textContent = `${name} on ${machine} in ${map.milliseconds.toFixed(0)} ms. ${why}`;
}
