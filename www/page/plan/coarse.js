// The pixels of maps that follow a hand: where a large map takes longer than a hand waits, coarser ones stand in for it while a
// transmitter is dragged.

/** A map that takes longer does not follow a hand. */
const FLUENT_MS = 250;
/** Pixels a side of a map that always does. */
const COARSE_SIZE = 256;

/**
 * Metres a pixel of the maps that stand in for one like `map`, which was drawn on a scene that was prepared; undefined where it is fast
 * enough itself.
 */
export function coarsePixel({ size, metersPerPixel, milliseconds }) {
  return milliseconds > FLUENT_MS && size > COARSE_SIZE ? metersPerPixel * Math.ceil(size / COARSE_SIZE) : undefined;
}
