//! Path gain as a function of a path: the laws and their constants.
//!
//! The constants were fitted to RadioMapSeer's WinProp maps at 5.9 GHz (docs/dominant-path.md).

use crate::arithmetic::{larger, smaller};

/// Shorter distances count as this one, because the laws have no meaning in the antenna's near field.
pub const MIN_DISTANCE_M: f64 = 1.0;

fn log10_distance(distance_m: f64) -> f64 {
    libm::log10(larger(distance_m, MIN_DISTANCE_M))
}

/// A lower bound of the logarithm to base 2 of a positive number, too low by up to 0.09: a float's bits, read as a number, are its
/// logarithm, interpolated from below.
pub(super) fn least_log2(x: f64) -> f64 {
    x.to_bits() as f64 * (1.0 / (1u64 << 52) as f64) - 1023.0
}

/// An upper bound of the same, too high by up to 0.09.
pub(super) fn most_log2(x: f64) -> f64 {
    /// The largest distance between a logarithm to base 2 and its chord from one power of two to the next, rounded up.
    const BELOW: f64 = 0.0861;
    least_log2(x) + BELOW
}

/// gain = intercept - slope log10(distance in metres), dB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogDistanceLaw {
    pub intercept_db: f64,
    pub slope_db: f64,
}

impl LogDistanceLaw {
    /// The law of RadioMapSeer's pixels in line of sight. Its intercept is Friis' at one metre and 5.9 GHz.
    pub const LINE_OF_SIGHT: Self = Self { intercept_db: -47.86, slope_db: 25.0 };

    /// Least squares over (distance in metres, gain in dB). `None` without two different distances.
    pub fn fit(samples: impl IntoIterator<Item = (f64, f64)>) -> Option<Self> {
        let (mut n, mut sum_x, mut sum_y, mut sum_xx, mut sum_xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (distance_m, gain_db) in samples {
            let x = log10_distance(distance_m);
            n += 1.0;
            sum_x += x;
            sum_y += gain_db;
            sum_xx += x * x;
            sum_xy += x * gain_db;
        }
        let determinant = n * sum_xx - sum_x * sum_x;
        if determinant <= 1e-9 * n * n {
            return None;
        }
        let slope = (n * sum_xy - sum_x * sum_y) / determinant;
        Some(Self { intercept_db: (sum_y - slope * sum_x) / n, slope_db: -slope })
    }

    /// Gain in dB at a distance in metres.
    pub fn gain_db(&self, distance_m: f64) -> f64 {
        self.intercept_db - self.slope_db * log10_distance(distance_m)
    }
}

/// Gain along a path round corners and over roofs:
/// -(intercept + slope log10(length) + sum over turns of min(offset + per_degree * angle, most)), dB.
///
/// The form is WinProp's urban dominant path model (Wahl, Wölfle et al., 2005: a loss per change of direction that begins with an
/// offset and grows with the angle); the fit of the constants is explained in docs/dominant-path.md.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DominantPathLaw {
    pub line_of_sight: LogDistanceLaw,
    /// Constants of the loss by length out of sight.
    pub loss_intercept_db: f64,
    pub loss_slope_db: f64,
    /// Loss of a turn by a small angle, dB, and its growth, dB per degree.
    pub turn_offset_db: f64,
    pub turn_per_degree_db: f64,
    /// The largest loss of a turn.
    pub turn_most_db: f64,
    /// Height of all roofs above both antennas, metres, where the scene does not count ([`super::RoofsFrom::Law`]).
    pub roof_m: f64,
    /// The lowest gain. The data do not resolve gains below this: it is gray level 0.
    pub floor_db: f64,
}

impl Default for DominantPathLaw {
    fn default() -> Self {
        Self {
            line_of_sight: LogDistanceLaw::LINE_OF_SIGHT,
            loss_intercept_db: 47.86,
            loss_slope_db: 28.0,
            turn_offset_db: 2.19,
            turn_per_degree_db: 0.1544,
            turn_most_db: 12.99,
            roof_m: 23.5,
            floor_db: -147.0,
        }
    }
}

impl DominantPathLaw {
    /// Loss in dB of a path of `length_m` whose turns cost `turns_db` together.
    pub fn loss_db(&self, length_m: f64, turns_db: f64) -> f64 {
        self.loss_intercept_db + self.loss_slope_db * log10_distance(length_m) + turns_db
    }

    /// Loss in dB of a turn, by the cosine of its angle.
    pub fn turn_db(&self, cosine: f64) -> f64 {
        let cosine = cosine.clamp(-1.0, 1.0);
        // The tangent of half the angle needs no arc cosine, which libm computes by roots of its own.
        let degrees = 2.0 * libm::atan2((1.0 - cosine).sqrt(), (1.0 + cosine).sqrt()).to_degrees();
        smaller(self.turn_offset_db + self.turn_per_degree_db * degrees, self.turn_most_db)
    }

    /// A lower bound of the loss in line of sight, as [`Self::least_loss_db`] is one.
    pub(super) fn least_open_db(&self, distance_m: f64) -> f64 {
        self.line_of_sight.slope_db * std::f64::consts::LOG10_2 * least_log2(larger(distance_m, MIN_DISTANCE_M))
            - self.line_of_sight.intercept_db
    }

    /// A lower bound of [`Self::loss_db`], too low by up to 0.09 of the cost of a doubled length. A float's bits, read as a number, are
    /// its logarithm to base 2, interpolated from below.
    pub(super) fn least_loss_db(&self, length_m: f64, turns_db: f64) -> f64 {
        let log2 = least_log2(larger(length_m, MIN_DISTANCE_M));
        self.loss_intercept_db + self.loss_slope_db * std::f64::consts::LOG10_2 * log2 + turns_db
    }

    /// A lower bound of [`Self::turn_db`], by the angle's chord.
    pub(super) fn least_turn_db(&self, cosine: f64) -> f64 {
        let degrees = larger(2.0 - 2.0 * cosine, 0.0).sqrt().to_degrees();
        smaller(self.turn_offset_db + self.turn_per_degree_db * degrees, self.turn_most_db)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_costs_what_its_angle_says_and_no_less_than_its_bound() {
        let law = DominantPathLaw { turn_most_db: 1000.0, ..DominantPathLaw::default() };
        let degrees = |cosine: f64| (law.turn_db(cosine) - law.turn_offset_db) / law.turn_per_degree_db;
        for (cosine, expected) in [(1.0, 0.0), (0.0, 90.0), (-1.0, 180.0), (1.0 + 1e-15, 0.0), (-1.0 - 1e-15, 180.0)] {
            assert!((degrees(cosine) - expected).abs() < 1e-9, "{cosine}: {} degrees", degrees(cosine));
        }
        for step in -10_000..=10_000 {
            let cosine = f64::from(step) / 10_000.0;
            assert!((degrees(cosine) - libm::acos(cosine).to_degrees()).abs() < 1e-9, "{cosine}: {} degrees", degrees(cosine));
            assert!(law.least_turn_db(cosine) <= law.turn_db(cosine) + 1e-12, "{cosine}");
        }
    }
}
