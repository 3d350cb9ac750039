//! RadioMapSeer's positions of transmitters: JSON lists of [x, y] in metres, origin at the bottom left.
//!
//! An antenna at (x, y) lights the pixel of row 255 - y and column x, so its true place is that pixel's centre,
//! (x + 1/2, y + 1/2) in the grid's frame.

use geo::Coord;

const PIXEL_CENTER_M: f64 = 0.5;

/// `antenna/{map}.json`: positions of the transmitters, in the order of their numbers.
pub fn antennas_from_json(text: &str) -> Result<Vec<Coord<f64>>, serde_json::Error> {
    let positions = serde_json::from_str::<Vec<[f64; 2]>>(text)?;
    Ok(positions.into_iter().map(|[x, y]| Coord { x: x + PIXEL_CENTER_M, y: y + PIXEL_CENTER_M }).collect())
}
