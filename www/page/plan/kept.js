// The plans that this browser keeps, in IndexedDB: the texts of plan files, which hold their buildings, and apart from them what a list of
// them shows. A plan is known by its name.

const DATABASE = 'radiodiff-planner';
const [ENTRIES, TEXTS] = ['entries', 'texts'];

/** [{ name, place, transmitters, savedAt }] of all plans, the last one first; `savedAt` in milliseconds since 1970. */
export async function keptPlans() {
  const entries = await within('readonly', ({ entries }) => answer(entries.getAll()));
  return entries.sort((a, b) => b.savedAt - a.savedAt);
}

/** The text of a plan file; undefined where no plan has the name. */
export const keptText = (name) => within('readonly', ({ texts }) => answer(texts.get(name)));

/** Keeps a plan, { entry, text }; gives the plan that had its name, if one had. */
export function keepPlan({ entry, text }) {
  return within('readwrite', async ({ entries, texts }) => {
    const before = await found(entries, texts, entry.name);
    await Promise.all([answer(entries.put(entry)), answer(texts.put(text, entry.name))]);
    return before;
  });
}

/** Forgets a plan, and gives it. */
export function forgetPlan(name) {
  return within('readwrite', async ({ entries, texts }) => {
    const before = await found(entries, texts, name);
    await Promise.all([answer(entries.delete(name)), answer(texts.delete(name))]);
    return before;
  });
}

async function found(entries, texts, name) {
  const [entry, text] = await Promise.all([answer(entries.get(name)), answer(texts.get(name))]);
  return entry && { entry, text };
}

/** What `act` gives within one transaction: all of it is kept or nothing. */
async function within(mode, act) {
  const database = await opened();
  try {
    const transaction = database.transaction([ENTRIES, TEXTS], mode);
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error ?? new Error('the browser ended it'));
    });
    const [result] = await Promise.all([act({ entries: transaction.objectStore(ENTRIES), texts: transaction.objectStore(TEXTS) }), done]);
    return result;
  } finally {
    database.close();
  }
}

function opened() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(ENTRIES, { keyPath: 'name' });
    request.result.createObjectStore(TEXTS);
  };
  return answer(request);
}

function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
