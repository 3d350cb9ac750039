// The report: one file that says what the page says, opens without a network and holds nothing that runs.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { VILLAGE, drawn, drop, launch, open } from './lib.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const EVIL = '<img src="https://evil.example/x" onerror=alert(1)>&amp;';

/** Saves a report: its file's name and text. */
async function report(page) {
  const download = page.waitForEvent('download');
  await page.click('#export-menu summary');
  await page.click('[data-format=report]');
  const file = await download;
  const chunks = [];
  for await (const chunk of await file.createReadStream()) chunks.push(chunk);
  return { name: file.suggestedFilename(), text: Buffer.concat(chunks).toString() };
}

/** What a report says, and what in it could run or be fetched. */
const read = (page, text) => page.evaluate(async (text) => {
  const found = new DOMParser().parseFromString(text, 'text/html');
  const texts = (selector) => [...found.querySelectorAll(selector)].map(({ textContent }) => textContent.trim());
  const pairs = (id) => [...found.querySelectorAll(`#${id} tr`)].map(({ children }) => [...children].map(({ textContent }) => textContent));
  const picture = await createImageBitmap(await (await fetch(found.getElementById('picture').src)).blob());
  const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, picture.width, picture.height);
  const colors = new Set();
  for (let i = 0; i < data.length; i += 404) colors.add(`${data[i]} ${data[i + 1]} ${data[i + 2]}`);
  return {
    heading: texts('h1')[0],
    layer: texts('#layer')[0],
    ticks: texts('.scale span'),
    statistics: pairs('statistics'),
    shares: pairs('shares'),
    place: pairs('place'),
    receiver: pairs('receiver'),
    rows: [...found.querySelectorAll('#transmitters tbody tr')].map(({ children }) => [...children].map(({ textContent }) => textContent)),
    caption: texts('figcaption')[0],
    model: texts('#model')[0],
    remarks: texts('#remarks li'),
    credits: texts('#credits li'),
    link: found.getElementById('link')?.href,
    curve: found.querySelectorAll('svg polyline.curve').length,
    picture: [picture.width, picture.height, colors.size],
    runs: [...found.querySelectorAll('*')].filter((element) => /^(script|iframe|object|embed|link|base)$/i.test(element.tagName) || [...element.attributes].some(({ name }) => name.startsWith('on'))).length,
    fetched: [...found.querySelectorAll('[src], [srcset], image, use')].map((element) => element.getAttribute('src') ?? element.outerHTML).filter((source) => !source.startsWith('data:')),
  };
}, text);

/** What the page says. */
const said = (page) => page.evaluate(() => {
  const texts = (selector) => [...document.querySelectorAll(selector)].map(({ textContent }) => textContent);
  const values = texts('#stats dd');
  return {
    statistics: texts('#stats dt').map((term, i) => [term, values[i]]),
    legend: document.getElementById('legend-title').textContent,
    ticks: texts('#ticks span'),
    plan: window.radiodiff.plan,
    bounds: window.radiodiff.map.bounds,
    remarks: texts('#report li'),
    credit: document.getElementById('credit').textContent,
    worth: document.getElementById('worth').textContent,
  };
});

test('a report says what the page says, escapes what the planner wrote, and opens without network and scripts', { timeout: 120_000 }, async () => {
  const page = await open(browser);
  await drop(page, `${EVIL.replaceAll('/', ':')}.geojson`, VILLAGE);
  await page.waitForFunction(() => document.getElementById('place').textContent.endsWith('.geojson'));
  await drawn(page);
  await page.click('#add');
  await page.fill('#name', EVIL.slice(0, 40));
  await page.selectOption('#antenna', 'sector');
  await page.fill('#azimuth', '200');
  await drawn(page);
  await page.check('input[value=sinr]', { force: true });
  await drawn(page);
  const { name, text } = await report(page);
  assert.match(name, /sinr\.report\.html$/);
  const [found, shown] = [await read(page, text), await said(page)];
  assert.ok(found.heading.includes(EVIL.replaceAll('/', ':')), found.heading);
  assert.deepEqual([found.layer, found.ticks], [shown.legend, shown.ticks]);
  assert.deepEqual(found.statistics, shown.statistics);
  assert.equal(found.shares.length, 2);
  assert.deepEqual(found.place.slice(0, 4).map(([, value]) => value), ['west', 'south', 'east', 'north'].map((side) => `${shown.bounds[side].toFixed(6)}°`));
  assert.deepEqual(found.receiver[0], ['Threshold', '-110 dBm']);
  const [first, second] = shown.plan.transmitters;
  assert.deepEqual(found.rows[0], ['1', first.name, first.lng.toFixed(6), first.lat.toFixed(6), '1.5', '23', '5900', 'Omni, 0 dBi']);
  assert.deepEqual(found.rows[1].slice(1), [second.name, second.lng.toFixed(6), second.lat.toFixed(6), '1.5', '23', '5900', 'Sector, 8 dBi, azimuth 200°, downtilt 0°, beamwidth 65°']);
  assert.equal(found.model, 'Physical');
  assert.ok(text.includes(shown.worth.split(':')[0]), shown.worth);
  assert.deepEqual(found.remarks.filter((remark) => shown.remarks.includes(remark)), shown.remarks);
  assert.deepEqual(found.credits, [`Buildings ${shown.credit}`]);
  assert.deepEqual([found.curve, found.runs, found.fetched], [1, 0, []]);
  assert.deepEqual(found.picture.slice(0, 2), [1000, 1000]);
  assert.ok(found.picture[2] > 20, `the picture has ${found.picture[2]} colours`);

  // The link opens the plan that the report is of.
  const linked = await open(browser, { hash: new URL(found.link).hash });
  assert.deepEqual((await said(linked)).plan, shown.plan);
  await linked.close();

  const alone = await browser.newContext({ javaScriptEnabled: false, offline: true });
  const paper = await alone.newPage();
  const asked = [];
  paper.on('request', (request) => { if (!/^(data|about):/.test(request.url())) asked.push(request.url()); });
  await paper.setContent(text);
  assert.equal(await paper.locator('#transmitters tbody tr').count(), 2);
  await paper.setViewportSize({ width: 320, height: 640 });
  assert.ok(await paper.locator('body').evaluate((body) => body.scrollWidth <= 320), 'it scrolls sideways on a phone');
  assert.deepEqual(asked, []);
  await alone.close();

  await page.check('input[value=server]', { force: true });
  await drawn(page);
  const servers = await read(page, (await report(page)).text);
  assert.deepEqual([servers.layer, servers.ticks], ['Best server', []]);
  assert.match(servers.caption, /Lines part the ground by its strongest transmitter/);
  assert.deepEqual([...page.failures, ...linked.failures], []);
  await page.close();
});
