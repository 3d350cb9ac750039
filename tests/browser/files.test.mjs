// Places and files: what is opened last is shown, and a file that cannot be used says why.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync, inflateRawSync } from 'node:zlib';

import { HEIGHTS, geotiff } from './heights.mjs';
import { drawn, drop, dropAll, dropTable, launch, notice, open, placeTransmitter, saysSomethingNew, spot, squaresBeforeTransmitter } from './lib.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** Two blocks far from any of the page's places. */
const VILLAGE = JSON.stringify({
  type: 'MultiPolygon',
  coordinates: [0, 0.0006].map((east) => [[[9, 50], [9.0004, 50], [9.0004, 50.0004], [9, 50.0004], [9, 50]].map(([lng, lat]) => [lng + east, lat])]),
});

test('a map that comes after another place was opened is not shown over it', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  // Answers wait until they are let go.
  await page.evaluate(() => {
    const { engine } = window.radiodiff;
    const predict = engine.predict.bind(engine);
    window.held = [];
    engine.predict = async (request) => {
      const answer = await predict(request);
      await new Promise((go) => window.held.push(go));
      return answer;
    };
  });
  const letGo = async () => {
    await page.waitForFunction(() => window.held.length, undefined, { timeout: 60_000 });
    await page.evaluate(() => window.held.shift()());
  };
  await page.mouse.click(...await spot(page, 0.3, 0.3));
  await page.waitForFunction(() => window.held.length, undefined, { timeout: 60_000 });
  await drop(page, 'village.geojson', VILLAGE);
  await page.waitForFunction(() => document.getElementById('place').innerText === 'village.geojson');
  await letGo();
  await page.waitForFunction(() => window.held.length, undefined, { timeout: 60_000 });
  assert.equal(await page.evaluate(() => window.radiodiff.map), undefined, 'the map of the place before is shown');
  while ((await page.evaluate(() => document.documentElement.dataset.state)) !== 'ready') {
    await letGo();
    await page.waitForFunction(() => window.held.length || document.documentElement.dataset.state === 'ready', undefined, { timeout: 60_000 });
  }
  assert.ok((await page.evaluate(() => window.radiodiff.map.bounds.west)) < 9);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test("a file takes the place's credit away, and the place can be chosen again", { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const shown = () => page.evaluate(() => ['place', 'credit'].map((id) => document.getElementById(id).innerText));
  const before = await shown();
  await drop(page, 'village.geojson', VILLAGE);
  await page.waitForFunction(() => document.getElementById('place').innerText === 'village.geojson');
  await drawn(page);
  assert.deepEqual(await shown(), ['village.geojson', 'from village.geojson']);
  assert.equal(await page.inputValue('#places'), '');
  await page.selectOption('#places', '0');
  // The menu names the place at once, before its buildings are there.
  await page.waitForFunction((credit) => document.getElementById('credit').innerText === credit, before[1]);
  await drawn(page);
  assert.deepEqual(await shown(), before);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a file whose polygons all have a car\'s size puts cars on the map, and undo takes them back', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const { squares: [car, house], place } = await squaresBeforeTransmitter(page, 3, 8);
  const power = () => page.evaluate(({ lng, lat }) => window.radiodiff.map.at(lng, lat), place);
  const title = await page.innerText('#place');
  const before = await power();
  const redrawn = async (act) => {
    await page.evaluate(() => { window.mapBefore = window.radiodiff.map; });
    await act();
    await page.waitForFunction(() => window.radiodiff.map && window.radiodiff.map !== window.mapBefore, undefined, { timeout: 60_000 });
    await drawn(page);
  };
  // A file may have any size.
  await redrawn(() => drop(page, 'parked.geojson', `{"type":"FeatureCollection","features":[${car}]}${' '.repeat(5 << 20)}`));
  assert.match(await notice(page), /1 parked car of parked\.geojson is on the map.*the less the higher an antenna stands/);
  assert.ok(before - await power() > 2, 'the map is as bright behind the car');
  assert.equal(await page.innerText('#place'), title);
  assert.match(await page.innerText('#cars'), /1 parked car of parked\.geojson/);
  // The link follows a moment later.
  const linkedText = () => {
    const { hash } = new URL(page.url());
    return hash && inflateRawSync(Buffer.from(hash.replace('#plan=', ''), 'base64url')).toString();
  };
  for (let tries = 0; !linkedText().includes('parked.geojson'); tries += 1) {
    assert.ok(tries < 300, linkedText());
    await page.waitForTimeout(100);
  }
  const linked = await open(browser, { hash: await page.evaluate(() => location.hash) });
  assert.equal(await linked.evaluate(() => window.radiodiff.plan.cars.outlines.length), 1);
  await linked.close();
  await redrawn(() => page.click('#undo'));
  assert.equal(await power(), before);
  assert.ok(await page.isHidden('#cars'));
  await redrawn(() => page.click('#redo'));
  await redrawn(() => page.click('#cars-remove'));
  assert.equal(await power(), before);

  const said = await notice(page);
  await drop(page, 'elsewhere.geojson', '{"type":"Polygon","coordinates":[[[9,50],[9.00002,50],[9.00002,50.00002],[9,50]]]}');
  assert.match(await saysSomethingNew(page, said), /elsewhere\.geojson has 1 parked car, none of them on this map/);
  // What is larger than a car is buildings.
  await drop(page, 'town.geojson', `{"type":"FeatureCollection","features":[${car},${house}]}`);
  await page.waitForFunction(() => document.getElementById('place').innerText === 'town.geojson');
  await drawn(page);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('of two places chosen quickly the last is shown, and one that cannot be had leaves the menu as it was', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const release = [];
  await page.route('**/scenes/*.geojson', async (route) => {
    await new Promise((go) => release.push(go));
    await route.continue();
  });
  const title = (index) => page.locator('#places option').nth(index).innerText();
  await page.selectOption('#places', '1');
  await page.selectOption('#places', '2');
  while (release.length < 2) await page.waitForTimeout(20);
  const [late, first] = [page.waitForResponse('**/helsinki*'), page.waitForResponse('**/paris*')];
  release[1]();
  await first;
  await page.waitForFunction((title) => document.getElementById('place').textContent === title, await title(2));
  await drawn(page);
  release[0]();
  await (await late).finished();
  await placeTransmitter(page, 0.3, 0.3);
  assert.equal(await page.locator('#place').textContent(), await title(2));
  assert.equal(await page.inputValue('#places'), '2');

  await page.unroute('**/scenes/*.geojson');
  await page.route('**/scenes/*.geojson', (route) => route.abort());
  const before = await notice(page);
  await page.selectOption('#places', '0');
  await saysSomethingNew(page, before);
  assert.equal(await page.inputValue('#places'), '2');
  assert.deepEqual(page.failures, []);
  await page.close();
});

/** A block of some 30 m at a place, as a feature. */
const block = (lng, lat) => ({
  type: 'Feature',
  properties: { building: 'yes' },
  geometry: { type: 'Polygon', coordinates: [[[0, 0], [4e-4, 0], [4e-4, 4e-4], [0, 4e-4], [0, 0]].map(([east, north]) => [lng + east, lat + north])] },
});
const BLOCKS = [block(9, 50), block(9.0006, 50)];
const collection = (features) => JSON.stringify({ type: 'FeatureCollection', features });

/** Blocks as OpenStreetMap's XML. */
function osm(blocks) {
  const rings = blocks.map(({ geometry }) => geometry.coordinates[0].slice(0, 4));
  const nodes = rings.flat().map(([lng, lat], i) => `<node id="${i + 1}" lon="${lng}" lat="${lat}"/>`);
  const ways = rings.map((_, way) => {
    const corners = [0, 1, 2, 3, 0].map((corner) => `<nd ref="${4 * way + corner + 1}"/>`);
    return `<way id="${way + 1}">${corners.join('')}<tag k="building" v="yes"/></way>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<osm version="0.6">${nodes.join('')}${ways.join('')}</osm>`;
}

test('a file of any format is read by its content, dropped on the page or handed to the API as bytes', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const indoors = () => page.evaluate(() => window.radiodiff.map.values.filter(Number.isNaN).length);
  const found = {};
  const formats = [
    ['plain.geojson', collection(BLOCKS)],
    ['marked.geojson', `\ufeff${collection(BLOCKS)}`],
    ['lines.geojsonl', BLOCKS.map((feature) => JSON.stringify(feature)).join('\n')],
    ['sequence.geojsons', BLOCKS.map((feature) => `\u001e${JSON.stringify(feature)}\n`).join('')],
    ['packed.geojson.gz', gzipSync(collection(BLOCKS))],
    ['village.osm', osm(BLOCKS)],
    ['village.osm.gz', gzipSync(osm(BLOCKS))],
  ];
  for (const [name, content] of formats) {
    await drop(page, name, content);
    await page.waitForFunction((name) => document.getElementById('place').innerText === name, name);
    await drawn(page);
    found[name] = await indoors();
  }
  assert.ok(found['plain.geojson'] > 1000, `${found['plain.geojson']} pixels are built`);
  assert.deepEqual(found, Object.fromEntries(formats.map(([name]) => [name, found['plain.geojson']])));

  const same = await page.evaluate(async ([text, packed]) => {
    const { engine } = window.radiodiff;
    const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
    const forms = [text, JSON.parse(text), bytes, bytes.buffer, new Blob([bytes]), new File([text], 'site.geojson')];
    const scenes = [];
    for (const buildings of forms) scenes.push(await engine.setScene({ buildings }));
    return scenes.map(({ mask, format }) => [format, mask.reduce((sum, inside) => sum + inside, 0)]);
  }, [collection(BLOCKS), gzipSync(collection(BLOCKS)).toString('base64')]);
  assert.deepEqual(same, Array(6).fill(['GeoJSON', found['plain.geojson']]));
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a raster of heights, here a BigTIFF, is opened as the footprints of its houses, and one in another system says what to do', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await drop(page, 'scan.tif', geotiff({ ...HEIGHTS, big: true }));
  await page.waitForFunction(() => document.getElementById('place').innerText === 'scan.tif');
  await drawn(page);
  const { heights, indoors } = await page.evaluate(async () => {
    const { features } = await window.radiodiff.engine.footprints();
    return { heights: features.map(({ properties }) => properties.height).sort(), indoors: window.radiodiff.map.values.filter(Number.isNaN).length };
  });
  assert.deepEqual(heights, [6, 9]);
  // Two houses of 25 x 30 pixels of a metre.
  assert.ok(Math.abs(indoors - 1500) < 30, `${indoors} pixels are indoors`);
  const before = await notice(page);
  await drop(page, 'gauss.tif', geotiff({ ...HEIGHTS, system: 31468, projected: true }));
  assert.match(await saysSomethingNew(page, before), /gauss\.tif.*EPSG:31468.*gdalwarp -t_srs EPSG:4326/);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a large file that begins with a shed and other things than polygons is read by the worker alone', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await page.evaluate(() => {
    const { parse } = JSON;
    window.longestParsed = 0;
    JSON.parse = (text, ...others) => {
      window.longestParsed = Math.max(window.longestParsed, text.length);
      return parse(text, ...others);
    };
  });
  const point = '{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[9,50]}}';
  const shed = JSON.stringify({ type: 'Polygon', coordinates: [[[9, 50], [9.00002, 50], [9.00002, 50.00003], [9, 50.00003], [9, 50]]] });
  await drop(page, 'town.geojson', `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":${shed}},${`${point},`.repeat(60_000)}${JSON.stringify(BLOCKS).slice(1, -1)}]}`);
  await page.waitForFunction(() => document.getElementById('place').innerText === 'town.geojson');
  await drawn(page);
  assert.ok(await page.evaluate(() => window.longestParsed) < 1 << 20, 'the page parses the whole file');
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('of two villages the larger is shown, and the page lets one choose the other', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await drop(page, 'villages.geojson', collection([...BLOCKS, block(9.2, 50.1)]));
  await page.waitForFunction(() => document.getElementById('place').innerText === 'villages.geojson');
  await drawn(page);
  assert.match(await notice(page), /2 groups.*the largest.*leaves out 1 building/);
  const middle = () => page.evaluate(() => {
    const { west, south, east, north } = window.radiodiff.map.bounds;
    return [(west + east) / 2, (south + north) / 2].map((degrees) => degrees.toFixed(3));
  });
  assert.deepEqual(await middle(), ['9.001', '50.000']);
  assert.deepEqual(await page.locator('#clusters option').allInnerTexts(), ['2 buildings around 50.0002, 9.0005', '1 building around 50.1002, 9.2002']);
  await page.selectOption('#clusters', '1');
  await page.waitForFunction(() => window.radiodiff.map?.bounds.west > 9.1);
  await drawn(page);
  assert.deepEqual(await middle(), ['9.200', '50.100']);
  await page.selectOption('#clusters', '0');
  await page.waitForFunction(() => window.radiodiff.map?.bounds.west < 9.1);
  assert.equal(await page.inputValue('#clusters'), '0');
  await page.selectOption('#places', '0');
  await page.waitForFunction(() => document.getElementById('place').innerText !== 'villages.geojson');
  await page.locator('#clusters-row').waitFor({ state: 'hidden' });
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('what is left out of a file is listed on the page', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const odd = [{ ...block(9.0012, 50), geometry: null }, { ...block(9.0012, 50), properties: { building: 'yes', location: 'underground', name: 'Garage' } }];
  await drop(page, 'odd.geojson', collection([...BLOCKS, ...odd]));
  await page.waitForFunction(() => document.getElementById('place').innerText === 'odd.geojson');
  await drawn(page);
  assert.equal(await page.locator('#report summary').innerText(), '3 remarks on the buildings');
  await page.locator('#report summary').click();
  assert.match((await page.locator('#report li').allInnerTexts()).join('\n'), /feature 2 has no geometry.*\n.*Garage.*underground/);
  assert.match((await page.locator('#report li').allInnerTexts()).join('\n'), /height/);
  assert.deepEqual(page.failures, []);
  await page.close();
});

const polygon = (ring) => JSON.stringify({ type: 'Feature', properties: { name: 'Rathaus' }, geometry: { type: 'Polygon', coordinates: [ring] } });

for (const [what, text, words] of [
  ['cut off in the middle', '{"type": "FeatureCollection", "features": [', /buildings\.geojson.*cannot be read.*line 1/],
  ['empty', '{"type": "FeatureCollection", "features": []}', /buildings\.geojson.*no usable building/],
  ['self-crossing', polygon([[24.94, 60.17], [24.941, 60.171], [24.941, 60.17], [24.94, 60.171], [24.94, 60.17]]), /Rathaus.*crosses.*itself/],
  ['with NaN', '{"type": "Polygon", "coordinates": [[[NaN, 60.17], [24.941, 60.17], [24.941, 60.171], [NaN, 60.17]]]}', /buildings\.geojson.*cannot be read/],
  ['off the globe', polygon([[500, 100], [501, 100], [501, 101], [500, 100]]), /Rathaus.*point 0 \(500, 100\)/],
]) {
  test(`a GeoJSON file that is ${what} gives a notice that says where, and the page goes on`, { timeout: 300_000 }, async () => {
    const page = await open(browser);
    const before = await notice(page);
    await drop(page, 'buildings.geojson', text);
    assert.match(await saysSomethingNew(page, before), words);
    await drawn(page);
    await placeTransmitter(page, 0.7, 0.3);
    assert.deepEqual(page.failures, []);
    await page.close();
  });
}

test('a file that was mended and is chosen again opens, and its old error goes', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const before = await notice(page);
  const choose = (text) => page.setInputFiles('#file', { name: 'site.geojson', mimeType: 'application/geo+json', buffer: Buffer.from(text) });
  await choose(VILLAGE.slice(0, -10));
  assert.match(await saysSomethingNew(page, before), /site\.geojson.*cannot be read/);
  // A browser fires no change event for a file whose name the field still holds.
  assert.equal(await page.inputValue('#file'), '');
  await choose(VILLAGE);
  await page.waitForFunction(() => document.getElementById('place').innerText === 'site.geojson');
  await drawn(page);
  assert.doesNotMatch(await notice(page), /cannot be read/);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('files that are dropped together are opened in an order that makes sense, and the page names those that it does not open', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const car = { type: 'Polygon', coordinates: [[[9.0005, 50.0005], [9.00052, 50.0005], [9.00052, 50.00053], [9.0005, 50.00053], [9.0005, 50.0005]]] };
  await dropAll(page, [
    ['drive.csv', 'lng,lat,rsrp_dbm\n9.0005,50.0002,-80\n'],
    ['sites.csv', 'name,lng,lat\nMast,9.0005,50.0002\n'],
    ['cars.geojson', JSON.stringify(car)],
    ['village.geojson', VILLAGE],
    ['other.geojson', collection([block(9.2, 50.1)])],
  ]);
  await page.waitForFunction(() => /drive\.csv/.test(document.getElementById('measurements-say').innerText));
  await drawn(page);
  assert.equal(await page.innerText('#place'), 'village.geojson');
  const { transmitters, cars } = await page.evaluate(() => window.radiodiff.plan);
  assert.deepEqual([transmitters.map(({ name }) => name), cars?.outlines.length], [['Site 1', 'Mast'], 1]);
  assert.match(await notice(page), /other\.geojson was not opened: a file of buildings or a plan is opened one at a time/);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a list of sites becomes transmitters as one step, and lines that cannot be used are named', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const { west, east, south, north } = await page.evaluate(() => window.radiodiff.map.bounds);
  const at = (x, y) => [west + x * (east - west), south + y * (north - south)];
  const plan = () => page.evaluate(() => window.radiodiff.plan.transmitters);
  const [[lngA, latA], [lngB, latB]] = [at(0.3, 0.7), at(3, 0.5)];
  await page.fill('#frequency', '3500');
  const before = await notice(page);
  await drop(page, 'network.csv', [
    '\ufeffLatitude,dbm,name,longitude,height_m,owner',
    `${latA},30,"Mast, north",${lngA},25,City`,
    `${latB},,Far,${lngB},,City`,
    `91,30,Pole,${lngA},,`,
    `${latA},loud,,,9,`,
  ].join('\n'));
  const words = await saysSomethingNew(page, before);
  assert.match(words, /2 sites of network\.csv added; what the list leaves out is as Site 1 has it\. 1 of them stands off this map and is left out of it\. Undo takes them away/);
  assert.match(words, /line 4 \(Pole\): the latitude is “91”, expected -85 to 85; line 5: it has no longitude, the power in dBm is “loud”/);
  await drawn(page);
  const found = (await plan()).slice(1).map(({ name, heightM, powerDbm, frequencyMHz }) => [name, heightM, powerDbm, frequencyMHz]);
  assert.deepEqual(found, [['Mast, north', 25, 30, 3500], ['Far', 1.5, 23, 3500]]);
  assert.equal(await page.evaluate(() => window.radiodiff.map.transmitters.length), 2);
  assert.equal((await plan())[2].lng, lngB);
  await page.click('#undo');
  assert.equal((await plan()).length, 1);

  // As spreadsheets of other languages write it, and more of them than a plan holds.
  const said = await notice(page);
  const comma = (value) => String(value).replace('.', ',');
  await drop(page, 'viele.csv', `name;lng;lat;power_dbm\n${Array.from({ length: 40 }, (_, i) => `Mast ${i};${comma(lngA)};${comma(latA)};33,5`).join('\n')}`);
  assert.match(await saysSomethingNew(page, said), /31 sites of viele\.csv added.* 9 sites more cannot be added: a plan holds 32 transmitters/);
  assert.equal((await plan())[31].powerDbm, 33.5);
  // A power without a name was measured.
  await dropTable(page, 'drive.csv', `lng,lat,dbm\n${lngA},${latA},-80`);
  assert.deepEqual(page.failures, []);
  await page.close();
});
