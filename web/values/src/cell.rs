//! A cell as the main module tells the calibration's module of it.
//!
//! The two modules share no memory: JavaScript carries the object from one to the other. One struct writes and reads it, so that the
//! compiler holds both sides to the same fields.

use serde::{Deserialize, Serialize};

/// What goes with the arrays of a cell's surroundings.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CellTerms {
    /// Pixels a side.
    pub size: usize,
    pub meters_per_pixel: f64,
    /// The middle of the map, degrees.
    pub center: [f64; 2],
    /// Metres from the map's south-west corner.
    pub antenna: [f64; 2],
    pub street_antenna: [f64; 2],
    #[serde(rename = "frequencyMHz")]
    pub frequency_mhz: f64,
    pub azimuth_deg: Option<f64>,
    pub height_m: Option<f64>,
    pub square_m: f64,
    pub block_m: f64,
}
