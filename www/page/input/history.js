// Undo and redo, by button and by key.

import { canRedo, canUndo, redo, undo } from '../plan/store.js';
import { announce } from '../state.js';

const element = (id) => document.getElementById(id);

export function listenToHistory() {
  element('undo').addEventListener('click', () => step(undo, 'Undone.'));
  element('redo').addEventListener('click', () => step(redo, 'Redone.'));
  addEventListener('keydown', (event) => {
    // In a text field the browser's own undo is meant.
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target.closest?.('input[type=text], input[type=url]')) return;
    const key = event.key.toLowerCase();
    if (key !== 'z' && key !== 'y') return;
    event.preventDefault();
    if (key === 'y' || event.shiftKey) step(redo, 'Redone.');
    else step(undo, 'Undone.');
  });
}

function step(act, words) {
  act();
  announce(words);
}

export function refreshHistory() {
  element('undo').disabled = !canUndo();
  element('redo').disabled = !canRedo();
}
