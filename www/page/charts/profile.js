// A link from the side: ground, roofs, the straight line between the antennas and its first Fresnel zone. Heights are drawn larger than
// distances.

import { svgNode as node, termRows } from '../elements.js';
import { distance } from '../units.js';
import { roundTicks } from './cdf.js';

const [WIDTH, HEIGHT] = [308, 150];
const BOX = { left: 30, right: 10, top: 10, bottom: 28 };
const STEPS = 60;
const METERS_OF_A_MEGAHERTZ = 299.792458;
/** From this share of the first Fresnel zone on, a roof below the line takes nothing. */
const CLEAR_SHARE = 0.55;

const element = (id) => document.getElementById(id);

/** Shows what an engine gave. */
export function drawProfile(profile) {
  element('profile-figure').replaceChildren(picture(profile));
  element('profile-rows').replaceChildren(...termRows(rows(profile)));
}

function picture(profile) {
  const { distanceM, roofs, mainEdge, transmitter, receiver } = profile;
  const lengthM = Math.max(distanceM, 1);
  const line = (at) => transmitter.heightM + (receiver.heightM - transmitter.heightM) * (at / lengthM);
  const radius = (at) => Math.sqrt((METERS_OF_A_MEGAHERTZ / transmitter.frequencyMHz) * at * (lengthM - at) / lengthM);
  const steps = Array.from({ length: STEPS + 1 }, (_, i) => (i / STEPS) * lengthM);
  const top = 1.08 * Math.max(5, ...roofs.map(({ heightM }) => heightM), ...steps.map((at) => line(at) + radius(at)));
  const x = (at) => BOX.left + (at / lengthM) * (WIDTH - BOX.left - BOX.right);
  const y = (heightM) => BOX.top + (1 - Math.max(0, heightM) / top) * (HEIGHT - BOX.top - BOX.bottom);
  const points = (places) => places.map(([at, heightM]) => `${x(at).toFixed(1)},${y(heightM).toFixed(1)}`).join(' ');
  const svg = node('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': inWords(profile) });
  for (const heightM of roundTicks(0, top)) {
    svg.append(node('line', { class: 'axis', x1: BOX.left, x2: WIDTH - BOX.right, y1: y(heightM), y2: y(heightM) }));
    svg.append(node('text', { x: BOX.left - 4, y: y(heightM) + 3, 'text-anchor': 'end' }, `${heightM}`));
  }
  for (const at of roundTicks(0, lengthM)) svg.append(node('text', { x: x(at), y: HEIGHT - BOX.bottom + 13, 'text-anchor': 'middle' }, `${at}`));
  svg.append(node('text', { x: WIDTH / 2, y: HEIGHT - 2, 'text-anchor': 'middle' }, 'height over distance, m'));
  for (const { fromM, toM, heightM } of roofs) {
    svg.append(node('rect', { class: 'roof', x: x(fromM), y: y(heightM), width: Math.max(1, x(toM) - x(fromM)), height: y(0) - y(heightM) }));
  }
  const zone = [...steps.map((at) => [at, line(at) + radius(at)]), ...steps.toReversed().map((at) => [at, line(at) - radius(at)])];
  svg.append(node('polygon', { class: 'zone', points: points(zone) }));
  svg.append(node('polyline', { class: profile.lineOfSight ? 'curve' : 'limit', points: points([[0, line(0)], [lengthM, line(lengthM)]]) }));
  for (const at of [0, lengthM]) svg.append(node('polyline', { class: 'mast', points: points([[at, 0], [at, line(at)]]) }));
  if (mainEdge && mainEdge.fresnelShare < CLEAR_SHARE) svg.append(node('circle', { class: 'edge', cx: x(mainEdge.distanceM), cy: y(mainEdge.heightM), r: 3 }));
  return svg;
}

function rows({ distanceM, lineOfSight, mainEdge, freeSpaceLossDb, diffractionLossDb }) {
  const found = [['Distance', distance(distanceM)], ['Line of sight', lineOfSight ? 'clear' : 'blocked']];
  if (mainEdge) {
    found.push(['Worst edge', `${mainEdge.heightM.toFixed(1)} m high, ${distance(mainEdge.distanceM)} away`]);
    const clearance = `${mainEdge.clearanceM.toFixed(1)} m`;
    found.push(['Clearance there', mainEdge.clearanceM < 0 ? clearance : `${clearance}, ${(100 * mainEdge.fresnelShare).toFixed(0)} % of the Fresnel zone`]);
  }
  found.push(['Free space', `${freeSpaceLossDb.toFixed(1)} dB`], ['Edges of roofs', `${diffractionLossDb.toFixed(1)} dB`]);
  return found;
}

function inWords({ distanceM, lineOfSight, mainEdge }) {
  const over = `Path profile over ${distance(distanceM)}`;
  if (!mainEdge) return `${over}: ${lineOfSight ? 'no roof is under the line' : 'the line ends below a roof'}`;
  const edge = `a roof ${mainEdge.heightM.toFixed(1)} m high, ${distance(mainEdge.distanceM)} away, is ${Math.abs(mainEdge.clearanceM).toFixed(1)} m`;
  return `${over}: ${edge} ${mainEdge.clearanceM < 0 ? 'above' : 'below'} the line`;
}
