//! Modern estates: slabs in parallel rows, towers in the green, halls with yards.

use super::geometry::{HalfPlane, Outline, add, area, clip, contains, direction, inset, left_of, middle, rectangle, sides, too_close};
use crate::random::Random;
use geo::Coord;

/// What an estate is made of.
#[derive(Clone, Copy, Debug)]
pub enum Estate {
    /// Parallel slabs.
    Slabs { length_m: f64, width_m: f64, spacing_m: f64 },
    /// Towers of a few plans, some way from each other.
    Towers { side_m: f64, gap_m: f64 },
    /// One large building with bites taken out of it.
    Hall { yard_m: f64 },
}

impl Estate {
    pub fn random(random: &mut Random) -> Self {
        match random.below(3) {
            0 => Self::Slabs {
                length_m: random.between(30.0, 75.0),
                width_m: random.between(9.0, 15.0),
                spacing_m: random.between(12.0, 28.0),
            },
            1 => Self::Towers { side_m: random.between(14.0, 28.0), gap_m: random.between(7.0, 20.0) },
            _ => Self::Hall { yard_m: random.between(3.0, 16.0) },
        }
    }

    pub fn fill(&self, block: &[Coord<f64>], random: &mut Random) -> Vec<Outline> {
        match *self {
            Self::Slabs { length_m, width_m, spacing_m } => slabs(block, length_m, width_m, spacing_m, random),
            Self::Towers { side_m, gap_m } => towers(block, side_m, gap_m, random),
            Self::Hall { yard_m } => hall(&inset(block, yard_m), random),
        }
    }
}

/// The direction of the longest side.
pub fn grain(block: &[Coord<f64>]) -> Coord<f64> {
    let longest = sides(block).into_iter().max_by(|a, b| a.length.total_cmp(&b.length));
    longest.map_or(direction(0.0), |side| side.along)
}

/// Radius of the circle about the middle that holds the block.
pub fn radius(block: &[Coord<f64>]) -> f64 {
    let center = middle(block);
    block.iter().map(|p| (p.x - center.x).hypot(p.y - center.y)).fold(0.0, f64::max)
}

fn slabs(block: &[Coord<f64>], length_m: f64, width_m: f64, spacing_m: f64, random: &mut Random) -> Vec<Outline> {
    let along = if random.chance(0.5) { grain(block) } else { left_of(grain(block)) };
    let (center, across, reach) = (middle(block), left_of(along), radius(block));
    let shift = random.between(-0.5, 0.5) * spacing_m;
    let mut slabs: Vec<Outline> = Vec::new();
    let mut offset = -reach + shift;
    while offset < reach {
        let mut at = -reach + random.between(0.0, 0.3) * length_m;
        while at < reach {
            let length = length_m * random.between(0.6, 1.1);
            let slab = rectangle(add(add(center, across, offset), along, at + length / 2.0), along, length, width_m);
            if slab.iter().all(|&corner| contains(block, corner)) && !random.chance(0.08) {
                slabs.push(slab);
                at += length + random.between(6.0, 16.0);
            } else {
                at += 4.0;
            }
        }
        offset += spacing_m + width_m;
    }
    slabs
}

fn towers(block: &[Coord<f64>], side_m: f64, gap_m: f64, random: &mut Random) -> Vec<Outline> {
    let (center, reach, along) = (middle(block), radius(block), grain(block));
    let mut towers: Vec<Outline> = Vec::new();
    for _ in 0..60 {
        let at = add(add(center, along, random.between(-reach, reach)), left_of(along), random.between(-reach, reach));
        let side = side_m * random.between(0.8, 1.25);
        let around = rectangle(at, along, side, side);
        let free = towers.iter().all(|tower| !too_close(tower, &around, gap_m));
        if free && around.iter().all(|&corner| contains(block, corner)) {
            match random.below(4) {
                0 => {
                    // A cross.
                    towers.push(rectangle(at, along, side, 0.42 * side));
                    towers.push(rectangle(at, along, 0.42 * side, side));
                }
                1 => {
                    // An L.
                    towers.push(rectangle(add(at, along, -0.3 * side), along, 0.4 * side, side));
                    towers.push(rectangle(add(at, left_of(along), -0.3 * side), along, side, 0.4 * side));
                }
                2 => towers.push(rectangle(at, along, side, 0.6 * side)),
                _ => towers.push(around),
            }
        }
    }
    towers
}

/// A hall is cut into parts along its grain, and each part is cut back at one end.
fn hall(ground: &[Coord<f64>], random: &mut Random) -> Vec<Outline> {
    if area(ground) < 200.0 {
        return Vec::new();
    }
    let (center, along, reach) = (middle(ground), grain(ground), radius(ground));
    let parts = 2 + random.below(3);
    let step = 2.0 * reach / parts as f64;
    let mut hall = Vec::new();
    for part in 0..parts {
        let from = HalfPlane { point: add(center, along, -reach + step * part as f64 - 0.01), normal: along };
        let back = left_of(along);
        let back = if random.chance(0.5) { back } else { Coord { x: -back.x, y: -back.y } };
        let cut = HalfPlane { point: add(center, back, -reach * random.between(0.1, 1.0)), normal: back };
        let piece = [from, from.moved(step + 0.02).opposite(), cut].iter().fold(ground.to_vec(), |piece, &plane| clip(&piece, plane));
        if !piece.is_empty() && !random.chance(0.1) {
            hall.push(piece);
        }
    }
    hall
}
