// Suggested sites: the engine searches the places that cover most, on the map, on the part of it that is in view or among the candidates of a
// list, and the plan gets transmitters there, as one step to undo. So it does of a list of sites that is dropped or chosen.

import { leaveField } from '../elements.js';
import { engines } from '../engines.js';
import { say, unsay } from '../notices.js';
import { MOST_TRANSMITTERS, copyOf, isOn, newTransmitter, requestOf, requested } from '../plan/model.js';
import { holdsSites, sitesIn } from '../plan/sites.js';
import { change, plan, select, selected } from '../plan/store.js';
import { around, state } from '../state.js';
import { metersBetween, percent } from '../units.js';
import { inView } from '../views/stage.js';
import { headOf } from './files.js';

const element = (id) => document.getElementById(id);

/** So many lines that cannot be used are named one by one. */
const MOST_NAMED = 3;

/** Candidates that a part of the map has in a row, as the whole map has. */
const CANDIDATES_A_SIDE = 12;

/** The search that runs, to end it by the same button. */
let search;
/** The list of candidates: the file's name and its sites. */
let list;

export function listenToSites() {
  element('sites-where').addEventListener('change', showList);
  element('sites-file').addEventListener('change', ({ target }) => {
    const [file] = target.files;
    // The same file, mended, is a change again only for an empty field.
    target.value = '';
    if (file) openCandidates(file);
  });
  showList();
  element('sites-form').addEventListener('submit', (event) => {
    event.preventDefault();
    if (search) search.abort();
    else if (state.scene) suggest(element('sites-count').valueAsNumber);
  });
}

function showList() {
  element('sites-list').hidden = element('sites-where').value !== 'list';
  element('sites-list-name').textContent = list ? `${counted(list.sites.length)} of ${list.name}` : 'none';
}

/** Reads a list of candidates, to be searched when it is asked for. */
async function openCandidates(file) {
  unsay('sites');
  try {
    const text = await file.text();
    const { sites, faults } = holdsSites(text) ? sitesIn(text) : { sites: [], faults: [] };
    if (!sites.length) throw new Error(`expected CSV with the columns name, lng and lat, and a candidate a line${faults.length ? ` (${named(faults)})` : ''}`);
    list = { name: file.name, sites };
    showList();
    if (faults.length) say('sites', `Not used of ${file.name}: ${named(faults)}.`, 'error');
  } catch (error) {
    say('sites', `${file.name} holds no candidates: ${error.message}.`, 'error');
  }
}

/**
 * Where the chosen search looks, in the words of `suggestSites`.
 * @throws where there is nothing to search
 */
function searched({ bounds, metersPerPixel }) {
  const where = element('sites-where').value;
  if (where === 'list') {
    if (!list) throw new Error('choose a file of candidates first, CSV with the columns name, lng and lat');
    return { candidates: list.sites };
  }
  if (where === 'map') return {};
  const area = inView(bounds);
  if (!area) throw new Error('no part of the map is in view, so move the view or search the whole map');
  const { west, south, east, north } = area;
  const southWest = { lng: west, lat: south };
  const sideM = Math.max(metersBetween(southWest, { lng: east, lat: south }), metersBetween(southWest, { lng: west, lat: north }));
  return { area, spacingM: Math.max(metersPerPixel, sideM / CANDIDATES_A_SIDE) };
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
  let where;
  try {
    where = searched(scene);
  } catch (error) {
    say('sites', `No sites can be suggested: ${error.message}.`, 'error');
    return;
  }
  const listed = where.candidates && list.sites;
  search = new AbortController();
  showProgress(0);
  unsay('sites');
  // What is suggested is like the chosen transmitter.
  const { lng, lat, ...transmitter } = requestOf(asked.template ?? newTransmitter({ lng: 0, lat: 0 }));
  const { receiver, thresholdDbm } = asked.plan;
  try {
    const found = await engines.physical.suggestSites({
      ...around(),
      ...where,
      count,
      thresholdDbm,
      existing: requested(asked.plan, scene.bounds),
      transmitter,
      receiver,
      signal: search.signal,
      onProgress: ({ phase, loaded, total }) => { if (phase === 'candidates') showProgress(loaded / total); },
    });
    if (state.scene === scene) add(found, { ...asked, listed });
  } catch (error) {
    if (!search.signal.aborted) say('sites', `No sites can be suggested: ${error.message}.`, 'error');
  } finally {
    search = undefined;
    showProgress(undefined);
  }
}

/**
 * Adds what was found, like the transmitter that it was searched for, with the names, heights and powers that candidates `listed` have; the
 * plan may be another now.
 */
function add({ sites, shareBefore, offMap }, { plan: asked, template, listed }) {
  const leftOut = listed && offMap.length ? ` ${offMap.length} of ${listed.length} candidates lie off the map and are not used: ${named(offMap.map((i) => titleOf(listed[i])), 'more')}.` : '';
  const ofWhat = plan() === asked ? '' : ' That is of the plan as it was when the search began.';
  if (!sites.length) {
    say('sites', `No place covers more than there is: lower the threshold, or raise power or height.${ofWhat}${leftOut}`);
    return;
  }
  const added = [];
  // Others may have been added while the search ran.
  for (const site of sites.slice(0, MOST_TRANSMITTERS - plan().transmitters.length)) {
    const others = [...plan().transmitters, ...added];
    const { lng, lat } = site;
    added.push({ ...(template ? copyOf(template, site, others) : newTransmitter(site, others)), active: true, ...listed?.[site.candidate], lng, lat });
  }
  if (!added.length) {
    say('sites', `A plan holds ${MOST_TRANSMITTERS} transmitters: remove some first.`);
    return;
  }
  leaveField();
  change((now) => ({ ...now, transmitters: [...now.transmitters, ...added] }));
  select(added[0].id);
  const them = added.length === 1 ? 'it' : 'them';
  say('sites', `${counted(added.length)} added: ${percent(shareBefore)} covered before, ${percent(sites[added.length - 1].coveredShare)} with ${them}.${ofWhat}${leftOut} Undo takes ${them} away.`);
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
  if (faults.length) words.push(`Not used: ${named(faults)}.`);
  say('sites', words.join(' '), unfit || faults.length || !added.length ? 'error' : 'warning');
}

/** The first of several, and how many more there are. */
const named = (several, more = 'more lines') => [...several.slice(0, MOST_NAMED), ...(several.length > MOST_NAMED ? [`and ${several.length - MOST_NAMED} ${more}`] : [])].join('; ');

const titleOf = ({ name, lng, lat }) => name ?? `${lng}, ${lat}`;

const counted = (count) => (count === 1 ? '1 site' : `${count} sites`);

/** `share` is undefined while nothing runs. */
function showProgress(share) {
  element('sites-progress').hidden = share === undefined;
  element('sites-progress').value = share ?? 0;
  element('sites-find').textContent = share === undefined ? 'Suggest' : 'Stop';
}
