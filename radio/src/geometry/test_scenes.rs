//! Masks and buildings that the tests of this room share.

use super::inset::InsetWalls;
use super::outline::outlines;
use super::walls::Walls;
use crate::scene::{Building, BuildingMask, Grid};
use geo::{LineString, Polygon};

/// A mask from rows of text, `#` inside buildings.
pub fn mask(rows: &[&str]) -> BuildingMask {
    BuildingMask { size: rows.len(), pixels: rows.iter().flat_map(|r| r.bytes().map(|b| u8::from(b == b'#'))).collect() }
}

/// A 48 x 48 map with blocks of several sizes, two of them slanted.
pub fn blocks() -> BuildingMask {
    let inside = |r: i32, c: i32| {
        let block = |r0, c0, h, w| (r0..r0 + h).contains(&r) && (c0..c0 + w).contains(&c);
        let diamond = |r0: i32, c0: i32, half: i32| (r - r0).abs() + (c - c0).abs() <= half;
        block(4, 5, 8, 12) || block(4, 24, 14, 6) || block(20, 4, 5, 5) || diamond(32, 14, 6) || diamond(30, 34, 7) || block(42, 22, 3, 20)
    };
    BuildingMask { size: 48, pixels: (0..48 * 48).map(|i| u8::from(inside(i / 48, i % 48))).collect() }
}

/// The walls of a mask on pixels of one metre.
pub fn inset_walls(mask: &BuildingMask) -> InsetWalls {
    let grid = Grid { size: mask.size, meters_per_pixel: 1.0 };
    InsetWalls::new(&Walls::new(&outlines(mask, grid)), mask, grid)
}

/// A building of corners in metres.
pub fn building(corners: &[(f64, f64)], height_m: Option<f64>) -> Building {
    Building { height_m, ..Building::from(Polygon::new(LineString::from(corners.to_vec()), Vec::new())) }
}
