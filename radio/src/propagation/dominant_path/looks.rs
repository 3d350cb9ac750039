//! What the points see that a map's paths turn at, within a bound of memory.
//!
//! A map looks from some hundred points, and each look takes some kilobytes. Where all of them together come to [`MOST_BYTES`], as among
//! ten thousand buildings, they are forgotten, and a point that is asked again looks again.

use crate::geometry::inset::InsetWalls;
use crate::geometry::look::Look;
use geo::Coord;
use std::collections::HashMap;

/// What all looks of a map may take in memory.
const MOST_BYTES: usize = 16 << 20;

/// The looks of one map.
pub struct Looks<'a> {
    walls: &'a InsetWalls,
    looks: Vec<Look<'a>>,
    /// Where the look from a point is, by the bits of its coordinates: several paths turn at one corner.
    by_point: HashMap<[u64; 2], u32>,
    bytes: usize,
}

impl<'a> Looks<'a> {
    pub fn new(walls: &'a InsetWalls) -> Self {
        Self { walls, looks: Vec::new(), by_point: HashMap::new(), bytes: 0 }
    }

    /// Whether a pixel is in sight of a point. `known` is where the point's look was the last time that this point was asked.
    pub fn sees(&mut self, from: Coord<f64>, known: &mut u32, pixel: usize) -> bool {
        if self.bytes > MOST_BYTES {
            self.looks.clear();
            self.by_point.clear();
            self.bytes = 0;
        }
        if self.looks.get(*known as usize).is_none_or(|look| look.from() != from) {
            *known = *self.by_point.entry([from.x.to_bits(), from.y.to_bits()]).or_insert_with(|| {
                let look = Look::new(self.walls, from);
                self.bytes += look.bytes();
                self.looks.push(look);
                (self.looks.len() - 1) as u32
            });
        }
        let look = &mut self.looks[*known as usize];
        let before = look.bytes();
        let sees = look.sees(pixel);
        self.bytes += look.bytes() - before;
        sees
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::PreparedScene;
    use crate::scene::{BuildingMask, Grid, Scene};

    #[test]
    fn looks_are_forgotten_beyond_the_bound_and_taken_again() {
        let grid = Grid { size: 64, meters_per_pixel: 1.0 };
        let mask =
            BuildingMask { size: 64, pixels: (0..64 * 64).map(|i| u8::from((20..40).contains(&(i / 64)) && i % 64 == 30)).collect() };
        let turning_points = PreparedScene::new(&Scene::from_mask(grid, mask)).turning_points(0.0);
        let mut looks = Looks::new(&turning_points.walls);
        let points = [(10.5, 33.5), (50.5, 33.5), (31.5, 60.5)].map(|(x, y)| Coord { x, y });
        let mut known = [u32::MAX; 3];
        let mut ask = |looks: &mut Looks| [0, 1, 2].map(|i| looks.sees(points[i], &mut known[i], 30 * 64 + 45));
        let first = ask(&mut looks);
        assert_eq!((first, looks.looks.len()), ([false, true, true], 3));
        assert!(looks.bytes >= looks.looks.iter().map(Look::bytes).sum());
        looks.bytes = MOST_BYTES + 1;
        assert_eq!((ask(&mut looks), looks.looks.len()), (first, 3));
        assert!(looks.bytes < MOST_BYTES);
    }
}
