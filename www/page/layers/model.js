// Which model's layer is on the map: the chosen one's, or the physical map's while what is drawn beside it is not there.

import { BESIDE, LAYERS, SINGLE, look } from '../plan/look.js';
import { state } from '../state.js';

/** What the chosen model draws beside the physical map: 'forecast', 'rays' or nothing. */
export const besideKind = () => BESIDE[look().model];

/** That map; undefined until it is drawn. */
export const besideMap = () => state.beside[besideKind()];

/** True where the planner asks how sure the map is. */
export const isForecast = () => besideKind() === 'forecast';

/** True while the physical map stands in for a map that is not there. */
export const isStandIn = () => besideKind() !== undefined && !besideMap();

export const shownModel = () => (isStandIn() ? 'physical' : look().model);

/** False of models that show one thing. */
export const hasLayers = () => !(shownModel() in SINGLE);

/** The shown layer with the ends of its scale as the planner set them. */
export function shownLayer() {
  if (!hasLayers()) return SINGLE[shownModel()];
  const { quantity, scales } = look();
  return { ...LAYERS[quantity], ...scales[quantity] };
}
