//! Antenna patterns: the gain of a transmitter's antenna by direction.
//!
//! A pattern is relative: 0 dB in its strongest direction, negative elsewhere. The gain in dBi is that plus
//! [`Transmitter::antenna_gain_dbi`], with the antenna turned to [`Transmitter::azimuth_deg`] and down by
//! [`Transmitter::downtilt_deg`]. [`super::LinkBudget`] adds it to a map of path gain **afterwards**: the map's paths were chosen
//! for an isotropic antenna, so a weaker path that leaves in the main lobe is not found.
//!
//! Directions of departure rise or fall by the heights of both ends; between antennas of one height they are horizontal, off a tilted
//! antenna's main lobe. Polarisation is not modelled.

mod request;
mod table;

pub use request::{AntennaRequest, AntennaRequestError};
pub use table::{PatternTable, PatternTableError};

use crate::scene::Transmitter;
use geo::Coord;

/// A direction from the transmitter: bearing clockwise from north, elevation above the horizon, degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DepartureDirection {
    pub bearing_deg: f64,
    pub elevation_deg: f64,
}

impl DepartureDirection {
    /// The horizontal direction of a vector (x to the east, y to the north); north for the zero vector.
    pub fn along(vector: Coord<f64>) -> Self {
        Self { bearing_deg: libm::atan2(vector.x, vector.y).to_degrees(), elevation_deg: 0.0 }
    }
}

/// A relative pattern, in the antenna's own frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AntennaPattern {
    /// Equal in all directions.
    #[default]
    Omni,
    Sector(Sector),
    Table(PatternTable),
}

/// A sector antenna's element: 3GPP TR 38.901, table 7.3-1. Its gain there is 8 dBi.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sector {
    /// Angle between the directions with half the power, degrees; 360 and more means no dependence on azimuth.
    pub horizontal_beamwidth_deg: f64,
    pub vertical_beamwidth_deg: f64,
    /// Largest attenuation, A_max and SLA_V, dB.
    pub front_to_back_db: f64,
}

impl Default for Sector {
    fn default() -> Self {
        Self { horizontal_beamwidth_deg: 65.0, vertical_beamwidth_deg: 65.0, front_to_back_db: 30.0 }
    }
}

impl Sector {
    /// The gain of the antenna element in table 7.3-1, dBi.
    pub const GAIN_DBI: f64 = 8.0;

    /// A'' = -min(A_V + A_H, A_max), A = min(12 (angle / beamwidth)^2, A_max).
    fn relative_gain_db(&self, azimuth_deg: f64, elevation_deg: f64) -> f64 {
        let attenuation = |angle_deg: f64, beamwidth_deg: f64| {
            let ratio = angle_deg / beamwidth_deg;
            (12.0 * ratio * ratio).min(self.front_to_back_db)
        };
        let around = if self.horizontal_beamwidth_deg >= 360.0 { 0.0 } else { attenuation(azimuth_deg, self.horizontal_beamwidth_deg) };
        -(around + attenuation(elevation_deg, self.vertical_beamwidth_deg)).min(self.front_to_back_db)
    }
}

impl AntennaPattern {
    /// Gain relative to the strongest direction, dB, at most 0. The azimuth is clockwise from the direction the antenna points in,
    /// -180 to 180 degrees, the elevation upwards from it, -90 to 90 degrees.
    pub fn relative_gain_db(&self, azimuth_deg: f64, elevation_deg: f64) -> f64 {
        match self {
            Self::Omni => 0.0,
            Self::Sector(sector) => sector.relative_gain_db(azimuth_deg, elevation_deg),
            Self::Table(table) => table.relative_gain_db(azimuth_deg, elevation_deg),
        }
    }

    /// Gain of the transmitter's antenna towards a direction, dBi.
    pub fn gain_dbi(&self, transmitter: &Transmitter, towards: DepartureDirection) -> f64 {
        if *self == Self::Omni {
            return transmitter.antenna_gain_dbi;
        }
        let (azimuth_deg, elevation_deg) = in_antenna_frame(towards, transmitter.azimuth_deg, transmitter.downtilt_deg);
        transmitter.antenna_gain_dbi + self.relative_gain_db(azimuth_deg, elevation_deg)
    }
}

/// Azimuth and elevation of a direction as seen from an antenna that points to `azimuth_deg` and down by `downtilt_deg`:
/// TR 38.901, equations 7.1-7 and 7.1-8 with no slant, elevation angles instead of zenith angles, clockwise instead of anticlockwise.
fn in_antenna_frame(direction: DepartureDirection, azimuth_deg: f64, downtilt_deg: f64) -> (f64, f64) {
    let around = (direction.bearing_deg - azimuth_deg).to_radians();
    let (up, tilt) = (direction.elevation_deg.to_radians(), downtilt_deg.to_radians());
    let (sin_up, cos_up) = (libm::sin(up), libm::cos(up));
    let (sin_tilt, cos_tilt) = (libm::sin(tilt), libm::cos(tilt));
    let forward = cos_up * libm::cos(around);
    let elevation = libm::asin((sin_up * cos_tilt + sin_tilt * forward).clamp(-1.0, 1.0));
    let azimuth = libm::atan2(cos_up * libm::sin(around), cos_tilt * forward - sin_tilt * sin_up);
    (azimuth.to_degrees(), elevation.to_degrees())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn towards(bearing_deg: f64, elevation_deg: f64) -> DepartureDirection {
        DepartureDirection { bearing_deg, elevation_deg }
    }

    fn transmitter(azimuth_deg: f64, downtilt_deg: f64) -> Transmitter {
        Transmitter { antenna_gain_dbi: Sector::GAIN_DBI, azimuth_deg, downtilt_deg, ..Transmitter::at(0.0, 0.0) }
    }

    #[test]
    fn a_sector_has_the_values_of_table_7_3_1() {
        let pattern = AntennaPattern::Sector(Sector::default());
        let gain = |bearing, elevation| pattern.gain_dbi(&transmitter(120.0, 0.0), towards(bearing, elevation));
        for (bearing, elevation, expected) in [
            (120.0, 0.0, 8.0),
            // Half the power at half the beamwidth, to either side and upwards.
            (152.5, 0.0, 5.0),
            (87.5, 0.0, 5.0),
            (120.0, 32.5, 5.0),
            (180.0, 0.0, 8.0 - 12.0 * (60.0f64 / 65.0).powi(2)),
            (300.0, 0.0, -22.0),
            (-60.0, 0.0, -22.0),
            (120.0, -90.0, 8.0 - 12.0 * (90.0f64 / 65.0).powi(2)),
        ] {
            assert!((gain(bearing, elevation) - expected).abs() < 1e-9, "{bearing}, {elevation}: {} dBi", gain(bearing, elevation));
        }
    }

    #[test]
    fn a_tilted_antenna_is_strongest_below_the_horizon() {
        let pattern = AntennaPattern::Sector(Sector { vertical_beamwidth_deg: 10.0, ..Sector::default() });
        let gain = |bearing, elevation| pattern.gain_dbi(&transmitter(40.0, 6.0), towards(bearing, elevation));
        assert!((gain(40.0, -6.0) - 8.0).abs() < 1e-9);
        assert!((gain(40.0, 0.0) - (8.0 - 12.0 * 0.36)).abs() < 1e-9);
        // Behind, the antenna's own horizon is tilted up.
        let (azimuth, elevation) = in_antenna_frame(towards(220.0, 6.0), 40.0, 6.0);
        assert!((azimuth.abs() - 180.0).abs() < 1e-9 && elevation.abs() < 1e-9, "{azimuth}, {elevation}");
    }

    #[test]
    fn turning_the_antenna_turns_its_gain() {
        let text = "azimuth_deg,elevation_deg,gain_dbi\n0,0,3\n90,0,-2\n180,0,-20\n270,0,-7";
        let patterns = [AntennaPattern::Sector(Sector::default()), AntennaPattern::Table(PatternTable::parse(text).expect("four gains"))];
        for pattern in &patterns {
            for (bearing, turn) in [(0.0, 90.0), (33.0, -70.0), (200.0, 355.0)] {
                let before = pattern.gain_dbi(&transmitter(20.0, 4.0), towards(bearing, 0.0));
                let after = pattern.gain_dbi(&transmitter(20.0 + turn, 4.0), towards(bearing + turn, 0.0));
                assert!((before - after).abs() < 1e-9, "{pattern:?} at {bearing} turned by {turn}: {before} and {after}");
            }
        }
    }

    #[test]
    fn bearings_are_a_compass() {
        for (x, y, bearing) in [(0.0, 1.0, 0.0), (1.0, 0.0, 90.0), (0.0, -2.0, 180.0), (-3.0, 0.0, -90.0), (0.0, 0.0, 0.0)] {
            assert_eq!(DepartureDirection::along(Coord { x, y }).bearing_deg, bearing);
        }
    }
}
