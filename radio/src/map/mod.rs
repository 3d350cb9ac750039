//! The result: a Float32 grid of path gain or received power.
//!
//! Values are NaN where there is none (inside buildings); row 0 is the northern row.

mod gray;

use crate::scene::Grid;
use serde::{Deserialize, Serialize};

/// What the values of a [`RadioMap`] are.
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

/// RadioMapSeer's gray levels: -147 dB is 0, -47.84 dB is 1 (shared/radiomapseer.md).
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
