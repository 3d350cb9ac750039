// Colours of values and of transmitters.

import { palette } from '../../index.js';
import { look } from '../plan/look.js';
import { shownLayer } from './model.js';

/** Told apart by people with every kind of colour vision as far as so many can be; white figures are readable on each. */
const SERVERS = ['#0b62d6', '#c2410c', '#0f7a55', '#a21caf', '#7c5a00', '#0e7490', '#be123c', '#4d49d8', '#4d7c0f', '#86198f', '#9a3412', '#155e75'];

/** The colour of the transmitter at a position of the plan. */
export const serverColor = (index) => SERVERS[index % SERVERS.length];

/** A colour of the plan as [r, g, b]. */
export const rgbOf = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** The colour of a share of the shown layer's scale. */
export function scaleColors() {
  const { palette: own, reversed } = shownLayer();
  const colors = palette(own ?? look().palette);
  return reversed ? (share) => colors(1 - share) : colors;
}
