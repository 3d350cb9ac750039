// What each layer is worth, in figures: the page's only place for them. They are those of docs/accuracy.md (a test compares them), and
// those of the network change with the weights that are shipped.

import { FIGURES } from './figures.js';

/** The physical map against real maps of RadioMapSeer: NMSE on gray levels without threshold, and the root mean square error outdoors. */
export const REAL_MAPS = { count: 22, physical: { nmse: 0.0015, rmseDb: 1.13 } };

const decibels = (db) => `${db.toFixed(1)} dB`;
const { count, physical } = REAL_MAPS;
const { maps, network } = FIGURES;

/** How much better the forecast is than the physical map that knows as much: a share of its error. */
const better = 1 - network.crpsDb / FIGURES.physical.crpsDb;
const percents = (share) => `${Math.round(100 * share)} %`;

const FORECAST =
  'A network forecasts what parked cars, and roofs whose heights nobody states (4 to 40 m), may make of each place’s power. ' +
  `Where no height is stated, on ${maps} maps of cities that it was not trained on, its forecast is ${percents(better)} better than the physical map ` +
  `(CRPS ${network.crpsDb.toFixed(2)} instead of ${FIGURES.physical.crpsDb.toFixed(2)} dB). ${network.holds < 0.85 ? 'It is too sure: its' : 'Its'} middle 90 % holds ${percents(network.holds)} of the truth. ` +
  'It takes receivers as 1.5 m high, and stated heights as good to 15 %.';

const EXPECTED = `Its mean alone is little better than the physical map: root mean square error ${network.rmseDb.toFixed(1)} instead of ${decibels(FIGURES.physical.rmseDb)}.`;

/** What a network's file says of its antennas. */
const antennas = ([lowest, highest]) => (lowest < highest ? `It has learnt antennas ${lowest} to ${highest} m high.` : `It takes every antenna as ${lowest} m high.`);

const TRACED =
  'All paths of up to two reflections and diffractions at the stated heights and materials, by first principles: what the one path of the ' +
  'physical map leaves out. Nothing in it is fitted, and places that need more turns stay dark.';

/** The layers' values in the form. */
const LAYERS = {
  physical:
    'The dominant path model: the layer to plan with where heights are known. ' +
    `Error on ${count} real maps (RadioMapSeer, computed by WinProp): NMSE ${physical.nmse}, ${decibels(physical.rmseDb)}. “How sure” says what unknown heights and cars change.`,
  traced: TRACED,
  difference: TRACED,
};
const FORECASTS = ['mean', 'deviation', 'probability', 'shift'];

/**
 * A sentence or two about a layer, by the value of its option; undefined of one that has no figures here. `model` is what the loaded
 * network's file says of it (a ModelInfo), `isOwn` whether the visitor opened that file.
 */
export function worth(layer, model, isOwn) {
  if (!FORECASTS.includes(layer)) return LAYERS[layer];
  if (isOwn) return `By a network of yours, ${model.name}: its own card says what it is worth. ${antennas(model.antennaHeightsM)}`;
  const words = layer === 'mean' ? `${FORECAST} ${EXPECTED}` : FORECAST;
  return model ? `${words} ${antennas(model.antennaHeightsM)}` : words;
}
