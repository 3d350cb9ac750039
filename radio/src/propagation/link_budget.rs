//! Received power from path gain: adds transmit power and the antenna's gain in the direction of departure, and scales to the
//! transmitter's frequency.

use super::antenna::{AntennaPattern, DepartureDirection};
use super::frequency::{FrequencyError, FrequencyScaling};
use super::law::LogDistanceLaw;
use crate::arithmetic;
use crate::map::{Quantity, RadioMap};
use crate::scene::{Grid, Transmitter};
use geo::Coord;

/// Powers are rounded to multiples of this. Sums of such multiples below 256 dB are exact in f32, so 3 dB more transmit power are
/// exactly 3 dB more at every pixel.
const STEP_DB: f64 = 1.0 / 65_536.0;

fn stepped(db: f64) -> f64 {
    arithmetic::round(db / STEP_DB) * STEP_DB
}

/// Turns path gains at 5.9 GHz into received power, for one transmitter. It is computed once for all maps of the transmitter: a network of
/// quantiles makes 19.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkBudget {
    grid: Grid,
    power_dbm: f64,
    antenna: AntennaGain,
    scaling: FrequencyScaling,
    /// The law's gain in line of sight, dB at 5.9 GHz, of every pixel; empty where the scaling does not ask for it.
    line_of_sight_db: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq)]
enum AntennaGain {
    /// dBi in every direction.
    Same(f64),
    /// dBi towards each pixel, NaN inside buildings.
    Each(Vec<f64>),
}

/// Received power and path loss of one map.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkMaps {
    /// dBm at an isotropic receiver.
    pub received: RadioMap,
    /// Loss between isotropic antennas at the transmitter's frequency, dB, positive, NaN inside buildings.
    pub path_loss_db: Vec<f32>,
}

impl LinkBudget {
    /// `like` is a map of the transmitter; pixels without a value there have none in the others.
    ///
    /// `departure` gives the direction of departure of the path to a pixel (row-major index): the path's first leg, x to the east and y
    /// to the north. `None` stands for the straight line to the pixel. In sight that is the path. Out of sight it is a fallback for
    /// callers that know only the map; a sector may then light a street that it does not look into. The elevation is that of the
    /// straight line from the transmitter's height to the receiver's.
    ///
    /// # Errors
    /// A frequency that maps cannot be scaled to.
    pub fn new(
        like: &RadioMap,
        transmitter: &Transmitter,
        receiver_height_m: f64,
        pattern: &AntennaPattern,
        departure: impl Fn(usize) -> Option<Coord<f64>>,
    ) -> Result<Self, FrequencyError> {
        let scaling = FrequencyScaling::to(transmitter.frequency_mhz)?;
        let (grid, from, rise_m) = (like.grid, transmitter.position, receiver_height_m - transmitter.height_m);
        let straight = |i: usize| grid.pixel_center(i / grid.size, i % grid.size) - from;
        let run_m = |straight: Coord<f64>| arithmetic::length(straight.x, straight.y);
        let towards = |(i, gain_db): (usize, &f32)| {
            if gain_db.is_nan() {
                return f64::NAN;
            }
            let straight = straight(i);
            let level = DepartureDirection::along(departure(i).unwrap_or(straight));
            let elevation_deg = if rise_m == 0.0 { 0.0 } else { libm::atan2(rise_m, run_m(straight)).to_degrees() };
            pattern.gain_dbi(transmitter, DepartureDirection { elevation_deg, ..level })
        };
        let line_of_sight_db = |i: usize| {
            let run_m = run_m(straight(i));
            LogDistanceLaw::LINE_OF_SIGHT.gain_db(if rise_m == 0.0 { run_m } else { arithmetic::length(run_m, rise_m) })
        };
        Ok(Self {
            grid,
            power_dbm: stepped(transmitter.power_dbm),
            antenna: match pattern {
                AntennaPattern::Omni => AntennaGain::Same(transmitter.antenna_gain_dbi),
                _ => AntennaGain::Each(like.values.iter().enumerate().map(towards).collect()),
            },
            scaling,
            line_of_sight_db: if scaling.is_identity() { Vec::new() } else { (0..grid.pixels()).map(line_of_sight_db).collect() },
        })
    }

    /// The power, power + antenna gain + path gain at the transmitter's frequency, and the loss of a map of path gain at 5.9 GHz.
    ///
    /// # Panics
    /// When the map is not one of path gain, or lies on another grid.
    pub fn of(&self, path_gain: &RadioMap) -> LinkMaps {
        assert_eq!(path_gain.quantity, Quantity::PathGainDb, "received power comes from path gain");
        assert_eq!(path_gain.grid, self.grid, "maps of a transmitter lie on one grid");
        let scaled_db: Vec<f64> = match self.scaling.is_identity() {
            true => path_gain.values.iter().copied().map(f64::from).collect(),
            false => path_gain
                .values
                .iter()
                .zip(&self.line_of_sight_db)
                .map(|(&db, &open)| self.scaling.gain_beside(f64::from(db), open))
                .collect(),
        };
        let power = |scaled_db: f64, antenna_dbi: f64| (stepped(scaled_db + antenna_dbi) + self.power_dbm) as f32;
        let values = match &self.antenna {
            &AntennaGain::Same(dbi) => scaled_db.iter().map(|&db| power(db, dbi)).collect(),
            AntennaGain::Each(dbi) => scaled_db.iter().zip(dbi).map(|(&db, &dbi)| power(db, dbi)).collect(),
        };
        LinkMaps {
            received: RadioMap { grid: self.grid, quantity: Quantity::ReceivedPowerDbm, values },
            path_loss_db: scaled_db.into_iter().map(|db| -stepped(db) as f32).collect(),
        }
    }
}
