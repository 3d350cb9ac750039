//! The heights between which paths rise and descend.

use crate::geometry::PreparedScene;
use crate::geometry::highest_near::HighestNear;
use crate::propagation::law::DominantPathLaw;
use crate::scene::{LinkEnds, RoofHeights};

/// Heights in metres: above the ground, or above both antennas where the law says the roofs' height.
#[derive(Clone, Copy)]
pub struct Levels<'a> {
    pub transmitter_m: f64,
    pub receivers_m: f64,
    /// Paths go round corners at the height of the lower antenna.
    pub corners_m: f64,
    pub lowest_roof_m: f64,
    pub highest_roof_m: f64,
    roofs: Roofs<'a>,
}

#[derive(Clone, Copy)]
enum Roofs<'a> {
    Level(f64),
    Scene(&'a RoofHeights, &'a HighestNear),
}

impl<'a> Levels<'a> {
    /// Antennas at one height and every roof [`DominantPathLaw::roof_m`] above them.
    pub fn of_law(law: &DominantPathLaw) -> Self {
        Self {
            transmitter_m: 0.0,
            receivers_m: 0.0,
            corners_m: 0.0,
            lowest_roof_m: law.roof_m,
            highest_roof_m: law.roof_m,
            roofs: Roofs::Level(law.roof_m),
        }
    }

    pub fn of_scene(prepared: &'a PreparedScene, ends: &LinkEnds) -> Self {
        let roofs = prepared.roofs();
        Self {
            transmitter_m: ends.height_m,
            receivers_m: ends.receiver_height_m,
            corners_m: ends.height_m.min(ends.receiver_height_m),
            lowest_roof_m: roofs.lowest_m(),
            highest_roof_m: roofs.highest_m(),
            roofs: Roofs::Scene(roofs, prepared.highest_near()),
        }
    }

    /// The roofs' heights as a row-major raster; `None` where all are as high as the law says.
    pub fn raster_m(&self) -> Option<&'a [f32]> {
        match self.roofs {
            Roofs::Level(_) => None,
            Roofs::Scene(roofs, _) => Some(roofs.meters()),
        }
    }

    /// Height of the roof over a built pixel.
    pub fn roof_m(&self, pixel: usize) -> f64 {
        match self.roofs {
            Roofs::Level(roof_m) => roof_m,
            Roofs::Scene(roofs, _) => roofs.at(pixel),
        }
    }

    /// How many rows or columns lie at least between the pixel at (row, column) and a roof higher than `height_m`, itself included; 0
    /// where nothing is known of it.
    pub fn steps_to_higher(&self, (row, column): (usize, usize), height_m: f64) -> i64 {
        let Roofs::Scene(_, near) = self.roofs else { return 0 };
        near.around(row, column).find(|&(_, highest_m)| highest_m <= height_m).map_or(0, |(steps, _)| steps as i64 + 1)
    }
}
