//! Campuses, schools and hospitals: a few large buildings with wings and courtyards on a lawn, all along the same two axes.

use super::geometry::{Outline, add, contains, left_of, rectangle, too_close};
use super::towers::{grain, radius};
use crate::random::Random;
use geo::Coord;

/// What stands on a lawn; lengths in metres.
#[derive(Clone, Copy, Debug)]
pub struct Campus {
    /// Longest side of a building.
    pub length_m: f64,
    /// Depth of a wing.
    pub wing_m: f64,
    /// Between buildings.
    pub gap_m: f64,
}

/// Places tried in a block.
const TRIES: u32 = 120;

impl Campus {
    pub fn random(random: &mut Random) -> Self {
        Self { length_m: random.between(34.0, 76.0), wing_m: random.between(11.0, 19.0), gap_m: random.between(5.0, 16.0) }
    }

    pub fn fill(&self, block: &[Coord<f64>], random: &mut Random) -> Vec<Outline> {
        let (along, reach) = (grain(block), radius(block));
        let middle = super::geometry::middle(block);
        let (mut grounds, mut parts): (Vec<Outline>, Vec<Outline>) = (Vec::new(), Vec::new());
        for _ in 0..TRIES {
            let axis = if random.chance(0.7) { along } else { left_of(along) };
            let at = add(add(middle, along, random.between(-reach, reach)), left_of(along), random.between(-reach, reach));
            let length = self.length_m * random.between(0.4, 1.1);
            let width = (length * random.between(0.5, 0.9)).max(1.5 * self.wing_m);
            let ground = rectangle(at, axis, length, width);
            let free = grounds.iter().all(|other| !too_close(other, &ground, self.gap_m));
            if free && ground.iter().all(|&corner| contains(block, corner)) {
                parts.extend(building(at, axis, (length, width), self.wing_m, random));
                grounds.push(ground);
            }
        }
        parts
    }
}

/// Wings of one building within its rectangle, overlapping where they meet.
fn building(at: Coord<f64>, along: Coord<f64>, (length, width): (f64, f64), wing_m: f64, random: &mut Random) -> Vec<Outline> {
    let across = left_of(along);
    // A wing from (left, low) to (right, high), as shares of the rectangle from -1 to 1.
    let part = |left: f64, right: f64, low: f64, high: f64| {
        let center = add(add(at, along, (left + right) / 4.0 * length), across, (low + high) / 4.0 * width);
        rectangle(center, along, (right - left) / 2.0 * length, (high - low) / 2.0 * width)
    };
    let wing = |side: f64| (2.0 * wing_m / side).min(1.2);
    let (w, h) = (wing(length), wing(width));
    let (west, east) = (part(-1.0, w - 1.0, -1.0, 1.0), part(1.0 - w, 1.0, -1.0, 1.0));
    let (south, north) = (part(-1.0, 1.0, -1.0, h - 1.0), part(-1.0, 1.0, 1.0 - h, 1.0));
    let (inner, spine) = (part(-w / 2.0, w / 2.0, -1.0, 1.0), part(-1.0, 1.0, -h / 2.0, h / 2.0));
    match random.below(8) {
        0 => vec![west, south],
        1 => vec![west, south, east],
        2 => vec![west, spine, east],
        3 => vec![west, south, east, north],
        4 => vec![south, west, inner, east],
        5 => vec![inner, north],
        6 => vec![spine],
        // A hall with something smaller at its side.
        _ => vec![part(-1.0, 0.5, -0.8, 0.8), part(0.4, 1.0, -0.4, 0.4)],
    }
}
