// Suggested sites: the engine searches the places that cover most, and the plan gets transmitters there, as one step to undo.

import { engines } from '../engines.js';
import { say, unsay } from '../notices.js';
import { MOST_TRANSMITTERS, copyOf, newTransmitter, requestOf, requested } from '../plan/model.js';
import { change, plan, select, selected } from '../plan/store.js';
import { state } from '../state.js';
import { percent } from '../units.js';

const element = (id) => document.getElementById(id);

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
  const room = MOST_TRANSMITTERS - plan().transmitters.length;
  if (count > room) {
    say('sites', `A plan holds ${MOST_TRANSMITTERS} transmitters: ask for ${room} or fewer, or remove some.`, 'error');
    return;
  }
  search = new AbortController();
  showProgress(0);
  unsay('sites');
  // What is suggested is like the chosen transmitter.
  const { lng, lat, ...transmitter } = requestOf(selected() ?? newTransmitter({ lng: 0, lat: 0 }));
  const { receiver, thresholdDbm } = plan();
  try {
    const found = await engines.physical.suggestSites({
      ...scene.around,
      count,
      thresholdDbm,
      existing: requested(plan()),
      transmitter,
      receiver,
      signal: search.signal,
      onProgress: ({ loaded, total }) => showProgress(loaded / total),
    });
    if (state.scene === scene) add(found);
  } catch (error) {
    if (!search.signal.aborted) say('sites', `No sites can be suggested: ${error.message}.`, 'error');
  } finally {
    search = undefined;
    showProgress(undefined);
  }
}

function add({ sites, shareBefore }) {
  if (!sites.length) {
    say('sites', 'No place covers more than there is: lower the threshold, or raise power or height.');
    return;
  }
  const template = selected();
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
  change((now) => ({ ...now, transmitters: [...now.transmitters, ...added] }));
  select(added[0].id);
  say('sites', `${added.length === 1 ? '1 site' : `${added.length} sites`} added: ${percent(shareBefore)} covered before, ${percent(sites[added.length - 1].coveredShare)} with ${added.length === 1 ? 'it' : 'them'}. Undo takes ${added.length === 1 ? 'it' : 'them'} away.`);
}

/** `share` is undefined while nothing runs. */
function showProgress(share) {
  element('sites-progress').hidden = share === undefined;
  element('sites-progress').value = share ?? 0;
  element('sites-find').textContent = share === undefined ? 'Suggest' : 'Stop';
}
