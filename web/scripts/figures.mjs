#!/usr/bin/env node
// Writes what a shipped network was measured at where it is told: its table in docs/accuracy.md, and of the page's own network
// www/page/figures.js. `trainer-native/ship.sh` calls it with the network's name and the file of `trainer export --figures`.

import { readFileSync, writeFileSync } from 'node:fs';

/** What the rows of each network's forecasts are known by in the evaluation, and what they are called in the table. */
const NETWORKS = {
  quantiles: [
    { words: 'their mean', name: 'the mean of its quantiles' },
    { words: 'together', name: 'the network: 19 quantiles' },
  ],
  nano: [
    { words: 'mean of', name: 'the mean of its maps' },
    { words: 'samples', name: 'diffusion: 19 maps of 5 steps' },
  ],
};
/** The network that the page draws with. */
const ON_PAGE = 'quantiles';

const root = new URL('../../', import.meta.url);
const [network, file] = process.argv.slice(2);
const [evaluation] = Object.values(JSON.parse(readFileSync(file, 'utf8')));
const { maps, rows, reliability } = evaluation;

/** Scores of a forecast out of both tables; several maps together have none as a map. */
function scoresOf(words) {
  const forecast = reliability.rows.find((row) => row.forecast.includes(words));
  if (!forecast) throw new Error(`${file} has no forecast called "${words}": found ${reliability.rows.map((row) => row.forecast).join('; ')}`);
  const { crps_db: crpsDb, brier, spread } = forecast.scores;
  const rmseDb = rows.find(({ method }) => method.includes(words))?.scores.rmse_db;
  return { rmseDb, crpsDb, brier, holds: spread?.coverage, widthDb: spread?.width_db, correlation: spread?.pearson };
}

const [distance, physical] = ['log distance', 'dominant path'].map(scoresOf);
const [mean, together] = NETWORKS[network].map(({ words }) => scoresOf(words));

if (network === ON_PAGE) {
  const rounded = (value, digits) => Number(value.toFixed(digits));
  const figures = {
    maps,
    physical: { rmseDb: rounded(physical.rmseDb, 2), crpsDb: rounded(physical.crpsDb, 2) },
    network: { rmseDb: rounded(mean.rmseDb, 2), crpsDb: rounded(together.crpsDb, 2), holds: rounded(together.holds, 2) },
  };
  writeFileSync(
    new URL('www/page/figures.js', root),
    `// What the page's network was measured at. Written by trainer-native/ship.sh; do not edit.\n\nexport const FIGURES = ${literal(figures)};\n`,
  );
}

const cells = ({ crpsDb, rmseDb, brier, holds, widthDb, correlation }) => [
  crpsDb.toFixed(2), rmseDb?.toFixed(2) ?? '', brier.toFixed(4),
  ...(holds === undefined ? ['', '', ''] : [`${(100 * holds).toFixed(0)} %`, widthDb.toFixed(1), correlation.toFixed(2)]),
];
const line = (name, scores) => `| ${[name, ...cells(scores)].join(' | ')} |`;
const [ofMean, ofAll] = NETWORKS[network].map(({ name }) => name);
const table = [
  `| ${maps} maps | CRPS, dB | RMSE outdoors, dB | Brier, above ${reliability.threshold_db} dB | 90 % interval holds | its width, dB | correlation of spread and error |`,
  '|---|---:|---:|---:|---:|---:|---:|',
  line('line of sight + log distance', distance),
  line('physical map, without heights and cars', physical),
  line(ofMean, { ...mean, holds: undefined }),
  line(ofAll, together),
];
const page = new URL('docs/accuracy.md', root);
const text = readFileSync(page, 'utf8');
const begin = `<!-- This table is written by trainer-native/ship.sh for ${network}. -->`;
const [from, to] = [text.indexOf(begin), text.indexOf('<!-- The end of that table. -->', text.indexOf(begin))];
if (from < 0 || to < 0) throw new Error(`docs/accuracy.md lacks ${begin} and the comment of its end`);
writeFileSync(page, `${text.slice(0, from)}${begin}\n\n${table.join('\n')}\n\n${text.slice(to)}`);

/** An object as JavaScript of this project has it. */
function literal(value) {
  if (typeof value !== 'object') return JSON.stringify(value);
  return `{ ${Object.entries(value).map(([name, inner]) => `${name}: ${literal(inner)}`).join(', ')} }`;
}
