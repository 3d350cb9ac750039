//! The corners that paths turn at, read off the building mask, so that a scene with footprints and one with a raster only are
//! treated alike.
//!
//! A candidate is an outdoor pixel that touches a building pixel diagonally while the two pixels beside both are outdoors. The
//! steps of a slanted wall are candidates too; they are told from corners by how much of a small disc around is building: half
//! along a wall, a quarter at a right-angled corner.

use crate::scene::BuildingMask;

/// Radius of the disc, and of the neighbourhood in which only the sharpest candidate is kept, in pixels.
const DISC_RADIUS: i64 = 5;
const KEEP_RADIUS: i64 = 2;
/// Largest building fraction of the disc at a corner.
const MAX_FRACTION: f64 = 0.42;

/// An outdoor pixel (row, column) at a convex building corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corner {
    pub pixel: (usize, usize),
    sharpness: f64,
}

/// All corners of a mask, in row order.
pub fn find(mask: &BuildingMask) -> Vec<Corner> {
    let size = mask.size as i64;
    let inside = |r: i64, c: i64| (0..size).contains(&r) && (0..size).contains(&c);
    let building = |r: i64, c: i64| inside(r, c) && mask.is_building(r as usize, c as usize);
    let disc: Vec<(i64, i64)> = (-DISC_RADIUS..=DISC_RADIUS)
        .flat_map(|r| (-DISC_RADIUS..=DISC_RADIUS).map(move |c| (r, c)))
        .filter(|(r, c)| r * r + c * c <= DISC_RADIUS * DISC_RADIUS)
        .collect();
    let mut candidates = Vec::new();
    for r in 0..size {
        for c in 0..size {
            let diagonal = |dr, dc| building(r + dr, c + dc) && !building(r + dr, c) && !building(r, c + dc);
            let touches = [(-1, -1), (-1, 1), (1, -1), (1, 1)].iter().any(|&(dr, dc)| diagonal(dr, dc));
            if building(r, c) || !touches {
                continue;
            }
            let on_map = disc.iter().filter(|(dr, dc)| inside(r + dr, c + dc)).count();
            let built = disc.iter().filter(|(dr, dc)| building(r + dr, c + dc)).count();
            let fraction = built as f64 / on_map as f64;
            if fraction <= MAX_FRACTION {
                candidates.push(Corner { pixel: (r as usize, c as usize), sharpness: 1.0 - fraction });
            }
        }
    }
    let beaten = |corner: &Corner| {
        candidates.iter().any(|other| {
            let near = |a: usize, b: usize| a.abs_diff(b) as i64 <= KEEP_RADIUS;
            let close = near(other.pixel.0, corner.pixel.0) && near(other.pixel.1, corner.pixel.1);
            // Ties go to the first in row order.
            close && (other.sharpness > corner.sharpness || (other.sharpness == corner.sharpness && other.pixel < corner.pixel))
        })
    };
    candidates.iter().filter(|corner| !beaten(corner)).copied().collect()
}
