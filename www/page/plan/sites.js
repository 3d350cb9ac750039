// Lists of sites: a table with a header, whose columns come in any order, and a transmitter a line. What commas, semicolons or tabulators
// separate is read as the tables of measurements are, so that what tells one from the other are the columns.

import { DEGREES, FIELDS, nameOf } from './model.js';

/** Names of the columns in lower case; the first that is there counts. `radiodiff sites` reads the same (radio/src/calibration/table.rs). */
const COLUMNS = {
  name: ['name', 'site', 'id'],
  lng: ['lng', 'lon', 'long', 'longitude'],
  lat: ['lat', 'latitude'],
  heightM: ['height_m', 'height'],
  powerDbm: ['power_dbm', 'dbm', 'power'],
};
/** Columns of what was measured. */
const MEASURED = ['rsrp_dbm', 'rsrp', 'rssi_dbm', 'rssi', 'device', 'phone', 'receiver'];
/** Names of the fields in words, with their ranges. */
const NUMBERS = {
  lng: ['longitude', DEGREES.lng],
  lat: ['latitude', DEGREES.lat],
  heightM: ['height in metres', FIELDS.heightM],
  powerDbm: ['power in dBm', FIELDS.powerDbm],
};

/** Whether a text begins as a list of sites: it has places, a power without a name or a height is one that was measured. */
export function holdsSites(text) {
  const { columns, header } = tableOf(text);
  if (columns.lng === undefined || columns.lat === undefined || header.some((name) => MEASURED.includes(name))) return false;
  return columns.name !== undefined || columns.heightM !== undefined || columns.powerDbm === undefined;
}

/**
 * The sites of such a text, { name, lng, lat, heightM, powerDbm } without what a line leaves out, and what is wrong with the lines that
 * cannot be used, a text for each.
 */
export function sitesIn(text) {
  const { columns, separator, lines } = tableOf(text);
  const [sites, faults] = [[], []];
  for (const { number, line } of lines) {
    const cells = cellsOf(line, separator);
    const cell = (field) => cells[columns[field]] ?? '';
    const site = { name: nameOf(cell('name')) };
    const wrong = [];
    for (const [field, [words, { min, max }]] of Object.entries(NUMBERS)) {
      const found = cell(field);
      if (!found && !(field in DEGREES)) continue;
      const value = found ? Number(separator === ',' ? found : found.replace(',', '.')) : NaN;
      if (value >= min && value <= max) site[field] = value;
      else wrong.push(found ? `the ${words} is “${found}”, expected ${min} to ${max}` : `it has no ${words}`);
    }
    if (wrong.length) faults.push(`line ${number}${site.name ? ` (${site.name})` : ''}: ${wrong.join(', ')}`);
    else sites.push(Object.fromEntries(Object.entries(site).filter(([, value]) => value !== undefined)));
  }
  return { sites, faults };
}

/** The header in lower case, the position of each known column, what separates the cells, and the lines below with their numbers. */
function tableOf(text) {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/).map((line, i) => ({ number: i + 1, line })).filter(({ line }) => line.trim() && !line.startsWith('#'));
  const first = lines.shift()?.line ?? '';
  const separator = ['\t', ';'].find((character) => first.includes(character)) ?? ',';
  const header = cellsOf(first, separator).map((name) => name.toLowerCase());
  const found = Object.entries(COLUMNS).map(([field, names]) => [field, names.map((name) => header.indexOf(name)).find((position) => position >= 0)]);
  return { header, separator, lines, columns: Object.fromEntries(found) };
}

/** The cells of a line, without the quotes around those that hold a separator. */
function cellsOf(line, separator) {
  const cells = [''];
  let isQuoted = false;
  for (const character of line) {
    if (character === '"') isQuoted = !isQuoted;
    else if (character === separator && !isQuoted) cells.push('');
    else cells[cells.length - 1] += character;
  }
  return cells.map((cell) => cell.trim());
}
