// The package in Node: the same engine on the calling thread, with the module and the weights read from disk.

import { readFile } from 'node:fs/promises';
import { createEngine as createAnywhere } from './engine.js';
import { RadioError, messageOf } from './errors.js';
import { readFilesBy } from './module.js';

/** @import { Engine, EngineOptions } from './index.js' */

export { RadioError } from './errors.js';
export { init, initCalibration, initExport } from './module.js';
export { divergingNames as divergingPaletteNames, names as paletteNames, palette } from './palettes.js';
export { clearCache } from './store.js';

// Node's `fetch` reads no files.
readFilesBy((url) => readFile(url));

/**
 * @param {EngineOptions} [options]
 * @returns {Promise<Engine>}
 */
export async function createEngine({ model, worker, ...options } = {}) {
  return createAnywhere({ ...options, model: isFile(model) ? await read(model) : model, worker: worker ?? false });
}

/**
 * A path, or a file's URL.
 * @param {EngineOptions['model']} model
 * @returns {model is string | URL}
 */
const isFile = (model) => (model instanceof URL ? model.protocol === 'file:' : typeof model === 'string' && !/^https?:/i.test(model));

/** @param {string | URL} model */
async function read(model) {
  try {
    const path = typeof model === 'string' && model.startsWith('file:') ? new URL(model) : model;
    return await readFile(path);
  } catch (error) {
    throw new RadioError({ code: 'weights-missing', reason: 'file', message: `the weights ${model} could not be read: ${messageOf(error)}` });
  }
}
