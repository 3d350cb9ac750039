// The values at the ends of the colour scales, shared by the layers and the legend.

/** Path gains, before power, antenna and frequency move them. */
export const GAIN_RANGE_DB = { min: -147, max: -55 };
export const DIFFERENCE_RANGE_DB = { min: -20, max: 20 };
