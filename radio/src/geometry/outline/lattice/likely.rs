//! The likeliest of the outlines that give the same pixels.
//!
//! A corner costs something, and a turn costs more the farther it is from a right angle, measured by what rounding its ends to the
//! lattice can do to an angle: most buildings are right-angled. The costs are negative logarithms of probabilities, roughly. The outline
//! of least cost is found by dynamic programming over its walls (Bellman, 1957).

use super::super::trace::Side;
use super::Sampled;
use super::directions::{Step, cross, dot, minus};
use super::walls::{LatticeCorner, LatticeWall, LatticeWalls};
use std::f64::consts::{FRAC_PI_2, TAU};

/// Cost of a corner.
const CORNER_COST: f64 = 6.0;
/// The largest cost of an angle.
const ODD_ANGLE_COST: f64 = 6.0;
/// Cost of a pixel beside a corner that is on the wrong side of the wall before or behind its own.
const WRONG_PIXEL_COST: f64 = 20.0;
/// Standard deviation of a wall's angle by rounding, in radians times its length in pixels: that of a difference of two roundings.
const ROUNDING: f64 = 0.408;
/// Standard deviation of the angle of a right-angled building's corner before rounding, in radians.
const ANGLE_SPREAD: f64 = 0.05;
/// So many walls are tried to close a ring at. The first nearly always does.
const ATTEMPTS: usize = 8;
/// So many sides before a corner and behind it have to agree with both walls.
const NEAR: usize = 2;
/// The bits of those sides.
const NEAR_BITS: u8 = (1 << (2 * NEAR)) - 1;

/// Corners of the likeliest outline, `None` where no way closes.
pub fn likeliest(ring: &[Side], walls: &LatticeWalls, sampled: Sampled) -> Option<Vec<Step>> {
    let search = Search::new(ring, walls, sampled);
    // Once round from anywhere to anywhere finds a wall of the likeliest outline; the second lap closes at that wall.
    let openings: Vec<usize> = (0..search.begin[walls.first]).collect();
    let lap = search.way(&openings, 0, None)?;
    let closed = |&opening: &usize| search.way(&[opening], search.walls[opening].ends.from, Some(opening));
    let outline = [&lap[lap.len() / 2]].into_iter().chain(&lap).take(ATTEMPTS).find_map(closed)?;
    Some(outline.into_iter().map(|wall| walls.corners[search.walls[wall].ends.from].at).collect())
}

/// A wall with all that the corners at its ends need to know.
struct WeighedWall {
    ends: LatticeWall,
    step: Step,
    /// Radians.
    angle: f64,
    /// In 1 / squared pixels.
    inverse_square: f64,
    /// For the sides near its beginning and near its end: low bits where the building pixel is not on its left, high bits where the open
    /// pixel is.
    wrong: [u8; 2],
}

struct Search {
    walls: Vec<WeighedWall>,
    /// For each corner, the first of the walls that begin there.
    begin: Vec<usize>,
}

impl Search {
    fn new(ring: &[Side], walls: &LatticeWalls, sampled: Sampled) -> Self {
        let lap = walls.corners.len();
        let weighed = |&ends: &LatticeWall| {
            let (from, to) = (walls.corners[ends.from], walls.corners[ends.to % lap]);
            let step = minus(to.at, from.at);
            let (angle, inverse_square) = (libm::atan2(step.1 as f64, step.0 as f64), 1.0 / dot(step, step) as f64);
            WeighedWall { ends, step, angle, inverse_square, wrong: [from, to].map(|end| wrong_near(ring, end, step, sampled)) }
        };
        let begin = (0..=lap).map(|corner| walls.walls.partition_point(|wall| wall.from < corner)).collect();
        Self { walls: walls.walls.iter().map(weighed).collect(), begin }
    }

    /// The walls of the likeliest way round, from one of `openings`, which begin at the corner `home` or later. It ends at `home`, with the
    /// corner before the wall `closing`, or at any of the first corners of the next lap.
    fn way(&self, openings: &[usize], home: usize, closing: Option<usize>) -> Option<Vec<usize>> {
        let lap = self.begin.len() - 1;
        let mut costs = vec![f64::INFINITY; self.walls.len()];
        let mut came_from = vec![None; self.walls.len()];
        openings.iter().for_each(|&wall| costs[wall] = 0.0);
        let mut best: Option<(f64, usize)> = None;
        for wall in (self.begin[home]..self.walls.len()).chain(0..self.begin[home]) {
            let LatticeWall { from, to } = self.walls[wall].ends;
            if costs[wall] == f64::INFINITY {
                continue;
            }
            // Corners on from home; home itself is the last one.
            let (start, end) = ((from + lap - home) % lap, (to + lap - home - 1) % lap + 1);
            let ends_here = if closing.is_some() { end == lap } else { to >= lap };
            if ends_here {
                let total = costs[wall] + closing.map_or(0.0, |next| self.corner_cost(wall, next));
                if total < best.map_or(f64::INFINITY, |(least, _)| least) {
                    best = Some((total, wall));
                }
            } else if end > start {
                for next in self.begin[to % lap]..self.begin[to % lap + 1] {
                    let total = costs[wall] + self.corner_cost(wall, next);
                    if total < costs[next] {
                        (costs[next], came_from[next]) = (total, Some(wall));
                    }
                }
            }
        }
        let mut way: Vec<usize> = std::iter::successors(Some(best?.1), |&wall| came_from[wall]).collect();
        way.reverse();
        Some(way)
    }

    /// Cost of the corner between two walls.
    fn corner_cost(&self, before: usize, after: usize) -> f64 {
        let (a, b) = (&self.walls[before], &self.walls[after]);
        let turn = cross(a.step, b.step);
        if turn == 0 && dot(a.step, b.step) < 0 {
            return f64::INFINITY;
        }
        // A pixel at a convex corner is the building's when it is left of both walls; elsewhere it is open ground when it is right of both.
        let wrong = a.wrong[1] | b.wrong[0];
        let wrong = if turn > 0 { wrong & NEAR_BITS } else { wrong >> (2 * NEAR) };
        let change = (b.angle - a.angle).abs();
        let off = change.min(TAU - change) - FRAC_PI_2;
        let variance = ROUNDING * ROUNDING * (a.inverse_square + b.inverse_square) + ANGLE_SPREAD * ANGLE_SPREAD;
        CORNER_COST + WRONG_PIXEL_COST * f64::from(wrong.count_ones()) + (off * off / (2.0 * variance)).min(ODD_ANGLE_COST)
    }
}

/// [`WeighedWall::wrong`] at one of a wall's ends.
fn wrong_near(ring: &[Side], end: LatticeCorner, wall: Step, sampled: Sampled) -> u8 {
    let is_left = |pixel: Step| sampled.tie_rule().is_left(wall, sampled.step(end.at, pixel));
    let bits = |i: usize| {
        let side = &ring[(end.side + NEAR * ring.len() + i - NEAR) % ring.len()];
        let inner = u8::from(!is_left(side.inner_pixel()));
        let outer = u8::from(is_left(side.outer_pixel()));
        inner << i | outer << (i + 2 * NEAR)
    };
    (0..2 * NEAR).map(bits).sum()
}
