//! From path gain to what a receiver gets: transmit power, the antenna towards the direction of departure, and the frequency.

use super::antenna::{AntennaPattern, DepartureDirection};
use super::frequency::{FrequencyError, FrequencyScaling};
use crate::map::{Quantity, RadioMap};
use crate::scene::Transmitter;
use geo::Coord;

/// Sums below 256 dB of multiples of this are exact in f32, so that 3 dB more power are exactly 3 dB more everywhere.
const STEP_DB: f64 = 1.0 / 65_536.0;

fn stepped(db: f64) -> f64 {
    libm::round(db / STEP_DB) * STEP_DB
}

/// Received power in dBm of a map of path gain at 5.9 GHz: power + antenna gain + path gain at the transmitter's frequency.
///
/// `departure` gives the vector (x to the east, y to the north) along which the path to a pixel (row-major index) leaves the
/// transmitter, where it is known: the path's first leg. `None` stands for the straight line to the pixel, which in sight is the
/// path, and out of sight is what is left when only the map is known; there a sector may then light a street it does not look into.
///
/// # Panics
/// When the map is not of path gain.
pub fn received_power(
    path_gain: &RadioMap,
    transmitter: &Transmitter,
    pattern: &AntennaPattern,
    departure: impl Fn(usize) -> Option<Coord<f64>>,
) -> Result<RadioMap, FrequencyError> {
    assert_eq!(path_gain.quantity, Quantity::PathGainDb, "received power comes from path gain");
    let scaling = FrequencyScaling::to(transmitter.frequency_mhz)?;
    let (grid, from) = (path_gain.grid, transmitter.position);
    let same_gain = (*pattern == AntennaPattern::Omni).then_some(transmitter.antenna_gain_dbi);
    let value = |(i, &gain_db): (usize, &f32)| {
        if gain_db.is_nan() {
            return f32::NAN;
        }
        let straight = grid.pixel_center(i / grid.size, i % grid.size) - from;
        let antenna_dbi =
            same_gain.unwrap_or_else(|| pattern.gain_dbi(transmitter, DepartureDirection::along(departure(i).unwrap_or(straight))));
        let scaled_db = scaling.gain_db(f64::from(gain_db), libm::hypot(straight.x, straight.y));
        (stepped(scaled_db + antenna_dbi) + stepped(transmitter.power_dbm)) as f32
    };
    let values = path_gain.values.iter().enumerate().map(value).collect();
    Ok(RadioMap { grid, quantity: Quantity::ReceivedPowerDbm, values })
}
