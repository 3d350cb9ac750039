// Where the page looks for sites: on the whole map, on the part of it that is in view, or among the candidates of a list.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { drawn, launch, notice, open, saysSomethingNew } from './lib.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const choose = (page, name, lines) => page.setInputFiles('#sites-file', { name, mimeType: 'text/csv', buffer: Buffer.from(lines.join('\n')) });

test('sites are found among the candidates of a list and keep their names, and what is no list says what was expected', { timeout: 120_000 }, async () => {
  const page = await open(browser);
  const { west, east, south, north } = await page.evaluate(() => window.radiodiff.map.bounds);
  const at = (x, y) => [west + x * (east - west), south + y * (north - south)];
  await page.fill('#threshold', '-85');
  await drawn(page);
  await page.click('#sites summary');
  assert.ok(await page.locator('#sites-list').isHidden());
  await page.selectOption('#sites-where', 'list');
  await page.click('#sites-find');
  assert.match(await notice(page), /choose a file of candidates first, CSV with the columns name, lng and lat/);

  let said = await notice(page);
  await choose(page, 'drive.csv', ['lng,lat,rsrp_dbm', `${at(0.5, 0.5)},-80`]);
  said = await saysSomethingNew(page, said);
  assert.match(said, /drive\.csv holds no candidates: expected CSV with the columns name, lng and lat, and a candidate a line/);
  await choose(page, 'masts.csv', ['name,lng,lat,height_m,power_dbm', `Far,${at(3, 0.5)},,`, `South,${at(0.4, 0.04)},12,20`, 'Nowhere,x,y,,']);
  said = await saysSomethingNew(page, said);
  assert.match(said, /Not used of masts\.csv: line 4 \(Nowhere\)/);
  assert.match(await page.locator('#sites-list').innerText(), /Candidates:\s+2 sites of masts\.csv/);

  await page.fill('#sites-count', '2');
  await page.click('#sites-find');
  await page.waitForFunction(() => window.radiodiff.plan.transmitters.length === 2, undefined, { timeout: 60_000 });
  await drawn(page);
  const [, { name, lng, lat, heightM, powerDbm }] = await page.evaluate(() => window.radiodiff.plan.transmitters);
  assert.deepEqual([name, heightM, powerDbm], ['South', 12, 20]);
  const [metersEast, metersNorth] = [(lng - at(0.4, 0)[0]) / (east - west), (lat - at(0, 0.04)[1]) / (north - south)].map((share) => 256 * Math.abs(share));
  assert.ok(metersEast < 20 && metersNorth < 20, `it stands ${metersEast} m and ${metersNorth} m from its candidate`);
  assert.match(await notice(page), /1 site added: .*1 of 2 candidates lie off the map and are not used: Far\./);
  await page.click('#undo');
  assert.equal(await page.evaluate(() => window.radiodiff.plan.transmitters.length), 1);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('the part of the map that is in view is searched as closely as a whole map', { timeout: 120_000 }, async () => {
  const page = await open(browser, { query: { view: 'maplibre' } });
  await page.click('#zoom-in');
  await page.click('#zoom-in');
  await page.waitForFunction(() => window.radiodiff.camera().idle());
  await page.evaluate(() => {
    window.radiodiff.engine.suggestSites = async (request) => {
      window.asked = request;
      return { sites: [], shareBefore: 0, offMap: [], warnings: [] };
    };
  });
  await page.click('#sites summary');
  await page.selectOption('#sites-where', 'view');
  await page.click('#sites-find');
  const { area, spacingM, existing } = await page.waitForFunction(() => window.asked).then((asked) => asked.jsonValue());
  const bounds = await page.evaluate(() => window.radiodiff.map.bounds);
  const share = ['east', 'north'].map((side, i) => (area[side] - area[['west', 'south'][i]]) / (bounds[side] - bounds[['west', 'south'][i]]));
  assert.ok(share.every((part) => part > 0.1 && part < 0.8), `of the map's sides ${share} are in view`);
  assert.ok(Math.abs(spacingM - (256 * Math.max(...share)) / 12) < 0.1, `${spacingM} m apart in ${share} of 256 m`);
  assert.equal(existing.length, 1);

  // Tilted, a box around the screen's corners has a quarter of its ground off the screen.
  for (const button of ['#tilt', '#zoom-in', '#zoom-in']) await page.click(button);
  await page.waitForFunction(() => window.radiodiff.camera().idle());
  await page.evaluate(() => { window.asked = undefined; });
  await page.click('#sites-find');
  await page.waitForFunction(() => window.asked);
  const onScreen = await page.evaluate(() => {
    const { west, south, east, north } = window.asked.area;
    const { clientWidth, clientHeight } = document.getElementById('map');
    const shares = Array.from({ length: 20 }, (_, i) => (i + 0.5) / 20);
    const seen = shares.flatMap((x) => shares.map((y) => window.radiodiff.project({ lng: west + x * (east - west), lat: south + y * (north - south) })));
    return seen.filter(({ x, y }) => x >= 0 && x <= clientWidth && y >= 0 && y <= clientHeight).length / seen.length;
  });
  assert.ok(onScreen > 0.9, `${onScreen} of the ground that is searched is on the screen`);
  assert.deepEqual(page.failures, []);
  await page.close();
});
