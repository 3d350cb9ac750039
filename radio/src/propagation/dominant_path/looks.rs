//! What the sources of a map's paths see, within a bound of memory.
//!
//! A map looks from some hundred points, and each look takes some kilobytes. Where all of them together come to [`MOST_BYTES`], as among
//! ten thousand buildings, they are forgotten: a source that is asked again looks again.

use crate::geometry::inset::InsetWalls;
use crate::geometry::look::{Look, MOST_BYTES};
use geo::Coord;

/// The looks of one map.
pub struct Looks<'a> {
    walls: &'a InsetWalls,
    looks: Vec<(u32, Look<'a>)>,
    bytes: usize,
}

impl<'a> Looks<'a> {
    pub fn new(walls: &'a InsetWalls) -> Self {
        Self { walls, looks: Vec::new(), bytes: 0 }
    }

    /// Whether the source of a number, which is at `position`, sees a pixel. `known` is where its look was the last time.
    pub fn sees(&mut self, (source, position): (u32, Coord<f64>), known: &mut u32, pixel: usize) -> bool {
        if self.bytes > MOST_BYTES {
            self.looks.clear();
            self.bytes = 0;
        }
        if self.looks.get(*known as usize).is_none_or(|&(of, _)| of != source) {
            *known = self.looks.len() as u32;
            let look = Look::new(self.walls, position);
            self.bytes += look.bytes();
            self.looks.push((source, look));
        }
        let look = &mut self.looks[*known as usize].1;
        let before = look.bytes();
        let sees = look.sees(pixel);
        self.bytes += look.bytes() - before;
        sees
    }
}
