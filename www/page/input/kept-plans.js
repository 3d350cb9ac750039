// The dialog of the plans that this browser keeps: save the open plan under a name, open one, delete one. What a save or a deletion takes
// away is given back by a button, as long as the dialog is open. input/plans.js loads this file when it is first needed, so that it holds
// nothing of the page; `page` there says what it is given.

import { forgetPlan, keepPlan, keptPlans, keptText } from '../plan/kept.js';

const element = (id) => document.getElementById(id);
const made = (tag, fields, ...content) => {
  const found = Object.assign(document.createElement(tag), fields);
  found.append(...content);
  return found;
};

/** The page, and the plan of it that was saved or opened last: { name, scene }. */
let page;
let last = {};

export async function showPlans(given) {
  if (!page) {
    element('plans-form').addEventListener('submit', (event) => {
      event.preventDefault();
      attempt('kept', save);
    });
  }
  page = given;
  tell('');
  element('plans').showModal();
  element('plans-save').disabled = !page.scene();
  element('plans-name').value = '';
  await attempt('shown', async () => {
    const plans = await list();
    // A name that was typed meanwhile stays.
    element('plans-name').value ||= nameFor(plans);
  });
}

/** That of the open plan, if it was saved or opened here; else the place and the date. */
function nameFor(plans) {
  const scene = page.scene();
  if (!scene) return '';
  if (last.scene === scene) return last.name;
  const taken = new Set(plans.map(({ name }) => name));
  const name = `${scene.title}, ${new Date().toLocaleDateString(undefined, { dateStyle: 'medium' })}`;
  let number = 1;
  while (taken.has(numbered(name, number))) number += 1;
  return numbered(name, number);
}

const numbered = (name, number) => (number === 1 ? name : `${name} (${number})`);

async function save() {
  const name = element('plans-name').value.trim();
  if (!name) return;
  const scene = page.scene();
  const entry = { name, place: scene.title, transmitters: page.transmitters(), savedAt: Date.now() };
  const before = await keepPlan({ entry, text: await page.text() });
  last = { name, scene };
  await list();
  if (before) tell(`“${name}” is saved in place of the one of ${dateOf(before.entry)}.`, { label: 'Undo', act: () => bringBack(before) });
  else tell(`“${name}” is saved.`);
}

async function remove({ name }) {
  const before = await forgetPlan(name);
  await list();
  tell(`“${name}” is deleted.`, before && { label: 'Undo', act: () => bringBack(before) });
}

async function bringBack(before) {
  await keepPlan(before);
  await list();
  tell(`“${before.entry.name}” of ${dateOf(before.entry)} is back.`);
}

async function open({ name }) {
  const text = await keptText(name);
  if (text === undefined) {
    await list();
    throw new Error('it was deleted meanwhile');
  }
  const opening = page.open(text, `“${name}”`);
  // What is wrong with its place is told on the page.
  element('plans').close();
  if (!(await opening)) return;
  last = { name, scene: page.scene() };
  page.announce(`${name} is open. Undo brings back the plan before.`);
}

/** Shows what is kept, and gives it. */
async function list() {
  const plans = await keptPlans();
  element('plans-list').replaceChildren(...plans.map(row));
  element('plans-none').hidden = plans.length > 0;
  return plans;
}

const dateOf = ({ savedAt }) => new Date(savedAt).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });

function row(entry) {
  const { name, place, transmitters } = entry;
  const figures = [transmitters === 1 ? '1 transmitter' : `${transmitters} transmitters`, dateOf(entry), ...(name.startsWith(place) ? [] : [place])];
  const pick = made('button', { type: 'button', className: 'pick', title: `Open ${name}` }, made('span', {}, name), made('small', {}, figures.join(' · ')));
  const cross = made('button', { type: 'button', title: `Delete ${name}`, ariaLabel: `Delete ${name}` }, 'Delete');
  pick.addEventListener('click', () => attempt('opened', () => open(entry)));
  cross.addEventListener('click', () => attempt('deleted', () => remove(entry)));
  return made('li', {}, pick, cross);
}

/** Does something, or says why it cannot be done, and how the open plan is kept all the same. */
async function attempt(what, act) {
  try {
    await act();
  } catch (error) {
    const isFull = error.name === 'QuotaExceededError';
    const why = isFull ? 'the space that the browser grants is used up: delete plans that you no longer need' : error.message;
    const words = { kept: 'The plan cannot be saved here', shown: 'This browser does not show its saved plans', opened: 'The plan cannot be opened', deleted: 'The plan cannot be deleted' };
    const savesFile = what === 'kept' || what === 'shown';
    tell(`${words[what]} (${why}).${savesFile ? ' As a file it can be kept all the same.' : ''}`, savesFile && page.scene() && { label: 'Save as a file', act: page.saveFile });
  }
}

/** Says something, with a button for what may follow from it: { label, act }. */
function tell(words, next) {
  element('plans-say').replaceChildren(words);
  if (!next) return;
  const button = made('button', { type: 'button' }, next.label);
  button.addEventListener('click', () => attempt('kept', next.act));
  element('plans-say').append(' ', button);
  // The pressed button may have gone with its plan.
  if (!element('plans').contains(document.activeElement)) button.focus();
}
