export { addRadioMap } from './adapters/maplibre.js';
