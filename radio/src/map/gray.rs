//! Conversion between path gain and gray levels, the scale on which RadioMapSeer stores maps and networks draw them.

use super::{GrayCodec, Quantity, RadioMap};
use crate::scene::{BuildingMask, Grid};

impl GrayCodec {
    /// dB per unit of gray.
    pub fn range_db(&self) -> f32 {
        self.ceiling_db - self.floor_db
    }

    /// Path gain in dB to gray in [0, 1]. Gains outside the range are clamped; NaN (inside buildings) becomes 0.
    pub fn encode(&self, gain_db: f32) -> f32 {
        let gray = (gain_db - self.floor_db) / self.range_db();
        if gray.is_nan() { 0.0 } else { gray.clamp(0.0, 1.0) }
    }

    /// Gray in [0, 1] to path gain in dB.
    pub fn decode(&self, gray: f32) -> f32 {
        self.floor_db + gray * self.range_db()
    }

    /// The gray levels of a map, (N, N) row-major.
    pub fn encode_map(&self, path_gain: &RadioMap) -> Vec<f32> {
        path_gain.values.iter().map(|&gain| self.encode(gain)).collect()
    }

    /// A path gain map from gray levels, (N, N) row-major; NaN inside buildings.
    ///
    /// # Panics
    /// When `gray` has not one value for each pixel of the mask.
    pub fn decode_map(&self, gray: &[f32], grid: Grid, mask: &BuildingMask) -> RadioMap {
        assert_eq!(gray.len(), mask.pixels.len(), "one gray level a pixel");
        let value = |(&gray, &inside): (&f32, &u8)| if inside != 0 { f32::NAN } else { self.decode(gray) };
        RadioMap { grid, quantity: Quantity::PathGainDb, values: gray.iter().zip(&mask.pixels).map(value).collect() }
    }
}
