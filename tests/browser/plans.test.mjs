// Plans that the browser keeps: saved under a name, opened, deleted, and what the page says where they cannot be kept.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { VILLAGE, drawn, drop, launch, notice, open } from './lib.mjs';

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const plan = (page) => page.evaluate(() => window.radiodiff.plan);
const title = (page) => page.evaluate(() => document.getElementById('place').textContent);
const says = (page, pattern) => page.waitForFunction((source) => new RegExp(source).test(document.getElementById('plans-say').textContent), pattern.source);
const rows = (page) => page.locator('#plans-list .pick').allInnerTexts();

async function openDialog(page) {
  await page.click('#plans-open');
  await page.waitForFunction(() => document.getElementById('plans').open && document.getElementById('plans-name').value);
}

/** Saves the open plan under a name, or under the one that is offered. */
async function save(page, name) {
  if (name) await page.fill('#plans-name', name);
  await page.click('#plans-save');
  await says(page, /is saved/);
}

test('plans are kept with their buildings, open again as a step to undo, and what is deleted or replaced comes back', { timeout: 120_000 }, async () => {
  const context = await browser.newContext();
  const page = await open(context);
  await openDialog(page);
  const offered = await page.inputValue('#plans-name');
  assert.match(offered, /^Old town, Munich, .*\d{4}$/);
  await save(page);
  await page.keyboard.press('Escape');

  await drop(page, 'village.geojson', VILLAGE);
  await page.waitForFunction(() => document.getElementById('place').textContent === 'village.geojson');
  await drawn(page);
  await page.fill('#power', '31');
  await drawn(page);
  const village = await plan(page);
  await openDialog(page);
  await save(page, 'Roofs <b>1</b>');
  assert.match((await rows(page))[0], /Roofs <b>1<\/b>\s+1 transmitter · .* · village\.geojson/);
  await page.keyboard.press('Escape');
  await page.fill('#power', '12');
  await drawn(page);
  await openDialog(page);
  assert.equal(await page.inputValue('#plans-name'), 'Roofs <b>1</b>');
  await save(page);
  await page.click('#plans-say button');
  await says(page, /is back/);
  await page.locator('#plans-list li button', { hasText: 'Delete' }).last().click();
  await says(page, /is deleted/);
  assert.equal((await rows(page)).length, 1);
  await page.keyboard.press('Enter');
  await says(page, /is back/);
  assert.equal((await rows(page)).length, 2);

  // Of the page's own place: undo brings the village back, which was edited.
  await page.locator('#plans-list .pick', { hasText: offered }).click();
  await page.waitForFunction(() => document.getElementById('place').textContent === 'Old town, Munich');
  await drawn(page);
  assert.match(await notice(page), /Another plan begins here\. Undo brings back village\.geojson/);
  await page.click('#undo');
  await page.waitForFunction(() => document.getElementById('place').textContent === 'village.geojson');
  assert.equal((await plan(page)).transmitters[0].powerDbm, 12);
  assert.deepEqual(page.failures, []);
  await page.close();

  const later = await open(context);
  await openDialog(later);
  assert.equal(await later.inputValue('#plans-name'), `${offered} (2)`);
  await later.locator('#plans-list .pick', { hasText: 'Roofs' }).click();
  await later.waitForFunction(() => document.getElementById('place').textContent === 'village.geojson');
  await drawn(later);
  assert.deepEqual((await plan(later)).transmitters, village.transmitters);
  assert.deepEqual(later.failures, []);
  await context.close();
});

test('a name that is typed before the saved plans are listed stays', { timeout: 120_000 }, async () => {
  const page = await open(browser);
  await page.evaluate(() => {
    const dialog = document.getElementById('plans');
    new MutationObserver(() => { document.getElementById('plans-name').value = 'Typed'; }).observe(dialog, { attributeFilter: ['open'] });
  });
  await openDialog(page);
  await save(page);
  assert.match((await rows(page))[0], /^Typed\s/);
  assert.deepEqual(page.failures, []);
  await page.close();
});

test('where the browser keeps nothing the dialog says so and saves the plan as a file', { timeout: 120_000 }, async () => {
  const page = await open(browser);
  await page.evaluate(() => {
    IDBFactory.prototype.open = () => { throw new DOMException('storage is switched off', 'SecurityError'); };
  });
  await page.click('#plans-open');
  await says(page, /does not show its saved plans \(storage is switched off\)\. As a file it can be kept all the same/);
  await page.fill('#plans-name', 'Mine');
  await page.click('#plans-save');
  await says(page, /The plan cannot be saved here \(storage is switched off\)/);
  const file = page.waitForEvent('download');
  await page.click('#plans-say button');
  assert.match((await file).suggestedFilename(), /plan\.json$/);

  await page.evaluate(() => {
    IDBFactory.prototype.open = () => { throw new DOMException('no room', 'QuotaExceededError'); };
  });
  await page.click('#plans-save');
  await says(page, /the space that the browser grants is used up: delete plans that you no longer need/);
  assert.equal(await title(page), 'Old town, Munich');
  assert.deepEqual(page.failures, []);
  await page.close();
});
