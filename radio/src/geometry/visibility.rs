//! The pixels in sight of a point, found from the walls alone.
//!
//! The dominant path asks this for the transmitter and for every corner of a prepared scene, where [`super::pixel_line_of_sight`] would
//! take too long. In flow the inset walls and a point, which need not be a pixel's centre; out flows a set of pixels. [`super::look`]
//! answers for single pixels.

use super::angular_cover::AngularCover;
use super::inset::{InsetWalls, Segment, Tile};
use super::pixel_set::PixelSet;
use super::shadow::{Reach, mark_hidden};
use geo::Coord;

/// The outdoor pixels whose centre is in sight of `from`, a point in pixels as [`InsetWalls`] has them.
///
/// Every wall that faces the point hides, in every row behind it, the columns between the lines of sight over its two ends.
pub fn visible_from(walls: &InsetWalls, from: Coord<f64>) -> PixelSet {
    let mut visible = walls.outdoors.clone();
    Sweep::new(from).take(&walls.tiles, f64::INFINITY, |ends| mark_hidden(&mut visible, walls.size, from, ends, Reach::ENDLESS));
    visible
}

/// Finds the walls that a point sees, outwards from the point. Tiles are taken nearest first, so walls that are wholly behind others are
/// skipped.
pub struct Sweep {
    from: Coord<f64>,
    cover: AngularCover,
    /// Walls that are not yet nearer than every tile still to come; only nearer ones may cover.
    waiting: Vec<Facing>,
    /// The square of the distance up to which tiles have been taken.
    taken: f64,
}

impl Sweep {
    pub fn new(from: Coord<f64>) -> Self {
        Self { from, cover: AngularCover::default(), waiting: Vec::new(), taken: f64::NEG_INFINITY }
    }

    /// Takes the tiles up to a square of the distance. `found` is given the left and the right end, relative to the point, of every wall
    /// that shows its outer side and that nearer walls do not cover.
    pub fn take(&mut self, tiles: &[Tile], up_to: f64, mut found: impl FnMut([Coord<f64>; 2])) {
        let by_distance = tiles.iter().map(|tile| (tile.nearest(self.from), tile));
        let mut near_first: Vec<(f64, &Tile)> = by_distance.filter(|&(nearest, _)| self.taken < nearest && nearest <= up_to).collect();
        near_first.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.taken = up_to;
        for (nearest, tile) in near_first {
            self.waiting.retain(|wall| {
                let nearer = wall.farthest <= nearest;
                if nearer {
                    self.cover.block(wall.right, wall.left);
                }
                !nearer
            });
            let (right, left) = tile.span(self.from);
            if nearest > 0.0 && self.cover.blocks(right, left) {
                continue;
            }
            for wall in tile.walls.iter().filter_map(|wall| Facing::new(wall, self.from)) {
                if !self.cover.blocks(wall.right, wall.left) {
                    found([wall.left, wall.right]);
                    self.waiting.push(wall);
                }
            }
        }
    }
}

/// A wall that shows its outer side to a point: its ends relative to the point, and the square of the farther end's distance.
struct Facing {
    left: Coord<f64>,
    right: Coord<f64>,
    farthest: f64,
}

impl Facing {
    fn new(wall: &Segment, from: Coord<f64>) -> Option<Self> {
        let (left, right) = (wall.from - from, wall.to - from);
        // Seen from outside, a wall with the building on its left runs from left to right.
        if left.x * right.y - left.y * right.x >= 0.0 {
            return None;
        }
        let square = |v: Coord<f64>| v.x * v.x + v.y * v.y;
        Some(Self { left, right, farthest: square(left).max(square(right)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::inset::center;
    use crate::geometry::test_scenes::{blocks, inset_walls};

    #[test]
    fn a_pixel_is_hidden_where_a_wall_is_crossed() {
        let mask = blocks();
        let walls = inset_walls(&mask);
        let faces: Vec<Segment> = walls.tiles.iter().flat_map(|tile| &tile.walls).copied().collect();
        let side = |a: Coord<f64>, b: Coord<f64>, p: Coord<f64>| (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
        let crosses = |wall: &Segment, a: Coord<f64>, b: Coord<f64>| {
            (side(a, b, wall.from) > 0.0) != (side(a, b, wall.to) > 0.0)
                && (side(wall.from, wall.to, a) > 0.0) != (side(wall.from, wall.to, b) > 0.0)
        };
        for from in (0..48 * 48).step_by(29).filter(|&i| mask.pixels[i] == 0) {
            let (point, seen) = (center(from, 48), visible_from(&walls, center(from, 48)));
            for to in (0..48 * 48).filter(|&i| mask.pixels[i] == 0) {
                let hidden = faces.iter().any(|wall| crosses(wall, point, center(to, 48)));
                assert_eq!(seen.contains(to), !hidden, "from {point:?} to {:?}", center(to, 48));
            }
        }
    }
}
