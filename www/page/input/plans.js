// The button of the plans that this browser keeps. Their dialog is loaded when it is first opened, and is given what it needs of the page.

import { saveFile } from '../export/menu.js';
import { leaveField } from '../elements.js';
import { say } from '../notices.js';
import { planText, readPlan } from '../plan/link.js';
import { plan } from '../plan/store.js';
import { announce, state } from '../state.js';

/** `saved` gives what a plan file holds, `open` opens it. */
export function listenToPlans({ saved, open }) {
  const page = {
    /** The open scene: its title, and which one it is. */
    scene: () => state.scene,
    transmitters: () => plan().transmitters.length,
    text: async () => planText(await saved()),
    open: (text, name) => open(readPlan(text, name)),
    saveFile: () => saveFile('plan'),
    announce,
  };
  document.getElementById('plans-open').addEventListener('click', async () => {
    leaveField();
    try {
      const { showPlans } = await import('./kept-plans.js');
      await showPlans(page);
    } catch (error) {
      say('plan', `The saved plans cannot be shown (${error.message}): check the connection, and try again.`, 'error');
    }
  });
}
