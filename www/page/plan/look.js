// How a plan is looked at: which layer, by which model, in which colours. It travels in a link with the plan, but undo leaves it alone.

import { paletteNames } from '../../index.js';

/** Models by the value of their option. */
export const MODELS = ['physical', 'generated', 'difference', 'calibrated', 'spread'];

/** Models that need the networks. */
export const NETWORK_MODELS = ['generated', 'difference'];

/** Models that need measurements. */
export const CALIBRATED_MODELS = ['calibrated', 'spread'];

/** Layers by the value of their option: the package's layer, the unit, the ends of the colour scale, and whether more is worse. */
export const LAYERS = {
  power: { name: 'Received power', layer: 'received-power', unit: 'dBm', min: -120, max: -40 },
  loss: { name: 'Path loss', layer: 'path-loss', unit: 'dB', min: 50, max: 150, reversed: true },
  server: { name: 'Best server', layer: 'best-server', unit: '', min: 1, max: 1 },
  snr: { name: 'SNR', layer: 'snr', unit: 'dB', min: -10, max: 50 },
  sinr: { name: 'SINR', layer: 'sinr', unit: 'dB', min: -10, max: 40 },
};
/** What models show that have no layers. */
const ONLY = {
  difference: { name: 'Difference', unit: 'dB', min: -20, max: 20 },
  calibrated: { name: 'Received power, calibrated', unit: 'dBm', min: -120, max: -40 },
  spread: { name: 'Standard deviation, calibrated', unit: 'dB', min: 0, max: 12 },
};

export const OPACITY = { initial: 0.85, min: 0.1, max: 1 };

const initial = () => ({ model: 'physical', quantity: 'power', palette: paletteNames[0], opacity: OPACITY.initial, tilted: true, scales: {} });

let current = initial();
const listeners = new Set();

export const look = () => current;
/** `listener` is called with the names of the fields that changed. */
export const listenToLook = (listener) => listeners.add(listener);

export function changeLook(fields) {
  const changed = Object.keys(fields).filter((name) => current[name] !== fields[name]);
  if (!changed.length) return;
  current = { ...current, ...fields };
  listeners.forEach((listener) => listener(changed));
}

/** False of models that show one thing. */
export const hasLayers = () => !(current.model in ONLY);

/** The shown layer with the ends of its scale as the planner set them. */
export function shownLayer() {
  if (!hasLayers()) return ONLY[current.model];
  const layer = LAYERS[current.quantity];
  return { ...layer, ...current.scales[current.quantity] };
}

/** A look out of anything that was parsed; wrong fields have their default. */
export function lookOf(found) {
  const base = initial();
  const one = (name, known) => (known.includes(found?.[name]) ? found[name] : base[name]);
  const opacity = Number(found?.opacity);
  const isScale = ([name, scale]) => name in LAYERS && Number.isFinite(scale?.min) && Number.isFinite(scale?.max) && scale.min < scale.max;
  return {
    model: one('model', MODELS),
    quantity: one('quantity', Object.keys(LAYERS)),
    palette: one('palette', paletteNames),
    opacity: opacity >= OPACITY.min && opacity <= OPACITY.max ? opacity : base.opacity,
    tilted: found?.tilted !== false,
    scales: Object.fromEntries(Object.entries(found?.scales ?? {}).filter(isScale).map(([name, { min, max }]) => [name, { min, max }])),
  };
}
