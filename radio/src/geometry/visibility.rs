//! The pixels in sight of a point, found from the walls alone.
//!
//! The dominant path asks this for every corner, where [`super::pixel_line_of_sight`] would take too long. In flow the inset walls
//! and a point, which need not be a pixel's centre; out flows a set of pixels.

use super::angular_cover::AngularCover;
use super::inset::{InsetWalls, Segment, Tile};
use super::pixel_set::PixelSet;
use geo::Coord;

/// The outdoor pixels whose centre is in sight of `from`, a point in pixels as [`InsetWalls`] has them.
///
/// Every wall that faces the point hides, in every row behind it, the columns between the lines of sight over its two ends. Tiles
/// are taken nearest first, so walls that are wholly behind others are skipped.
pub fn visible_from(walls: &InsetWalls, from: Coord<f64>) -> PixelSet {
    let size = walls.size;
    let mut visible = walls.outdoors.clone();
    let mut near_first: Vec<(f64, &Tile)> = walls.tiles.iter().map(|tile| (tile.nearest(from), tile)).collect();
    near_first.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Walls that are not yet nearer than every tile still to come; only nearer ones may cover.
    let (mut cover, mut waiting) = (AngularCover::default(), Vec::<Facing>::new());
    for (nearest, tile) in near_first {
        waiting.retain(|wall| {
            let nearer = wall.farthest <= nearest;
            if nearer {
                cover.block(wall.right, wall.left);
            }
            !nearer
        });
        let (right, left) = tile.span(from);
        if nearest > 0.0 && cover.blocks(right, left) {
            continue;
        }
        for wall in tile.walls.iter().filter_map(|wall| Facing::new(wall, from)) {
            if !cover.blocks(wall.right, wall.left) {
                mark_hidden(&mut visible, size, from, [wall.left, wall.right], Reach::ENDLESS);
                waiting.push(wall);
            }
        }
    }
    visible
}

/// A wall that shows its outer side to a point: its ends relative to the point, and the square of the farther end's distance.
#[derive(Clone)]
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

/// Where the shadow of a wall begins and ends, as multiples of the wall's distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    pub nearest: f64,
    pub farthest: f64,
}

impl Reach {
    /// The shadow of a wall that nobody looks over.
    pub const ENDLESS: Self = Self { nearest: 1.0, farthest: f64::INFINITY };

    /// The part of a row's shadow from `left` to `right` that is within reach. `depth` is how far the row's points are behind the wall,
    /// in multiples of its distance, as (at x = 0, growth by x).
    fn clip(self, left: f64, right: f64, (start, growth): (f64, f64)) -> (f64, f64) {
        if self == Self::ENDLESS {
            return (left, right);
        }
        if growth == 0.0 {
            return if self.nearest <= start && start < self.farthest { (left, right) } else { (0.0, 0.0) };
        }
        let (a, b) = ((self.nearest - start) / growth, (self.farthest - start) / growth);
        (left.max(a.min(b)), right.min(a.max(b)))
    }
}

/// Removes the pixels that a wall hides from the point `from`; the wall's ends are relative to the point.
pub fn mark_hidden(visible: &mut PixelSet, size: usize, from: Coord<f64>, [a, b]: [Coord<f64>; 2], reach: Reach) {
    // A point p is (n p) / (n a) times as far as the wall, n the wall's normal.
    let normal = Coord { x: a.y - b.y, y: b.x - a.x };
    let across = normal.x * a.x + normal.y * a.y;
    let depth = |y: f64| (normal.y * y / across, normal.x / across);
    // The row that is level with the point, where there is one.
    let level = size as f64 - from.y - 0.5;
    if level >= 0.0 && level < size as f64 && level.fract() == 0.0 && (a.y < 0.0) != (b.y < 0.0) {
        let (start, at) = (level as usize * size, from.x + a.x - a.y * (b.x - a.x) / (b.y - a.y));
        let column = |x: f64| (x - 0.5).ceil().clamp(0.0, size as f64) as usize;
        let (left, right) = if at > from.x { (at, f64::INFINITY) } else { (f64::NEG_INFINITY, at) };
        let (before, growth) = depth(0.0);
        let (left, right) = reach.clip(left, right, (before - growth * from.x, growth));
        visible.remove(start + column(left), start + column(right));
    }
    for (sign, a, b) in [(1.0, a, b), (-1.0, Coord { x: a.x, y: -a.y }, Coord { x: b.x, y: -b.y })] {
        let (low, high) = if a.y < b.y { (a, b) } else { (b, a) };
        if high.y <= 0.0 {
            continue;
        }
        let inverse_slope = if high.y > low.y { (high.x - low.x) / (high.y - low.y) } else { 0.0 };
        // Where the wall, extended, is level with the point.
        let level_x = low.x - low.y * inverse_slope;
        for row in rows_behind(size, from.y, sign, low.y, high.y * reach.farthest) {
            let y = sign * (size as f64 - row as f64 - 0.5 - from.y);
            let end_low = if low.y > 0.0 { low.x * y / low.y } else { level_x.signum() * f64::INFINITY };
            let end_high = if high.y <= y { high.x * y / high.y } else { level_x + y * inverse_slope };
            let (left, right) = if end_low < end_high { (end_low, end_high) } else { (end_high, end_low) };
            let (left, right) = reach.clip(left, right, depth(sign * y));
            // The first and one past the last column whose centre is between them; rounded up by hand, since a browser's and an
            // old processor's `ceil` is a call.
            let column = |x: f64| {
                let x = (x + from.x - 0.5).clamp(0.0, size as f64);
                x as usize + usize::from((x as usize as f64) < x)
            };
            visible.remove(row * size + column(left), row * size + column(right));
        }
    }
}

/// Rows above (sign 1) or below (sign -1) a height `from_y` that are farther from it than `least` and not farther than `most`.
fn rows_behind(size: usize, from_y: f64, sign: f64, least: f64, most: f64) -> std::ops::Range<usize> {
    let at = |distance: f64| size as f64 - from_y - 0.5 - sign * distance;
    let row = |x: f64| x.clamp(0.0, size as f64) as usize;
    let (edge, far) = (at(least.max(0.0)), at(most));
    if sign > 0.0 { row(far.ceil())..row(edge.ceil()) } else { row(edge.floor() + 1.0)..row(far.floor() + 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::inset::center;
    use crate::geometry::outline::outlines;
    use crate::geometry::test_scenes::blocks;
    use crate::geometry::walls::Walls;
    use crate::scene::Grid;

    #[test]
    fn a_pixel_is_hidden_where_a_wall_is_crossed() {
        let mask = blocks();
        let grid = Grid { size: 48, meters_per_pixel: 1.0 };
        let walls = InsetWalls::new(&Walls::new(&outlines(&mask, grid, &[])), &mask, grid);
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
