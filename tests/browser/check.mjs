// One look at the page, for `cargo xtask demo --check`: draws a map, saves a picture, and says what is wrong with it.
// node check.mjs <screenshot.png>

import { launch, notice, open, shownMap } from './lib.mjs';
import { faults } from './plausible.mjs';

const [screenshot] = process.argv.slice(2);
const browser = await launch();
try {
  const page = await open(browser, { query: { view: 'maplibre' } });
  await page.waitForFunction(() => window.radiodiff.camera()?.idle());
  await page.screenshot({ path: screenshot });
  const map = await shownMap(page);
  const found = [...faults(map), ...page.failures.map((failure) => `the page threw ${failure}`)];
  console.log(`drawn: ${map.width} x ${map.height} pixels; the page says: ${(await notice(page)) || 'nothing'}; picture: ${screenshot}`);
  for (const fault of found) console.error(`not plausible: ${fault}`);
  process.exitCode = found.length ? 1 : 0;
} catch (error) {
  console.error(`no map: ${error.message}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
