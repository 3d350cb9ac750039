// The compiled wasm modules, shared by every engine of the page: the engine's, the one that writes files and the one that calibrates.

import { RadioError, messageOf } from './errors.js';
import { looksLikeHtml } from './safetensors.js';

/** @typedef {string | URL | BufferSource | WebAssembly.Module} ModuleSource */

/**
 * A module whose only function uses a 128-bit value: it is valid where the browser has fixed-width SIMD.
 * (type () -> v128), (func: i32.const 0, i8x16.splat)
 */
const SIMD = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 8, 1, 6, 0, 0x41, 0, 0xfd, 15, 11);

/**
 * How files are read where `fetch` reads none: Node sets it.
 * @type {((url: URL) => Promise<BufferSource>) | null}
 */
let readFile = null;

/** @param {(url: URL) => Promise<BufferSource>} read */
export function readFilesBy(read) {
  readFile = read;
}

/**
 * A function that compiles a module once and again only after it failed.
 * @param {'init' | 'initExport' | 'initCalibration'} name the function's own
 * @param {() => URL} address where the module lies unless the caller says so
 * @returns {(source?: ModuleSource) => Promise<WebAssembly.Module>}
 */
function once(name, address) {
  /** @type {Promise<WebAssembly.Module> | null} */
  let compiled = null;
  return (source = address()) => {
    compiled ??= compile(source, name).catch((error) => {
      compiled = null;
      throw error instanceof RadioError ? error : failure(messageOf(error));
    });
    return compiled;
  };
}

// Bundlers copy the files that are named so.

/** Compiles the module once; `createEngine` does it where nobody has. */
export const init = once('init', () => new URL('./radiodiff-web_bg.wasm', import.meta.url));

/** The same with the module that writes files and reads GeoTIFF: `map.toGeoTIFF()` and its like, or a raster of heights, do it where nobody has. */
export const initExport = once('initExport', () => new URL('./radiodiff-web-export_bg.wasm', import.meta.url));

/** The same with the module that fits maps to measurements; `engine.calibrate` does it where nobody has. */
export const initCalibration = once('initCalibration', () => new URL('./radiodiff-web-calibration_bg.wasm', import.meta.url));

/** @param {string} words */
const failure = (words) => new RadioError({ code: 'wasm', message: `the wasm module could not be loaded: ${words}` });

/**
 * @param {ModuleSource} source
 * @param {string} name of the function that takes another address
 * @returns {Promise<WebAssembly.Module>}
 */
async function compile(source, name) {
  if (typeof WebAssembly === 'undefined') throw failure('this browser, or its lockdown mode, has no WebAssembly');
  if (source instanceof WebAssembly.Module) return source;
  if (ArrayBuffer.isView(source) || source instanceof ArrayBuffer) return compileBytes(source);
  const url = source;
  if (readFile && url instanceof URL && url.protocol === 'file:') return compileBytes(await readFile(url));
  const response = await fetch(url).catch((error) => {
    throw failure(`${url}: ${messageOf(error)}; a bundler has to copy it beside the code, or call ${name} with its address`);
  });
  if (!response.ok) throw failure(`${url}: the server answers ${response.status}; a bundler has to copy it beside the code, or call ${name} with its address`);
  // Compiling while it streams needs the right type; other servers only cost that.
  if (response.headers.get('content-type') === 'application/wasm' && 'compileStreaming' in WebAssembly) {
    return WebAssembly.compileStreaming(response).catch(explain);
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (looksLikeHtml(bytes)) throw failure(`${url} is a web page: servers answer unknown addresses with one; copy the module there, or call ${name} with its address`);
  return compileBytes(bytes);
}

/** @param {BufferSource} bytes */
const compileBytes = (bytes) => WebAssembly.compile(bytes).catch(explain);

/**
 * What to do where the browser refuses a module.
 * @param {unknown} error
 * @returns {never}
 */
function explain(error) {
  const words = messageOf(error);
  if (/Content Security Policy|unsafe-eval/i.test(words)) {
    throw failure(`the page's Content-Security-Policy forbids WebAssembly; add 'wasm-unsafe-eval' to its script-src (${words})`);
  }
  if (!WebAssembly.validate(SIMD)) {
    throw new RadioError({ code: 'no-simd', message: 'this browser has no fixed-width SIMD in WebAssembly; use Chrome or Edge 91, Firefox 89, Safari 16.4 or newer, on a processor with SSE4.1 or NEON' });
  }
  throw failure(words);
}
