// Decibels as the page shows them.

/** Maps are made for this frequency and scaled to others. */
const LAW_MHZ = 5900;

/** What free space adds to path gains at a frequency, dB. */
export const freeSpaceDb = (mhz) => -20 * Math.log10(mhz / LAW_MHZ);

/** Power in the antenna's strongest direction, dBm. */
export const eirp = ({ powerDbm, antennaGainDbi }) => powerDbm + antennaGainDbi;

/** A map's value as received power or, with `loss`, as path loss. */
export const valueInWords = ({ transmitter }, dbm, loss) => (loss ? `${(eirp(transmitter) - dbm).toFixed(1)} dB` : `${dbm.toFixed(1)} dBm`);

/** Decibels with their sign. */
export const signedDb = (db) => `${db > 0 ? '+' : ''}${db.toFixed(1)} dB`;
