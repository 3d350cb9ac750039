//! Where the transmitters of a map stand, and their path gain.

use crate::random::Random;
use crate::simulate::Simulator;
use anyhow::Result;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::{GrayCodec, RadioMap};
use radiodiff_radio::scene::Scene;

/// A transmitter must reach this share of the outdoor pixels, since one in a closed courtyard teaches nothing.
const SMALLEST_REACH: f64 = 0.25;
/// Places tried for each transmitter before the draft is given up.
const TRIES: usize = 12;

/// A transmitter that has a place.
#[derive(Debug)]
pub struct PlacedTransmitter {
    /// (row, column), outdoors.
    pub pixel: (usize, usize),
    pub path_gain: RadioMap,
}

/// Places `count` transmitters on different outdoor pixels; `None` when the scene has no room for them.
///
/// # Errors
/// Those of the propagation model; none is expected on outdoor pixels.
pub fn place(scene: &Scene, simulator: Simulator, count: usize, random: &mut Random) -> Result<Option<Vec<PlacedTransmitter>>> {
    let mut free: Vec<(usize, usize)> = scene.outdoor_pixels().collect();
    let (outdoor, prepared) = (free.len() as f64, PreparedScene::new(scene));
    let floor_db = GrayCodec::default().floor_db;
    let mut placed = Vec::with_capacity(count);
    for _ in 0..count * TRIES {
        if placed.len() == count || free.is_empty() {
            break;
        }
        let pixel = free.swap_remove(random.below(free.len()));
        let path_gain = simulator.path_gain(&prepared, scene.grid.pixel_center(pixel.0, pixel.1))?;
        let reached = path_gain.values.iter().filter(|&&gain| gain > floor_db).count();
        if reached as f64 >= SMALLEST_REACH * outdoor {
            placed.push(PlacedTransmitter { pixel, path_gain });
        }
    }
    Ok((placed.len() == count).then_some(placed))
}
