//! The radio map: a Float32 grid of path gain or received power, and the gray levels that store it.
//!
//! Values are NaN where there is no value (inside buildings). Row 0 is the northern row.

mod gray;
mod spread;

pub use spread::widen;

use crate::scene::Grid;
use serde::{Deserialize, Serialize};

/// The quantity of a [`RadioMap`]'s values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// Path gain in dB (negative: gain = -loss).
    PathGainDb,
    /// Received power in dBm: path gain + transmit power + antenna gain.
    ReceivedPowerDbm,
}

/// A grid of path gain (dB) or received power (dBm), row-major, row 0 in the north, NaN where there is no value.
#[derive(Clone, Debug, PartialEq)]
pub struct RadioMap {
    pub grid: Grid,
    pub quantity: Quantity,
    pub values: Vec<f32>,
}

/// A linear scale of gray levels: `floor_db` is 0 and `ceiling_db` is 1, path gain in dB. A preset has its own; the default is
/// RadioMapSeer's, -147 dB to -47.84 dB (Yapar et al., 2022, "Dataset of pathloss and ToA radio maps with localization application").
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GrayCodec {
    pub floor_db: f32,
    pub ceiling_db: f32,
}

impl Default for GrayCodec {
    fn default() -> Self {
        Self { floor_db: -147.0, ceiling_db: -47.84 }
    }
}
