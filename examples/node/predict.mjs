// A map in Node: where two transmitters cover the streets.

import { readFile } from 'node:fs/promises';
import { createEngine } from 'radiodiff-web';

const engine = await createEngine();
const map = await engine.predict({
  buildings: await readFile(new URL('../buildings.json', import.meta.url), 'utf8'),
  transmitters: [{ lng: 24.9384, lat: 60.1699, powerDbm: 23 }, { lng: 24.9365, lat: 60.1692, powerDbm: 17 }],
  layers: ['best-server', 'sinr'],
  thresholdDbm: -80,
});
const { share, servedShare, largestRangeM } = map.coverage;
const percent = (share) => `${(100 * share).toFixed(1)} %`;
console.log(`${percent(share)} of the streets have -80 dBm and more, ${servedShare.map(percent).join(' and ')} from each transmitter, up to ${largestRangeM.toFixed(0)} m away.`);
console.log(`${percent(map.layer('sinr').stats({ thresholdDbm: 10 }).share)} have 10 dB over noise and interference.`);
engine.dispose();
