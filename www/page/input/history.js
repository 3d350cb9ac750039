// Undo and redo, by button and by key.

import { after, before, isOfOpenScene, redo, undo } from '../plan/store.js';
import { announce } from '../state.js';

const element = (id) => document.getElementById(id);

/** `reopen` opens the scene of a step and takes the step; it gives false where it cannot. */
export function listenToHistory(reopen) {
  const go = async (step, take, words) => {
    if (!step) return;
    if (isOfOpenScene(step)) take();
    else if (!(await reopen(step, take))) return;
    announce(words);
  };
  const back = () => go(before(), undo, 'Undone.');
  const forth = () => go(after(), redo, 'Redone.');
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

export function refreshHistory() {
  element('undo').disabled = !before();
  element('redo').disabled = !after();
}
