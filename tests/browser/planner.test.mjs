// The planner on MapLibre: several transmitters, layers, undo, links, and the map where it belongs. Tests that need no MapLibre open
// the flat view, which a software GPU draws faster.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { block, dragMarker, drawn, drop, dropTable, launch, notice, open, saysSomethingNew, spot, tableOf } from './lib.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const MAPLIBRE = { query: { view: 'maplibre' } };
const plan = (page) => page.evaluate(() => window.radiodiff.plan);
const names = async (page) => (await plan(page)).transmitters.map(({ name }) => name);
const view = (page) => page.evaluate(() => document.documentElement.dataset.view);

/** Does something that draws a map, and waits for it. */
async function drawing(page, act) {
  await page.evaluate(() => { window.mapBefore = window.radiodiff.map; });
  await act();
  await page.waitForFunction(() => window.radiodiff.map !== window.mapBefore, undefined, { timeout: 60_000 });
  await drawn(page);
}

/** Red, green and blue of the screenshot's pixel at each point of the page. */
async function screenColors(page, points) {
  const picture = (await page.screenshot()).toString('base64');
  return page.evaluate(async ([picture, points]) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${picture}`)).blob());
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    context.drawImage(image, 0, 0);
    return points.map(([x, y]) => [...context.getImageData(Math.round(x), Math.round(y), 1, 1).data].slice(0, 3));
  }, [picture, points]);
}

test('MapLibre takes over after the first map, with the radio map on its ground and the buildings that the engine counts', { timeout: 300_000 }, async () => {
  const page = await open(browser, MAPLIBRE);
  assert.equal(await view(page), 'maplibre');
  const order = await page.evaluate(() => {
    const loaded = (name) => performance.getEntriesByType('resource').find((entry) => entry.name.endsWith(name))?.startTime;
    return [loaded('radiodiff-web_bg.wasm'), loaded('maplibre-gl.mjs')];
  });
  assert.ok(order[0] < order[1], `MapLibre came before the module: ${order}`);

  // Seen from above, as at first, opaque, in the north-west and the south-east: the colour of the map's own pixel.
  assert.equal(await page.getAttribute('#tilt', 'aria-pressed'), 'false');
  await page.fill('#opacity', '1');
  await page.evaluate(() => { document.querySelector('.legend').style.visibility = 'hidden'; });
  await page.waitForFunction(() => window.radiodiff.camera().idle());
  const pixels = await page.evaluate(() => {
    const { map, options } = window.radiodiff.picture();
    const { data, width } = map.toImage(options);
    const alike = (i) => [-2, -1, 1, 2, -2 * width, -width, width, 2 * width].every((away) => [0, 1, 2, 3].every((channel) => Math.abs(data[4 * (i + away) + channel] - data[4 * i + channel]) < 12));
    const found = [];
    for (let i = 5 * width; i < (width - 5) * width && found.length < 400; i += 97) {
      if (data[4 * i + 3] && alike(i)) found.push({ at: [((i % width) + 0.5) / width, (Math.floor(i / width) + 0.5) / width], color: [...data.slice(4 * i, 4 * i + 3)] });
    }
    return found;
  });
  const points = await Promise.all(pixels.map(({ at }) => spot(page, ...at)));
  const covered = await page.evaluate((points) => points.map(([x, y]) => document.elementFromPoint(x, y)?.tagName !== 'CANVAS'), points);
  const seen = await screenColors(page, points);
  const judged = pixels.flatMap(({ color }, i) => (covered[i] ? [] : [Math.max(...color.map((value, channel) => Math.abs(value - seen[i][channel])))]));
  assert.ok(judged.length > 100, `${judged.length} pixels were compared`);
  const wrong = judged.filter((difference) => difference > 24).length;
  assert.ok(wrong <= 0.02 * judged.length, `${wrong} of ${judged.length} pixels have another colour`);

  const { heights, indoors } = await page.evaluate(async () => {
    const { features } = await window.radiodiff.engine.footprints();
    const [lng, lat] = features[0].geometry.coordinates[0][0];
    const { west, south, east, north } = window.radiodiff.map.bounds;
    return { heights: features.map(({ properties }) => properties.height), indoors: lng > west - 0.01 && lng < east + 0.01 && lat > south - 0.01 && lat < north + 0.01 };
  });
  assert.ok(heights.length > 50 && indoors, `${heights.length} footprints`);
  assert.ok(heights.includes(7.3) && heights.every((height) => height > 0), 'the footprints have not the file\'s heights');
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('where there is no WebGL the map stays flat, the page says so, and planning goes on', { timeout: 300_000 }, async () => {
  const page = await browser.newPage();
  await page.addInitScript(() => {
    const get = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...rest) { return kind.startsWith('webgl') ? null : get.call(this, kind, ...rest); };
  });
  await page.goto(process.env.RADIODIFF_URL);
  await drawn(page);
  await page.waitForFunction(() => document.documentElement.dataset.view === 'flat', undefined, { timeout: 60_000 });
  assert.match(await notice(page), /flat.*WebGL/);
  await drawing(page, () => page.click('#add'));
  assert.deepEqual(await names(page), ['Site 1', 'Site 2']);
  await page.close();
});

test('transmitters are added, copied, switched off and removed, and each step can be undone and done again', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const one = await page.evaluate(() => window.radiodiff.map.stats({ thresholdDbm: -90 }).share);
  await drawing(page, () => page.click('#add'));
  await drawing(page, () => page.fill('#power', '30'));
  await page.fill('#name', 'Roof');
  await drawing(page, () => page.click('[aria-label="Duplicate Roof"]'));
  assert.deepEqual((await plan(page)).transmitters.map(({ name, powerDbm }) => [name, powerDbm]), [['Site 1', 23], ['Roof', 30], ['Site 2', 30]]);
  assert.equal(await page.locator('.marker').count(), 3);
  assert.ok((await page.evaluate(() => window.radiodiff.map.stats({ thresholdDbm: -90 }).share)) > one);
  await drawing(page, () => page.click('[aria-label="Switch Site 1 off"]'));
  assert.equal(await page.evaluate(() => window.radiodiff.map.transmitters.length), 2);
  await drawing(page, () => page.click('[aria-label="Remove Roof"]'));
  assert.deepEqual(await names(page), ['Site 1', 'Site 2']);
  for (const expected of [3, 3, 2, 2, 2, 1]) {
    await page.keyboard.press('Control+z');
    assert.equal((await plan(page)).transmitters.length, expected);
  }
  assert.ok(await page.locator('#undo').isDisabled());
  for (let step = 0; step < 6; step += 1) await page.click('#redo');
  assert.deepEqual(await names(page), ['Site 1', 'Site 2']);
  await drawn(page);
  await page.focus('.marker >> nth=0');
  await page.keyboard.press('Delete');
  assert.deepEqual(await names(page), ['Site 2']);
  await page.click('[aria-label="Remove Site 2"]');
  await page.waitForFunction(() => window.radiodiff.map === undefined);
  assert.match(await page.locator('#hint').innerText(), /Add a transmitter/);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('each layer shows what the engine says of it, and a drag or a run of key presses is one step back', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await drawing(page, () => page.click('#add'));
  const start = (await plan(page)).transmitters;
  for (const [quantity, layer, unit] of [['loss', 'path-loss', 'dB'], ['snr', 'snr', 'dB'], ['sinr', 'sinr', 'dB'], ['server', 'best-server', '']]) {
    await page.check(`input[value=${quantity}]`, { force: true });
    const { same, title } = await page.evaluate((layer) => {
      const { map, picture } = window.radiodiff;
      const [shown, values] = [picture().map.values, map.layers[layer]];
      const same = shown.every((value, i) => Number.isNaN(value) || value === values[i]) && shown.some((value) => !Number.isNaN(value));
      return { same, title: document.getElementById('legend-title').textContent };
    }, layer);
    assert.ok(same, `${quantity} shows other values`);
    const ticks = (await page.locator('#cdf text:not([text-anchor=end])').allTextContents()).slice(0, -1).map(Number);
    const steps = new Set(ticks.slice(1).map((tick, i) => tick - ticks[i]));
    assert.ok(ticks.length > 2 && steps.size === 1 && [1, 2, 5, 10, 20, 50].includes([...steps][0]) && ticks[0] % [...steps][0] === 0, `${quantity}: ${ticks}`);
    assert.ok(title.endsWith(unit), title);
  }
  assert.deepEqual(await page.locator('#servers li').allInnerTexts(), ['Site 1', 'Site 2']);
  assert.equal(await page.locator('#shares li').count(), 2);
  const places = [[0.25, 0.4], [0.4, 0.55]];
  const said = [];
  for (const place of places) {
    await page.mouse.move(...await spot(page, ...place));
    said.push(await page.locator('#readout').innerText());
  }
  assert.ok(said.some((text) => /Site [12], \d+ m away/.test(text)), said.join('; '));

  await dragMarker(page, 0.3, 0.3);
  await page.mouse.up();
  await drawn(page);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await drawn(page);
  assert.notDeepEqual((await plan(page)).transmitters[0], start[0]);
  await page.click('#undo');
  await page.click('#undo');
  const { lng, lat } = (await plan(page)).transmitters[0];
  assert.ok(Math.abs(lng - start[0].lng) < 1e-7 && Math.abs(lat - start[0].lat) < 1e-7, 'two steps do not lead back');

  // With no transmitter chosen, a click reads the map, which is how a phone does.
  await drawn(page);
  await page.keyboard.press('Escape');
  const still = await plan(page);
  await page.mouse.click(...await spot(page, 0.25, 0.4));
  assert.deepEqual(await plan(page), still);
  assert.ok(await page.locator('#readout').isVisible());
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a link holds the whole plan, also of a file of buildings, and a damaged one is told', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await drawing(page, () => page.click('#add'));
  await drawing(page, () => page.fill('#heightM', '12'));
  await page.fill('#name', 'Été & <b>');
  await page.check('input[value=sinr]', { force: true });
  const linked = async () => {
    const before = page.url();
    await page.waitForTimeout(600);
    await page.waitForFunction((before) => location.href !== before || location.hash, before);
    return { hash: new URL(page.url()).hash, plan: await plan(page) };
  };
  const first = await linked();
  const copy = await open(browser, { hash: first.hash });
  assert.deepEqual(await plan(copy), first.plan);
  assert.ok(await copy.isChecked('input[value=sinr]'));
  assert.equal(await copy.locator('.marker b').count(), 2);
  await copy.close();

  await drop(page, 'village.geojson', JSON.stringify({ type: 'MultiPolygon', coordinates: [block(9), block(9.0006)] }));
  await page.waitForFunction(() => document.getElementById('place').innerText === 'village.geojson');
  await drawn(page);
  const second = await linked();
  const village = await open(browser, { hash: second.hash });
  assert.equal(await village.locator('#place').innerText(), 'village.geojson');
  assert.deepEqual((await plan(village)).transmitters, second.plan.transmitters);
  const indoors = (page) => page.evaluate(() => window.radiodiff.map.values.filter(Number.isNaN).length);
  assert.equal(await indoors(village), await indoors(page));
  assert.deepEqual([...page.failures, ...village.failures], []);
  await village.close();
  await page.close();

  const damaged = await open(browser, { hash: `${first.hash.slice(0, -20)}` });
  assert.match(await notice(damaged), /link is damaged.*copy the whole link/);
  assert.deepEqual(await names(damaged), ['Site 1']);
  await damaged.close();
});

test('a plan that was saved opens again, and one that cannot be used says why', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const saved = { version: 1, scene: { place: 'helsinki-center.geojson' }, transmitters: [{ lng: 24.9477, lat: 60.1661, name: 'Mast', heightM: 900, powerDbm: 'much' }] };
  await drop(page, 'plan.json', JSON.stringify(saved));
  await page.waitForFunction(() => /Helsinki/.test(document.getElementById('place').textContent));
  await drawn(page);
  const [{ name, heightM, powerDbm }] = (await plan(page)).transmitters;
  // What is out of range comes into it, what is no number has its default.
  assert.deepEqual([name, heightM, powerDbm], ['Mast', 200, 23]);
  for (const [wrong, words] of [
    [{ ...saved, version: 7 }, /version 7.*reads version 1/],
    [{ ...saved, transmitters: [{ lng: 'here' }] }, /transmitter 1 has no longitude/],
    [{ ...saved, scene: { place: 'atlantis.geojson' } }, /no place atlantis/],
  ]) {
    const before = await notice(page);
    await drop(page, 'plan.json', JSON.stringify(wrong));
    assert.match(await saysSomethingNew(page, before), words);
  }
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('buildings come from an Overpass server when they are asked for, and only then', { timeout: 300_000 }, async () => {
  // A stand-in for the server, which needs no network.
  const page = await browser.newPage({ reducedMotion: 'reduce' });
  page.setDefaultTimeout(30_000);
  const [asked, others] = [[], []];
  let answer = { status: 429 };
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== new URL(process.env.RADIODIFF_URL).origin) others.push(request.url());
  });
  await page.route('http://127.0.0.1:9/**', (route) => {
    asked.push(new URLSearchParams(route.request().postData()).get('data'));
    route.fulfill({ headers: { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' }, ...answer });
  });
  await page.addInitScript(() => localStorage.setItem('radiodiff-planner', JSON.stringify({ view: 'flat', overpass: 'http://127.0.0.1:9/api' })));
  await page.goto(process.env.RADIODIFF_URL);
  await drawn(page);
  await page.click('#import-open');
  await page.locator('#import summary').click();
  assert.match(await page.locator('#overpass-says').innerText(), /Asks 127\.0\.0\.1:9 .*Settings/);
  assert.deepEqual([asked, others], [[], []], 'something was fetched before it was asked for');
  await page.fill('#overpass-lat', '50.0002');
  await page.fill('#overpass-lng', '9.0004');
  const says = async (words) => {
    await page.click('#overpass-ask');
    await page.waitForFunction((words) => new RegExp(words).test(document.getElementById('overpass-says').innerText), words);
  };
  await says('busy \\(429\\): try again');
  answer = { body: '<html>hello</html>' };
  await says('something else than OpenStreetMap data: check its address');
  answer = { body: '<osm version="0.6"></osm>' };
  await says('no buildings in OpenStreetMap there: choose another place');

  const nodes = [[9, 50], [9.0004, 50], [9.0004, 50.0004], [9, 50.0004]].map(([lon, lat], i) => `<node id="${i + 1}" lon="${lon}" lat="${lat}"/>`);
  const way = `<way id="1">${[1, 2, 3, 4, 1].map((node) => `<nd ref="${node}"/>`).join('')}<tag k="building" v="yes"/><tag k="height" v="9"/></way>`;
  answer = { body: `<?xml version="1.0"?><osm version="0.6">${nodes.join('')}${way}</osm>` };
  await page.click('#overpass-ask');
  await page.waitForFunction(() => /^Buildings around 50\.0002, 9\.0004/.test(document.getElementById('place').innerText));
  await drawn(page);
  const box = /way\["building"\]\(([\d.,-]+)\)/.exec(asked.at(-1))[1].split(',').map(Number);
  assert.ok(box[0] < 49.9992 && box[0] > 49.998 && box[2] > 50.0012 && box[1] < 8.9988 && box[3] > 9.002, `the square is ${box}`);
  assert.match(await page.locator('#credit').innerText(), /OpenStreetMap contributors/);
  assert.ok((await page.evaluate(() => window.radiodiff.map.values.filter(Number.isNaN).length)) > 1000);
  await page.close();
});

test('a map underneath is fetched from where the settings say, and one that cannot be had leaves the page its own', { timeout: 300_000 }, async () => {
  const page = await browser.newPage({ reducedMotion: 'reduce' });
  page.setDefaultTimeout(30_000);
  let [status, asked] = [404, []];
  await page.route('http://127.0.0.1:9/**', (route) => {
    asked.push(new URL(route.request().url()).pathname);
    const style = { version: 8, sources: {}, layers: [{ id: 'sea', type: 'background', paint: { 'background-color': '#00ff00' } }] };
    route.fulfill({ status, json: style, headers: { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' } });
  });
  await page.goto(process.env.RADIODIFF_URL);
  await drawn(page);
  await page.waitForFunction(() => document.documentElement.dataset.view === 'maplibre');
  const shows = async (background) => {
    await page.click('#settings-open');
    await page.fill('#background', background);
    await page.press('#background', 'Tab');
    await page.click('#settings form button');
  };
  const ground = async () => {
    await page.waitForFunction(() => window.radiodiff.camera().idle());
    const { x, y } = await page.locator('#gl').boundingBox();
    return (await screenColors(page, [[x + 4, y + 4]]))[0];
  };
  await shows('http://127.0.0.1:9/style.json');
  await page.waitForFunction(() => /style\.json answers 404.*check its address/.test(document.querySelector('[role=status]').innerText));
  assert.ok((await ground()).every((value) => value > 200), 'the page\'s own ground is gone');
  status = 200;
  await shows('http://127.0.0.1:9/sea.json');
  const green = ([r, g, b]) => r < 60 && g > 200 && b < 60;
  for (let tries = 0; tries < 50 && !green(await ground()); tries += 1) await page.waitForTimeout(100);
  assert.ok(green(await ground()), `the ground is ${await ground()}`);
  await shows('http://127.0.0.1:9/{z}/{x}/{y}.png');
  await page.waitForFunction(() => /cannot be loaded/.test(document.querySelector('[role=status]').innerText));
  assert.ok(asked.some((path) => /^\/\d+\/\d+\/\d+\.png$/.test(path)), asked.join(' '));
  await page.close();
});

test('the shown layer is saved in every format of the menu, and a plan that was saved opens as it was', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const saved = async (format, count = 1) => {
    const files = [];
    const done = new Promise((resolve) => {
      page.on('download', async function take(download) {
        const chunks = [];
        for await (const chunk of await download.createReadStream()) chunks.push(chunk);
        files.push([download.suggestedFilename(), Buffer.concat(chunks)]);
        if (files.length < count) return;
        page.off('download', take);
        resolve(files);
      });
    });
    await page.click('#export-menu summary');
    await page.click(`[data-format=${format}]`);
    return done;
  };
  await page.check('input[value=snr]', { force: true });
  await drawn(page);
  const begins = { tif: 'II*\0', kmz: 'PK', csv: 'lng,lat,', npy: '\x93NUMPY' };
  for (const [format, magic] of Object.entries(begins)) {
    const [[name, bytes]] = await saved(format);
    assert.equal(name, `old-town-munich-snr.${format}`);
    assert.equal(bytes.subarray(0, magic.length).toString('latin1'), magic);
  }
  const image = await saved('png', 2);
  assert.deepEqual(image.map(([name]) => name).sort(), ['old-town-munich-snr.pgw', 'old-town-munich-snr.png']);
  const [[, contours]] = await saved('contours');
  const { features } = JSON.parse(contours);
  assert.deepEqual(features.map(({ properties }) => properties.level), [-10, 0, 10, 20, 30, 40, 50]);

  await drawing(page, () => page.click('#add'));
  const [[name, file]] = await saved('plan');
  const before = await plan(page);
  const other = await open(browser);
  await drop(other, name, file);
  await other.waitForFunction(() => window.radiodiff.plan.transmitters.length === 2);
  await drawn(other);
  assert.deepEqual(await plan(other), before);
  assert.deepEqual([...page.failures, ...other.failures], []);
  await other.close();
  await page.close();
});

test('sites are suggested as one step, and a larger map keeps the plan', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const covered = () => page.evaluate(() => window.radiodiff.map.stats({ thresholdDbm: window.radiodiff.plan.thresholdDbm }).share);
  await drawing(page, () => page.fill('#threshold', '-85'));
  const before = await covered();
  await page.click('#sites summary');
  await page.fill('#sites-count', '2');
  await page.click('#sites-find');
  await page.waitForFunction(() => window.radiodiff.plan.transmitters.length === 3, undefined, { timeout: 200_000 });
  await drawn(page);
  await page.waitForFunction(() => window.radiodiff.map.transmitters.length === 3);
  const after = await covered();
  assert.ok(after > before + 0.1, `${before} is covered, with the sites ${after}`);
  assert.match(await notice(page), new RegExp(`2 sites added: ${(100 * before).toFixed(1)} % .* ${(100 * after).toFixed(1)} %`));
  await page.click('#undo');
  assert.deepEqual(await names(page), ['Site 1']);
  await page.click('#redo');

  const { transmitters } = await plan(page);
  await page.selectOption('#areas', '2');
  await page.waitForFunction(() => window.radiodiff.map?.metersPerPixel === 2, undefined, { timeout: 60_000 });
  await drawn(page);
  const { size, bounds } = await page.evaluate(() => ({ size: window.radiodiff.map.size, bounds: window.radiodiff.map.bounds }));
  assert.equal(size, 512);
  assert.ok(bounds.east - bounds.west > 0.0137 && bounds.east - bounds.west < 0.0139, JSON.stringify(bounds));
  // On wider pixels another place may be the nearest outdoors.
  const moved = (await plan(page)).transmitters.map(({ name, lng, lat }, i) => [name, Math.max(Math.abs(lng - transmitters[i].lng), Math.abs(lat - transmitters[i].lat))]);
  assert.deepEqual(moved.map(([name]) => name), transmitters.map(({ name }) => name));
  assert.ok(moved.every(([, degrees]) => degrees < 5e-5), JSON.stringify(moved));
  await page.selectOption('#layer', 'mean');
  await page.waitForFunction(() => window.radiodiff.forecast?.metersPerPixel === 2, undefined, { timeout: 60_000 });
  assert.equal(await page.evaluate(() => window.radiodiff.forecast.size), 512);
  await page.selectOption('#areas', '4');
  await page.waitForFunction(() => window.radiodiff.map?.metersPerPixel === 8, undefined, { timeout: 60_000 });
  await drawn(page);
  assert.ok(await page.locator('#layer option[value=mean]').isDisabled(), 'the networks know no pixels of 8 m');
  assert.equal(await page.locator('#layer').inputValue(), 'physical');
  assert.match(await notice(page), /“How sure” does not draw maps of this size: the physical map is shown/);
  await drawing(page, () => page.selectOption('#areas', '0'));
  assert.equal(await page.locator('#layer').inputValue(), 'mean');
  assert.doesNotMatch(await notice(page), /“How sure” does not/);
  // What was chosen meanwhile stays.
  await drawing(page, () => page.selectOption('#areas', '4'));
  await page.selectOption('#layer', 'traced');
  await drawing(page, () => page.selectOption('#areas', '0'));
  assert.equal(await page.locator('#layer').inputValue(), 'traced');
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a table of measured power fits the map to it, and says how well', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await dropTable(page, 'drive.csv', await tableOf(page, 6));
  assert.match(await page.locator('#measurements-say').innerText(), /drive\.csv: fits the map of Site 1/);
  await page.click('#calibrate');
  await page.waitForFunction(() => window.radiodiff.calibration, undefined, { timeout: 200_000 });
  assert.equal(await page.inputValue('#layer'), 'calibrated');
  const off = await page.evaluate(() => {
    const { map, calibration } = window.radiodiff;
    const differences = [...map.values].flatMap((value, i) => (Number.isNaN(value) ? [] : [calibration.map.values[i] - value]));
    return differences.sort((a, b) => a - b)[Math.floor(differences.length / 2)];
  });
  assert.ok(Math.abs(off - 6) < 1, `the calibrated map is ${off} dB above the other`);
  assert.match(await page.locator('#calibration').innerText(), /Readings on the map/);
  await page.selectOption('#layer', 'spread');
  assert.match(await page.locator('#legend-title').innerText(), /Standard deviation/);
  await page.mouse.move(...await spot(page, 0.3, 0.3));
  const before = await notice(page);
  await dropTable(page, 'empty.csv', 'lng,lat,rsrp_dbm\n');
  await page.click('#calibrate');
  assert.match(await saysSomethingNew(page, before), /empty\.csv cannot be used/);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('another place, buildings that are dropped again and another size of the map are steps to undo, and transmitters off a smaller map keep their place', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const title = () => page.locator('#place').textContent();
  const munich = await title();
  await drawing(page, () => page.click('#add'));
  await drawing(page, () => page.fill('#power', '30'));
  // A square of 1 km, on which the second transmitter is moved 300 m east.
  await drawing(page, () => page.selectOption('#areas', '2'));
  const east = String((await plan(page)).transmitters[1].lng + 0.004);
  await drawing(page, async () => {
    await page.fill('#lng', east);
    await page.press('#lng', 'Tab');
  });
  const whole = (await plan(page)).transmitters;
  // Munich's buildings end within the kilometre; of the transmitters there is nothing to say.
  assert.match(await notice(page), /^all buildings stand within \d+ x \d+ m of a map of 1024 x 1024 m; if the file ends there, [^.]*$/);

  await drawing(page, () => page.selectOption('#areas', '0'));
  assert.match(await notice(page), /Site 2 stands off this map: it keeps its place and is left out/);
  assert.equal(await page.evaluate(() => window.radiodiff.map.transmitters.length), 1);
  assert.equal((await plan(page)).transmitters[1].lng, whole[1].lng);
  assert.match(await page.locator('#transmitters').innerText(), /Off the map · 30 dBm/);
  await drawing(page, () => page.selectOption('#areas', '2'));
  assert.deepEqual((await plan(page)).transmitters[1], whole[1]);
  assert.equal(await page.evaluate(() => window.radiodiff.map.transmitters.length), 2);

  await drawing(page, () => page.selectOption('#places', '1'));
  assert.deepEqual(await names(page), ['Site 1']);
  assert.match(await notice(page), /Another plan begins here\. Undo brings back Old town, Munich with its 2 transmitters/);
  await drawing(page, () => page.click('#undo'));
  assert.deepEqual([await title(), await page.inputValue('#areas')], [munich, '2']);
  assert.deepEqual((await plan(page)).transmitters[1], whole[1]);
  // Once more than the last: the sizes, the place, the power and the second transmitter.
  await drawing(page, () => page.click('#redo'));
  assert.match(await title(), /Helsinki/);
  for (const [transmitters, area] of [[2, '2'], [2, '0'], [2, '2'], [2, '2'], [2, '0'], [2, '0'], [1, '0']]) {
    await drawing(page, () => page.keyboard.press('Control+z'));
    assert.deepEqual([(await names(page)).length, await page.inputValue('#areas'), await title()], [transmitters, area, munich]);
  }
  assert.ok(await page.locator('#undo').isDisabled());
  await drawing(page, () => page.click('#redo'));
  assert.equal((await names(page)).length, 2);

  // Buildings of the same ground go on with the plan.
  const buildings = await page.evaluate(async () => (await fetch('scenes/munich-old-town.geojson')).text());
  await drawing(page, () => page.selectOption('#areas', '2'));
  await drawing(page, () => drop(page, 'surveyed.geojson', buildings));
  assert.match(await notice(page), /The plan goes on with the buildings of surveyed\.geojson/);
  assert.deepEqual([(await names(page)).length, await page.inputValue('#areas')], [2, '2']);
  await drawing(page, () => page.click('#undo'));
  assert.equal(await title(), munich);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('the keyboard reads the map by a cross, and puts the chosen transmitter under it', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await page.focus('.marker');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'cross');
  const read = () => page.locator('#readout').innerText();
  const told = () => page.locator('#live').innerText();
  const strongest = await read();
  assert.match(strongest, /^physical -\d+\.\d dBm$/);
  assert.equal(await told(), strongest);
  for (let step = 0; step < 3; step += 1) await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('ArrowDown');
  assert.notEqual(await read(), strongest);
  const { x, y, width, height } = await page.locator('#cross').boundingBox();
  const place = (await plan(page)).transmitters[0];
  await drawing(page, () => page.keyboard.press('Enter'));
  const [left, top] = await page.evaluate(() => {
    const at = window.radiodiff.project(window.radiodiff.plan.transmitters[0]);
    const box = document.getElementById('map').getBoundingClientRect();
    return [box.left + at.x, box.top + at.y];
  });
  assert.notEqual((await plan(page)).transmitters[0].lng, place.lng);
  // The engine moves it out of a building.
  assert.ok(Math.hypot(left - x - width / 2, top - y - height / 2) < 60, `the transmitter is at ${left}, ${top}, the cross at ${x}, ${y}`);
  for (let step = 0; step < 30; step += 1) await page.keyboard.press('Shift+ArrowUp');
  assert.match(await told(), /off the map/);
  await page.keyboard.press('Tab');
  assert.ok(await page.locator('#readout').isHidden());
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('the path profile shows the link to the place under the pointer from the side, and follows the transmitter', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const line = page.locator('#profile-line');
  assert.ok(await line.isHidden());
  await page.click('#profile summary');
  await page.waitForFunction(() => /point at a place/.test(document.getElementById('profile-hint').textContent));
  /** What the engine says of the link to a place of the map, shares from the north-west, and what the page says of it. */
  const profileTo = async (x, y) => {
    const [left, top] = await spot(page, x, y);
    await page.mouse.move(left, top);
    await page.waitForFunction(() => !document.getElementById('profile-figure').hidden);
    await page.waitForTimeout(300);
    const found = await page.evaluate(async () => {
      const { engine, plan } = window.radiodiff;
      const [lng, lat] = document.getElementById('profile-hint').textContent.match(/to (-?[\d.]+), (-?[\d.]+),/).slice(1);
      const [{ id, name, antenna, ...transmitter }] = plan.transmitters;
      return engine.profile({ transmitter, receiver: { lng, lat } });
    });
    const [rows, label] = await page.evaluate(() => [document.getElementById('profile-rows').innerText, document.querySelector('#profile-figure svg').getAttribute('aria-label')]);
    assert.match(rows, new RegExp(`Distance\\s+${found.distanceM.toFixed(0)} m`));
    assert.match(rows, found.lineOfSight ? /Line of sight\s+clear/ : /Line of sight\s+blocked/);
    // The hint has whole metres of the place.
    const shownDb = Number(rows.match(/Edges of roofs\s+([\d.]+) dB/)[1]);
    assert.ok(Math.abs(shownDb - found.diffractionLossDb) < 1, `${shownDb} dB, by the engine ${found.diffractionLossDb}`);
    assert.equal(await page.locator('#profile-figure .roof').count(), found.roofs.length);
    assert.match(label, found.lineOfSight ? /no roof|below the line/ : /above the line/);
    return found;
  };
  const far = await profileTo(0.05, 0.05);
  assert.ok(!far.lineOfSight && far.roofs.length > 0 && far.diffractionLossDb > 6);
  assert.ok(await line.isVisible());
  const place = async () => (await page.locator('#profile-hint').innerText()).match(/to (.*), 1\.5 m high/)[1];
  const pointed = await place();
  // What the pointer rested at stays when it goes over the map to the panel, and while a marker is dragged.
  await page.mouse.move(1200, 400, { steps: 10 });
  assert.equal(await place(), pointed);
  await dragMarker(page, 0.6, 0.4);
  await drawing(page, () => page.mouse.up());
  await page.mouse.move(1200, 400, { steps: 10 });
  assert.equal(await place(), pointed);
  // The profile follows what is changed of the transmitter, and which one is chosen.
  const isOf = (words) => page.waitForFunction((words) => document.getElementById('profile-hint').textContent.includes(words), words);
  await drawing(page, () => page.fill('#heightM', '120'));
  await isOf('Site 1, 120 m high, to');
  assert.equal(await place(), pointed);
  assert.match(await page.locator('#profile-rows').innerText(), /clear/);
  await page.click('#transmitters [title^="Duplicate"]');
  await page.fill('#heightM', '60');
  await isOf('Site 2, 60 m high, to');
  await page.locator('#transmitters .pick').first().click();
  await isOf('Site 1, 120 m high, to');
  await page.click('#profile summary');
  await line.waitFor({ state: 'hidden' });
  assert.deepEqual(page.failures, []);
  await page.close();
});
