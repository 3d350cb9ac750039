//! Where the transmitters of a map stand, and their path gain.

use crate::random::Random;
use crate::simulate::Simulator;
use anyhow::Result;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::{GrayCodec, RadioMap};
use radiodiff_radio::scene::{ANTENNA_HEIGHT_M, Scene};

/// A transmitter must reach this share of the outdoor pixels, since one in a closed courtyard teaches nothing.
const SMALLEST_REACH: f64 = 0.25;
/// Places tried for each transmitter before the draft is given up.
const TRIES: usize = 12;

/// A transmitter that has a place.
#[derive(Debug)]
pub struct PlacedTransmitter {
    /// (row, column), outdoors.
    pub pixel: (usize, usize),
    /// Above the ground, metres.
    pub height_m: f64,
    pub path_gain: RadioMap,
}

/// Places `count` transmitters on different outdoor pixels, at heights drawn evenly by their logarithm from the range; `None` when the
/// scene has no room for them.
///
/// # Errors
/// Those of the propagation model; none is expected on outdoor pixels.
pub fn place(
    scene: &Scene,
    simulator: Simulator,
    count: usize,
    heights_m: Option<[f64; 2]>,
    random: &mut Random,
) -> Result<Option<Vec<PlacedTransmitter>>> {
    let mut free: Vec<(usize, usize)> = scene.outdoor_pixels().collect();
    let (outdoor, prepared) = (free.len() as f64, PreparedScene::new(scene));
    let floor_db = GrayCodec::default().floor_db;
    let mut placed = Vec::with_capacity(count);
    for _ in 0..count * TRIES {
        if placed.len() == count || free.is_empty() {
            break;
        }
        let pixel = free.swap_remove(random.below(free.len()));
        let height_m = heights_m.map(|[low_m, high_m]| height_between(low_m, high_m, random));
        let simulator = height_m.map_or(simulator, |height_m| simulator.at_height(height_m));
        let path_gain = simulator.path_gain(&prepared, scene.grid.pixel_center(pixel.0, pixel.1))?;
        let reached = path_gain.values.iter().filter(|&&gain| gain > floor_db).count();
        if reached as f64 >= SMALLEST_REACH * outdoor {
            placed.push(PlacedTransmitter { pixel, height_m: height_m.unwrap_or(ANTENNA_HEIGHT_M), path_gain });
        }
    }
    Ok((placed.len() == count).then_some(placed))
}

/// In whole centimetres, so that the file says the very height.
fn height_between(low_m: f64, high_m: f64, random: &mut Random) -> f64 {
    let height_m = low_m * (random.between(0.0, 1.0) * (high_m / low_m).ln()).exp();
    ((100.0 * height_m).round() / 100.0).clamp(low_m, high_m)
}
