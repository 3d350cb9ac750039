// How a plan is looked at: which layer, by which model, in which colours. It travels in a link with the plan, but undo leaves it alone.

import { paletteNames } from '../../index.js';

/** Models by the value of their option. */
const MODELS = ['physical', 'mean', 'deviation', 'probability', 'shift', 'traced', 'difference', 'calibrated', 'spread'];

/** What is drawn beside the physical map for a model: the network's forecast, which says how sure it is, or a map by ray tracing. */
export const BESIDE = { mean: 'forecast', deviation: 'forecast', probability: 'forecast', shift: 'forecast', traced: 'rays', difference: 'rays' };

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
/** What models show that have no layers: as above, and what a value is multiplied by to be shown, or colours of its own. */
export const SINGLE = {
  mean: { name: 'Received power, expected', unit: 'dBm', min: -120, max: -40 },
  deviation: { name: 'Standard deviation', unit: 'dB', min: 0, max: 8, contourStep: 2 },
  probability: { name: 'Probability of service', unit: '%', min: 0, max: 1, factor: 100, contourStep: 0.1 },
  shift: { name: 'Expected power minus physical map', unit: 'dB', min: -15, max: 15, palette: 'rdbu', contourStep: 5 },
  traced: { name: 'Received power by ray tracing', unit: 'dBm', min: -120, max: -40 },
  difference: { name: 'Ray tracing minus physical map', unit: 'dB', min: -30, max: 30, palette: 'rdbu', contourStep: 10 },
  calibrated: { name: 'Received power, calibrated', unit: 'dBm', min: -120, max: -40 },
  spread: { name: 'Standard deviation, calibrated', unit: 'dB', min: 0, max: 12, contourStep: 2 },
};

export const OPACITY = { initial: 0.85, min: 0.1, max: 1 };

const initial = () => ({ model: 'physical', quantity: 'power', palette: paletteNames[0], opacity: OPACITY.initial, tilted: false, scales: {} });

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
    tilted: found?.tilted === true,
    scales: Object.fromEntries(Object.entries(found?.scales ?? {}).filter(isScale).map(([name, { min, max }]) => [name, { min, max }])),
  };
}
