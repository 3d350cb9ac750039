// The dialog of settings.

import { say } from '../notices.js';
import { changeSettings, settings } from '../settings.js';
import { refreshGround } from '../views/stage.js';
import { option } from './controls.js';

const element = (id) => document.getElementById(id);
const THEMES = [['auto', 'As the system'], ['light', 'Light'], ['dark', 'Dark']];

export function listenToSettings() {
  element('settings-open').addEventListener('click', () => element('settings').showModal());
  const theme = Object.assign(document.createElement('select'), { id: 'theme' });
  theme.append(...THEMES.map((choice) => option(...choice)));
  element('settings-fields').append(
    labelled('Colours of the page', theme),
    labelled('Map underneath: address of a style, or of tiles with {z}, {x} and {y}. Empty: none, and nothing is fetched', address('background')),
    labelled('Attribution of the tiles', Object.assign(document.createElement('input'), { id: 'attribution', type: 'text' })),
    labelled('Overpass server that is asked for buildings', address('overpass')),
  );
  for (const id of ['theme', 'background', 'attribution', 'overpass']) {
    element(id).value = settings()[id];
    element(id).addEventListener('change', ({ target }) => take(id, target));
  }
  refreshGround();
}

function take(id, input) {
  if (!input.checkValidity()) {
    say('settings', `${input.value} is no address: it begins with https://.`, 'error');
    return;
  }
  if (!changeSettings({ [id]: input.value.trim() })) say('settings', 'This browser keeps no settings: they hold until the page is closed.');
  if (id !== 'overpass') refreshGround();
}

function address(id) {
  return Object.assign(document.createElement('input'), { id, type: 'url', placeholder: 'https://', pattern: 'https?://.+' });
}

function labelled(text, input) {
  const label = Object.assign(document.createElement('label'), { className: 'wide', textContent: text });
  label.append(input);
  return label;
}
