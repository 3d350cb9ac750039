//! Perimeter blocks: houses wall to wall along the streets, with yards behind them.

use super::geometry::{HalfPlane, Outline, area, clip, inset, sides};
use crate::random::Random;
use geo::Coord;

/// Pieces below this are left out.
const SMALLEST_HOUSE_M2: f64 = 20.0;

/// What a block is lined with.
#[derive(Clone, Copy, Debug)]
pub struct Perimeter {
    /// Depth of a house from the street.
    pub depth_m: f64,
    /// Mean width of a plot.
    pub plot_m: f64,
    /// Share of plots without a house.
    pub gaps: f64,
    /// Share of plots whose house reaches deep into the yard.
    pub wings: f64,
}

impl Perimeter {
    /// Some are dense old towns with small yards.
    pub fn random(random: &mut Random) -> Self {
        let dense = random.chance(0.4);
        Self {
            depth_m: if dense { random.between(15.0, 26.0) } else { random.between(9.0, 15.0) },
            plot_m: random.between(14.0, 32.0),
            gaps: random.between(0.0, 0.18),
            wings: random.between(0.05, 0.3),
        }
    }

    /// Deep houses without a gap between them, whose courtyards are as small as light wells.
    pub fn old_town(random: &mut Random) -> Self {
        Self {
            depth_m: random.between(10.0, 22.0),
            plot_m: random.between(7.0, 20.0),
            gaps: random.between(0.0, 0.08),
            wings: random.between(0.1, 0.5),
        }
    }

    pub fn fill(&self, block: &[Coord<f64>], random: &mut Random) -> Vec<Outline> {
        let mut houses = Vec::new();
        for side in sides(block) {
            let mut from = 0.0;
            while from < side.length {
                let mut to = from + self.plot_m * random.between(0.6, 1.5);
                // No sliver at the corner.
                if side.length - to < 0.5 * self.plot_m {
                    to = side.length;
                }
                let wing = if random.chance(self.wings) { random.between(1.5, 2.6) } else { 1.0 };
                // Most backs are in line, as they were built together.
                let depth = self.depth_m * wing * if random.chance(0.5) { random.between(0.8, 1.2) } else { 1.0 };
                if !random.chance(self.gaps) {
                    let back = side.inside().moved(depth).opposite();
                    let near = HalfPlane { point: side.at(from, 0.0), normal: side.along };
                    let far = HalfPlane { point: side.at(to, 0.0), normal: side.along }.opposite();
                    houses.push([back, near, far].iter().fold(block.to_vec(), |house, &plane| clip(&house, plane)));
                }
                from = to;
            }
        }
        // A yard that is large enough may hold a house of its own.
        let yard = inset(block, self.depth_m + random.between(8.0, 14.0));
        if area(&yard) > 250.0 && random.chance(0.3) {
            houses.push(yard);
        }
        houses.retain(|house| area(house) >= SMALLEST_HOUSE_M2);
        houses
    }
}
