#!/usr/bin/env node
// Writes what the shipped network was measured at where it is told: www/page/figures.js, which the page reads, and the table in
// docs/accuracy.md. `trainer-native/ship.sh` calls it with the file of `trainer export --figures`.

import { readFileSync, writeFileSync } from 'node:fs';

const BEGIN = '<!-- This table is written by trainer-native/ship.sh. -->';
const END = '<!-- The end of that table. -->';

const root = new URL('../../', import.meta.url);
const [evaluation] = Object.values(JSON.parse(readFileSync(process.argv[2], 'utf8')));
const { maps, rows, reliability } = evaluation;
const [samples, steps] = process.argv.slice(3).map(Number);

/** Scores of a forecast out of both tables. */
function scoresOf(words) {
  const [map, forecast] = [rows.find(({ method }) => method.includes(words)), reliability.rows.find((row) => row.forecast.includes(words))];
  if (!map || !forecast) throw new Error(`${process.argv[2]} has no ${words}: export with --samples`);
  const { crps_db: crpsDb, brier, spread } = forecast.scores;
  return { rmseDb: map.scores.rmse_db, crpsDb, brier, holds: spread?.coverage, widthDb: spread?.width_db };
}

const [distance, physical, mean, sampled] = ['log distance', 'dominant path', `mean of ${samples} maps`, `${samples} samples`].map(scoresOf);
const rounded = (value, digits) => Number(value.toFixed(digits));
const figures = {
  maps,
  samples,
  steps,
  physical: { rmseDb: rounded(physical.rmseDb, 2), crpsDb: rounded(physical.crpsDb, 2) },
  network: { rmseDb: rounded(mean.rmseDb, 2), crpsDb: rounded(sampled.crpsDb, 2), holds: rounded(sampled.holds, 2) },
};
writeFileSync(
  new URL('www/page/figures.js', root),
  `// What the shipped network was measured at. Written by trainer-native/ship.sh; do not edit.\n\nexport const FIGURES = ${literal(figures)};\n`,
);

const line = (name, { rmseDb, crpsDb, brier, holds, widthDb }) => `| ${[name, crpsDb.toFixed(2), rmseDb.toFixed(2), brier.toFixed(4), holds === undefined ? '' : `${(100 * holds).toFixed(0)} %`, widthDb?.toFixed(1) ?? ''].join(' | ')} |`;
const table = [
  `| ${maps} maps | CRPS, dB | RMSE outdoors, dB | Brier, above ${reliability.threshold_db} dB | 90 % interval holds | its width, dB |`,
  '|---|---:|---:|---:|---:|---:|',
  line('line of sight + log distance', distance),
  line('physical map, without heights and cars', physical),
  line(`the network: mean of ${samples} maps`, { ...mean, holds: undefined, widthDb: undefined }),
  line(`the network: ${samples} maps of ${steps} steps`, sampled),
];
const page = new URL('docs/accuracy.md', root);
const text = readFileSync(page, 'utf8');
const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
if (begin < 0 || end < begin) throw new Error('docs/accuracy.md lacks the comments that the table stands between');
writeFileSync(page, `${text.slice(0, begin)}${BEGIN}\n\n${table.join('\n')}\n\n${text.slice(end)}`);

/** An object as JavaScript of this project has it. */
function literal(value) {
  if (typeof value !== 'object') return JSON.stringify(value);
  return `{ ${Object.entries(value).map(([name, inner]) => `${name}: ${literal(inner)}`).join(', ')} }`;
}
