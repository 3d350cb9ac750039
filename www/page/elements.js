// Elements that several parts of the page are made of.

/** A choice of a menu. */
export const option = (value, textContent) => Object.assign(document.createElement('option'), { value, textContent });

/** Leaves the field of the panel that has the focus: later it would write what it holds into another transmitter, or another plan. */
export const leaveField = () => document.activeElement?.closest('#panel input')?.blur();

/** An element of a picture. */
export function svgNode(name, attributes, text) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** The elements of a list of terms and their values; each row is [term, value, whether it is large]. */
export const termRows = (rows) => rows.flatMap(([term, value, isBig]) => [['dt', term], ['dd', value]].map(([tag, textContent]) => (
  Object.assign(document.createElement(tag), { textContent, className: isBig ? 'big' : '' })
)));
