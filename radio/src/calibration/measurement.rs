//! Measured power at places on the map, and the checks that keep nonsense out of a fit.

use super::error::CalibrationError;
use super::limits::{LEAST_MEASUREMENTS, LEAST_POWER_DBM, MOST_POWER_DBM};
use crate::scene::Grid;
use geo::Coord;
use std::collections::BTreeMap;

/// Powers that differ by less, dB, are all equal.
const LEAST_SPREAD_DB: f64 = 0.1;

/// Received power at a place. The power may be that of a part of the band (RSRP): the fitted offset takes up the difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// Metres from the map's south-west corner.
    pub position: Coord<f64>,
    pub power_dbm: f64,
}

/// Means over squares of `square_m` metres in dB, each at the mean position of its measurements. Ten readings at a red light then
/// count as one place. In the order of the squares, south-west first.
pub fn average_by_squares(measurements: &[Measurement], square_m: f64) -> Vec<Measurement> {
    let mut squares: BTreeMap<(i64, i64), Vec<Measurement>> = BTreeMap::new();
    for &measurement in measurements {
        let Coord { x, y } = measurement.position / square_m;
        squares.entry((y.floor() as i64, x.floor() as i64)).or_default().push(measurement);
    }
    squares.into_values().map(|members| mean(&members)).collect()
}

fn mean(members: &[Measurement]) -> Measurement {
    let count = members.len() as f64;
    let position = members.iter().fold(Coord { x: 0.0, y: 0.0 }, |sum, one| sum + one.position) / count;
    Measurement { position, power_dbm: members.iter().map(|one| one.power_dbm).sum::<f64>() / count }
}

/// Checks what a law is fitted to.
///
/// # Errors
/// A number that is none, a power of no radio, a place off the map; too few measurements, or all of one power.
pub(super) fn check(measurements: &[Measurement], grid: Grid) -> Result<(), CalibrationError> {
    for (index, &Measurement { position, power_dbm }) in measurements.iter().enumerate() {
        let Coord { x, y } = position;
        if !(x.is_finite() && y.is_finite() && power_dbm.is_finite()) {
            return Err(CalibrationError::NotFinite { index });
        }
        if !(LEAST_POWER_DBM..=MOST_POWER_DBM).contains(&power_dbm) {
            return Err(CalibrationError::Power { index, power_dbm });
        }
        if grid.pixel_of(position).is_none() {
            return Err(CalibrationError::OffMap { index, x, y, extent_m: grid.extent_m() });
        }
    }
    if measurements.len() < LEAST_MEASUREMENTS {
        return Err(CalibrationError::TooFew { found: measurements.len() });
    }
    let (low, high) =
        measurements.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), one| (low.min(one.power_dbm), high.max(one.power_dbm)));
    if high - low < LEAST_SPREAD_DB {
        return Err(CalibrationError::AllEqual { power_dbm: low });
    }
    Ok(())
}
