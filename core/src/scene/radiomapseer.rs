//! RadioMapSeer's own files: footprints and antennas as JSON lists of [x, y] in metres, origin at the bottom left.
//!
//! An antenna at (x, y) lights the pixel of row 255 - y and column x, so its true place is that pixel's centre,
//! (x + 1/2, y + 1/2) in the grid's frame; footprints are shifted alike, which is the convention that agrees best with the data's
//! own rasters.

use super::Building;
use geo::{Coord, LineString, Polygon};

const PIXEL_CENTER_M: f64 = 0.5;

fn coord([x, y]: [f64; 2]) -> Coord<f64> {
    Coord { x: x + PIXEL_CENTER_M, y: y + PIXEL_CENTER_M }
}

/// `polygon/buildings/{map}.json`: a list of outlines, each a list of [x, y].
pub fn buildings_from_json(text: &str) -> Result<Vec<Building>, serde_json::Error> {
    let outlines: Vec<Vec<[f64; 2]>> = serde_json::from_str(text)?;
    let building = |outline: Vec<[f64; 2]>| Building {
        footprint: Polygon::new(LineString::new(outline.into_iter().map(coord).collect()), Vec::new()),
        height_m: None,
        levels: None,
    };
    Ok(outlines.into_iter().map(building).collect())
}

/// `antenna/{map}.json`: positions of the transmitters, in the order of their numbers.
pub fn antennas_from_json(text: &str) -> Result<Vec<Coord<f64>>, serde_json::Error> {
    Ok(serde_json::from_str::<Vec<[f64; 2]>>(text)?.into_iter().map(coord).collect())
}
