// Weights of the visitor's own, as `trainer export` and `trainer train` write them: the page forecasts by them until it is left.

import { draw, forget } from '../drawing.js';
import { networksDraw, openNetworks } from '../engines.js';
import { isForecast } from '../layers/model.js';
import { say, unsay } from '../notices.js';
import { changeLook } from '../plan/look.js';
import { state } from '../state.js';
import { withNetworks } from './controls.js';

export const isWeights = (file) => /\.safetensors$/i.test(file.name);

/** Forecasts by a file of weights, and shows what it expects where no forecast was shown. */
export async function openWeights(file) {
  try {
    const opened = await openNetworks(file);
    if (!opened) return;
    unsay('networks', 'error');
    withNetworks();
    forget('forecast');
    if (state.scene && !networksDraw(state.scene)) {
      say('networks', `${file.name} does not draw maps of this size: choose another area.`);
      changeLook({ model: 'physical' });
    } else if (!isForecast()) {
      changeLook({ model: 'mean' });
    }
    // Whatever it draws ends before it does.
    if (state.scene) await draw();
    opened.before?.dispose();
  } catch (error) {
    say('networks', `${file.name} cannot be used: ${error.message}.`, 'error');
  }
}
