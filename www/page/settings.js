// Settings of this browser: colours of the page, the view, and the map underneath. Nothing underneath is the default, so that nothing
// is fetched.

const KEY = 'radiodiff-planner';
const DEFAULTS = { theme: 'auto', view: 'maplibre', background: '', attribution: '', overpass: 'https://overpass-api.de/api/interpreter' };

/** What this browser keeps; an address counts for its own visit alone. */
let kept = { ...DEFAULTS, ...stored() };
let current = { ...kept, ...inAddress() };

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}');
  } catch {
    // A browser that keeps nothing, or something damaged: the defaults.
    return {};
  }
}

/** `?view=flat` spares a slow machine MapLibre before the settings can be opened. */
function inAddress() {
  const view = new URLSearchParams(location.search).get('view');
  return view === null ? {} : { view };
}

export const settings = () => current;

/** Keeps settings; false where the browser cannot. */
export function changeSettings(fields) {
  [kept, current] = [{ ...kept, ...fields }, { ...current, ...fields }];
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
    return true;
  } catch {
    return false;
  }
}
