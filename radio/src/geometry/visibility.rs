//! What a point sees.
//!
//! Two ways: [`exact`] walks over the mask's pixels to every pixel, which is what networks are given; [`shadows`] is exact over the
//! walls, and cheap enough for every corner.

use super::cover::Cover;
use super::walls::{Tile, Wall, Walls};
use crate::scene::BuildingMask;
use geo::Coord;

/// A bit a pixel.
#[derive(Clone)]
pub struct Visible {
    words: Vec<u64>,
}

impl Visible {
    /// All outdoor pixels.
    pub fn outdoors(mask: &BuildingMask) -> Self {
        let word = |pixels: &[u8]| pixels.iter().rev().fold(0, |word, &inside| word << 1 | u64::from(inside == 0));
        Self { words: mask.pixels.chunks(64).map(word).collect() }
    }

    pub fn set(&mut self, i: usize) {
        self.words[i / 64] |= 1 << (i % 64);
    }

    /// Clears the bits `from..to`.
    fn clear(&mut self, from: usize, to: usize) {
        if from >= to {
            return;
        }
        let (first, last) = (from / 64, (to - 1) / 64);
        let (head, tail) = (u64::MAX << (from % 64), u64::MAX >> (63 - (to - 1) % 64));
        if first == last {
            self.words[first] &= !(head & tail);
        } else {
            self.words[first] &= !head;
            self.words[first + 1..last].fill(0);
            self.words[last] &= !tail;
        }
    }

    pub fn get(&self, i: usize) -> bool {
        self.words[i / 64] >> (i % 64) & 1 != 0
    }
}

/// Walks the pixels between two centres (Amanatides and Woo, 1987) until `visit` returns false. The first pixel is not visited;
/// where the line passes exactly through a pixel corner, it steps diagonally.
pub fn walk(from: (usize, usize), to: (i64, i64), mut visit: impl FnMut(i64, i64) -> bool) {
    let (mut row, mut column) = (from.0 as i64, from.1 as i64);
    let (dr, dc) = ((to.0 - row).abs(), (to.1 - column).abs());
    let (step_r, step_c) = ((to.0 - row).signum(), (to.1 - column).signum());
    // Compares, in integers, the times at which the line leaves the pixel through a row's and through a column's edge.
    let (mut rows, mut columns) = (0, 0);
    while rows < dr || columns < dc {
        let (next_row, next_column) = ((2 * rows + 1) * dc, (2 * columns + 1) * dr);
        if next_row <= next_column {
            row += step_r;
            rows += 1;
        }
        if next_column <= next_row {
            column += step_c;
            columns += 1;
        }
        if !visit(row, column) {
            return;
        }
    }
}

/// Row-major, 1 where the line between the pixels' centres meets no building pixel.
pub fn exact(mask: &BuildingMask, from: (usize, usize)) -> Vec<u8> {
    let size = mask.size;
    let mut visible = vec![0; size * size];
    for row in 0..size {
        for column in 0..size {
            if mask.is_building(row, column) {
                continue;
            }
            let mut clear = true;
            walk(from, (row as i64, column as i64), |r, c| {
                clear = !mask.is_building(r as usize, c as usize);
                clear
            });
            visible[row * size + column] = u8::from(clear);
        }
    }
    visible
}

/// The outdoor pixels whose centre is in sight of a point, walls being all that hides them; in pixels, as [`Walls`] is.
///
/// Every wall that faces the point darkens, in every row behind it, the columns between the lines over its two ends. Walls are
/// taken near tiles first; what is wholly behind others darkens nothing.
pub fn shadows(walls: &Walls, from: Coord<f64>) -> Visible {
    let size = walls.size;
    let mut visible = walls.outdoors.clone();
    let mut near_first: Vec<(f64, &Tile)> = walls.tiles.iter().map(|tile| (tile.nearest(from), tile)).collect();
    near_first.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Walls that darkened what is behind them, until all that comes is behind them.
    let (mut cover, mut waiting) = (Cover::default(), Vec::<Facing>::new());
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
                darken(&mut visible, size, from, wall.left, wall.right);
                waiting.push(wall);
            }
        }
    }
    visible
}

/// A wall that shows its outer side: its ends seen from the point, and the square of the farther one's distance.
#[derive(Clone)]
struct Facing {
    left: Coord<f64>,
    right: Coord<f64>,
    farthest: f64,
}

impl Facing {
    fn new(wall: &Wall, from: Coord<f64>) -> Option<Self> {
        let (left, right) = (wall.from - from, wall.to - from);
        // Seen from outside, a wall with the building on its left runs from left to right.
        if left.x * right.y - left.y * right.x >= 0.0 {
            return None;
        }
        let square = |v: Coord<f64>| v.x * v.x + v.y * v.y;
        Some(Self { left, right, farthest: square(left).max(square(right)) })
    }
}

/// Clears what a wall from `a` to `b`, seen from the point `from`, hides.
fn darken(visible: &mut Visible, size: usize, from: Coord<f64>, a: Coord<f64>, b: Coord<f64>) {
    // The row that is level with the point, where there is one.
    let level = size as f64 - from.y - 0.5;
    if level >= 0.0 && level < size as f64 && level.fract() == 0.0 && (a.y < 0.0) != (b.y < 0.0) {
        let (start, at) = (level as usize * size, from.x + a.x - a.y * (b.x - a.x) / (b.y - a.y));
        let column = (at - 0.5).ceil().clamp(0.0, size as f64) as usize;
        let (first, end) = if at > from.x { (column, size) } else { (0, column) };
        visible.clear(start + first, start + end);
    }
    for (sign, a, b) in [(1.0, a, b), (-1.0, Coord { x: a.x, y: -a.y }, Coord { x: b.x, y: -b.y })] {
        let (low, high) = if a.y < b.y { (a, b) } else { (b, a) };
        if high.y <= 0.0 {
            continue;
        }
        let inverse_slope = if high.y > low.y { (high.x - low.x) / (high.y - low.y) } else { 0.0 };
        // Where the wall, extended, is level with the point.
        let level_x = low.x - low.y * inverse_slope;
        for row in rows_behind(size, from.y, sign, low.y) {
            let y = sign * (size as f64 - row as f64 - 0.5 - from.y);
            let end_low = if low.y > 0.0 { low.x * y / low.y } else { level_x.signum() * f64::INFINITY };
            let end_high = if high.y <= y { high.x * y / high.y } else { level_x + y * inverse_slope };
            let (left, right) = if end_low < end_high { (end_low, end_high) } else { (end_high, end_low) };
            // The first and one past the last column whose centre is between them; rounded up by hand, since a browser's and an
            // old processor's `ceil` is a call.
            let column = |x: f64| {
                let x = (x + from.x - 0.5).clamp(0.0, size as f64);
                x as usize + usize::from((x as usize as f64) < x)
            };
            visible.clear(row * size + column(left), row * size + column(right));
        }
    }
}

/// Rows above (sign 1) or below (sign -1) a height `from_y` that are farther from it than `least`.
fn rows_behind(size: usize, from_y: f64, sign: f64, least: f64) -> std::ops::Range<usize> {
    let edge = size as f64 - from_y - 0.5 - sign * least.max(0.0);
    let row = |x: f64| x.clamp(0.0, size as f64) as usize;
    if sign > 0.0 { 0..row(edge.ceil()) } else { row(edge.floor() + 1.0)..size }
}

#[cfg(test)]
mod tests {
    use super::super::walls::center;
    use super::*;
    use crate::scene::{Grid, Scene};

    fn mask(rows: &[&str]) -> BuildingMask {
        BuildingMask { size: rows.len(), pixels: rows.iter().flat_map(|r| r.bytes().map(|b| u8::from(b == b'#'))).collect() }
    }

    #[test]
    fn a_wall_casts_a_shadow() {
        let mask = mask(&[".....", ".....", ".###.", ".....", "....."]);
        let visible = exact(&mask, (0, 2));
        let rows: Vec<String> = visible.chunks(5).map(|r| r.iter().map(u8::to_string).collect()).collect();
        assert_eq!(rows, ["11111", "11111", "10001", "00000", "00000"]);
    }

    /// A 48 x 48 map with blocks of several sizes, two of them slanted.
    fn blocks() -> BuildingMask {
        let inside = |r: i32, c: i32| {
            let block = |r0, c0, h, w| (r0..r0 + h).contains(&r) && (c0..c0 + w).contains(&c);
            let diamond = |r0: i32, c0: i32, half: i32| (r - r0).abs() + (c - c0).abs() <= half;
            block(4, 5, 8, 12)
                || block(4, 24, 14, 6)
                || block(20, 4, 5, 5)
                || diamond(32, 14, 6)
                || diamond(30, 34, 7)
                || block(42, 22, 3, 20)
        };
        BuildingMask { size: 48, pixels: (0..48 * 48).map(|i| u8::from(inside(i / 48, i % 48))).collect() }
    }

    #[test]
    fn sight_over_pixels_is_mutual() {
        let mask = blocks();
        let outdoors = |i: &usize| mask.pixels[*i] == 0;
        for a in (0..48 * 48).step_by(37).filter(outdoors) {
            let from_a = exact(&mask, (a / 48, a % 48));
            for b in (0..48 * 48).step_by(101).filter(outdoors) {
                assert_eq!(from_a[b], exact(&mask, (b / 48, b % 48))[a], "{a} and {b}");
            }
        }
    }

    #[test]
    fn shadows_are_where_a_wall_is_crossed() {
        let mask = blocks();
        let walls = Walls::of(&Scene::from_mask(Grid { size: 48, meters_per_pixel: 1.0 }, mask.clone()));
        let faces: Vec<Wall> = walls.tiles.iter().flat_map(|tile| &tile.walls).copied().collect();
        let side = |a: Coord<f64>, b: Coord<f64>, p: Coord<f64>| (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
        let crosses = |wall: &Wall, a: Coord<f64>, b: Coord<f64>| {
            (side(a, b, wall.from) > 0.0) != (side(a, b, wall.to) > 0.0)
                && (side(wall.from, wall.to, a) > 0.0) != (side(wall.from, wall.to, b) > 0.0)
        };
        for from in (0..48 * 48).step_by(29).filter(|&i| mask.pixels[i] == 0) {
            let (point, seen) = (center(from, 48), shadows(&walls, center(from, 48)));
            for to in (0..48 * 48).filter(|&i| mask.pixels[i] == 0) {
                let hidden = faces.iter().any(|wall| crosses(wall, point, center(to, 48)));
                assert_eq!(seen.get(to), !hidden, "from {point:?} to {:?}", center(to, 48));
            }
        }
    }
}
