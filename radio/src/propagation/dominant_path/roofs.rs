//! Paths over roofs: up at a wall, straight on over the roofs, and down behind the last wall.

use crate::geometry::inset::center;
use crate::geometry::pixel_line_of_sight::walk_pixels;
use crate::propagation::law::DominantPathLaw;
use crate::scene::BuildingMask;
use geo::Coord;

/// A leg between the height of the antennas and that of the roofs.
#[derive(Clone, Copy, Debug)]
pub struct Slope {
    pub length_m: f64,
    /// Cosine of the leg's angle to the ground.
    pub cosine: f64,
}

impl Slope {
    /// A leg whose projection on the ground is `run_m` long.
    pub fn new(law: &DominantPathLaw, run_m: f64) -> Self {
        let length_m = libm::sqrt(run_m * run_m + law.roof_m * law.roof_m).max(1e-9);
        Self { length_m, cosine: run_m / length_m }
    }
}

/// Distance in pixels from `pixel` back to the last building on the way from `from`; `None` where there is none.
pub fn last_wall(mask: &BuildingMask, pixel: usize, from: Coord<f64>) -> Option<f64> {
    let size = mask.size;
    let to = ((size as f64 - from.y).floor() as i64, from.x.floor() as i64);
    let mut hit = None;
    walk_pixels((pixel / size, pixel % size), to, |row, column| {
        let on_map = (0..size as i64).contains(&row) && (0..size as i64).contains(&column);
        if on_map && mask.is_building(row as usize, column as usize) {
            hit = Some(row as usize * size + column as usize);
        }
        on_map && hit.is_none()
    });
    let step = center(hit?, size) - center(pixel, size);
    Some((libm::hypot(step.x, step.y) - 0.5).max(0.0))
}
