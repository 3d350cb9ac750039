// The form beside the map: what is chosen there, and which fields count at the moment.

import { paletteNames } from '../../index.js';
import { WORTH } from '../accuracy.js';

const element = (id) => document.getElementById(id);
const number = (id) => Number(element(id).value);

/** 3GPP TR 38.901, table 7.3-1. */
const SECTOR = { txg: 8, hbw: 65, vbw: 65, fbr: 30 };

/** Layers that need the networks. */
const NETWORK_LAYERS = ['generated', 'difference'];

/** What the form says now. `antenna` is undefined for an omni, `quantity` is 'power' or 'loss'. */
export function settings() {
  return {
    layer: element('layer').value,
    quantity: element('quantity').value,
    palette: element('palette').value,
    thresholdDbm: number('threshold'),
    powerDbm: number('power'),
    frequencyMHz: number('frequency'),
    antenna: element('antenna').value === 'sector' ? { ...SECTOR, azi: number('azimuth') } : undefined,
  };
}

export const option = (value, textContent) => Object.assign(document.createElement('option'), { value, textContent });

/** Leaves the physical layer alone to be chosen. */
export function withoutNetworks() {
  element('layer').value = 'physical';
  for (const layer of NETWORK_LAYERS) element('layer').querySelector(`[value=${layer}]`).disabled = true;
}

/** Brings the form's own labels up to its values. */
export function refreshControls() {
  const { layer, antenna, powerDbm, thresholdDbm } = settings();
  element('worth').textContent = WORTH[layer];
  // A difference is in decibels with colours of its own, and has no threshold.
  for (const id of ['palette', 'quantity', 'threshold']) element(id).disabled = layer === 'difference';
  element('azimuth-row').hidden = !antenna;
  element('azimuth-value').textContent = `${element('azimuth').value}°`;
  element('power-value').textContent = `${powerDbm} dBm`;
  element('threshold-value').textContent = `${thresholdDbm} dBm`;
}

/** `redraw` is called for what needs another map, `restyle` for what shows the same map otherwise. */
export function listenToControls({ redraw, restyle }) {
  element('palette').replaceChildren(...paletteNames.map((name) => option(name, name)));
  for (const id of ['layer', 'antenna', 'frequency']) element(id).addEventListener('change', redraw);
  for (const id of ['power', 'azimuth']) element(id).addEventListener('input', redraw);
  for (const id of ['palette', 'quantity', 'threshold']) element(id).addEventListener('input', restyle);
}
