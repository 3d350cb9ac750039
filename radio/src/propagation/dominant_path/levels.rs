//! The heights between which paths rise and descend.

use crate::propagation::law::DominantPathLaw;
use crate::scene::{LinkEnds, RoofHeights};

/// Heights in metres: above the ground, or above both antennas where the law says the roofs' height.
#[derive(Clone, Copy)]
pub struct Levels<'a> {
    pub transmitter_m: f64,
    pub receivers_m: f64,
    /// Paths go round corners at the height of the lower antenna.
    pub corners_m: f64,
    pub highest_roof_m: f64,
    roofs: Roofs<'a>,
}

#[derive(Clone, Copy)]
enum Roofs<'a> {
    Level(f64),
    Scene(&'a RoofHeights),
}

impl<'a> Levels<'a> {
    /// Antennas at one height and every roof [`DominantPathLaw::roof_m`] above them.
    pub fn of_law(law: &DominantPathLaw) -> Self {
        Self { transmitter_m: 0.0, receivers_m: 0.0, corners_m: 0.0, highest_roof_m: law.roof_m, roofs: Roofs::Level(law.roof_m) }
    }

    pub fn of_scene(roofs: &'a RoofHeights, ends: &LinkEnds) -> Self {
        Self {
            transmitter_m: ends.height_m,
            receivers_m: ends.receiver_height_m,
            corners_m: ends.height_m.min(ends.receiver_height_m),
            highest_roof_m: roofs.highest_m(),
            roofs: Roofs::Scene(roofs),
        }
    }

    /// Height of the roof over a built pixel.
    pub fn roof_m(&self, pixel: usize) -> f64 {
        match self.roofs {
            Roofs::Level(roof_m) => roof_m,
            Roofs::Scene(roofs) => roofs.at(pixel),
        }
    }
}
