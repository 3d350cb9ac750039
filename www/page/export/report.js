// A report as one HTML file that opens anywhere and prints on A4: no script, nothing that is fetched. formats.js loads this file when the
// first report is asked for; facts.js says what flows in.

import { area, distance } from '../units.js';

/** A longer address is no use on paper. */
const LONGEST_PRINTED = 400;
const DIGITS = 6;

/** Text that is HTML already. */
class Html {
  constructor(text) {
    this.text = text;
  }
}

/** HTML out of a template, whose values are text unless they are HTML already. */
const html = (parts, ...values) => new Html(parts.reduce((text, part, i) => text + asHtml(values[i - 1]) + part));

function asHtml(value) {
  if (Array.isArray(value)) return value.map(asHtml).join('');
  if (value instanceof Html) return value.text;
  return String(value ?? '').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
@page { size: A4; margin: 16mm 15mm; }
:root { color-scheme: light; font: 14px/1.45 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: #111; background: #fff; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
body { max-width: 180mm; margin: 24px auto; padding: 0 16px; }
h1, p, li { overflow-wrap: anywhere; }
h1 { font-size: 22px; margin: 0; }
h2 { font-size: 15px; margin: 20px 0 6px; break-after: avoid; }
p { margin: 4px 0; }
figure { margin: 14px 0; break-inside: avoid; }
.map img { display: block; width: 100%; max-width: 150mm; margin: auto; border: 1px solid #888; image-rendering: pixelated; }
figcaption { max-width: 150mm; margin: 6px auto; }
.scale img { display: block; width: 100%; height: 12px; border: 1px solid #888; box-sizing: border-box; }
.scale div { display: flex; justify-content: space-between; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid #999; padding: 3px 6px; text-align: left; vertical-align: top; }
#transmitters { font-size: 12.5px; }
#transmitters td:is(:nth-child(2), :last-child) { min-width: 24mm; }
#transmitters td:is(:nth-child(2), :last-child), .pairs :is(th, td) { overflow-wrap: anywhere; }
th { background: #eee; }
thead { display: table-header-group; }
tr, li { break-inside: avoid; }
.number { text-align: right; white-space: nowrap; }
b.badge { display: inline-block; min-width: 20px; padding: 0 3px; border-radius: 10px; text-align: center; color: #fff; }
.beside { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 24px; align-items: start; break-inside: avoid; }
.curve { margin: 0; }
.curve svg { display: block; width: 100%; }
.axis { stroke: #999; stroke-width: 1; }
.curve polyline { stroke: #000; stroke-width: 2; fill: none; }
.limit { stroke: #000; stroke-width: 1.5; stroke-dasharray: 4 3; }
.curve text { font-size: 10px; fill: #333; }
.soft, figcaption p { color: #444; font-size: 12.5px; }
a { color: #0b4fb0; }
@media screen and (max-width: 600px) { .beside { grid-template-columns: minmax(0, 1fr); gap: 12px; } }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 12px; } a { color: inherit; } .screen { display: none; } }
@media screen { .paper { display: none; } }
`;

/** The file's text. */
export function reportOf(facts) {
  const { title, date, transmitters, remarks, credits } = facts;
  return asHtml(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Radio coverage: ${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<h1>Radio coverage: ${title}</h1>
<p class="soft"><time datetime="${date.toISOString()}">${date.toLocaleString(undefined, { dateStyle: 'long', timeStyle: 'short' })}</time></p>
${map(facts)}
<h2>Coverage</h2>
${coverage(facts)}
<h2>Transmitters</h2>
${transmitters.length ? transmitterTable(transmitters) : html`<p>None.</p>`}
<div class="beside">
<div><h2>Receiver</h2>${pairs('receiver', receiver(facts))}</div>
<div><h2>Place</h2>${pairs('place', place(facts))}</div>
</div>
<h2>Model</h2>
<p id="model"><b>${facts.model}</b></p>
<p>${facts.worth}</p>
${remarks.length ? html`<h2>Remarks</h2><ul id="remarks">${remarks.map((remark) => html`<li>${remark}</li>`)}</ul>` : ''}
<h2>Sources</h2>
<ul id="credits">${credits.map((credit) => html`<li>${credit}</li>`)}</ul>
${address(facts)}
</body>
</html>
`);
}

function map({ title, picture, legend, size, metersPerPixel }) {
  const scale = legend.scale && html`<div class="scale"><img src="${legend.scale}" alt=""><div>${legend.ticks.map((tick) => html`<span>${tick}</span>`)}</div></div>`;
  return html`<figure class="map"><img id="picture" src="${picture}" alt="Map of ${title}: ${legend.title}">
<figcaption><b id="layer">${legend.title}</b>${scale}
${legend.meaning.map((words) => html`<p>${words}</p>`)}
<p>${legend.scale ? `Lines are at ${legend.ticks.slice(1, -1).join(', ')}.` : 'Lines part the ground by its strongest transmitter, whose number stands on it.'} ${distance(size * metersPerPixel)} a side, north is up. Buildings are dark; numbers in circles are the transmitters, arrows point where antennas do.</p></figcaption></figure>`;
}

function coverage({ statistics, shares, distribution }) {
  const served = shares.length ? html`<h2>Share of the ground that each transmitter serves</h2>${pairs('shares', shares)}` : '';
  const curve = distribution ? html`<figure class="curve">${new Html(distribution)}</figure>` : '';
  return html`<div class="beside"><div>${pairs('statistics', statistics)}</div>${curve}</div>${served}`;
}

/** A table of terms and values. */
const pairs = (id, rows) => html`<table class="pairs" id="${id}">${rows.map(([term, value]) => html`<tr><th scope="row">${term}</th><td class="number">${value}</td></tr>`)}</table>`;

const COLUMNS = ['No.', 'Name', 'Longitude', 'Latitude', 'Height, m', 'Power, dBm', 'Frequency, MHz', 'Antenna'];

function transmitterTable(transmitters) {
  const row = (transmitter, index) => {
    const { name, lng, lat, heightM, powerDbm, frequencyMHz, color } = transmitter;
    const numbers = [lng.toFixed(DIGITS), lat.toFixed(DIGITS), heightM, powerDbm, frequencyMHz].map((value) => html`<td class="number">${value}</td>`);
    return html`<tr><td><b class="badge" style="background:${color}">${index + 1}</b></td><td>${name}${state(transmitter)}</td>${numbers}<td>${antenna(transmitter)}</td></tr>`;
  };
  return html`<div class="wide"><table id="transmitters"><thead><tr>${COLUMNS.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>${transmitters.map(row)}</tbody></table></div>`;
}

function state({ active, isOnMap }) {
  if (!active) return ' (off)';
  return isOnMap ? '' : ' (off the map)';
}

function antenna({ antenna: kind, pattern, gainDbi, azimuthDeg, downtiltDeg, beamwidthDeg }) {
  const pointing = `azimuth ${azimuthDeg}°, downtilt ${downtiltDeg}°`;
  if (kind === 'sector') return `Sector, ${gainDbi} dBi, ${pointing}, beamwidth ${beamwidthDeg}°`;
  if (kind === 'pattern' && pattern) return `Pattern ${pattern.name}, ${pointing}`;
  return `Omni, ${gainDbi} dBi`;
}

const receiver = ({ receiver: { heightM, gainDbi, bandwidthMHz, noiseFigureDb }, thresholdDbm }) => [
  ['Threshold', `${thresholdDbm} dBm`],
  ['Height', `${heightM} m`],
  ['Gain', `${gainDbi} dBi`],
  ['Bandwidth', `${bandwidthMHz} MHz`],
  ['Noise figure', `${noiseFigureDb} dB`],
];

function place({ bounds, size, metersPerPixel, cars }) {
  const side = size * metersPerPixel;
  const sides = ['West', 'South', 'East', 'North'].map((name) => [name, `${bounds[name.toLowerCase()].toFixed(DIGITS)}°`]);
  return [...sides, ['Area', area(side * side)], ['Pixel', `${metersPerPixel} m`], ...(cars ? [['Parked cars', `${cars.outlines.length} of ${cars.name}`]] : [])];
}

/** A link on the screen; on paper the address, where it can be typed. */
function address({ link }) {
  if (!link) return html`<p class="soft">The plan is too long for a link: Export, Plan saves it as a file.</p>`;
  return html`<p class="screen"><a id="link" href="${link}">Open this plan</a></p>${link.length <= LONGEST_PRINTED ? html`<p class="paper">${link}</p>` : ''}`;
}
