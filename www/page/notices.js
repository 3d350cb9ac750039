// Notices over the map: what went wrong or was changed, for a few seconds. Of each topic ('networks', 'scene', 'map') the last one is
// shown, so that no topic hides another.

const NOTICE_MS = 9000;
const box = document.getElementById('notice');
const notices = new Map();

/** Shows a notice for a while; `kind` is 'warning' or 'error'. */
export function say(topic, text, kind = 'warning') {
  clearTimeout(notices.get(topic)?.timer);
  notices.set(topic, { text, kind, timer: setTimeout(() => unsay(topic), NOTICE_MS) });
  show();
}

/** Takes a topic's notice away: what it told of is past. */
export function unsay(topic) {
  clearTimeout(notices.get(topic)?.timer);
  notices.delete(topic);
  show();
}

function show() {
  const shown = [...notices.values()];
  box.replaceChildren(...shown.map(({ text }) => Object.assign(document.createElement('p'), { textContent: text })));
  box.className = shown.some(({ kind }) => kind === 'error') ? 'error' : 'warning';
  box.hidden = !shown.length;
}
