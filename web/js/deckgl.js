export { radioMapLayer } from './adapters/deckgl.js';
