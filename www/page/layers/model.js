// Which model's layer is on the map: the chosen one's, or the physical map's while the network's samples are drawn.

import { LAYERS, SAMPLED_MODELS, SINGLE, look } from '../plan/look.js';
import { state } from '../state.js';

/** True where the planner asks how sure the map is. */
export const isSampled = () => SAMPLED_MODELS.includes(look().model);

/** True while the physical map stands in for samples that are not there. */
export const isStandIn = () => isSampled() && !state.sampled;

export const shownModel = () => (isStandIn() ? 'physical' : look().model);

/** False of models that show one thing. */
export const hasLayers = () => !(shownModel() in SINGLE);

/** The shown layer with the ends of its scale as the planner set them. */
export function shownLayer() {
  if (!hasLayers()) return SINGLE[shownModel()];
  const { quantity, scales } = look();
  return { ...LAYERS[quantity], ...scales[quantity] };
}
