//! Free-standing houses: rows of them along the streets, each on its plot.

use super::geometry::{Outline, contains, sides, too_close};
use crate::random::Random;
use geo::Coord;

/// What stands on the plots; lengths in metres.
#[derive(Clone, Copy, Debug)]
pub struct Houses {
    pub width_m: f64,
    pub depth_m: f64,
    /// Between neighbours.
    pub gap_m: f64,
    /// From the street.
    pub setback_m: f64,
    /// Share of plots without a house.
    pub empty: f64,
    /// Share of houses with a second, smaller part.
    pub annexes: f64,
}

impl Houses {
    /// Apartment houses on narrow plots, 10 to 26 m wide and a few metres from each other.
    pub fn dense(random: &mut Random) -> Self {
        let width_m = random.between(11.0, 22.0);
        Self {
            width_m,
            depth_m: width_m * random.between(0.8, 1.5),
            gap_m: random.between(2.0, 6.5),
            setback_m: random.between(0.0, 4.0),
            empty: random.between(0.0, 0.15),
            annexes: random.between(0.0, 0.4),
        }
    }

    /// Villas and small apartment houses in their gardens.
    pub fn suburban(random: &mut Random) -> Self {
        let width_m = random.between(8.5, 16.0);
        Self {
            width_m,
            depth_m: width_m * random.between(0.75, 1.3),
            gap_m: random.between(3.0, 8.0),
            setback_m: random.between(1.0, 6.0),
            empty: random.between(0.02, 0.25),
            annexes: random.between(0.1, 0.6),
        }
    }

    pub fn fill(&self, block: &[Coord<f64>], random: &mut Random) -> Vec<Outline> {
        let mut houses: Vec<Outline> = Vec::new();
        for side in sides(block) {
            let mut from = random.between(0.0, self.gap_m);
            loop {
                let width = self.width_m * random.between(0.7, 1.25);
                if from + width > side.length {
                    break;
                }
                let near = self.setback_m + if random.chance(0.3) { random.between(0.0, 2.5) } else { 0.0 };
                let far = near + self.depth_m * random.between(0.8, 1.2);
                let house = side.rectangle(from, from + width, near, far);
                let fits = |part: &Outline| part.iter().all(|&corner| contains(block, corner));
                let free = houses.iter().all(|other| !too_close(other, &house, self.gap_m * 0.7));
                if fits(&house) && free && !random.chance(self.empty) {
                    if random.chance(self.annexes) {
                        let start = from + random.between(0.0, 0.5) * width;
                        let annex = side.rectangle(start, start + 0.5 * width, far - 0.5, far + random.between(2.0, 6.0));
                        let free = houses.iter().all(|other| !too_close(other, &annex, 1.0));
                        if fits(&annex) && free {
                            houses.push(annex);
                        }
                    }
                    houses.push(house);
                }
                from += width + self.gap_m * random.between(0.7, 1.5);
            }
        }
        houses
    }
}
