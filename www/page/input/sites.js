// Suggested sites: the engine searches the places that cover most, and the plan gets transmitters there, as one step to undo. So it does
// of a list of sites that is dropped or chosen.

import { leaveField } from '../elements.js';
import { engines } from '../engines.js';
import { say, unsay } from '../notices.js';
import { MOST_TRANSMITTERS, copyOf, isOn, newTransmitter, requestOf, requested } from '../plan/model.js';
import { holdsSites, sitesIn } from '../plan/sites.js';
import { change, plan, select, selected } from '../plan/store.js';
import { around, state } from '../state.js';
import { percent } from '../units.js';
import { headOf } from './files.js';

const element = (id) => document.getElementById(id);

/** So many lines that cannot be used are named one by one. */
const MOST_NAMED = 3;

/** The search that runs, to end it by the same button. */
let search;

export function listenToSites() {
  element('sites-form').addEventListener('submit', (event) => {
    event.preventDefault();
    if (search) search.abort();
    else if (state.scene) suggest(element('sites-count').valueAsNumber);
  });
}

/** Ends a search that runs: its scene is left. */
export const stopSearch = () => search?.abort();

async function suggest(count) {
  const { scene } = state;
  const asked = { plan: plan(), template: selected() };
  const room = MOST_TRANSMITTERS - asked.plan.transmitters.length;
  if (count > room) {
    say('sites', `A plan holds ${MOST_TRANSMITTERS} transmitters: ask for ${room} or fewer, or remove some.`, 'error');
    return;
  }
  search = new AbortController();
  showProgress(0);
  unsay('sites');
  // What is suggested is like the chosen transmitter.
  const { lng, lat, ...transmitter } = requestOf(asked.template ?? newTransmitter({ lng: 0, lat: 0 }));
  const { receiver, thresholdDbm } = asked.plan;
  try {
    const found = await engines.physical.suggestSites({
      ...around(),
      count,
      thresholdDbm,
      existing: requested(asked.plan, scene.bounds),
      transmitter,
      receiver,
      signal: search.signal,
      onProgress: ({ phase, loaded, total }) => { if (phase === 'candidates') showProgress(loaded / total); },
    });
    if (state.scene === scene) add(found, asked);
  } catch (error) {
    if (!search.signal.aborted) say('sites', `No sites can be suggested: ${error.message}.`, 'error');
  } finally {
    search = undefined;
    showProgress(undefined);
  }
}

/** Adds what was found, like the transmitter that it was searched for; the plan may be another now. */
function add({ sites, shareBefore }, { plan: asked, template }) {
  const ofWhat = plan() === asked ? '' : ' That is of the plan as it was when the search began.';
  if (!sites.length) {
    say('sites', `No place covers more than there is: lower the threshold, or raise power or height.${ofWhat}`);
    return;
  }
  const added = [];
  // Others may have been added while the search ran.
  for (const site of sites.slice(0, MOST_TRANSMITTERS - plan().transmitters.length)) {
    const others = [...plan().transmitters, ...added];
    added.push({ ...(template ? copyOf(template, site, others) : newTransmitter(site, others)), active: true });
  }
  if (!added.length) {
    say('sites', `A plan holds ${MOST_TRANSMITTERS} transmitters: remove some first.`);
    return;
  }
  leaveField();
  change((now) => ({ ...now, transmitters: [...now.transmitters, ...added] }));
  select(added[0].id);
  const them = added.length === 1 ? 'it' : 'them';
  say('sites', `${counted(added.length)} added: ${percent(shareBefore)} covered before, ${percent(sites[added.length - 1].coveredShare)} with ${them}.${ofWhat} Undo takes ${them} away.`);
}

/**
 * True of a file that holds a list of sites.
 * @throws where the file cannot be read
 */
export const isSites = async (file) => /\.(csv|tsv)$/i.test(file.name) && holdsSites(await headOf(file));

/** Adds the transmitters of a list of sites, like the chosen one where the list leaves something out, as one step to undo. */
export async function openSites(file) {
  if (!state.scene) {
    say('sites', `Open the place where the sites of ${file.name} stand first.`, 'error');
    return;
  }
  const { sites, faults } = sitesIn(await file.text());
  leaveField();
  const { transmitters } = plan();
  const template = selected();
  const added = [];
  for (const site of sites.slice(0, MOST_TRANSMITTERS - transmitters.length)) {
    const others = [...transmitters, ...added];
    added.push({ ...(template ? copyOf(template, site, others) : newTransmitter(site, others)), active: true, ...site });
  }
  if (added.length) {
    change((now) => ({ ...now, transmitters: [...now.transmitters, ...added] }));
    select(added[0].id);
  }
  const out = added.filter((site) => !isOn(state.scene.bounds, site)).length;
  const words = [`${counted(added.length)} of ${file.name} added${template && added.length ? `; what the list leaves out is as ${template.name} has it` : ''}.`];
  if (out) words.push(`${out === added.length ? (out === 1 ? 'It stands' : 'All of them stand') : `${out} of them ${out === 1 ? 'stands' : 'stand'}`} off this map and ${out === 1 ? 'is' : 'are'} left out of it.`);
  if (added.length) words.push(`Undo takes ${added.length === 1 ? 'it' : 'them'} away.`);
  const unfit = sites.length - added.length;
  if (unfit) words.push(`${counted(unfit)} more cannot be added: a plan holds ${MOST_TRANSMITTERS} transmitters.`);
  if (faults.length) words.push(`Not used: ${[...faults.slice(0, MOST_NAMED), ...(faults.length > MOST_NAMED ? [`and ${faults.length - MOST_NAMED} more lines`] : [])].join('; ')}.`);
  say('sites', words.join(' '), unfit || faults.length || !added.length ? 'error' : 'warning');
}

const counted = (count) => (count === 1 ? '1 site' : `${count} sites`);

/** `share` is undefined while nothing runs. */
function showProgress(share) {
  element('sites-progress').hidden = share === undefined;
  element('sites-progress').value = share ?? 0;
  element('sites-find').textContent = share === undefined ? 'Suggest' : 'Stop';
}
