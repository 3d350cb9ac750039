// Elements that several parts of the page are made of.

/** A choice of a menu. */
export const option = (value, textContent) => Object.assign(document.createElement('option'), { value, textContent });

/** The elements of a list of terms and their values; each row is [term, value, whether it is large]. */
export const termRows = (rows) => rows.flatMap(([term, value, isBig]) => [['dt', term], ['dd', value]].map(([tag, textContent]) => (
  Object.assign(document.createElement(tag), { textContent, className: isBig ? 'big' : '' })
)));
