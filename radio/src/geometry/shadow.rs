//! What a wall hides from a point: in every row of pixels behind it, the columns between the lines of sight over its two ends.
//!
//! A wall's ends are relative to the point throughout, x to the east and y to the north, in pixels.

use super::pixel_set::PixelSet;
use geo::Coord;
use std::ops::Range;

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

/// The side of a point on which rows are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    North,
    South,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::North, Self::South];

    /// The distance from the point to a row's centres, given how far they are to its north.
    fn distance(self, north: f64) -> f64 {
        match self {
            Self::North => north,
            Self::South => -north,
        }
    }

    /// Rows that are farther from a height `from_y` than `least` and not farther than `most`.
    fn rows_behind(self, size: usize, from_y: f64, least: f64, most: f64) -> Range<usize> {
        let at = |distance: f64| size as f64 - from_y - 0.5 - self.distance(distance);
        let row = |x: f64| x.clamp(0.0, size as f64) as usize;
        let (edge, far) = (at(least.max(0.0)), at(most));
        match self {
            Self::North => row(far.ceil())..row(edge.ceil()),
            Self::South => row(edge.floor() + 1.0)..row(far.floor() + 1.0),
        }
    }
}

/// A wall's shadow on one side of the point.
#[derive(Clone, Copy)]
pub struct Shadow {
    side: Side,
    /// The ends of the wall, y as the distance from the point on this side.
    low: Coord<f64>,
    high: Coord<f64>,
    inverse_slope: f64,
    /// Where the wall, extended, is level with the point.
    level_x: f64,
}

impl Shadow {
    /// `None` for a wall on the other side.
    pub fn new(ends: [Coord<f64>; 2], side: Side) -> Option<Self> {
        let [a, b] = ends.map(|end| Coord { x: end.x, y: side.distance(end.y) });
        let (low, high) = if a.y < b.y { (a, b) } else { (b, a) };
        if high.y <= 0.0 {
            return None;
        }
        let inverse_slope = if high.y > low.y { (high.x - low.x) / (high.y - low.y) } else { 0.0 };
        Some(Self { side, low, high, inverse_slope, level_x: low.x - low.y * inverse_slope })
    }

    /// The rows that the shadow may fall on where the point is at a height `from_y`; `farthest` is where it ends, as [`Reach`] has it.
    pub fn rows(&self, size: usize, from_y: f64, farthest: f64) -> Range<usize> {
        self.side.rows_behind(size, from_y, self.low.y, self.high.y * farthest)
    }

    /// Between which x, relative to the point, the shadow falls on a row whose centres are `north` of the point.
    pub fn on_row(&self, north: f64) -> (f64, f64) {
        let (Self { low, high, inverse_slope, level_x, .. }, y) = (*self, self.side.distance(north));
        let end_low = if low.y > 0.0 { low.x * y / low.y } else { level_x.signum() * f64::INFINITY };
        let end_high = if high.y <= y { high.x * y / high.y } else { level_x + y * inverse_slope };
        if end_low < end_high { (end_low, end_high) } else { (end_high, end_low) }
    }
}

/// Between which x on the map a wall hides the row that is level with the point, which is at `from_x`.
pub fn on_level_row([a, b]: [Coord<f64>; 2], from_x: f64) -> Option<(f64, f64)> {
    if (a.y < 0.0) == (b.y < 0.0) {
        return None;
    }
    let at = from_x + a.x - a.y * (b.x - a.x) / (b.y - a.y);
    Some(if at > from_x { (at, f64::INFINITY) } else { (f64::NEG_INFINITY, at) })
}

/// The row that is level with a point, where there is one.
pub fn level_row(size: usize, from_y: f64) -> Option<usize> {
    let level = size as f64 - from_y - 0.5;
    (level >= 0.0 && level < size as f64 && level.fract() == 0.0).then_some(level as usize)
}

/// How far the centres of a row are to the north of a height.
pub fn north_of(size: usize, row: usize, from_y: f64) -> f64 {
    size as f64 - row as f64 - 0.5 - from_y
}

/// The first column whose centre is not west of `x`. It is rounded up by hand, since a browser's and an old processor's `ceil` is a call.
pub fn column(x: f64, size: usize) -> usize {
    let x = (x - 0.5).clamp(0.0, size as f64);
    x as usize + usize::from((x as usize as f64) < x)
}

/// Removes the pixels that a wall hides from the point `from`.
pub fn mark_hidden(visible: &mut PixelSet, size: usize, from: Coord<f64>, ends: [Coord<f64>; 2], reach: Reach) {
    let [a, b] = ends;
    // A point p is (n p) / (n a) times as far as the wall, n the wall's normal.
    let normal = Coord { x: a.y - b.y, y: b.x - a.x };
    let across = normal.x * a.x + normal.y * a.y;
    let depth = |y: f64| (normal.y * y / across, normal.x / across);
    let mut remove = |row: usize, left: f64, right: f64| visible.remove(row * size + column(left, size), row * size + column(right, size));
    if let Some((row, (left, right))) = level_row(size, from.y).zip(on_level_row(ends, from.x)) {
        let (before, growth) = depth(0.0);
        let (left, right) = reach.clip(left, right, (before - growth * from.x, growth));
        remove(row, left, right);
    }
    for shadow in Side::BOTH.into_iter().filter_map(|side| Shadow::new(ends, side)) {
        for row in shadow.rows(size, from.y, reach.farthest) {
            let north = north_of(size, row, from.y);
            let (left, right) = shadow.on_row(north);
            let (left, right) = reach.clip(left, right, depth(north));
            remove(row, left + from.x, right + from.x);
        }
    }
}
