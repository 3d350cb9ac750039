// Two ways to the runtime: through a worker, and on the calling thread. A port posts messages to the runtime (runtime.js has the
// protocol), hands its answers to `receive`, and calls `crashed(message)` when the runtime can answer no more.

import { RadioError, messageOf } from './errors.js';

/**
 * @typedef {{ post: (message: object) => void, close: () => void }} Port
 * @typedef {import('./runtime.js').Answer} Answer
 * @typedef {(receive: (answer: Answer) => void, crashed: (message: string) => void) => Promise<Port>} OpenPort
 * @typedef {{ createScriptURL: (url: string) => string }} Policy
 */

/** The name that a page's `trusted-types` directive has to allow. */
const POLICY = 'radiodiff-web';
/** The policy, once it was asked for; null where the browser has none or the page allows none. @type {Policy | null | undefined} */
let policy;

/** The address of the script that imports a worker of another origin; one serves all workers. @type {string | undefined} */
let importing;

/**
 * The package's own worker. On another origin a worker may only be imported, so a script of this origin does that.
 * @returns {Worker}
 */
function packageWorker() {
  // Bundlers copy the file that is named so. It imports nothing.
  const url = new URL('./worker.js', import.meta.url);
  const foreign = url.protocol.startsWith('http') && url.origin !== location.origin;
  if (foreign) importing ??= URL.createObjectURL(new Blob([`import ${JSON.stringify(url.href)};`], { type: 'text/javascript' }));
  const script = importing ?? url.href;
  return new Worker(trusted(script), { type: 'module', name: 'radiodiff-web' });
}

/**
 * An address as pages with Trusted Types want it.
 * @param {string} url made by `packageWorker`
 */
function trusted(url) {
  const types = /** @type {{ trustedTypes?: { createPolicy: (name: string, rules: Policy) => Policy } }} */ (/** @type {unknown} */ (globalThis)).trustedTypes;
  try {
    policy ??= types?.createPolicy(POLICY, { createScriptURL: (url) => url }) ?? null;
  } catch {
    // Without the policy the page's default one may still take the address; where there is none, the worker's error says so.
    policy = null;
  }
  return policy ? policy.createScriptURL(url) : url;
}

/**
 * Why a worker did not start, and what to do.
 * @param {string} words
 */
const notStarted = (words) => new RadioError({
  code: 'worker',
  message: `the worker could not be started (${words || 'the browser gives no reason'}); serve worker.js beside index.js, from another origin with `
    + `Access-Control-Allow-Origin, allow it in the Content-Security-Policy (worker-src 'self', from another origin blob: and that origin; the Trusted Types policy ${POLICY}), `
    + 'or give createEngine a function `worker` that starts it',
});

/** How long a script may take to load, on a slow line too. */
const PATIENCE_MS = 30_000;
/** What is said of a script that takes longer. */
const SILENT = `it said nothing for ${PATIENCE_MS / 1000} s`;

/** Workers that already belong to a runtime. @type {WeakSet<Worker>} */
const taken = new WeakSet();

/**
 * The runtime in a worker of its own.
 * @param {() => Worker} [start]
 * @returns {OpenPort}
 */
export const workerPort = (start = packageWorker) => (receive, crashed) => new Promise((resolve, reject) => {
  /** @type {Worker} */
  let worker;
  try {
    worker = start();
  } catch (error) {
    reject(notStarted(messageOf(error)));
    return;
  }
  if (taken.has(worker)) {
    reject(new RadioError({
      code: 'worker',
      message: 'the function `worker` returned a worker that it had returned before; it is called for every worker, also for a raster of heights, for each file and by each suggestSites and calibrate, and must start a new one each time',
    }));
    return;
  }
  taken.add(worker);
  let started = false;
  const fail = (/** @type {string} */ words) => {
    clearTimeout(timer);
    worker.terminate();
    reject(notStarted(words));
  };
  const timer = setTimeout(() => fail(SILENT), PATIENCE_MS);
  worker.onmessage = ({ data }) => {
    if (started) {
      receive(data);
      return;
    }
    // The first message says that the script runs.
    started = true;
    clearTimeout(timer);
    resolve({ post: (message) => worker.postMessage(message), close: () => worker.terminate() });
  };
  worker.onerror = (event) => {
    // The caller gets a typed error, so the page need not hear of an uncaught one.
    event.preventDefault();
    if (started) crashed(event.message || 'the worker gave no reason');
    else fail(event.message);
  };
});

/**
 * Why the module computes no more on the calling thread. There is one instance of it, so a trap is final for every engine.
 * @type {string | null}
 */
let trap = null;

/**
 * What `load` gives, within the patience that a worker has.
 * @template T
 * @param {() => Promise<T>} load
 * @returns {Promise<T>}
 */
function loaded(load) {
  return new Promise((resolve, reject) => {
    const fail = (/** @type {string} */ words) => reject(new RadioError({
      code: 'worker',
      message: `the engine's scripts could not be loaded on the calling thread (${words}); serve runtime.js and what it imports beside index.js, and allow it in the `
        + "Content-Security-Policy (script-src 'self', from another origin that origin)",
    }));
    const timer = setTimeout(() => fail(SILENT), PATIENCE_MS);
    load().then(resolve, (error) => fail(messageOf(error))).finally(() => clearTimeout(timer));
  });
}

/**
 * The runtime on the calling thread.
 * @param {() => Promise<typeof import('./runtime.js')>} load
 * @returns {OpenPort}
 */
export const threadPort = (load) => async (receive, crashed) => {
  const { serve } = await loaded(load);
  const take = serve((answer) => queueMicrotask(() => {
    if (answer.fatal) trap = answer.error?.message ?? 'the module trapped';
    receive(answer);
  }));
  /**
   * A trap in an asynchronous call rejects no promise.
   * @param {ErrorEvent} event
   */
  const trapped = (event) => {
    if (!(event.error instanceof WebAssembly.RuntimeError)) return;
    event.preventDefault();
    trap = event.message || messageOf(event.error);
    crashed(trap);
  };
  // Node has no such events: there a trap in an asynchronous call ends the process.
  globalThis.addEventListener?.('error', trapped);
  const close = () => {
    globalThis.removeEventListener?.('error', trapped);
    if (trap === null) take({ id: -1, call: 'dispose' });
  };
  return { post: (message) => (trap === null ? take(/** @type {any} */ (message)) : crashed(trap)), close };
};

/** Bundlers follow this import. */
export const directPort = threadPort(() => import('./runtime.js'));
