//! Received power from path gain: adds transmit power and the antenna's gain in the direction of departure, and scales to the
//! transmitter's frequency.

use super::antenna::{AntennaPattern, DepartureDirection};
use super::frequency::{FrequencyError, FrequencyScaling};
use crate::map::{Quantity, RadioMap};
use crate::scene::Transmitter;
use geo::Coord;

/// Powers are rounded to multiples of this. Sums of such multiples below 256 dB are exact in f32, so 3 dB more transmit power are
/// exactly 3 dB more at every pixel.
const STEP_DB: f64 = 1.0 / 65_536.0;

fn stepped(db: f64) -> f64 {
    libm::round(db / STEP_DB) * STEP_DB
}

/// Received power in dBm of a map of path gain at 5.9 GHz: power + antenna gain + path gain at the transmitter's frequency.
///
/// `departure` gives the direction of departure of the path to a pixel (row-major index): the path's first leg, x to the east and y
/// to the north. `None` stands for the straight line to the pixel. In sight that is the path. Out of sight it is a fallback for
/// callers that know only the map; a sector may then light a street that it does not look into. The elevation is that of the straight
/// line from the transmitter's height to the receiver's.
///
/// # Errors
/// A frequency that maps cannot be scaled to.
///
/// # Panics
/// When the map is not one of path gain.
pub fn received_power(
    path_gain: &RadioMap,
    transmitter: &Transmitter,
    receiver_height_m: f64,
    pattern: &AntennaPattern,
    departure: impl Fn(usize) -> Option<Coord<f64>>,
) -> Result<RadioMap, FrequencyError> {
    assert_eq!(path_gain.quantity, Quantity::PathGainDb, "received power comes from path gain");
    let scaling = FrequencyScaling::to(transmitter.frequency_mhz)?;
    let (grid, from, rise_m) = (path_gain.grid, transmitter.position, receiver_height_m - transmitter.height_m);
    let same_gain = (*pattern == AntennaPattern::Omni).then_some(transmitter.antenna_gain_dbi);
    let value = |(i, &gain_db): (usize, &f32)| {
        if gain_db.is_nan() {
            return f32::NAN;
        }
        let straight = grid.pixel_center(i / grid.size, i % grid.size) - from;
        let run_m = libm::hypot(straight.x, straight.y);
        let antenna_dbi = same_gain.unwrap_or_else(|| {
            let level = DepartureDirection::along(departure(i).unwrap_or(straight));
            let elevation_deg = if rise_m == 0.0 { 0.0 } else { libm::atan2(rise_m, run_m).to_degrees() };
            pattern.gain_dbi(transmitter, DepartureDirection { elevation_deg, ..level })
        });
        let distance_m = if rise_m == 0.0 { run_m } else { libm::hypot(run_m, rise_m) };
        let scaled_db = scaling.gain_db(f64::from(gain_db), distance_m);
        (stepped(scaled_db + antenna_dbi) + stepped(transmitter.power_dbm)) as f32
    };
    let values = path_gain.values.iter().enumerate().map(value).collect();
    Ok(RadioMap { grid, quantity: Quantity::ReceivedPowerDbm, values })
}
