export { addRadioMap } from './adapters/leaflet.js';
