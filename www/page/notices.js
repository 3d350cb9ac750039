// Notices over the map. Of each topic ('networks', 'scene', 'map') the last one is shown, so that no topic hides another. A warning goes
// after a while; an error stays until it is past or closed, because it says what to do. The box is a status that is never hidden: screen
// readers announce what comes into it.

const NOTICE_MS = 9000;
const box = document.getElementById('notice');
const notices = new Map();

/** Shows a notice; `kind` is 'warning' or 'error'. */
export function say(topic, text, kind = 'warning') {
  clearTimeout(notices.get(topic)?.timer);
  const timer = kind === 'error' ? undefined : setTimeout(() => unsay(topic), NOTICE_MS);
  notices.set(topic, { text, kind, timer });
  show();
}

/** Takes a topic's notice away, or only one of a kind: what it told of is past. */
export function unsay(topic, kind) {
  const notice = notices.get(topic);
  if (!notice || (kind && notice.kind !== kind)) return;
  clearTimeout(notice.timer);
  notices.delete(topic);
  show();
}

function show() {
  box.replaceChildren(...[...notices].map(([topic, { text, kind }]) => {
    const line = Object.assign(document.createElement('p'), { textContent: text, className: kind });
    const close = Object.assign(document.createElement('button'), { type: 'button', title: 'Close' });
    close.setAttribute('aria-label', 'Close');
    close.addEventListener('click', () => unsay(topic));
    line.append(close);
    return line;
  }));
}
