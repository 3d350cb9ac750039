export { addRadioMap } from './adapters/openlayers.js';
