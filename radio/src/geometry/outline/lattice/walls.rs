//! All walls between lattice points that keep a ring's pixels on their sides.
//!
//! A side of the boundary belongs to one wall, which has its building pixel on the left and its open pixel on the right. Walls follow
//! each other round the ring; where one ends and the next begins, two sides meet.

use super::super::trace::Side;
use super::Sampled;
use super::directions::{Directions, Step, minus};

/// A corner is sought no farther from where the boundary turns than the root of this, in pixels.
const REACH_SQUARE: i64 = 5;
/// More walls than any outline has.
const UNREACHED: u32 = u32::MAX / 2;

/// A corner that an outline may have.
#[derive(Clone, Copy)]
pub struct LatticeCorner {
    /// The side before which the outline turns, counted on from the ring's first one, so that corners ascend round the ring.
    pub side: usize,
    pub at: Step,
}

/// A wall that an outline may have, by its corners. `to` counts on into the next lap.
#[derive(Clone, Copy)]
pub struct LatticeWall {
    pub from: usize,
    pub to: usize,
}

/// The walls that the outline of one ring may have.
pub struct LatticeWalls {
    /// One lap of corners.
    pub corners: Vec<LatticeCorner>,
    /// Every outline turns at one of so many first corners.
    pub first: usize,
    /// Ascending by where they begin.
    pub walls: Vec<LatticeWall>,
}

impl LatticeWalls {
    /// The walls of a ring of which no straight line separates more than `longest` sides from `start` on.
    pub fn new(ring: &[Side], start: usize, longest: usize, sampled: Sampled) -> Self {
        let mut corners: Vec<LatticeCorner> = (start + 1..=start + ring.len()).flat_map(|side| corners_at(ring, side)).collect();
        let (lap, first) = (corners.len(), corners.partition_point(|corner| corner.side <= start + longest));
        corners.extend_from_within(..first);
        corners[lap..].iter_mut().for_each(|corner| corner.side += ring.len());
        let mut walls = Vec::new();
        (0..lap).for_each(|from| add_walls(ring, &corners, from, sampled, &mut walls));
        corners.truncate(lap);
        Self { corners, first, walls }
    }

    /// Without the walls that no outline has whose corners are at most `more` than the fewest. `None` where there is no outline.
    pub fn pruned(mut self, more: u32) -> Option<Self> {
        let (lap, first) = (self.corners.len(), self.first);
        // The fewest walls from the first corners to each one, and on from there to the first ones again.
        let (mut before, mut after) = (vec![UNREACHED; lap + first], vec![UNREACHED; lap + first]);
        before[..first].fill(0);
        after[lap..].fill(0);
        for &LatticeWall { from, to } in &self.walls {
            before[to] = before[to].min(before[from] + 1);
        }
        for &LatticeWall { from, to } in self.walls.iter().rev() {
            after[from] = after[from].min(after[to] + 1);
        }
        let fewest = before[lap..].iter().copied().min().filter(|&fewest| fewest < UNREACHED)?;
        let most = fewest.max(3) + more;
        self.walls.retain(|wall| before[wall.from] + 1 + after[wall.to] <= most);
        Some(self)
    }
}

/// The lattice points where an outline may turn before a side. Where the boundary goes straight on, the wall is known to a pixel.
fn corners_at(ring: &[Side], side: usize) -> impl Iterator<Item = LatticeCorner> {
    let (here, last) = (&ring[side % ring.len()], &ring[(side + ring.len() - 1) % ring.len()]);
    let ((x, y), turns, runs_along_x) = (here.corner(), here.direction != last.direction, here.direction % 2 == 0);
    let possible = move |&(dx, dy): &Step| match (turns, runs_along_x) {
        (true, _) => dx * dx + dy * dy <= REACH_SQUARE,
        (false, true) => dx == 0 && dy.abs() <= 1,
        (false, false) => dy == 0 && dx.abs() <= 1,
    };
    let around = (-2..=2).flat_map(|dx| (-2..=2).map(move |dy| (dx, dy)));
    around.filter(possible).map(move |(dx, dy)| LatticeCorner { side, at: (x + dx, y + dy) })
}

/// Adds the walls that begin at a corner and keep all pixels on their sides.
fn add_walls(ring: &[Side], corners: &[LatticeCorner], from: usize, sampled: Sampled, walls: &mut Vec<LatticeWall>) {
    let start = corners[from];
    let mut left = Directions::quarters();
    let mut side = start.side;
    for (to, corner) in corners.iter().enumerate().skip(from + 1) {
        while side < corner.side {
            let own = &ring[side % ring.len()];
            let [inner, outer] = [own.inner_pixel(), own.outer_pixel()].map(|pixel| sampled.step(start.at, pixel));
            left.retain_mut(|directions| directions.keep(inner, true) && directions.keep(outer, false));
            if left.is_empty() {
                return;
            }
            side += 1;
        }
        let wall = minus(corner.at, start.at);
        if side > start.side && wall != (0, 0) && left.iter().any(|directions| directions.allow(wall, sampled.tie_rule())) {
            walls.push(LatticeWall { from, to });
        }
    }
}
