// Colour maps as a few stops of the published ones, interpolated: viridis and inferno (matplotlib, CC0), turbo (Google, Apache-2.0),
// rdbu (ColorBrewer, Apache-2.0).

import { RadioError } from './errors.js';

/** @type {Record<string, string[]>} */
const SEQUENTIAL = {
  turbo: ['30123b', '4662d7', '35abf8', '1ae4b6', '72fe5e', 'c8ef34', 'faba39', 'f66b19', 'cb2a04', '7a0403'],
  viridis: ['440154', '482878', '3e4a89', '31688e', '26828e', '1f9e89', '35b779', '6dcd59', 'b4de2c', 'fde725'],
  inferno: ['000004', '1b0c42', '4b0c6b', '781c6d', 'a52c60', 'cf4446', 'ed6925', 'fb9a06', 'f7d03c', 'fcffa4'],
};

/**
 * For differences: blue below zero, white at zero, red above.
 * @type {Record<string, string[]>}
 */
const DIVERGING = {
  rdbu: ['053061', '2166ac', '4393c3', '92c5de', 'd1e5f0', 'f7f7f7', 'fddbc7', 'f4a582', 'd6604d', 'b2182b', '67001f'],
};

const ALL = new Map(Object.entries({ ...SEQUENTIAL, ...DIVERGING }));

export const names = Object.keys(SEQUENTIAL);
export const divergingNames = Object.keys(DIVERGING);

/**
 * The palette as a function from [0, 1] to [r, g, b].
 * @param {string} name
 * @returns {(t: number) => [number, number, number]}
 */
export function palette(name) {
  const stops = ALL.get(name)?.map((hex) => [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  if (!stops) throw new RadioError({ code: 'palette', message: `there is no palette ${name}; the palettes are ${[...ALL.keys()].join(', ')}` });
  return (t) => {
    const position = t * (stops.length - 1);
    const index = Math.min(Math.floor(position), stops.length - 2);
    const [low, high] = [stops[index], stops[index + 1]];
    const channel = (/** @type {number} */ i) => low[i] + (high[i] - low[i]) * (position - index);
    return [channel(0), channel(1), channel(2)];
  };
}

/** Colours of a table: far finer than the 256 levels of a channel. */
const TABLE_SIZE = 4096;
/** @type {Map<string, Uint8ClampedArray>} */
const tables = new Map();

/**
 * The palette's colours as red, green and blue, a byte each; `offsetIn` says where those of a share begin. It is made once: a map that
 * follows a transmitter is coloured many times a second.
 * @param {string} name
 */
export function colorTable(name) {
  let table = tables.get(name);
  if (!table) {
    const color = palette(name);
    table = new Uint8ClampedArray(3 * TABLE_SIZE);
    for (let i = 0; i < TABLE_SIZE; i += 1) table.set(color(i / (TABLE_SIZE - 1)), 3 * i);
    tables.set(name, table);
  }
  return table;
}

/**
 * NaN, of a scale without extent, has the first colour.
 * @param {number} t from 0 to 1
 */
export const offsetIn = (t) => 3 * (Math.round(t * (TABLE_SIZE - 1)) || 0);
