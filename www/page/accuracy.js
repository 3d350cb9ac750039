// What each layer is worth, in figures: the page's only place for them. They are those of docs/accuracy.md (a test compares them) and
// change with the weights that are shipped.

/** Against real maps of RadioMapSeer: NMSE on gray levels without threshold, and the root mean square error outdoors in dB. */
export const REAL_MAPS = { count: 22, physical: { nmse: 0.0024, rmseDb: 1.53 }, generated: { nmse: 0.0238, rmseDb: 4.89 } };

/** NMSE of nano by the sampler's steps, on synthetic test maps. */
export const BY_STEPS = { count: 30, nmse: [[1, 0.057], [3, 0.106], [10, 0.143]] };

const decibels = ({ rmseDb }) => `${rmseDb.toFixed(1)} dB`;
const figures = (accuracy) => `NMSE ${accuracy.nmse}, ${decibels(accuracy)}`;
const list = (items) => `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;

const { physical, generated, count } = REAL_MAPS;
const steps = list(BY_STEPS.nmse.map(([step]) => step));
const errors = list(BY_STEPS.nmse.map(([, nmse]) => nmse));

/** A sentence or two about each layer, by the value of its option. */
export const WORTH = {
  physical: `The dominant path model, the most accurate layer. Error on ${count} real maps (RadioMapSeer, computed by WinProp): ${figures(physical)}.`,
  generated:
    `Drawn by a small network; plan with the physical layer. Error on ${count} real maps: ${figures(generated)} (physical: ${figures(physical)}). ` +
    `It draws in one step. More steps make the map worse: NMSE ${errors} in ${steps} steps on ${BY_STEPS.count} synthetic maps.`,
  difference:
    `How far the network is from the physical model, which is the closer to real maps: ${decibels(physical)} against ${decibels(generated)}.`,
};
