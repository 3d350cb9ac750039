//! The configuration's section `data`.

use anyhow::{Result, ensure};
use radiodiff_dataset::splits::Scheme;
use radiodiff_dataset::stream::{DatasetConfig, SetOptions};
use radiodiff_radio::map::GrayCodec;
use serde::{Deserialize, Serialize};
use std::thread::available_parallelism;

/// Which maps are learnt, and how they are read.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// What is trained on: folders in RadioMapSeer's layout or of packed shards, each a path or a table with `path` and, if wanted,
    /// `method`, `split`, `scheme` and `weight`.
    pub train: Vec<DatasetConfig>,
    pub valid: Vec<DatasetConfig>,
    /// Folder of `gain` the maps are read from: DPM, IRT2, ...
    pub method: String,
    /// Whose splits are meant.
    #[serde(default)]
    pub scheme: Scheme,
    /// Whether maps are learnt as they are or under RadioUNet's threshold.
    #[serde(default)]
    pub gains: Gains,
    /// Weight of a pixel inside a building in every loss; outdoors it is 1. Footprints are known, so maps are only used outdoors.
    pub building_weight: f64,
    /// Threads that prepare samples ahead; one for each core where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// MiB of prepared samples that are kept in memory, since some channels take long to compute.
    #[serde(default = "default_keep_mib")]
    pub keep_mib: usize,
    /// Whether a sample that cannot be read is passed over, with a warning, instead of ending the training.
    #[serde(default)]
    pub skip_damaged: bool,
}

fn default_keep_mib() -> usize {
    512
}

/// The scale on which gains are learnt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gains {
    /// The preset's.
    #[default]
    Raw,
    /// RadioUNet's: gray levels below 0.2 of RadioMapSeer's scale are 0, and the rest is stretched to [0, 1].
    Thresholded,
}

impl Gains {
    /// RadioUNet's threshold, as a share of RadioMapSeer's scale.
    const THRESHOLD: f32 = 0.2;

    /// A preset's scale with the threshold, where there is one: its gray level 0 is the threshold's gain.
    pub fn scale(self, preset: GrayCodec) -> GrayCodec {
        match self {
            Self::Raw => preset,
            Self::Thresholded => GrayCodec { floor_db: GrayCodec::default().decode(Self::THRESHOLD), ..preset },
        }
    }
}

impl DataConfig {
    /// # Errors
    /// A number outside its range, by name.
    pub fn validate(&self) -> Result<()> {
        ensure!((0.0..=1.0).contains(&self.building_weight), "data.building_weight is {}, expected 0 to 1", self.building_weight);
        ensure!(self.threads != Some(0), "data.threads is 0, expected at least 1");
        Ok(())
    }

    /// Threads that prepare samples.
    pub fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| available_parallelism().map_or(1, usize::from))
    }

    pub(super) fn set_options(&self) -> SetOptions {
        SetOptions { method: self.method.clone(), scheme: self.scheme, keep_bytes: self.keep_mib << 20, skip_damaged: self.skip_damaged }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_a_scale_that_begins_at_it() {
        let files = GrayCodec::default();
        let thresholded = Gains::Thresholded.scale(files);
        assert_eq!(Gains::Raw.scale(files), files);
        for level in 0..=255_u8 {
            let gray = f32::from(level) / 255.0;
            let expected = (gray - 0.2).max(0.0) / 0.8;
            let found = thresholded.encode(files.decode(gray));
            assert!((found - expected).abs() < 1e-5, "level {level}: {found}, expected {expected}");
        }
    }
}
