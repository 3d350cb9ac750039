// The package's front door. Types and documentation are in index.d.ts.

export { createEngine } from './engine.js';
export { RadioError } from './errors.js';
export { init, initCalibration, initExport } from './module.js';
export { clearCache } from './store.js';
export { divergingNames as divergingPaletteNames, names as paletteNames, palette } from './palettes.js';
