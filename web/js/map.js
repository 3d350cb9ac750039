// A drawn map and the questions it answers.

import { palette as named } from './palettes.js';

export class RadioMap {
  constructor({ scene, values, warnings, transmitters, method, backend, milliseconds }) {
    Object.assign(this, { values, warnings, transmitters, method, backend, milliseconds });
    this.transmitter = transmitters[0];
    this.bounds = scene.bounds;
    this.size = this.width = this.height = scene.size;
    this.metersPerPixel = scene.metersPerPixel;
  }

  at(lng, lat) {
    const { west, south, east, north } = this.bounds;
    const column = Math.floor(((lng - west) / (east - west)) * this.size);
    const row = Math.floor(((north - lat) / (north - south)) * this.size);
    const inside = (i) => i >= 0 && i < this.size;
    return inside(column) && inside(row) ? this.values[row * this.size + column] : undefined;
  }

  stats({ thresholdDbm = -Infinity } = {}) {
    const result = { min: Infinity, max: -Infinity, mean: 0, outdoorPixels: 0, covered: 0 };
    for (const value of this.values) {
      if (Number.isNaN(value)) continue;
      result.outdoorPixels += 1;
      result.mean += value;
      result.min = Math.min(result.min, value);
      result.max = Math.max(result.max, value);
      if (value >= thresholdDbm) result.covered += 1;
    }
    if (result.outdoorPixels) {
      result.mean /= result.outdoorPixels;
      result.covered /= result.outdoorPixels;
    }
    return result;
  }

  toImage({ palette = 'turbo', min, max, threshold = -Infinity }) {
    const color = typeof palette === 'string' ? named(palette) : palette;
    const image = new ImageData(this.size, this.size);
    this.values.forEach((value, i) => {
      if (!(value >= threshold)) return;
      const [r, g, b] = color(Math.min(1, Math.max(0, (value - min) / (max - min))));
      image.data.set([r, g, b, 255], 4 * i);
    });
    return image;
  }
}
