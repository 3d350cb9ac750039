// Colour maps as a few stops of the published ones (viridis, inferno: matplotlib, CC0; turbo: Google, Apache-2.0; rdbu: ColorBrewer,
// Apache-2.0), interpolated.

import { RadioError } from './errors.js';

const STOPS = {
  turbo: ['30123b', '4662d7', '35abf8', '1ae4b6', '72fe5e', 'c8ef34', 'faba39', 'f66b19', 'cb2a04', '7a0403'],
  viridis: ['440154', '482878', '3e4a89', '31688e', '26828e', '1f9e89', '35b779', '6dcd59', 'b4de2c', 'fde725'],
  inferno: ['000004', '1b0c42', '4b0c6b', '781c6d', 'a52c60', 'cf4446', 'ed6925', 'fb9a06', 'f7d03c', 'fcffa4'],
};

/** For differences: blue below, white at nothing, red above. */
const DIVERGING = {
  rdbu: ['053061', '2166ac', '4393c3', '92c5de', 'd1e5f0', 'f7f7f7', 'fddbc7', 'f4a582', 'd6604d', 'b2182b', '67001f'],
};

export const names = Object.keys(STOPS);
export const divergingNames = Object.keys(DIVERGING);

/** The palette as a function from [0, 1] to [r, g, b]. */
export function palette(name) {
  const all = [...names, ...divergingNames];
  if (!all.includes(name)) throw new RadioError({ code: 'palette', message: `there is no palette ${name}; the palettes are ${all.join(', ')}` });
  const stops = { ...STOPS, ...DIVERGING }[name].map((hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  return (t) => {
    const position = t * (stops.length - 1);
    const index = Math.min(Math.floor(position), stops.length - 2);
    return stops[index].map((low, i) => low + (stops[index + 1][i] - low) * (position - index));
  };
}
