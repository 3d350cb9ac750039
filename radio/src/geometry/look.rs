//! What a point sees, found out as far as it is asked.
//!
//! A path that turns asks about some pixels ahead of it only, most of them in a few rows (docs/measurements/propagation-speed.md). So
//! walls are taken from the point outwards, no farther than the pixels asked about are, and shadows are drawn in those rows alone. The
//! answers are those of [`super::visibility::visible_from`], by the same arithmetic.

use super::inset::{InsetWalls, center};
use super::pixel_set::clear_bits;
use super::shadow::{Reach, Shadow, Side, column, level_row, north_of, on_level_row};
use super::visibility::Sweep;
use geo::Coord;
use std::ops::Range;

/// How far walls are taken at first, in pixels, and how much farther each time, as a factor.
const FIRST_REACH: f64 = 24.0;
const FARTHER: f64 = 2.0;
/// Keeps rounding from answering about a pixel just this side of a wall that was not taken, in pixels.
const MARGIN: f64 = 1.0;
/// Stands for "not drawn".
const NONE: u32 = u32::MAX;
/// What a wall takes of a look: in the sweep, on the level row and as a shadow to one side.
const WALL_BYTES: usize = size_of::<[f64; 5]>() + size_of::<[f64; 2]>() + size_of::<(Range<u32>, Shadow)>();

/// What a point sees of a map.
pub struct Look<'a> {
    walls: &'a InsetWalls,
    from: Coord<f64>,
    sweep: Sweep,
    /// The distance up to which walls have been taken, in pixels.
    reach: f64,
    /// What the walls so far hide of the row that is level with the point, where there is one.
    level_row: Option<usize>,
    level: Vec<(f64, f64)>,
    /// Their shadows in the rows to the north and to the south, each with its rows.
    shadows: [Vec<(Range<u32>, Shadow)>; 2],
    /// Per row of the map, the number of its drawing.
    drawing_of: Vec<u32>,
    /// Per drawing, how many shadows are drawn, and a bit for each column, zero where one is.
    drawn: Vec<u32>,
    columns: Vec<u64>,
    bytes: usize,
}

impl<'a> Look<'a> {
    /// From a point in pixels as [`InsetWalls`] has them.
    pub fn new(walls: &'a InsetWalls, from: Coord<f64>) -> Self {
        Self {
            walls,
            from,
            sweep: Sweep::new(from),
            reach: 0.0,
            level_row: level_row(walls.size, from.y),
            level: Vec::new(),
            shadows: [Vec::new(), Vec::new()],
            drawing_of: vec![NONE; walls.size],
            drawn: Vec::new(),
            columns: Vec::new(),
            bytes: size_of::<Self>() + size_of::<u32>() * walls.size,
        }
    }

    /// The point that the look is taken from.
    pub fn from(&self) -> Coord<f64> {
        self.from
    }

    /// Whether a pixel is outdoors and its centre in sight.
    pub fn sees(&mut self, pixel: usize) -> bool {
        let walls = self.walls;
        if !walls.outdoors.contains(pixel) {
            return false;
        }
        let (step, row, column) = (center(pixel, walls.size) - self.from, pixel / walls.size, pixel % walls.size);
        let most = self.reach - MARGIN;
        let square = step.x * step.x + step.y * step.y;
        if self.reach == 0.0 || square > most * most {
            self.reach_to(square.sqrt() + MARGIN);
        }
        self.drawing(row)[column / 64] >> (column % 64) & 1 != 0
    }

    /// Takes the walls up to a distance, or somewhat farther.
    fn reach_to(&mut self, distance: f64) {
        self.reach = (self.reach * FARTHER).max(FIRST_REACH).max(distance);
        let Self { walls, from, level, shadows, bytes, .. } = self;
        self.sweep.take(&walls.tiles, self.reach * self.reach, |ends| {
            *bytes += WALL_BYTES;
            level.extend(on_level_row(ends, from.x));
            for (side, shadows) in Side::BOTH.into_iter().zip(shadows.iter_mut()) {
                if let Some(shadow) = Shadow::new(ends, side) {
                    let Range { start, end } = shadow.rows(walls.size, from.y, Reach::ENDLESS.farthest);
                    shadows.push((start as u32..end as u32, shadow));
                }
            }
        });
    }

    /// The columns of a row that the shadows of the walls so far leave.
    fn drawing(&mut self, row: usize) -> &[u64] {
        let size = self.walls.size;
        let (north, words) = (north_of(size, row, self.from.y), size.div_ceil(64));
        if self.drawing_of[row] == NONE {
            self.drawing_of[row] = self.drawn.len() as u32;
            self.drawn.push(0);
            self.columns.resize(self.columns.len() + words, u64::MAX);
            self.bytes += size_of::<u32>() + size_of::<u64>() * words;
        }
        let drawing = self.drawing_of[row] as usize;
        let (columns, drawn) = (&mut self.columns[drawing * words..(drawing + 1) * words], &mut self.drawn[drawing]);
        let mut draw = |left: f64, right: f64| clear_bits(columns, column(left, size), column(right, size));
        let shadows = if self.level_row == Some(row) {
            self.level[*drawn as usize..].iter().for_each(|&(left, right)| draw(left, right));
            self.level.len()
        } else {
            let shadows = &self.shadows[if north > 0.0 { 0 } else { 1 }];
            for (_, shadow) in shadows[*drawn as usize..].iter().filter(|(rows, _)| rows.contains(&(row as u32))) {
                let (left, right) = shadow.on_row(north);
                draw(left + self.from.x, right + self.from.x);
            }
            shadows.len()
        };
        *drawn = shadows as u32;
        columns
    }

    /// About what the look takes in memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::test_scenes::{blocks, inset_walls};
    use crate::geometry::visibility::visible_from;

    #[test]
    fn a_look_finds_what_the_whole_map_shows_in_any_order() {
        let mask = blocks();
        let walls = inset_walls(&mask);
        let corners = walls.corners.iter().map(|corner| corner.position);
        let pixels = (0..48 * 48).step_by(29).filter(|&i| mask.pixels[i] == 0).map(|pixel| center(pixel, 48));
        for from in corners.chain(pixels) {
            let (seen, mut look) = (visible_from(&walls, from), Look::new(&walls, from));
            // 1,001 and 48 x 48 have no common divisor.
            for pixel in (0..48 * 48).map(|i| i * 1001 % (48 * 48)) {
                assert_eq!(look.sees(pixel), seen.contains(pixel), "from {from:?} to {:?}", center(pixel, 48));
            }
        }
    }
}
