// The page as a visitor uses it: it opens with a map, and redraws when the transmitter or a layer is chosen.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { MODEL, SAMPLER, drop, dragMarker, drawn, launch, notice, open, openForecast, placeTransmitter, saysSomethingNew, shownMap, spot, url } from './lib.mjs';
import { agreement, faults } from './plausible.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** The rays are of a transmitter at this share of the map's width. */
async function assertTracedAt(page, expected) {
  const share = await page.evaluate(() => {
    const { bounds: { west, east }, transmitter: { lng } } = window.radiodiff.traced;
    return (lng - west) / (east - west);
  });
  assert.ok(Math.abs(share - expected) < 0.02, `the rays are of ${share} of the width`);
}

test('the page opens on the physical layer, without the networks, and says what each layer is worth', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const downloads = () => page.evaluate((model) => performance.getEntriesByName(new URL(model, location.href).href).length, MODEL);
  const shown = () => page.evaluate(() => [document.getElementById('layer').value, window.radiodiff.picture().map.quantity]);
  const worth = () => page.locator('#worth').innerText();
  assert.deepEqual([await shown(), await downloads()], [['physical', 'received-power-dbm'], 0]);
  assert.match(await worth(), /22 real maps.*NMSE 0\.0015, 1\.1 dB/);
  await page.selectOption('#layer', 'mean');
  await drawn(page);
  assert.deepEqual([await shown(), await downloads()], [['mean', 'received-power-dbm'], 1]);
  assert.match(await worth(), /roofs whose heights nobody states.*CRPS [\d.]+ instead of [\d.]+ dB.*antennas 1\.5 to 40 m high/);
  await page.evaluate(() => { window.before = window.radiodiff.forecast; });
  for (const [layer, quantity] of [['deviation', 'standard-deviation-db'], ['probability', 'probability'], ['shift', 'difference-db']]) {
    await page.selectOption('#layer', layer);
    assert.deepEqual(await shown(), [layer, quantity]);
  }
  assert.ok(await page.evaluate(() => window.radiodiff.forecast === window.before), 'the forecast was drawn again');
  assert.equal(await downloads(), 1, 'the networks were loaded again');
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a click moves the transmitter and the map follows it', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const first = await shownMap(page);
  const before = await placeTransmitter(page, 0.25, 0.25);
  const second = await shownMap(page);
  assert.notDeepEqual(second.request.transmitters[0], before);
  assert.deepEqual(faults(second), []);
  assert.ok(agreement(first.values, second.values, 1) < 0.9, 'the map did not change');
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('physical map and forecast follow the transmitter while it is dragged', { timeout: 300_000 }, async () => {
  const page = await openForecast(browser);
  // The first place's transmitter stands west of the middle.
  const before = await page.evaluate(() => window.radiodiff.map.transmitter.lng);
  await dragMarker(page, 0.5, 0.3);
  await page.waitForFunction((before) => window.radiodiff.forecast?.transmitter.lng > before, before, { timeout: 30_000 });
  await page.mouse.up();
  await drawn(page);
  const { methods, places, chosen, share } = await page.evaluate(() => {
    const { map, forecast } = window.radiodiff;
    const { west, east } = map.bounds;
    const maps = [map, forecast];
    return {
      methods: maps.map(({ method }) => method), places: maps.map(({ transmitter: { lng, lat } }) => [lng, lat]), chosen: document.getElementById('layer').value,
      share: (map.transmitter.lng - west) / (east - west),
    };
  });
  assert.deepEqual([methods, chosen], [['dominant-path', 'network'], 'mean']);
  assert.deepEqual(places[0], places[1], 'the two maps are of different places');
  assert.ok(Math.abs(share - 0.5) < 0.01, `the transmitter ended at ${share} of the width`);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a forecast is told under the cursor, in the legend and in the statistics', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await page.selectOption('#layer', 'probability');
  await drawn(page);
  const found = await page.evaluate(() => {
    const { map, forecast, plan } = window.radiodiff;
    const outdoors = forecast.probability.filter((share) => !Number.isNaN(share));
    const share = (wanted) => `${(100 * outdoors.filter(wanted).length / outdoors.length).toFixed(1)} %`;
    // Where service is unsure, away from the legend and the marker.
    const at = forecast.probability.findIndex((share, i) => share > 0 && share < 1 && i > 40 * map.size && i % map.size > 0.5 * map.size);
    return {
      at: [((at % map.size) + 0.5) / map.size, (Math.floor(at / map.size) + 0.5) / map.size],
      said: [
        `physical ${map.values[at].toFixed(1)} dBm`,
        `expected ${forecast.values[at].toFixed(1)} dBm ± ${forecast.stddev[at].toFixed(1)} dB`,
        `${(100 * forecast.probability[at]).toFixed(1)} % with ${plan.thresholdDbm} dBm or more`,
      ],
      every: share((p) => p === 1), any: share((p) => p > 0), parts: [...new Set(outdoors.map((p) => Math.round(1e4 * (19 * p % 1))))],
      shown: window.radiodiff.picture().map.values.every((value, i) => value === forecast.probability[i] || Number.isNaN(value)),
    };
  });
  assert.ok(found.shown, 'another layer is shown');
  assert.ok(found.parts.every((part) => part === 0 || part === 1e4), `probabilities are not those of 19 quantiles: ${found.parts}`);
  await page.mouse.move(...await spot(page, ...found.at));
  assert.equal(await page.locator('#readout').innerText(), found.said.join('\n'));
  const stats = await page.locator('#stats').innerText();
  for (const words of [`Almost surely (95 %)\n${found.every}`, `Possibly (5 %)\n${found.any}`]) assert.ok(stats.includes(words), `${words}: ${stats}`);
  assert.equal((await page.locator('#ticks').innerText()).replace(/\s+/g, ' '), '0 25 50 75 100 %');
  assert.match(await page.locator('#engine').innerText(), /^Network of quantiles on/);
  await page.click('#export-menu summary');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-format=contours]')]);
  assert.equal(download.suggestedFilename(), 'old-town-munich-probability-of-service.contours.geojson');
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  const levels = JSON.parse(Buffer.concat(chunks)).features.map(({ properties }) => properties.level.toFixed(1));
  assert.deepEqual([levels[0], levels.at(-1)], ['0.0', '1.0']);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('while the networks are loaded, the physical map is dragged and saved, and a bar tells how much is there', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const save = async () => {
    await page.click('#export-menu summary');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-format=csv]')]);
    return download.suggestedFilename();
  };
  // Loads the module that writes files, before the line is slow.
  await save();
  const line = await page.context().newCDPSession(page);
  await line.send('Network.enable');
  const slowDown = (bytesPerS) => line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: bytesPerS, uploadThroughput: -1 });
  // Their 0.8 MB take a quarter of a minute.
  await slowDown(50_000);
  await page.selectOption('#layer', 'mean');
  const bar = page.locator('#beside');
  await bar.waitFor();
  assert.match(await page.locator('#meaning').innerText(), /physical map, while the network is loaded/);
  const before = await page.evaluate(() => window.radiodiff.map.transmitter.lng);
  await dragMarker(page, 0.5, 0.3);
  await page.waitForFunction((before) => window.radiodiff.map.transmitter.lng > before, before);
  await page.mouse.up();
  await page.waitForFunction(() => document.getElementById('beside').value > 0);
  assert.equal(await save(), 'old-town-munich-received-power.csv');
  const shown = () => page.evaluate(() => [document.documentElement.dataset.state, window.radiodiff.picture().map === window.radiodiff.map, window.radiodiff.forecast === undefined]);
  assert.deepEqual(await shown(), ['drawing', true, true]);
  assert.ok((await bar.evaluate(({ value }) => value)) < 1);
  // Another model does not wait for them.
  await page.selectOption('#layer', 'physical');
  await drawn(page);
  assert.equal(await bar.isVisible(), false);
  await page.selectOption('#layer', 'mean');
  await bar.waitFor();
  await slowDown(-1);
  await drawn(page);
  const places = await page.evaluate(() => [window.radiodiff.map, window.radiodiff.forecast].map(({ transmitter: { lng, lat } }) => [lng, lat]));
  assert.deepEqual(places[0], places[1], 'the forecast is of another place than the map');
  assert.equal(await bar.isVisible(), false);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('rays that are being traced end when another model is chosen, and when the transmitter moves', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  // Large enough that they take seconds.
  await page.selectOption('#areas', { index: 2 });
  await page.waitForFunction(() => window.radiodiff.map?.metersPerPixel === 2, undefined, { timeout: 60_000 });
  await drawn(page);
  const bar = page.locator('#beside');
  await page.selectOption('#layer', 'traced');
  await bar.waitFor();
  assert.match(await page.locator('#meaning').innerText(), /physical map, while rays are traced/);
  await page.selectOption('#layer', 'physical');
  await drawn(page);
  assert.deepEqual([await bar.isVisible(), await page.evaluate(() => window.radiodiff.traced === undefined)], [false, true]);
  await page.selectOption('#layer', 'traced');
  await bar.waitFor();
  await page.mouse.click(...await spot(page, 0.25, 0.25));
  await page.selectOption('#layer', 'difference');
  await drawn(page);
  await assertTracedAt(page, 0.25);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('rays are traced beside the physical map, and their difference is shown and told', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  await page.selectOption('#layer', 'difference');
  await drawn(page);
  const found = await page.evaluate(async () => {
    const { map, traced, engine, request, picture } = window.radiodiff;
    const again = await engine.predict({ ...request, method: 'rays' });
    const at = map.values.findIndex((power, i) => traced.values[i] > power + 3 && i > 40 * map.size && i % map.size > 0.5 * map.size);
    const more = traced.values[at] - map.values[at];
    const { map: shown, options: { palette, threshold } } = picture();
    return {
      methods: [map.method, traced.method],
      same: again.values.every((value, i) => Object.is(value, traced.values[i])),
      shown: shown.values.every((value, i) => Number.isNaN(value) || Math.abs(value - (traced.values[i] - map.values[i])) < 1e-4),
      palette, threshold,
      at: [((at % map.size) + 0.5) / map.size, (Math.floor(at / map.size) + 0.5) / map.size],
      said: `physical ${map.values[at].toFixed(1)} dBm\nray tracing ${traced.values[at].toFixed(1)} dBm (+${more.toFixed(1)} dB)`,
    };
  });
  assert.deepEqual(found.methods, ['dominant-path', 'rays']);
  assert.ok(found.same, 'the package traces another map than the page');
  assert.ok(found.shown, 'what is shown is not the difference');
  assert.deepEqual([found.palette, found.threshold], ['rdbu', undefined]);
  await page.mouse.move(...await spot(page, ...found.at));
  assert.equal(await page.locator('#readout').innerText(), found.said);
  assert.match(await page.locator('#engine').innerText(), /^Ray tracing on this machine's CPU/);
  await page.selectOption('#layer', 'traced');
  assert.ok(await page.evaluate(() => window.radiodiff.picture().map === window.radiodiff.traced), 'the rays were traced again');
  // A map that follows the hand does not wait for rays; letting go traces them anew.
  await page.mouse.click(...await spot(page, 0.25, 0.25));
  await drawn(page);
  await assertTracedAt(page, 0.25);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('the curve of the distribution counts the ground, and its words say the median', { timeout: 200_000 }, async () => {
  const page = await open(browser);
  const { found, expected, words } = await page.evaluate(() => {
    const values = window.radiodiff.map.values.filter((value) => !Number.isNaN(value)).sort();
    const [least, most] = [values[0], values.at(-1)];
    const points = document.querySelector('#cdf polyline').getAttribute('points').split(' ').map((point) => point.split(',').map(Number));
    const [[left, top]] = points;
    // Lines of all, half and none of the ground.
    const [all, half] = [...document.querySelectorAll('#cdf line.axis')].map((line) => Number(line.getAttribute('y1'))).sort((a, b) => a - b);
    const shareAt = (y) => 1 - (0.5 * (y - all)) / (half - all);
    const at = [0, 0.2, 0.4, 0.6, 0.8].map((part) => points[Math.round(part * (points.length - 1))]);
    const valueAt = (x) => least + ((x - left) / (points.at(-1)[0] - left)) * (most - least);
    return {
      found: [shareAt(top), ...at.map(([, y]) => shareAt(y))],
      expected: [1, ...at.map(([x]) => values.filter((value) => value >= valueAt(x)).length / values.length)],
      words: [document.querySelector('#cdf svg').getAttribute('aria-label'), least, most, values[values.length >> 1]],
    };
  });
  // A bin is a hundred and twentieth of the range, and the curve is drawn to a tenth of a pixel.
  found.forEach((share, i) => assert.ok(Math.abs(share - expected[i]) < 0.03, `${found} where ${expected} is expected`));
  const [label, least, most, median] = words;
  const [, low, high, half] = label.match(/^Distribution from (-?\d+) to (-?\d+) dBm; half of the ground has at least (-?\d+) dBm$/).map(Number);
  assert.deepEqual([low, high], [Math.round(least), Math.round(most)]);
  assert.ok(Math.abs(half - median) <= 1.5, `${label}; the median is ${median}`);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('the page is dark or light as it is told, at the next visit too, and its words stand out in both', { timeout: 200_000 }, async () => {
  const context = await browser.newContext();
  const page = await open(context, { viewport: { width: 1280, height: 800 } });
  /** Relative luminances (WCAG 2) of the panel's ground, and the least contrast of words on it. */
  const looks = () => page.evaluate(() => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const luminance = (color) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      const linear = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((level) => ((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))(level / 255));
      return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const groundOf = (node) => {
      const color = getComputedStyle(node).backgroundColor;
      return /, 0\)$|transparent/.test(color) && node.parentElement ? groundOf(node.parentElement) : color;
    };
    const told = [...document.querySelectorAll('h2, label, dt, dd, #stats *, #hint, #worth, #engine')].filter((node) => node.innerText?.trim() && node.checkVisibility());
    const contrasts = told.map((node) => {
      const pair = [getComputedStyle(node).color, groundOf(node)].map(luminance).sort((a, b) => b - a);
      return (pair[0] + 0.05) / (pair[1] + 0.05);
    });
    return { ground: luminance(groundOf(document.querySelector('h2'))), least: Math.min(...contrasts), told: told.length };
  });
  const choose = async (theme) => {
    await page.click('#settings-open');
    await page.selectOption('#theme', theme);
    await page.keyboard.press('Escape');
    return looks();
  };
  const [light, dark] = [await choose('light'), await choose('dark')];
  assert.ok(light.ground > 0.8 && dark.ground < 0.1, `${light.ground} and ${dark.ground}`);
  for (const { least, told } of [light, dark]) assert.ok(told > 10 && least >= 4.5, `a contrast of ${least} among ${told} texts`);
  await page.reload();
  await drawn(page);
  assert.deepEqual(await looks(), dark);
  assert.deepEqual(page.failures, []);
  await context.close();
});

test('a phone sees the whole page without scrolling sideways, and a finger moves the transmitter', { timeout: 200_000 }, async () => {
  const page = await open(browser, { viewport: { width: 375, height: 740 }, hasTouch: true, isMobile: true });
  // Small phones, phones held sideways and halves of screens too. A page that is wider than a phone makes its window as wide.
  for (const [width, height] of [[320, 640], [360, 740], [375, 740], [821, 600], [844, 390], [740, 360], [375, 740]]) {
    await page.setViewportSize({ width, height });
    const [wide, right] = await page.evaluate(() => [document.documentElement.scrollWidth, document.querySelector('#settings-open').getBoundingClientRect().right]);
    assert.ok(wide <= width && right <= width, `of ${width} pixels the page takes ${wide}, its last button ends at ${right}`);
    const { pills, last, legend, map } = await page.evaluate(() => {
      const box = (selector) => document.querySelector(selector).getBoundingClientRect();
      return { pills: box('.pills').right, last: box('.pills label:last-child').right, legend: box('.legend'), map: box('#map') };
    });
    assert.ok(last <= pills && pills <= width, `at ${width} x ${height} the last layer ends at ${last}, its row at ${pills}`);
    if (width < 400) assert.ok(legend.top >= map.bottom && map.height > 250, `at ${width} x ${height} the legend begins at ${legend.top}, the map ends at ${map.bottom}`);
    if (height > 500) continue;
    const [west] = await spot(page, 0, 1);
    assert.ok(legend.right < west + 20, `at ${width} x ${height} the legend ends at ${legend.right}, the map begins at ${west}`);
  }
  const box = await page.locator('#map').boundingBox();
  assert.ok(box.width >= 300, `the map is ${box.width} pixels wide`);
  const place = () => page.evaluate(() => window.radiodiff.plan.transmitters.map(({ lng, lat }) => [lng, lat]));
  const before = await place();
  await page.touchscreen.tap(...await spot(page, 0.3, 0.6));
  await page.waitForFunction((before) => window.radiodiff.plan.transmitters[0].lng !== before, before[0][0]);
  await drawn(page);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a transmitter put into a building is moved out, with a word about it', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const before = await notice(page);
  const at = await page.evaluate(() => {
    const { map } = window.radiodiff;
    // Two pixels within the walls: a pixel of the screen may be wider than one of the map.
    const inside = (i) => [0, -2, 2, -2 * map.size, 2 * map.size].every((away) => Number.isNaN(map.values[i + away]));
    const index = map.values.findIndex((_, i) => inside(i) && i > 20 * map.size && i % map.size > 20);
    return [(index % map.size) + 0.5, Math.floor(index / map.size) + 0.5].map((pixel) => pixel / map.size);
  });
  await placeTransmitter(page, ...at);
  assert.match(await saysSomethingNew(page, before), /inside a building.*moved [\d.]+ m/);
  await placeTransmitter(page, 0.4, 0.3);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('a transmitter that the keys would move off the map stays on it, with a word about it', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  const before = await notice(page);
  await page.selectOption('#layer', 'physical');
  await placeTransmitter(page, 0.35, 0.002);
  const { lat } = await page.evaluate(() => window.radiodiff.map.transmitter);
  await page.focus('.marker');
  await page.keyboard.press('Shift+ArrowUp');
  assert.match(await saysSomethingNew(page, before), /Site 1 stays on this map/);
  const { transmitters: [{ lat: moved }], north } = await page.evaluate(() => ({ ...window.radiodiff.plan, north: window.radiodiff.map.bounds.north }));
  assert.ok(moved < north && moved >= lat, `${moved} of ${lat} to ${north}`);
  await placeTransmitter(page, 0.35, 0.3);
  assert.ok((await page.evaluate(() => window.radiodiff.map.transmitter.lat)) < lat);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('the page forecasts by weights that are dropped on it, and keeps those it has where a file is none', { timeout: 300_000 }, async () => {
  const page = await open(browser);
  // What `trainer export` wrote, or the shipped network of the same kind.
  const file = process.env.RADIODIFF_WEIGHTS;
  const weights = file ? await readFile(file) : Buffer.from(await (await fetch(new URL(SAMPLER, url))).arrayBuffer());
  const forecast = () => page.evaluate(() => window.radiodiff.forecast !== undefined);
  await drop(page, 'mine.safetensors', weights);
  await page.waitForFunction(() => window.radiodiff.forecast, undefined, { timeout: 120_000 });
  await drawn(page);
  assert.equal(await page.inputValue('#layer'), 'mean');
  assert.deepEqual(faults(await shownMap(page)), []);
  assert.match(await page.locator('#model').innerText(), /^Diffusion .* of mine\.safetensors/);
  assert.match(await page.locator('#worth').innerText(), /a network of yours/);
  assert.match(await page.locator('#stats').innerText(), /Almost surely/);
  // It takes seconds, so that the physical map alone follows a hand.
  await page.evaluate(() => { window.before = window.radiodiff.forecast; });
  await placeTransmitter(page, 0.3, 0.3);
  assert.ok(await page.evaluate(() => window.radiodiff.forecast !== window.before), 'the forecast is of the place before');

  await drop(page, 'broken.safetensors', '<!doctype html>');
  await page.waitForFunction(() => /broken/.test(document.querySelector('[role=status]').innerText));
  assert.match(await notice(page), /broken\.safetensors cannot be used: .*not a safetensors file/);
  assert.ok(await forecast());
  await page.selectOption('#areas', '2');
  await page.waitForFunction(() => window.radiodiff.map?.metersPerPixel === 2, undefined, { timeout: 60_000 });
  await drawn(page);
  assert.equal(await page.inputValue('#layer'), 'physical', 'it draws 256 pixels of 1 m alone');
  assert.ok(await page.locator('#layer option[value=mean]').evaluate((option) => option.disabled));
  await drop(page, 'other.safetensors', weights);
  await page.waitForFunction(() => /other\.safetensors does not draw/.test(document.querySelector('[role=status]').innerText));
  assert.deepEqual(page.failures, []);
  await page.close();
});

for (const [what, answer, words] of [
  ['are missing', (route) => route.fulfill({ status: 404, body: 'not found' }), /models\/quantiles\.safetensors.*404/],
  ['are a web page', (route) => route.fulfill({ body: '<!doctype html><title>Hello</title>' }), /weights.*not a safetensors file/],
]) {
  test(`weights that ${what} leave the dominant path, and the page says so`, { timeout: 300_000 }, async () => {
    const page = await openForecast(browser, { weights: answer });
    assert.match(await page.locator('#model').innerText(), words);
    assert.match(await notice(page), words);
    assert.deepEqual(faults(await shownMap(page)), []);
    await placeTransmitter(page, 0.25, 0.25);
    assert.match(await page.locator('#engine').innerText(), /dominant path/i);
    assert.deepEqual(page.failures, []);
    await page.close();
  });
}
