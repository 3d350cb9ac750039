//! Streets, which cut the ground about the origin into blocks, the convex pieces between them.

use super::geometry::{HalfPlane, Outline, add, area, clip, direction, inset, rectangle};
use crate::random::Random;
use geo::Coord;

/// Blocks cover this far from the origin, a map's half diagonal and some more.
const REACH_M: f64 = 200.0;
/// Pieces below this are no blocks.
const SMALLEST_BLOCK_M2: f64 = 150.0;

/// How a district's streets run; lengths in metres.
#[derive(Clone, Copy, Debug)]
pub struct Streets {
    pub pattern: StreetPattern,
    /// Mean side of a block.
    pub block_m: f64,
    pub street_m: f64,
}

#[derive(Clone, Copy, Debug)]
pub enum StreetPattern {
    /// Straight streets; those across are slanted by `shear` metres a metre.
    Grid { shear: f64 },
    /// Every block is the ground nearest to its own middle, as in old towns.
    Organic,
}

impl Streets {
    /// The blocks, turned by a random angle.
    pub fn blocks(&self, random: &mut Random) -> Vec<Outline> {
        let mut blocks = match self.pattern {
            StreetPattern::Grid { shear } => grid(self, shear, random),
            StreetPattern::Organic => organic(self, random),
        };
        blocks.retain(|block| area(block) >= SMALLEST_BLOCK_M2);
        let east = direction(random.angle());
        let turned = |p: Coord<f64>| Coord { x: p.x * east.x - p.y * east.y, y: p.x * east.y + p.y * east.x };
        blocks.iter().map(|block| block.iter().map(|&p| turned(p)).collect()).collect()
    }
}

/// The spans between parallel streets, over the whole reach.
fn spans(mean_m: f64, street_m: f64, random: &mut Random) -> Vec<(f64, f64)> {
    let mut spans = Vec::new();
    let mut from = -1.6 * REACH_M - random.between(0.0, mean_m);
    while from < 1.6 * REACH_M {
        let to = from + mean_m * random.between(0.7, 1.35);
        spans.push((from, to));
        // Every few streets one is a wide one.
        from = to + street_m * if random.chance(0.2) { random.between(1.4, 2.2) } else { random.between(0.85, 1.15) };
    }
    spans
}

fn grid(streets: &Streets, shear: f64, random: &mut Random) -> Vec<Outline> {
    let long = random.between(1.0, 1.9);
    let columns = spans(streets.block_m * long, streets.street_m, random);
    let shared_rows = spans(streets.block_m / long.sqrt(), streets.street_m, random);
    let through = random.chance(0.6);
    let mut blocks = Vec::new();
    for (left, right) in columns {
        let rows = if through { shared_rows.clone() } else { spans(streets.block_m / long.sqrt(), streets.street_m, random) };
        for (low, high) in rows {
            let corners = [(left, low), (right, low), (right, high), (left, high)];
            blocks.push(corners.iter().map(|&(x, y)| Coord { x: x + shear * y, y }).collect());
        }
    }
    blocks
}

fn organic(streets: &Streets, random: &mut Random) -> Vec<Outline> {
    let spacing = streets.block_m + streets.street_m;
    let steps = (1.3 * REACH_M / spacing).ceil() as i32;
    let mut sites = Vec::new();
    for row in -steps..=steps {
        for column in -steps..=steps {
            let mut jitter = || random.between(-0.42, 0.42);
            let x = f64::from(column) + 0.5 * f64::from(row.rem_euclid(2)) + jitter();
            sites.push(Coord { x: x * spacing, y: (0.9 * f64::from(row) + jitter()) * spacing });
        }
    }
    let nearest_to = |site: Coord<f64>, random: &mut Random| {
        let cell = sites.iter().filter(|&&other| other != site).fold(
            rectangle(site, direction(0.0), 4.0 * spacing, 4.0 * spacing),
            |cell, &other| {
                let apart = add(site, other, -1.0);
                let length = apart.x.hypot(apart.y);
                let normal = Coord { x: apart.x / length, y: apart.y / length };
                clip(&cell, HalfPlane { point: add(site, apart, -0.5), normal })
            },
        );
        inset(&cell, streets.street_m / 2.0 * random.between(0.7, 1.3))
    };
    sites.iter().map(|&site| nearest_to(site, random)).collect()
}

/// Blocks cut by a straight street of `width_m` along the edge of a half-plane.
pub fn cut(blocks: &[Outline], along: HalfPlane, width_m: f64) -> Vec<Outline> {
    let mut pieces = within(blocks, along.moved(width_m / 2.0));
    pieces.extend(within(blocks, along.opposite().moved(width_m / 2.0)));
    pieces
}

/// The parts of blocks inside a half-plane.
pub fn within(blocks: &[Outline], kept: HalfPlane) -> Vec<Outline> {
    blocks.iter().map(|block| clip(block, kept)).filter(|piece| area(piece) >= SMALLEST_BLOCK_M2).collect()
}
