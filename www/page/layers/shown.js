// What the map shows now: the values of the chosen layer, and how they are coloured. views/ paints it, charts/ counts it.

import { CALIBRATED_MODELS, look } from '../plan/look.js';
import { plan } from '../plan/store.js';
import { calibration, state } from '../state.js';
import { rgbOf, scaleColors, serverColor } from './colors.js';
import { besideMap, hasLayers, shownLayer, shownModel } from './model.js';

/** The map of the chosen layer; undefined while there is none. */
export function shownMap() {
  const model = shownModel();
  if (model === 'mean' || model === 'traced') return besideMap();
  if (model === 'deviation') return besideMap().layer('standard-deviation');
  if (model === 'probability') return besideMap().layer('probability');
  if (model === 'difference' || model === 'shift') return besideMap().difference(state.map);
  if (model === 'calibrated') return calibration()?.map;
  if (model === 'spread') return calibration()?.map.layer('standard-deviation');
  return layerOf(state.map);
}

/** The map whose coverage counts. */
export function countedMap() {
  if (CALIBRATED_MODELS.includes(look().model)) return calibration()?.map;
  return besideMap() ?? state.map;
}

/** The chosen layer of a drawn map. */
export function layerOf(map) {
  const { layer } = shownLayer();
  if (!map || layer === undefined || layer === 'received-power') return map;
  return map.layers[layer] && map.layer(layer);
}

/** True where the drawn map lacks the chosen layer. */
export const lacksLayer = () => Boolean(state.map && hasLayers() && !shownMap());

/** Options of the package's `toImage` and overlays for the chosen layer, with the map they are for. */
export function picture() {
  const map = shownMap();
  if (!map) return undefined;
  const { min, max, palette = look().palette } = shownLayer();
  const { quantity, opacity } = look();
  const model = shownModel();
  if (['deviation', 'probability', 'shift', 'difference', 'spread'].includes(model)) return { map, options: { palette, min, max, opacity, threshold: undefined } };
  // A threshold of power hides places in every layer.
  if (!hasLayers() || quantity === 'power') return { map, options: { palette, min, max, opacity, threshold: plan().thresholdDbm } };
  const covered = map.where(state.map, plan().thresholdDbm);
  if (quantity === 'server') return { map: covered, options: { ...servers(), opacity, threshold: undefined } };
  return { map: covered, options: { palette: tabled(scaleColors()), min, max, opacity, threshold: undefined } };
}

/** The position in the plan of each transmitter that was drawn. */
export const drawnPositions = () => state.drawn.map((id) => plan().transmitters.findIndex((transmitter) => transmitter.id === id));

/** Best servers are numbers from 1. */
function servers() {
  const colors = drawnPositions().map((position) => rgbOf(serverColor(position)));
  return { min: 1, max: colors.length + 1, palette: (share) => colors[Math.min(colors.length - 1, Math.round(share * colors.length))] };
}

/** As many colours as a screen tells apart: a function that is called for each pixel looks one up. */
function tabled(colors) {
  const table = Array.from({ length: 512 }, (_, i) => colors(i / 511));
  return (share) => table[Math.round(share * 511)];
}
