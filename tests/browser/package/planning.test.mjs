// Planning by the installed package, in Node: larger areas, sites, calibration. The choice and the fit are tested in Rust; here is that
// they come through, and that their answers agree with maps drawn otherwise.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { EXAMPLES, install } from './lib.mjs';

const buildings = readFileSync(join(EXAMPLES, 'buildings.json'), 'utf8');
const PLACES = [[24.9384, 60.1699], [24.9365, 60.1692], [24.9391, 60.1694], [24.9372, 60.1703]].map(([lng, lat]) => ({ lng, lat }));
const THRESHOLD = -75;

let package_;
let engine;
before(async () => {
  package_ = install();
  const { createEngine } = await import(pathToFileURL(join(package_.dist, 'node.js')).href);
  engine = await createEngine();
});
after(() => {
  engine?.dispose();
  package_.remove();
});

const share = async (transmitters) => (await engine.predict({ buildings, transmitters, thresholdDbm: THRESHOLD })).coverage.share;

test('sites are the candidates that add most, and cover what a plan of them covers', { timeout: 120_000 }, async () => {
  const existing = [{ ...PLACES[3], powerDbm: 10 }];
  const progress = [];
  const transmitter = { powerDbm: 17, heightM: 6 };
  const found = await engine.suggestSites({
    buildings, count: 2, thresholdDbm: String(THRESHOLD), candidates: [...PLACES.slice(0, 3).map((place, i) => ({ ...place, name: `mast ${i}` })), { lng: 25, lat: 60 }], existing, transmitter,
    onProgress: ({ phase, loaded, total }) => progress.push([phase, loaded, total]),
  });
  assert.deepEqual([found.candidates, found.sites.length, found.offMap], [3, 2, [3]]);
  assert.match(found.warnings.join(' '), /1 of 4 candidates lie off the map/);
  assert.ok(progress.every(([phase, loaded, total]) => phase === 'scene' || (phase === 'candidates' && loaded <= total && total === 4)));
  assert.deepEqual(progress.at(-1), ['candidates', 4, 4]);
  assert.equal(found.shareBefore, await share(existing));
  const withOne = await Promise.all(PLACES.slice(0, 3).map((place) => share([...existing, { ...place, ...transmitter }])));
  const [first, second] = found.sites;
  assert.equal(first.candidate, withOne.indexOf(Math.max(...withOne)));
  assert.equal(first.coveredShare, Math.max(...withOne));
  assert.equal(first.name, `mast ${first.candidate}`);
  assert.ok(Math.abs(first.gainedShare - (first.coveredShare - found.shareBefore)) < 1e-12 && second.gainedShare <= first.gainedShare);
  assert.deepEqual([first.transmitter.powerDbm, first.transmitter.heightM, first.lng], [17, 6, first.transmitter.lng]);
  assert.equal(second.coveredShare, await share([...existing, ...found.sites.map((site) => site.transmitter)]));
});

test('a candidate may be higher or stronger than the others', { timeout: 120_000 }, async () => {
  const search = (candidates) => engine.suggestSites({ buildings, thresholdDbm: THRESHOLD, transmitter: { powerDbm: 17, heightM: 6 }, candidates });
  const { sites: [best] } = await search(PLACES);
  assert.equal(best.name, null);
  const others = PLACES.map((place, i) => (i === best.candidate ? { ...place, powerDbm: -30 } : place));
  const without = await search(others);
  assert.notEqual(without.sites[0].candidate, best.candidate, 'it was chosen with a power that it has not');
  const second = without.sites[0].candidate;
  const higher = others.map((place, i) => (i === second ? { ...place, alt: 40, powerDbm: 27 } : place));
  const { sites: [highest] } = await search(higher);
  assert.deepEqual([highest.candidate, highest.transmitter.heightM, highest.transmitter.powerDbm], [second, 40, 27]);
  assert.equal(highest.coveredShare, await share([{ ...PLACES[second], heightM: 40, powerDbm: 27 }]));
  await assert.rejects(search([{ lng: 24.9 }]), { name: 'RadioError', code: 'candidates', field: 'candidates[0].lat' });
  await assert.rejects(search([{ ...PLACES[0], heightM: 900 }]), { name: 'RadioError', code: 'height', field: 'candidates[0].heightM' });
});

test('candidates are spread over an area, and the search stops when it is told', { timeout: 120_000 }, async () => {
  const { bounds } = await engine.setScene({ buildings });
  const area = { ...bounds, east: (bounds.west + bounds.east) / 2 };
  const { sites, candidates } = await engine.suggestSites({ thresholdDbm: THRESHOLD, area, spacingM: 64 });
  assert.ok(candidates > 4 && candidates <= 12 && sites.length === 1 && sites[0].lng <= area.east);
  const controller = new AbortController();
  const reason = new Error('enough');
  let seen = 0;
  const onProgress = ({ loaded }) => {
    seen = loaded;
    if (loaded > 1) controller.abort(reason);
  };
  await assert.rejects(engine.suggestSites({ thresholdDbm: THRESHOLD, signal: controller.signal, onProgress }), (error) => error === reason);
  const stopped = seen;
  assert.ok((await engine.suggestSites({ thresholdDbm: THRESHOLD, candidates: PLACES.slice(0, 1) })).sites.length === 1, 'the engine goes on');
  assert.ok(stopped < 100 && seen === stopped, 'it went on after it was told to stop');
  await assert.rejects(engine.suggestSites({ count: 2 }), { name: 'RadioError', code: 'threshold', field: 'thresholdDbm' });
  await assert.rejects(engine.suggestSites({ thresholdDbm: -80, candidates: [{ lng: 25, lat: 60 }] }), { code: 'candidates' });
  for (const spacingM of [0, -4, NaN]) await assert.rejects(engine.suggestSites({ thresholdDbm: -80, spacingM }), { code: 'candidates', field: 'spacingM' });
  await assert.rejects(engine.suggestSites({ thresholdDbm: -80, spacingM: 1 }), { code: 'candidates', message: /expected at most 5000/ });
});

test('a path profile has the roofs under the line, as high as their footprints say', { timeout: 120_000 }, async () => {
  const { features } = await engine.footprints({ buildings });
  const isInside = ([x, y], ring) => ring.slice(1).reduce((inside, [x1, y1], index) => {
    const [x0, y0] = ring[index];
    return (y0 > y) !== (y1 > y) && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0) ? !inside : inside;
  }, false);
  const roofAt = (place) => Math.max(0, ...features
    .filter(({ geometry }) => geometry.coordinates.filter((ring) => isInside(place, ring)).length % 2)
    .map(({ properties }) => properties.height));
  let under = 0;
  for (const [from, to] of [[0, 1], [1, 2], [2, 3], [3, 0]].map(([from, to]) => [PLACES[from], PLACES[to]])) {
    const { transmitter, receiver, ...profile } = await engine.profile({ transmitter: { ...from, heightM: 60, frequencyMHz: 3500 }, receiver: { ...to, alt: '60' } });
    assert.deepEqual([transmitter.heightM, transmitter.frequencyMHz, receiver], [60, 3500, { ...to, heightM: 60 }]);
    for (let step = 1; step < 200; step += 1) {
      const [at, share] = [(profile.distanceM * step) / 200, step / 200];
      // Within half a metre of a wall degrees and metres may differ.
      if (profile.roofs.some(({ fromM, toM }) => Math.min(Math.abs(at - fromM), Math.abs(at - toM)) < 0.5)) continue;
      const roof = profile.roofs.find(({ fromM, toM }) => fromM <= at && at <= toM);
      under += roof ? 1 : 0;
      assert.equal(roof?.heightM ?? 0, roofAt([from.lng + (to.lng - from.lng) * share, from.lat + (to.lat - from.lat) * share]), `${at} m`);
    }
    assert.equal(profile.lineOfSight, profile.roofs.every(({ heightM }) => heightM < 60));
  }
  assert.ok(under > 20, `${under} places under roofs`);
  const street = await engine.profile({ transmitter: PLACES[0], receiver: PLACES[1] });
  assert.ok(!street.lineOfSight && street.mainEdge.clearanceM < 0 && street.mainEdge.fresnelShare < 0 && street.diffractionLossDb > 6);
  assert.ok(Math.abs(street.freeSpaceLossDb - (20 * Math.log10(street.distanceM * 5900) - 27.55)) < 0.01);
  await assert.rejects(engine.profile({ transmitter: PLACES[0] }), { name: 'RadioError', code: 'receiver', field: 'receiver' });
  await assert.rejects(engine.profile({ transmitter: PLACES[0], receiver: { lng: 25, lat: 60 } }), { code: 'receiver', message: /on the map/ });
});

test('maps are drawn while sites are searched, also of another scene, and a search ends with its engine', { timeout: 120_000 }, async () => {
  let search;
  let found;
  await new Promise((resolve) => {
    search = engine.suggestSites({ buildings, thresholdDbm: THRESHOLD, spacingM: 24, onProgress: resolve });
    search.then((sites) => { found = sites; }, () => {});
  });
  const elsewhere = { type: 'Polygon', coordinates: [[[9, 50], [9.0004, 50], [9.0004, 50.0004], [9, 50.0004], [9, 50]]] };
  const map = await engine.predict({ buildings: elsewhere, transmitters: [{ lng: 8.9995, lat: 50.0002 }] });
  assert.ok(Math.abs(map.bounds.west - 9) < 0.01 && found === undefined, 'the map waited for the search');
  const { createEngine } = await import(pathToFileURL(join(package_.dist, 'node.js')).href);
  const other = await createEngine();
  const ended = other.suggestSites({ buildings, thresholdDbm: THRESHOLD, spacingM: 24, onProgress: () => other.dispose() });
  await assert.rejects(ended, { name: 'RadioError', code: 'disposed' });
  // The search goes on about the scene that it was asked of.
  const { sites } = await search;
  assert.ok(Math.abs(sites[0].lng - 24.9384) < 0.01);
});

test('a map is fitted to measured power, with its uncertainty and its errors in blocks', { timeout: 300_000 }, async () => {
  const cell = { ...PLACES[0], heightM: 20, frequencyMHz: 3500, antenna: { azi: 60 } };
  const truth = await engine.predict({ buildings, transmitters: [{ ...PLACES[0], powerDbm: 31, frequencyMHz: 3500 }] });
  const { west, south, east, north } = truth.bounds;
  const measurements = [];
  for (let i = 0; i < 225; i += 1) {
    const place = { lng: west + ((i % 15) + 0.5) / 15 * (east - west), lat: south + (Math.floor(i / 15) + 0.5) / 15 * (north - south) };
    const powerDbm = truth.at(place.lng, place.lat);
    if (powerDbm > -110) measurements.push({ ...place, powerDbm });
  }
  const phases = new Set();
  const ask = { transmitter: cell, blockM: 40, onProgress: ({ phase }) => phases.add(phase) };
  const found = await engine.calibrate({ ...ask, measurements });
  assert.deepEqual([...phases], ['scene', 'fit', 'rows']);
  const { places } = found;
  const known = places.filter(({ predictedDbm }) => predictedDbm !== null);
  const rms = Math.sqrt(known.reduce((sum, { powerDbm, predictedDbm }) => sum + (powerDbm - predictedDbm) ** 2, 0) / known.length);
  assert.ok(places.length === found.squares && Math.abs(rms - found.errors.afterDb) < 1e-9, `the places' residuals are ${rms} dB`);
  assert.equal(found.readings, measurements.length);
  const { beforeDb, afterDb, squares } = found.errors;
  assert.ok(squares > 60 && afterDb < beforeDb && afterDb > 0, JSON.stringify(found.errors));
  assert.ok(found.blocks.length > 4 && found.blocks.every(({ lng, lat }) => lng >= west - 1e-9 && lng < east && lat >= south - 1e-9 && lat < north));
  assert.ok(found.constants.some(({ name, unit, fitted, before }) => name === 'antenna height' && unit === 'm' && before === 20 && fitted > 2));
  const { map } = found;
  assert.deepEqual([map.method, map.quantity, map.size, map.transmitter.lng], ['calibrated', 'received-power-dbm', 256, cell.lng]);
  const misses = measurements.map(({ lng, lat, powerDbm }) => Math.abs(map.at(lng, lat) - powerDbm)).sort((a, b) => a - b);
  assert.ok(misses[misses.length >> 1] < beforeDb, `half of the misses are above ${misses[misses.length >> 1]} dB`);
  const deviations = map.layer('standard-deviation').stats();
  assert.ok(deviations.min > 0 && deviations.max > deviations.min && deviations.outdoorPixels === map.stats().outdoorPixels);
  const { map: _, ...saved } = found;
  assert.deepEqual(JSON.parse(JSON.stringify(saved)), saved, 'it can be saved with a plan');

  const table = ['lng,lat,rsrp_dbm,device', ...measurements.map(({ lng, lat, powerDbm }) => `${lng},${lat},${powerDbm},S10`), `${west},${south},-90,other`].join('\n');
  const again = await engine.calibrate({ ...ask, measurements: new Blob([table]) });
  assert.deepEqual(again.constants, found.constants);
  assert.match(again.warnings.join(' '), /Several devices measured: "S10".*Only "S10"/);
  await assert.rejects(engine.calibrate({ transmitter: cell, measurements: measurements.slice(0, 3) }), { name: 'RadioError', code: 'measurements' });
  await assert.rejects(engine.calibrate({ transmitter: { ...cell, frequencyMHz: -1 }, measurements }), { name: 'RadioError', code: 'frequency' });
  await assert.rejects(engine.calibrate({ transmitter: cell, measurements: 'a,b\n1,2' }), { name: 'RadioError', code: 'measurements', field: 'measurements' });
});

test('bounds of a kilometre are covered by coarser pixels', { timeout: 120_000 }, async () => {
  const [lng, lat] = [24.9384, 60.1699];
  const bounds = { west: lng - 0.009, east: lng + 0.009, south: lat - 0.0044, north: lat + 0.0044 };
  const map = await engine.predict({ buildings, bounds, metersPerPixel: 2, transmitters: [PLACES[0]] });
  assert.deepEqual([map.size, map.metersPerPixel], [500, 2]);
  // The bounds are as asked; the buildings fill a part of them.
  const [open, ...others] = map.warnings.filter((warning) => warning.includes('bounds'));
  assert.match(open, /^all buildings stand within \d+ x \d+ m of a map of 1000 x 1000 m/);
  assert.deepEqual(others, []);
  for (const side of ['west', 'east', 'south', 'north']) assert.ok(Math.abs(map.bounds[side] - bounds[side]) < 1e-4);
  // The same place on a finer grid: away from walls the physics does not know of pixels.
  const fine = await engine.predict({ buildings, transmitters: [PLACES[0]] });
  const differences = [];
  for (let i = 0; i < 2000; i += 1) {
    const at = [fine.bounds.west + (((i * 37) % 256) + 0.5) / 256 * (fine.bounds.east - fine.bounds.west), fine.bounds.south + (((i * 101) % 256) + 0.5) / 256 * (fine.bounds.north - fine.bounds.south)];
    const [a, b] = [fine.at(...at), map.at(...at)];
    if (!Number.isNaN(a) && !Number.isNaN(b)) differences.push(Math.abs(a - b));
  }
  differences.sort((a, b) => a - b);
  assert.ok(differences.length > 1000 && differences[differences.length >> 1] < 1, `half of the pixels differ by more than ${differences[differences.length >> 1]} dB`);
  for (const [reversed, field] of [[{ ...bounds, south: bounds.north, north: bounds.south }, 'bounds.south'], [{ ...bounds, west: bounds.east, east: bounds.west }, 'bounds.west']]) {
    await assert.rejects(engine.predict({ buildings, bounds: reversed, metersPerPixel: 2, transmitters: [PLACES[0]] }), { code: 'bounds', field, message: /expected less than/ });
  }
  await assert.rejects(engine.predict({ buildings, bounds, metersPerPixel: 0.2, transmitters: [PLACES[0]] }), { name: 'RadioError', code: 'bounds', field: 'metersPerPixel' });
  await assert.rejects(engine.predict({ buildings, bounds, metersPerPixel: 2, method: 'network', transmitters: [PLACES[0]] }), { code: 'no-weights' });
});
