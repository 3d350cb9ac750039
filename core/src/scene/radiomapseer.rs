//! RadioMapSeer's JSON: positions of transmitters and footprints of buildings, in metres, y to the north.
//!
//! The two kinds of file count pixels differently. An antenna at (x, y) lights the pixel of row 255 - y and column x, so its true
//! place is that pixel's centre, (x + 1/2, y + 1/2) in the grid's frame. Footprints count from one, as MATLAB does: (x, y) is the
//! centre of row 256 - y and column x - 1, which is (x - 1/2, y - 1/2). Rasterised so, the footprints of map 0 give its
//! `buildings_complete` to all but 8 of 16,340 pixels; read half a pixel away along either axis, more than 600 pixels differ
//! (trainer-native/tests/check.rs).

use super::Building;
use geo::{Area, Coord, LineString, Polygon};

const PIXEL_CENTER_M: f64 = 0.5;
/// Corners are whole numbers, so that many a pixel's centre lies exactly on a wall. The dataset's own rasters count it as if it lay a
/// little to the north-east; a millimetre says the same (and 94 pixels differ without it), and a wall is rounded to a metre anyway.
const TIE_M: f64 = 0.001;

/// `antenna/{map}.json`: positions of the transmitters, in the order of their numbers.
pub fn antennas_from_json(text: &str) -> Result<Vec<Coord<f64>>, serde_json::Error> {
    let positions = serde_json::from_str::<Vec<[f64; 2]>>(text)?;
    Ok(positions.into_iter().map(|[x, y]| Coord { x: x + PIXEL_CENTER_M, y: y + PIXEL_CENTER_M }).collect())
}

/// `polygon/buildings/{map}.json` and `polygon/buildings_and_cars/{map}.json`: rings of [x, y], closed or not. Footprints without
/// an area are left out: they cover no pixel and shade nothing.
pub fn buildings_from_json(text: &str) -> Result<Vec<Building>, serde_json::Error> {
    let rings = serde_json::from_str::<Vec<Vec<[f64; 2]>>>(text)?;
    let corner = |[x, y]: [f64; 2]| Coord { x: x - PIXEL_CENTER_M - TIE_M, y: y - PIXEL_CENTER_M - TIE_M };
    let polygons = rings.into_iter().map(|ring| Polygon::new(LineString::from_iter(ring.into_iter().map(corner)), Vec::new()));
    let built = polygons.filter(|footprint| footprint.unsigned_area() > 0.0);
    Ok(built.map(|footprint| Building { footprint, height_m: None, levels: None }).collect())
}
