// The menu of files. What is saved is the shown layer, as it is shown; nothing leaves the machine.

import { shownLayer } from '../layers/model.js';
import { shownMap } from '../layers/shown.js';
import { say, unsay } from '../notices.js';
import { announce, state } from '../state.js';
import { FORMATS } from './formats.js';

const element = (id) => document.getElementById(id);

/** What asks the page for more than is shown. */
let page;

/** `saved` gives what a plan file holds, `link` the plan's address, or undefined where it has none. */
export function listenToExports({ saved, link }) {
  page = { saved, link };
  const menu = element('export-menu');
  element('exports').append(...Object.entries(FORMATS).map(([id, { name, says }]) => {
    const button = Object.assign(document.createElement('button'), { type: 'button' });
    button.dataset.format = id;
    button.append(name, Object.assign(document.createElement('small'), { textContent: says }));
    button.addEventListener('click', () => {
      menu.open = false;
      saveFile(id);
    });
    return button;
  }));
  addEventListener('click', ({ target }) => {
    if (!menu.contains(target)) menu.open = false;
  });
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return;
    // Escape elsewhere lets go of the transmitter.
    event.stopPropagation();
    menu.open = false;
    menu.querySelector('summary').focus();
  });
}

/** Saves what is shown in a format of the menu. */
export async function saveFile(id) {
  const { name, write } = FORMATS[id];
  const map = shownMap();
  if (!map && id !== 'plan') {
    say('export', 'There is no map to save: add a transmitter first.', 'error');
    return;
  }
  unsay('export');
  const title = fileName();
  try {
    const files = await write({ map, name: title, ...page });
    for (const [ending, type, content] of files) download(`${title}.${ending}`, new Blob([content], { type }));
    announce(`${name} saved.`);
  } catch (error) {
    say('export', `${name} cannot be written: ${error.message}.`, 'error');
  }
}

/** Of the place and the layer, such as `old-town-munich-sinr`. */
function fileName() {
  const words = `${state.scene?.title ?? 'plan'} ${shownLayer().name}`.toLowerCase();
  return words.normalize('NFD').replace(/\p{M}/gu, '').replace(/\.(geo)?json.?|\.osm|\.gz|\.tiff?\b/g, '').replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '');
}

function download(name, blob) {
  const href = URL.createObjectURL(blob);
  Object.assign(document.createElement('a'), { href, download: name }).click();
  // The browser reads the blob after the click.
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
