// The compiled wasm module, shared by every engine of the page.

import { RadioError, messageOf } from './errors.js';

/** @typedef {string | URL | BufferSource | WebAssembly.Module} ModuleSource */

/** @type {Promise<WebAssembly.Module> | null} */
let compiled = null;

/**
 * Compiles the module once; `createEngine` does it where nobody has.
 * @param {ModuleSource} [source]
 */
export function init(source = new URL('./radiodiff-web_bg.wasm', import.meta.url)) {
  compiled ??= compile(source).catch((error) => {
    compiled = null;
    throw new RadioError({ code: 'wasm', message: `the wasm module could not be loaded: ${messageOf(error)}` });
  });
  return compiled;
}

/**
 * @param {ModuleSource} source
 * @returns {Promise<WebAssembly.Module>}
 */
async function compile(source) {
  if (source instanceof WebAssembly.Module) return source;
  if (ArrayBuffer.isView(source) || source instanceof ArrayBuffer) return WebAssembly.compile(source);
  const response = await fetch(source);
  if (!response.ok) throw new Error(`${source}: the server answers ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}
