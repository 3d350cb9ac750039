// Number fields that JavaScript itself reads, by the rule of index.d.ts's `NumberField`; those of a request are read in Rust.

import { RadioError } from './errors.js';

const SPELLED = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * @param {string} field its name, for the error
 * @param {string} code of the error
 * @param {unknown} value
 * @param {number} [fallback] the default; without it the field has to say something
 * @returns {number} not NaN; infinite where the caller says so
 */
export function numberField(field, code, value, fallback) {
  const blank = value == null || (typeof value === 'string' && value.trim() === '');
  if (blank && fallback !== undefined) return fallback;
  if (typeof value === 'number' && !Number.isNaN(value)) return value;
  if (typeof value === 'string' && SPELLED.test(value.trim())) return Number(value);
  const found = blank ? 'missing' : typeof value === 'string' ? JSON.stringify(value) : Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : String(value);
  throw new RadioError({ code, field, message: `${field} is ${found}, expected a number` });
}
