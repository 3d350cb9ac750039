// The worker that owns the wasm module: scenes are prepared here and maps drawn, so that the page never waits.
//
// Messages in: {id, call, ...arguments}. Messages out: {id, result} or {id, error: {code, message}}.

import init, { City } from './radiodiff-web.js';

let ready = null;
let city = null;

const calls = {
  async init({ wasm }) {
    ready ??= init(wasm ? { module_or_path: wasm } : undefined);
    await ready;
    return {};
  },
  setScene({ geojson, bounds }) {
    const next = new City(geojson, new Float64Array(bounds ?? []));
    city?.free();
    city = next;
    return city.info();
  },
  dominantPath({ lng, lat, powerDbm }) {
    if (!city) throw Object.assign(new Error('no scene yet: call setScene first'), { code: 'no-scene' });
    const start = performance.now();
    const map = city.dominantPath(lng, lat, powerDbm);
    return { ...map, milliseconds: performance.now() - start };
  },
};

onmessage = async ({ data: { id, call, ...args } }) => {
  try {
    const result = await calls[call](args);
    const transfer = result.values ? [result.values.buffer] : [];
    postMessage({ id, result }, transfer);
  } catch (error) {
    // A trap leaves the module in no state to go on: the client starts a new worker.
    const fatal = error instanceof WebAssembly.RuntimeError;
    postMessage({ id, error: { code: fatal ? 'crashed' : (error.code ?? 'failed'), message: error.message }, fatal });
  }
};
