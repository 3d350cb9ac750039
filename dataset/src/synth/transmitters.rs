//! Where transmitters stand, and what each of them gives.

use super::random::Random;
use crate::simulate::{Method, gray_levels};
use anyhow::Result;
use radiodiff_radio::map::GrayCodec;
use radiodiff_radio::propagation::PreparedScene;
use radiodiff_radio::scene::Scene;

/// A transmitter must reach this share of the outdoor pixels: one in a closed courtyard teaches nothing.
const SMALLEST_REACH: f64 = 0.25;
/// Places tried for each transmitter before the map is given up.
const TRIES: usize = 12;

/// A transmitter's outdoor pixel (row, column) and its gray levels, (N, N) row-major.
pub type Transmitted = ((usize, usize), Vec<u8>);

/// `count` transmitters on different outdoor pixels with their maps; `None` when the scene has no place for them.
///
/// # Errors
/// Those of core's propagation; none is expected on outdoor pixels.
pub fn place(scene: &Scene, method: Method, count: usize, random: &mut Random) -> Result<Option<Vec<Transmitted>>> {
    let mut free: Vec<(usize, usize)> = scene.outdoor_pixels().collect();
    let (outdoor, prepared) = (free.len() as f64, PreparedScene::new(scene));
    let floor_db = GrayCodec::default().floor_db;
    let mut placed = Vec::with_capacity(count);
    for _ in 0..count * TRIES {
        if placed.len() == count || free.is_empty() {
            break;
        }
        let pixel = free.swap_remove(random.below(free.len()));
        let map = method.path_gain(&prepared, scene.grid.pixel_center(pixel.0, pixel.1))?;
        let reached = map.values.iter().filter(|&&gain| gain > floor_db).count();
        if reached as f64 >= SMALLEST_REACH * outdoor {
            placed.push((pixel, gray_levels(&map)));
        }
    }
    Ok((placed.len() == count).then_some(placed))
}
