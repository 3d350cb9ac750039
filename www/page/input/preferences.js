// The dialog of settings.

import { say, unsay } from '../notices.js';
import { changeSettings, settings } from '../settings.js';
import { refreshGround } from '../views/stage.js';
import { option } from '../elements.js';

const element = (id) => document.getElementById(id);
const THEMES = [['auto', 'As the system'], ['light', 'Light'], ['dark', 'Dark']];
const VIEWS = [['maplibre', 'MapLibre: zoom, 3D'], ['flat', 'Flat, for slow machines (from the next visit on)']];

/** Settings that the map follows at once. */
const GROUND = ['theme', 'background', 'attribution'];

export function listenToSettings() {
  element('settings-open').addEventListener('click', () => element('settings').showModal());
  element('settings-fields').append(
    labelled('Colours of the page', choice('theme', THEMES)),
    labelled('Map', choice('view', VIEWS)),
    labelled('Map underneath: address of a style, or of tiles with {z}, {x} and {y}. Empty: none, and nothing is fetched', address('background')),
    labelled('Attribution of the tiles', Object.assign(document.createElement('input'), { id: 'attribution', type: 'text' })),
    labelled('Overpass server that is asked for buildings', Object.assign(address('overpass'), { required: true })),
  );
  for (const id of ['theme', 'view', 'background', 'attribution', 'overpass']) {
    element(id).value = settings()[id];
    element(id).addEventListener('change', ({ target }) => take(id, target));
  }
  refreshGround();
}

function take(id, input) {
  // The notices lie behind the dialog.
  if (!input.reportValidity()) return;
  unsay('settings');
  if (!changeSettings({ [id]: input.value.trim() })) say('settings', 'This browser keeps no settings: they hold until the page is closed.');
  if (GROUND.includes(id)) refreshGround();
}

function choice(id, choices) {
  const select = Object.assign(document.createElement('select'), { id });
  select.append(...choices.map(([value, name]) => option(value, name)));
  return select;
}

function address(id) {
  return Object.assign(document.createElement('input'), { id, type: 'url', placeholder: 'https://', pattern: 'https?://.+', title: 'An address that begins with https://' });
}

function labelled(text, input) {
  const label = Object.assign(document.createElement('label'), { className: 'wide', textContent: text });
  label.append(input);
  return label;
}
