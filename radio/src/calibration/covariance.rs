//! How alike the law's errors are at two places.
//!
//! Two parts add up. The first falls with the distance between the places: the ground, trees, parked cars. The second falls with the
//! angle between them as the antenna sees them and with the ratio of their distances from it: places in the shadow of the same thing
//! (a roof, a tower, a hole in the antenna's pattern) err alike along the ray, which Euclidean distance does not know. Both are
//! exponential, hence positive definite, and so is their sum.

use super::law::shortest_turn_deg;
use super::link::Link;
use crate::arithmetic;

/// Distances from the antenna are told apart from here on, metres.
const NEAREST_M: f64 = 22.0;

/// The covariance of the law's errors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Covariance {
    /// Standard deviation of the part by distance, dB, and the distance over which it falls to 1/e, metres.
    pub local_db: f64,
    pub local_m: f64,
    /// Standard deviation of the part by direction, dB, the angle over which it falls to 1/e, degrees, and the same for the logarithm
    /// to base 10 of the distances' ratio.
    pub shadow_db: f64,
    pub shadow_deg: f64,
    pub shadow_decades: f64,
    /// Standard deviation of what two measurements at one place do not share (the nugget), dB.
    pub noise_db: f64,
}

impl Default for Covariance {
    /// The best of the cells of docs/measurements/calibration.md.
    fn default() -> Self {
        Self { local_db: 5.2, local_m: 23.0, shadow_db: 4.9, shadow_deg: 22.0, shadow_decades: 0.21, noise_db: 1.1 }
    }
}

impl Covariance {
    /// Covariance of the errors at two places, noise left out, dB squared.
    pub fn between(&self, a: &Link, b: &Link) -> f64 {
        let step = a.position - b.position;
        let local = libm::exp(-arithmetic::length(step.x, step.y) / self.local_m);
        let angle_deg = shortest_turn_deg(a.bearing_deg - b.bearing_deg).abs();
        let decades = (log_distance(a) - log_distance(b)).abs();
        let shadow = libm::exp(-angle_deg / self.shadow_deg - decades / self.shadow_decades);
        self.local_db * self.local_db * local + self.shadow_db * self.shadow_db * shadow
    }

    /// Variance of the error at one place, noise left out, dB squared.
    pub fn at_a_place(&self) -> f64 {
        self.local_db * self.local_db + self.shadow_db * self.shadow_db
    }
}

fn log_distance(link: &Link) -> f64 {
    libm::log10(arithmetic::length(link.distance_m, NEAREST_M))
}
