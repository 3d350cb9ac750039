//! What a path of intelligent ray tracing loses: the laws and their constants.

use crate::propagation::law::{LogDistanceLaw, MIN_DISTANCE_M};
use std::f64::consts::LOG2_10;

/// Loss of a path out of sight, dB: intercept + slope log10(length in metres), a constant for a reflection, for a diffraction at a
/// corner min(offset + per_degree * turn, most), and for a way over roofs offset + per_degree * (climb + descent) + per_meter * width.
///
/// The form is WinProp's empirical interaction model; the constants are fitted to RadioMapSeer's maps (docs/irt.md).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InteractionLaw {
    /// In sight, where the direct path counts alone.
    pub line_of_sight: LogDistanceLaw,
    /// Constants of the loss by length out of sight.
    pub loss_intercept_db: f64,
    pub loss_slope_db: f64,
    /// Loss of a reflection at any angle.
    pub reflection_db: f64,
    /// Loss of a diffraction at a corner by a small turn, dB, its growth, dB per degree, and its bound.
    pub diffraction_offset_db: f64,
    pub diffraction_per_degree_db: f64,
    pub diffraction_most_db: f64,
    /// Loss of a way over roofs: at least this, dB; by the angles of climb and descent, dB per degree; by the distance between the
    /// first and the last wall, dB per metre.
    pub roof_offset_db: f64,
    pub roof_per_degree_db: f64,
    pub roof_per_meter_db: f64,
    /// Height of all roofs above the ground, metres.
    pub roof_height_m: f64,
}

impl Default for InteractionLaw {
    fn default() -> Self {
        Self {
            line_of_sight: LogDistanceLaw { intercept_db: -47.86, slope_db: 26.0 },
            loss_intercept_db: 47.86,
            loss_slope_db: 26.0,
            reflection_db: 9.0,
            diffraction_offset_db: 9.5,
            diffraction_per_degree_db: 0.15,
            diffraction_most_db: 22.0,
            roof_offset_db: 12.0,
            roof_per_degree_db: 0.065,
            roof_per_meter_db: 0.084,
            roof_height_m: 25.0,
        }
    }
}

impl InteractionLaw {
    /// The share of the sent power that arrives in sight at a distance.
    pub fn direct_power(&self, distance_m: f64) -> f64 {
        libm::exp2(self.line_of_sight.gain_db(distance_m) * LOG2_10 / 10.0)
    }

    /// The share of the sent power that arrives over a path out of sight; `loss_db` is that of its interactions.
    pub fn power(&self, length_m: f64, loss_db: f64) -> f64 {
        let by_length = self.loss_slope_db / 10.0 * libm::log2(length_m.max(MIN_DISTANCE_M));
        libm::exp2(-(self.loss_intercept_db + loss_db) * LOG2_10 / 10.0 - by_length)
    }

    /// Loss in dB of a diffraction at a corner that turns a path by an angle, radians. The sign says to which side of the ray that
    /// went on straight and does not matter.
    pub fn diffraction_db(&self, turn: f64) -> f64 {
        (self.diffraction_offset_db + self.diffraction_per_degree_db * turn.abs().to_degrees()).min(self.diffraction_most_db)
    }

    /// Loss in dB of the interactions of a way over roofs that climbs and descends at angles, radians.
    pub fn over_roofs_db(&self, climb: f64, descent: f64, width_m: f64) -> f64 {
        self.roof_offset_db + self.roof_per_degree_db * (climb + descent).to_degrees() + self.roof_per_meter_db * width_m
    }
}
