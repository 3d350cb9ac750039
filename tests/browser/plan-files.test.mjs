// What goes into a plan from files and what comes out of it: places that cannot be had, files opened one after the other, antennas,
// measurements, pictures, links.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { VILLAGE, drawn, drop, dropTable, launch, notice, open, saysSomethingNew, spot, tableOf } from './lib.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const plan = (page) => page.evaluate(() => window.radiodiff.plan);
const place = (page) => page.evaluate(() => document.getElementById('place').textContent);

/** Presses a format of the export menu; the files by their endings. */
async function saved(page, format, count = 1) {
  const files = {};
  const done = new Promise((resolve) => {
    page.on('download', async function take(download) {
      const chunks = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk);
      files[download.suggestedFilename().split('.').at(-1)] = Buffer.concat(chunks);
      if (Object.keys(files).length < count) return;
      page.off('download', take);
      resolve(files);
    });
  });
  await page.click('#export-menu summary');
  await page.click(`[data-format=${format}]`);
  return done;
}

/** Does something that draws a map, and waits for it. */
async function drawing(page, act) {
  await page.evaluate(() => { window.mapBefore = window.radiodiff.map; });
  await act();
  await page.waitForFunction(() => window.radiodiff.map !== window.mapBefore, undefined, { timeout: 60_000 });
  await drawn(page);
}

test('a picture, a KMZ and contours leave out what the page leaves out; values are whole', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await drawing(page, () => page.fill('#threshold', '-85'));
  await page.check('input[value=snr]', { force: true });
  const { png } = await saved(page, 'png', 2);
  const { kmz } = await saved(page, 'kmz');
  const { geojson } = await saved(page, 'contours');
  const { npy } = await saved(page, 'npy');
  const { hidden, walls, transparent, alike } = await page.evaluate(async (png) => {
    const { map, picture } = window.radiodiff;
    const context = new OffscreenCanvas(map.width, map.height).getContext('2d');
    context.drawImage(await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob()), 0, 0);
    const { data } = context.getImageData(0, 0, map.width, map.height);
    const screen = picture().map.toImage(picture().options).data;
    const clear = Array.from(map.values, (_, i) => data[4 * i + 3] === 0);
    return {
      hidden: [...map.values].map((power) => !(power >= -85)), walls: map.values.filter(Number.isNaN).length,
      transparent: clear, alike: clear.every((is, i) => is === (screen[4 * i + 3] === 0)),
    };
  }, png.toString('base64'));
  assert.ok(alike, 'the picture is not what the screen shows');
  assert.deepEqual(transparent, hidden);
  assert.ok(hidden.filter(Boolean).length > walls + 1000, 'the threshold hides nothing here');
  assert.ok(kmz.includes(png.subarray(8, 2000)), 'the KMZ has another picture');
  // The weakest level's area is the covered ground at most: the even-odd rule over all its rings.
  const { bounds, size } = await page.evaluate(() => ({ bounds: window.radiodiff.map.bounds, size: window.radiodiff.map.size }));
  const rings = JSON.parse(geojson).features[0].geometry.coordinates.flat();
  const isIn = (x, y) => rings.reduce((inside, ring) => ring.reduce((inside, [ax, ay], i) => {
    const [bx, by] = ring[(i + 1) % ring.length];
    return (ay > y) !== (by > y) && x < ((bx - ax) * (y - ay)) / (by - ay) + ax ? !inside : inside;
  }, inside), false);
  const inArea = hidden.filter((is, i) => is && i % 7 === 0 && isIn(bounds.west + ((i % size) + 0.5) / size * (bounds.east - bounds.west), bounds.north - (Math.floor(i / size) + 0.5) / size * (bounds.north - bounds.south))).length;
  assert.ok(inArea < 0.02 * hidden.filter((is, i) => is && i % 7 === 0).length, `${inArea} hidden places lie in the contours`);
  const values = new Float32Array(npy.buffer.slice(npy.byteOffset + npy.length - 4 * size * size, npy.byteOffset + npy.length));
  assert.equal(values.filter(Number.isNaN).length, walls, 'the array lacks values');
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('where the page\'s own places cannot be had it says so, and opens a file all the same', { timeout: 300_000 }, async () => {
  const page = await browser.newPage({ reducedMotion: 'reduce' });
  page.setDefaultTimeout(30_000);
  await page.route('**/scenes/**', (route) => route.fulfill({ status: 503 }));
  await page.goto(`${process.env.RADIODIFF_URL}?view=flat`);
  await page.waitForFunction(() => document.documentElement.dataset.state === 'error');
  assert.match(await notice(page), /places of this page cannot be loaded.*503.*open a file of your own by Import/);
  await drop(page, 'village.geojson', VILLAGE);
  await page.waitForFunction(() => window.radiodiff.map);
  await drawn(page);
  assert.equal(await place(page), 'village.geojson');
  await page.waitForFunction(() => document.documentElement.dataset.view === 'flat');
  assert.equal(await notice(page), '');
  await page.close();
});

test('what was opened last counts: neither what was opened before nor its error comes over it', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  let [answer, failed] = [];
  const asked = new Promise((resolve) => {
    page.route('**/scenes/helsinki-center.geojson', (route) => {
      answer = () => route.fulfill({ status: 503 });
      resolve();
    });
  });
  page.on('response', (response) => { failed ||= response.status() === 503; });
  await page.selectOption('#places', { index: 1 });
  await asked;
  await drawing(page, () => drop(page, 'village.geojson', VILLAGE));
  await answer();
  await page.waitForTimeout(300);
  assert.ok(failed, 'the place was answered');
  assert.equal(await place(page), 'village.geojson');
  assert.equal(await notice(page), '');

  // Two files at once: the first is no scene.
  await page.evaluate((village) => {
    const take = (name, text) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], name));
      document.getElementById('map').dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }));
    };
    take('broken.json', `{ "version": 1, ${' '.repeat(3e6)}`);
    take('second.geojson', village);
  }, VILLAGE);
  await page.waitForFunction(() => document.getElementById('place').textContent === 'second.geojson');
  await drawn(page);
  await page.waitForTimeout(300);
  assert.equal(await notice(page), '');
  assert.equal(await place(page), 'second.geojson');
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('buildings that are too many for a link are packed once, not after every change', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await page.evaluate(() => {
    window.packed = 0;
    const Original = window.CompressionStream;
    window.CompressionStream = class { constructor(format) { window.packed += 1; return new Original(format); } };
  });
  const shed = () => {
    const [lng, lat] = [9 + 3e-3 * Math.random(), 50 + 2e-3 * Math.random()];
    // Longer than a car.
    return [[[lng, lat], [lng + 2e-5, lat], [lng + 2e-5, lat + 7e-5], [lng, lat]]];
  };
  await drawing(page, () => drop(page, 'sheds.geojson', JSON.stringify({ type: 'MultiPolygon', coordinates: Array.from({ length: 4000 }, shed) })));
  await page.waitForFunction(() => document.getElementById('place').textContent === 'sheds.geojson' && window.packed > 0 && !location.hash);
  await page.evaluate(() => { window.packed = 0; });
  for (const power of ['30', '31', '32']) {
    await drawing(page, () => page.fill('#power', power));
    await page.waitForTimeout(600);
  }
  assert.equal(await page.evaluate(() => window.packed), 0);
  assert.equal(await page.evaluate(() => location.hash), '');
  await page.click('#share');
  await page.waitForFunction(() => /too long for one.*Export, Plan/.test(document.querySelector('[role=status]').innerText));
  await page.close();
});

test('an edit is drawn while sites are searched, and the search goes on', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  // A kilometre: a candidate takes longer, and there are as many.
  await page.selectOption('#areas', '2');
  await page.waitForFunction(() => window.radiodiff.map?.metersPerPixel === 2, undefined, { timeout: 60_000 });
  await drawn(page);
  await page.click('#sites summary');
  await page.click('#sites-find');
  await page.waitForFunction(() => document.getElementById('sites-progress').value > 0, undefined, { timeout: 60_000 });
  await drawing(page, () => page.fill('#power', '31'));
  assert.ok(await page.locator('#sites-progress').isVisible(), 'the map waited for the search');
  const before = await page.evaluate(() => document.getElementById('sites-progress').value);
  await page.waitForFunction((before) => document.getElementById('sites-progress').value > before, before, { timeout: 60_000 });
  await page.click('#sites-find');
  await page.waitForFunction(() => document.getElementById('sites-find').textContent === 'Suggest', undefined, { timeout: 5_000 });
  assert.deepEqual((await plan(page)).transmitters.map(({ powerDbm }) => powerDbm), [31]);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('an antenna\'s pattern is a file like the command line\'s, travels with the link, and a wrong one changes nothing', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const gains = (peak) => Array.from({ length: 36 }, (_, i) => `${10 * i},0,${peak - Math.min(20, 3 * Math.min(i, 36 - i))}`).join('\n');
  const omni = await page.evaluate(() => Array.from(window.radiodiff.map.values));
  await drawing(page, () => drop(page, 'panel.csv', `azimuth_deg,elevation_deg,gain_dbi\n${gains(12)}`));
  assert.equal(await page.inputValue('#antenna'), 'pattern');
  assert.match(await page.locator('#pattern-name').innerText(), /panel\.csv/);
  assert.ok(await page.locator('#gain').isHidden(), 'a pattern brings its own gain');
  const gained = () => page.evaluate((omni) => {
    const differences = [...window.radiodiff.map.values].map((value, i) => value - omni[i]).filter((value) => !Number.isNaN(value));
    return [Math.max(...differences), Math.min(...differences)];
  }, omni);
  const [most, least] = await gained();
  assert.ok(Math.abs(most - 12) < 0.2 && Math.abs(least + 8) < 0.2, `the pattern gains ${least} to ${most} dB`);

  const before = await plan(page);
  await drop(page, 'damaged.csv', 'azimuth_deg,elevation_deg,gain_dbi\n0,0,loud');
  assert.match(await saysSomethingNew(page, ''), /damaged\.csv cannot be used: .*line 2.*not a number/);
  assert.deepEqual(await plan(page), before);

  // By the field, as JSON in CloudRF's words.
  await drawing(page, () => page.setInputFiles('#pattern', { name: 'beam.json', mimeType: 'application/json', buffer: Buffer.from('{ "txg": 17, "azi": 200, "hbw": 33, "vbw": 10, "fbr": 30 }') }));
  assert.equal(await page.inputValue('#azimuth'), '200');
  assert.ok(Math.abs((await gained())[0] - 17) < 0.5, `${await gained()}`);
  await page.click('#undo');
  await drawn(page);
  await page.waitForFunction(() => location.hash);
  await page.waitForTimeout(600);
  const copy = await open(browser, { hash: new URL(page.url()).hash });
  assert.deepEqual(await plan(copy), await plan(page));
  assert.deepEqual(await copy.evaluate(() => window.radiodiff.map.transmitters[0].antennaGainDbi), 12);
  assert.deepEqual([...page.failures, ...copy.failures], []);
  await copy.close();
  await page.close();
});

test('measured places are dots with their residuals, and a link brings the calibration along', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await dropTable(page, 'drive.csv', await tableOf(page, 6));
  await page.click('#calibrate');
  await page.waitForFunction(() => window.radiodiff.calibration, undefined, { timeout: 200_000 });
  const { places } = await page.evaluate(() => { const { map, ...report } = window.radiodiff.calibration; return report; });
  assert.ok(places.length > 50 && places.filter(({ predictedDbm }) => predictedDbm != null).length > 0.9 * places.length);
  const [first] = places.filter(({ predictedDbm }) => predictedDbm != null);
  const at = (page) => page.evaluate(({ lng, lat }) => {
    const { x, y } = window.radiodiff.project({ lng, lat });
    const box = document.getElementById('map').getBoundingClientRect();
    return [box.left + x, box.top + y];
  }, first);
  await page.mouse.move(...await at(page));
  const residual = first.powerDbm - first.predictedDbm;
  const words = `measured ${first.powerDbm.toFixed(1)} dBm, ${residual > 0 ? '+' : ''}${residual.toFixed(1)} dB`;
  assert.ok((await page.locator('#readout').innerText()).includes(words), `${await page.locator('#readout').innerText()} lacks ${words}`);
  await page.uncheck('#dots');
  await page.mouse.move(...await spot(page, 0.5, 0.5));
  await page.mouse.move(...await at(page));
  assert.doesNotMatch(await page.locator('#readout').innerText(), /measured/);
  await page.check('#dots');

  await page.waitForTimeout(600);
  const copy = await open(browser, { hash: new URL(page.url()).hash });
  await copy.waitForFunction(() => window.radiodiff.calibration, undefined, { timeout: 200_000 });
  assert.equal(await copy.inputValue('#layer'), 'calibrated');
  const values = (page) => page.evaluate(() => Array.from(window.radiodiff.calibration.map.values, (value) => (Number.isNaN(value) ? null : value)));
  const [here, there] = [await values(page), await values(copy)];
  const differences = here.map((value, i) => (value === null ? Number(there[i] !== null) * 99 : Math.abs(value - there[i])));
  // A link rounds what was measured, and the fitted height moves by millimetres: where the law's loss over roofs jumps just there, a few
  // places lie on the other side of a jump of some decibels.
  const outdoors = here.filter((value) => value !== null).length;
  const off = differences.filter((difference) => difference >= 0.1);
  assert.ok(off.length < 1e-3 * outdoors && Math.max(...differences) < 6, `${off.length} places of the copy's map are up to ${Math.max(...off)} dB off`);
  // A link rounds places, so an error of 4.95 dB may be shown as 4.9 or 5.0.
  const [panelOfCopy, panelOfPage] = [await copy.locator('#calibration').innerText(), await page.locator('#calibration').innerText()];
  const numbers = (text) => text.match(/[\d.]+/g).map(Number);
  assert.equal(panelOfCopy.replace(/[\d.]+/g, ''), panelOfPage.replace(/[\d.]+/g, ''));
  assert.ok(numbers(panelOfCopy).every((value, i) => Math.abs(value - numbers(panelOfPage)[i]) < 0.11), `${panelOfCopy}, first ${panelOfPage}`);
  await copy.close();

  await page.click('#undo');
  assert.equal(await page.inputValue('#layer'), 'physical');
  assert.ok(await page.evaluate(() => window.radiodiff.calibration === undefined));
  await page.click('#redo');
  assert.ok(await page.evaluate(() => Boolean(window.radiodiff.calibration)), 'redo brings the fitted map back');
  assert.deepEqual(page.failures, []);
  await page.close();
});

/** Puts the page's calls of an engine's method into `window.asked`, each with `answer` and its signal, instead of doing the work. */
const answerByHand = (page, method) => page.evaluate((method) => {
  window.asked = [];
  window.radiodiff.engine[method] = ({ signal }) => new Promise((answer, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
    window.asked.push({ answer, signal });
  });
}, method);

test('a plan keeps an even selection of very many measured places and says so; the fit that is asked for last ends another', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await answerByHand(page, 'calibrate');
  const fitted = async (index, count) => {
    await page.waitForFunction((index) => window.asked[index], index);
    await page.evaluate(([index, count]) => {
      const { map } = window.radiodiff;
      const { west, south, east, north } = map.bounds;
      const places = Array.from({ length: count }, (_, i) => ({ lng: west + (i / count) * (east - west), lat: south + (i / count) * (north - south), powerDbm: -80, predictedDbm: -81 }));
      window.asked[index].answer({ map, places, readings: count, squares: count, errors: undefined, warnings: [] });
    }, [index, count]);
    await page.waitForFunction(() => document.getElementById('calibrate').textContent === 'Calibrate');
  };
  await dropTable(page, 'few.csv', 'lng,lat,rsrp_dbm\n');
  await page.click('#calibrate');
  await fitted(0, 5000);
  assert.equal(await notice(page), '');
  assert.match(await page.locator('#measurements-say').innerText(), /The plan holds 5000 measured places/);
  await dropTable(page, 'many.csv', 'lng,lat,rsrp_dbm\n');
  await page.click('#calibrate');
  await fitted(1, 5001);
  assert.match(await saysSomethingNew(page, ''), /The plan keeps 5000 of 5001 measured places/);
  assert.match(await page.locator('#measurements-say').innerText(), /The plan holds 5000 of 5001 measured places/);

  // Another fit to the open table runs while undo brings a plan that has to be fitted.
  await page.click('#calibrate');
  await page.waitForFunction(() => window.asked.length === 3);
  await page.click('#undo');
  await page.waitForFunction(() => window.asked.length === 4);
  const ended = () => page.evaluate(() => window.asked.slice(2).map(({ signal }) => signal.aborted));
  assert.deepEqual(await ended(), [true, false]);
  assert.equal(await page.locator('#calibrate').innerText(), 'Stop');
  await page.click('#calibrate');
  await page.waitForFunction(() => document.getElementById('calibrate').textContent === 'Calibrate');
  assert.deepEqual(await ended(), [true, true]);
  assert.equal((await plan(page)).measured.table, 'few.csv');
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('suggested sites are like the transmitter they were searched for, and their shares say of which plan they are', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await answerByHand(page, 'suggestSites');
  await page.click('#sites summary');
  const found = (index) => page.evaluate((index) => {
    const { west, south, east, north } = window.radiodiff.map.bounds;
    window.asked[index].answer({ sites: [{ lng: (west + east) / 2, lat: (south + north) / 2, coveredShare: 0.5 }], shareBefore: 0.25 });
  }, index);
  const edits = [() => {}, () => drawing(page, () => page.fill('#power', '31'))];
  for (const [index, edit] of edits.entries()) {
    const before = await notice(page);
    await page.click('#sites-find');
    await page.waitForFunction((index) => window.asked[index], index);
    await edit();
    await drawing(page, () => found(index));
    const words = await saysSomethingNew(page, before);
    assert.match(words, /1 site added: 25\.0 % covered before, 50\.0 % with it\./);
    assert.equal(/of the plan as it was when the search began/.test(words), index === 1, words);
  }
  assert.deepEqual((await plan(page)).transmitters.map(({ powerDbm }) => powerDbm), [23, 31, 23]);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a folder that is dropped cannot be read, and the page says so whatever its name', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  for (const name of ['city', 'city.csv', 'city.json']) {
    const before = await notice(page);
    // No script can drop a folder: a file stands for it that rejects whatever reads it, as a folder does.
    await page.evaluate((name) => {
      const reject = () => Promise.reject(new DOMException('it is a folder', 'NotReadableError'));
      const folder = Object.assign(new File([], name), { text: reject, arrayBuffer: reject, slice: () => ({ text: reject }) });
      const transfer = new DataTransfer();
      transfer.items.add(folder);
      document.getElementById('map').dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }));
    }, name);
    const words = await saysSomethingNew(page, before);
    assert.ok(words.startsWith(name) && words.includes('cannot be read: it is a folder'), words);
  }
  assert.deepEqual(page.failures, []);
  await page.close();
});
