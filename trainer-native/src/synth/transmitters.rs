//! Where transmitters stand, and what each of them gives.

use super::random::Random;
use anyhow::Result;
use radiodiff_core::map::GrayCodec;
use radiodiff_core::propagation::{DominantPathLaw, PreparedScene};
use radiodiff_core::scene::Scene;

/// A transmitter must reach this share of the outdoor pixels: one in a closed courtyard teaches nothing.
const SMALLEST_REACH: f64 = 0.25;
/// Places tried for each transmitter before the map is given up.
const TRIES: usize = 12;

/// A transmitter's outdoor pixel (row, column) and its gray levels, (N, N) row-major.
pub type Transmitted = ((usize, usize), Vec<u8>);

/// `count` transmitters on different outdoor pixels with their dominant path maps; `None` when the scene has no place for them.
///
/// # Errors
/// Those of core's propagation; none is expected on outdoor pixels.
pub fn place(scene: &Scene, count: usize, random: &mut Random) -> Result<Option<Vec<Transmitted>>> {
    let mut free: Vec<(usize, usize)> = scene.outdoor_pixels().collect();
    let (outdoor, prepared) = (free.len() as f64, PreparedScene::new(scene));
    let (law, codec) = (DominantPathLaw::default(), GrayCodec::default());
    let mut placed = Vec::with_capacity(count);
    for _ in 0..count * TRIES {
        if placed.len() == count || free.is_empty() {
            break;
        }
        let pixel = free.swap_remove(random.below(free.len()));
        let map = prepared.dominant_path(scene.grid.pixel_center(pixel.0, pixel.1), &law)?;
        let reached = map.values.iter().filter(|&&gain| f64::from(gain) > law.floor_db).count();
        if reached as f64 >= SMALLEST_REACH * outdoor {
            let gray = codec.encode_map(&map).iter().map(|&gray| (gray * 255.0).round() as u8).collect();
            placed.push((pixel, gray));
        }
    }
    Ok((placed.len() == count).then_some(placed))
}
