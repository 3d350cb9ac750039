// Undo and redo, by button and by key.

import { canRedo, canUndo, redo, undo } from '../plan/store.js';
import { announce } from '../state.js';

const element = (id) => document.getElementById(id);

export function listenToHistory() {
  element('undo').addEventListener('click', back);
  element('redo').addEventListener('click', forth);
  addEventListener('keydown', (event) => {
    // In a text field or a dialog the browser's own undo is meant.
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target.closest?.('dialog, input[type=text]')) return;
    const key = event.key.toLowerCase();
    if (key !== 'z' && key !== 'y') return;
    event.preventDefault();
    // A number field keeps what is typed while it has the focus, and would write it again when it is left.
    const field = event.target.closest?.('input[type=number]');
    field?.blur();
    if (key === 'y' || event.shiftKey) forth();
    else back();
    field?.focus({ preventScroll: true });
  });
}

function back() {
  if (!canUndo()) return;
  undo();
  announce('Undone.');
}

function forth() {
  if (!canRedo()) return;
  redo();
  announce('Redone.');
}

export function refreshHistory() {
  element('undo').disabled = !canUndo();
  element('redo').disabled = !canRedo();
}
