// Opens the page in a real Chromium and waits on what it says of itself. The page's side of the agreement:
//
//   document.documentElement.dataset.state   'drawing' while a map is computed, 'ready' when one is shown, 'error' when none can be
//   document.documentElement.dataset.view    'loading' until MapLibre shows the map, then 'maplibre'; 'flat' where it cannot
//   window.radiodiff                         { createEngine, engine, request, map, forecast, traced }: the package's createEngine; the
//                                            engine with the network once a layer asked for it, else the physical one; the request
//                                            last drawn ({ buildings, bounds, transmitters, method }), its physical map, and the
//                                            network's forecast and the rays of it once they are drawn;
//                                            { plan, calibration, picture(), project({ lng, lat }), camera() }: the plan, the map
//                                            that measurements were fitted by, what is shown and how, where a place is in #map, and
//                                            MapLibre's view
//   #layer                                   the model: 'physical' at first; 'mean', 'deviation', 'probability', 'shift' of the forecast
//   #map, [role=status], #engine, #model     the element to click and drop on, the notice, which engine runs and why, and which
//                                            networks it runs or why none
//   .marker                                  a transmitter on the map
//   ?backend=webgpu                          the backend of the networks instead of `auto`
//   ?view=flat                               the view without MapLibre, which a software GPU draws slowly: for tests of other things
//
// Every wait is bounded, so a page that hangs ends in an error that says what it was waiting for.

import { createRequire } from 'node:module';

const require = createRequire(`${process.env.RADIODIFF_NODE_MODULES}/`);
const { chromium } = require('playwright-core');

export const url = process.env.RADIODIFF_URL;

/** The weights that the page draws with, and those of the network that draws samples, relative to it. */
export const [MODEL, SAMPLER] = ['models/quantiles.safetensors', 'models/nano.safetensors'];

/** The corners of a square house whose south-west is at a longitude on 50 degrees north, and GeoJSON of two that are 9 m high. */
export const block = (lng) => [[[lng, 50], [lng + 4e-4, 50], [lng + 4e-4, 50.0004], [lng, 50.0004], [lng, 50]]];
export const VILLAGE = JSON.stringify({ type: 'Feature', properties: { height: 9 }, geometry: { type: 'MultiPolygon', coordinates: [block(9), block(9.0006)] } });

// A software adapter compiles shaders for seconds before its first map.
const DRAW_TIMEOUT_MS = 90_000;
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

/** Starts Chromium; without WebGPU when `webgpu` is false. */
export function launch({ webgpu = true } = {}) {
  const gpu = webgpu ? '--enable-unsafe-webgpu' : '--disable-features=WebGPU';
  return chromium.launch({
    executablePath: process.env.RADIODIFF_CHROMIUM,
    args: ['--headless', '--no-sandbox', gpu, ...QUIET],
    timeout: 60_000,
  });
}

/**
 * Opens the page with a query and a hash, without MapLibre unless the query asks for it, and waits for its first map. `page.failures`
 * collects exceptions nobody caught. `weights(route)` answers for the weights file instead of the server. Other options are those of a
 * browser's page.
 */
export async function open(browser, { query = {}, hash = '', viewport = { width: 1280, height: 800 }, weights, ...options } = {}) {
  const page = await browser.newPage({ viewport, reducedMotion: 'reduce', ...options });
  if (weights) await page.route(`**/${MODEL}`, weights);
  page.setDefaultTimeout(30_000);
  page.failures = [];
  page.on('pageerror', (error) => page.failures.push(String(error)));
  const path = `?${new URLSearchParams({ view: 'flat', ...query })}${hash}`;
  await page.goto(new URL(path, url).href, { waitUntil: 'load', timeout: 60_000 });
  await drawn(page);
  await page.waitForFunction(() => document.documentElement.dataset.view !== 'loading', undefined, { timeout: 60_000 });
  return page;
}

/** As `open`, and then shows what the network expects, for which the page loads it. */
export async function openForecast(browser, options) {
  const page = await open(browser, options);
  await page.selectOption('#layer', 'mean');
  await drawn(page);
  return page;
}

/** Waits until the page shows a map; an error the page reports is thrown with the page's own words. */
export async function drawn(page) {
  const settled = () => ['ready', 'error'].includes(document.documentElement.dataset.state);
  try {
    await page.waitForFunction(settled, undefined, { timeout: DRAW_TIMEOUT_MS });
  } catch {
    const [state, said] = await page.evaluate(() => {
      const { map } = window.radiodiff ?? {};
      const texts = ['#engine', '#meaning', '[role=status]'].map((part) => document.querySelector(part)?.textContent.trim());
      return [document.documentElement.dataset.state, [map ? 'a map is there' : 'no map yet', ...texts].join(' | ')];
    });
    throw new Error(`no map within ${DRAW_TIMEOUT_MS / 1000} s; the page's state is ${state}; it says ${said}; it threw: ${page.failures.join('; ') || 'nothing'}`);
  }
  const state = await page.evaluate(() => document.documentElement.dataset.state);
  if (state === 'error') throw new Error(`the page reports: ${await notice(page)}`);
}

/** What the page's notice says now. */
export const notice = (page) => page.locator('[role=status]').first().innerText();

/**
 * The network's forecast where there is one, else the physical map, with the request it answers; its buildings are GeoJSON text that the
 * page was given.
 */
export async function shownMap(page) {
  const shown = await page.evaluate(() => {
    const { request, map: physical, forecast } = window.radiodiff;
    const map = forecast ?? physical;
    return { request, width: map.width, height: map.height, values: Array.from(map.values, (value) => (Number.isNaN(value) ? null : value)) };
  });
  const request = { ...shown.request, buildings: JSON.parse(shown.request.buildings) };
  return { ...shown, request, values: Float32Array.from(shown.values, (value) => value ?? NaN) };
}

/** Drops a file on the map; its content is text or a Buffer. */
export const drop = (page, name, content) => dropAll(page, [[name, content]]);

/** Drops files on the map together, each [name, content]. */
export async function dropAll(page, files) {
  const transfer = await page.evaluateHandle((files) => {
    const transfer = new DataTransfer();
    for (const [name, base64] of files) {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      transfer.items.add(new File([bytes], name));
    }
    return transfer;
  }, files.map(([name, content]) => [name, Buffer.from(content).toString('base64')]));
  for (const type of ['dragenter', 'dragover', 'drop']) await page.dispatchEvent('#map', type, { dataTransfer: transfer });
}

/** Drops a table of measurements and waits until the page has looked into it. */
export async function dropTable(page, name, text) {
  await drop(page, name, text);
  await page.waitForFunction((name) => document.getElementById('measurements-say').textContent.includes(`${name}: `), name);
}

/** Where a share of the radio map's width and height is on the screen, from the north-west. */
export function spot(page, x, y) {
  return page.evaluate(([x, y]) => {
    const { west, south, east, north } = window.radiodiff.map.bounds;
    const at = window.radiodiff.project({ lng: west + x * (east - west), lat: north - y * (north - south) });
    const box = document.getElementById('map').getBoundingClientRect();
    return [box.left + at.x, box.top + at.y];
  }, [x, y]);
}

/** Clicks the map at a share of its width and height and waits for the map that answers. */
export async function placeTransmitter(page, x, y) {
  const before = await page.evaluate(() => { window.mapBefore = window.radiodiff.map; return window.radiodiff.request.transmitters[0]; });
  await page.mouse.click(...await spot(page, x, y));
  await page.waitForFunction(() => window.radiodiff.map !== window.mapBefore, undefined, { timeout: 90_000 });
  await drawn(page);
  return before;
}

/** Takes the first transmitter's marker by the mouse and holds it over a share of the map; the caller lets go. */
export async function dragMarker(page, x, y) {
  const { x: left, y: top, width, height } = await page.locator('.marker').first().boundingBox();
  await page.mouse.move(left + width / 2, top + height / 2);
  await page.mouse.down();
  await page.mouse.move(...await spot(page, x, y), { steps: 10 });
}

/**
 * GeoJSON of squares of so many metres a side, in the middle between the first transmitter and the brightest place 20 m from it, and that
 * place: { squares: [text for each side], place }.
 */
export const squaresBeforeTransmitter = (page, ...sides) => page.evaluate((sides) => {
  const { map } = window.radiodiff;
  const { size, bounds: { west, south, east, north }, transmitter: { lng, lat } } = map;
  const degrees = (eastM, northM) => ({ lng: lng + (eastM / size) * (east - west), lat: lat + (northM / size) * (north - south) });
  const around = Array.from({ length: 72 }, (_, i) => [20 * Math.cos((i * Math.PI) / 36), 20 * Math.sin((i * Math.PI) / 36)]);
  const power = ([x, y]) => { const { lng, lat } = degrees(x, y); return map.at(lng, lat) || -Infinity; };
  const [x, y] = around.reduce((best, next) => (power(next) > power(best) ? next : best));
  const square = (side) => {
    const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]].map(([a, b]) => degrees(x / 2 + (a * side) / 2, y / 2 + (b * side) / 2));
    return JSON.stringify({ type: 'Feature', properties: null, geometry: { type: 'Polygon', coordinates: [corners.map(({ lng, lat }) => [lng, lat])] } });
  };
  return { squares: sides.map(square), place: degrees(x, y) };
}, sides);

/** Waits until the notice says something else than `before`, and gives its words. */
export async function saysSomethingNew(page, before) {
  await page.waitForFunction((before) => {
    const text = document.querySelector('[role=status]')?.innerText;
    return text && text !== before;
  }, before, { timeout: 60_000 });
  return notice(page);
}

/** A table of measured power: what the shown map says, some decibels higher, on a coarse grid. */
export const tableOf = (page, higherDb) => page.evaluate((higherDb) => {
  const { map } = window.radiodiff;
  const { west, south, east, north } = map.bounds;
  const lines = ['lng,lat,rsrp_dbm'];
  for (let row = 6; row < map.size; row += 18) {
    for (let column = 6; column < map.size; column += 18) {
      const value = map.values[row * map.size + column];
      if (!Number.isNaN(value)) lines.push([west + ((column + 0.5) / map.size) * (east - west), north - ((row + 0.5) / map.size) * (north - south), value + higherDb].join(','));
    }
  }
  return lines.join('\n');
}, higherDb);
