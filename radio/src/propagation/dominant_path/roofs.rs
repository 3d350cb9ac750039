//! Paths over roofs: up at a wall, straight on over the roofs, and down behind the last wall.

use super::levels::Levels;
use crate::arithmetic;
use crate::geometry::TurningPoints;
use crate::geometry::inset::{center, center_at, on_map, pixel_at};
use crate::geometry::pixel_line_of_sight::leap_pixels;
use geo::Coord;

/// A turn by less than this at a roof's edge costs a part of the law's offset, degrees: an antenna that rises past a roof, or a roof
/// that sinks below the path, must not change the loss at once. Between antennas at 1.5 m and roofs at 25 m no turn on a map of less
/// than 740 m is so small.
const FADING_DEG: f64 = 1.8;

/// A wall's pixels may lie so far before the end of a leg that leads to its top.
const WALL_PIXELS: f64 = 1.5;
/// A roof may be so much higher than a path and still be passed over, metres.
pub const SAME_HEIGHT_M: f64 = 1e-6;

/// From the centre of a wall's pixel to the wall, pixels.
const CENTER_TO_EDGE: f64 = 0.5;
/// Keeps rounding from ending a walk before a wall that is a hair steeper.
const ROUNDING: f64 = 1.0 + 1e-9;

/// A straight leg that rises or descends.
#[derive(Clone, Copy, Debug)]
pub struct Slope {
    pub length_m: f64,
    /// Cosine and sine of the leg's angle to the ground.
    pub cosine: f64,
    pub sine: f64,
}

impl Slope {
    /// A leg whose projection on the ground is `run_m` long.
    pub fn new(run_m: f64, rise_m: f64) -> Self {
        if rise_m == 0.0 {
            return Self { length_m: run_m, cosine: 1.0, sine: 0.0 };
        }
        let length_m = (run_m * run_m + rise_m * rise_m).sqrt();
        let length_m = arithmetic::larger(length_m, 1e-9);
        Self { length_m, cosine: run_m / length_m, sine: rise_m / length_m }
    }

    /// The share of the law's offset that a turn from or to this leg costs at a roof's edge.
    pub fn offset_share(&self) -> f64 {
        Self::share_of_offset(self.sine)
    }

    /// The same by the sine of the turn.
    pub fn share_of_offset(sine: f64) -> f64 {
        // The sine of so small an angle is the angle.
        (sine.abs() / FADING_DEG.to_radians()).min(1.0)
    }
}

/// The pixel (row, column) of the map that a point lies in or is next to.
fn pixel_within(at: Coord<f64>, size: usize) -> (usize, usize) {
    let (row, column) = pixel_at(at, size);
    (row.clamp(0, size as i64 - 1) as usize, column.clamp(0, size as i64 - 1) as usize)
}

/// Whether a roof stands in the way of a straight leg over roofs: higher than the leg there, and higher than where the leg begins, so that
/// a path turns up its wall or beside it. `from` and `to` are the leg's ends with their heights in metres; at `to` may stand the wall that
/// it leads to.
pub fn blocked(levels: &Levels, size: usize, (from, from_m): (Coord<f64>, f64), (to, to_m): (Coord<f64>, f64)) -> bool {
    let over_m = from_m + SAME_HEIGHT_M;
    let (first, end) = (pixel_within(from, size), pixel_at(to, size));
    let along = to - from;
    let length_squared = along.x * along.x + along.y * along.y;
    let mut found = false;
    leap_pixels(first, end, |row, column| {
        let (row, column) = on_map((row, column), size).filter(|_| (row, column) != end)?;
        let roof_m = levels.roof_m(row * size + column);
        if roof_m > over_m {
            let step = center_at((row, column), size) - from;
            let share = (step.x * along.x + step.y * along.y) / length_squared + WALL_PIXELS / length_squared.sqrt();
            let share = share.min(1.0);
            if roof_m > from_m + share * (to_m - from_m) + SAME_HEIGHT_M {
                found = true;
                return None;
            }
        }
        Some(levels.steps_to_higher((row, column), over_m))
    });
    found
}

/// The edge from which a path over the roofs comes down to a pixel.
#[derive(Clone, Copy, Debug)]
pub struct LastWall {
    /// Distance from the pixel, in pixels.
    pub run: f64,
    pub roof_m: f64,
}

/// The last edge on the way from a point at a height down to a pixel's receiver: the one that stands highest over the receiver's
/// horizon. No roof on the way is higher than `highest_m`. `None` where nothing is built on the way.
pub fn last_wall(turning_points: &TurningPoints, levels: &Levels, pixel: usize, from: Coord<f64>, highest_m: f64) -> Option<LastWall> {
    let size = turning_points.obstacles.size;
    let (first, here, to) = ((pixel / size, pixel % size), center(pixel, size), pixel_at(from, size));
    // The steepest wall so far. Walls beyond the square of a distance would have to be higher than any to be steeper.
    let (mut last, mut reach_squared) = (None::<(f64, LastWall)>, f64::INFINITY);
    leap_pixels(first, to, |row, column| {
        let (row, column) = on_map((row, column), size)?;
        let (rows, columns) = (row as f64 - first.0 as f64, column as f64 - first.1 as f64);
        if rows * rows + columns * columns > reach_squared {
            return None;
        }
        let other = row * size + column;
        let to_obstacle = i64::from(turning_points.steps_to_obstacle[other]);
        let roof_m = if to_obstacle == 0 { levels.roof_m(other) } else { 0.0 };
        // Over the horizon, a wall that is farther and not higher is not steeper.
        if to_obstacle == 0 && last.is_none_or(|(most, wall)| roof_m > wall.roof_m || most <= 0.0) {
            let step = center(other, size) - here;
            let run = (arithmetic::length(step.x, step.y) - CENTER_TO_EDGE).max(0.0);
            let steepness = (roof_m - levels.receivers_m) / run;
            if last.is_none_or(|(most, _)| steepness > most) {
                last = Some((steepness, LastWall { run, roof_m }));
            }
            let most = last.map_or(steepness, |(most, _)| most);
            let highest_m = highest_m - levels.receivers_m;
            if most > 0.0 {
                let reach = highest_m / most * ROUNDING + CENTER_TO_EDGE;
                reach_squared = reach * reach;
            } else if highest_m <= most * run {
                return None;
            }
        }
        // From here on, only roofs that are higher than the steepest wall's line are steeper.
        let to_higher = last.filter(|&(most, _)| most > 0.0).map_or(0, |(most, _)| {
            let run = (rows * rows + columns * columns).sqrt() - CENTER_TO_EDGE;
            levels.steps_to_higher((row, column), levels.receivers_m + most * run / ROUNDING)
        });
        Some(to_obstacle.max(to_higher))
    });
    last.map(|(_, wall)| wall)
}
