//! The manifest in a weights file's metadata.

use crate::model::Preset;
use radiodiff_radio::map::Quantity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The metadata entry that holds the manifest.
pub const MANIFEST_KEY: &str = "radiodiff";
/// The format this build reads and writes.
pub const FORMAT_VERSION: u32 = 1;

/// How the samples of a network are meant to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsembleRule {
    /// Steps of the sampler.
    pub steps: usize,
    /// The factor by which samples are moved away from their mean ([`widen`](radiodiff_radio::map::widen)), found on
    /// validation maps. Above 1: the network is surer than its errors allow.
    pub widening: f32,
}

/// What a weights file says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightsManifest {
    pub format_version: u32,
    pub preset: Preset,
    /// SHA-256 over this manifest and all tensors, which reveals a damaged file.
    pub content_sha256: String,
    /// The quantity that gray levels decode to; this format has path gain only.
    pub quantity: Quantity,
    /// The data the weights were trained on, and its licence.
    pub training_data: String,
    /// The weights' licence.
    pub license: String,
    /// Metrics of an evaluation, by name.
    pub metrics: BTreeMap<String, f64>,
    /// Commit of the code that trained the weights.
    pub commit: String,
    /// Only of networks whose samples were compared with validation maps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ensemble: Option<EnsembleRule>,
}

impl WeightsManifest {
    /// The manifest of weights for `preset` that draw path gain, about which nothing else is known. [`super::serialize`] fills in the
    /// hash.
    pub fn of(preset: Preset) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            preset,
            content_sha256: String::new(),
            quantity: Quantity::PathGainDb,
            training_data: String::new(),
            license: String::new(),
            metrics: BTreeMap::new(),
            commit: String::new(),
            ensemble: None,
        }
    }

    /// Steps of the sampler for so many maps of a place where nobody names another number: one map costs the least in one step, and
    /// several differ as they should in as many as their widening was found in.
    pub fn steps(&self, samples: usize) -> usize {
        self.ensemble.filter(|_| samples > 1).map_or(1, |rule| rule.steps)
    }

    /// The factor by which samples are widened; 1 unless the file has another.
    pub fn widening(&self) -> f32 {
        self.ensemble.map_or(1.0, |rule| rule.widening)
    }
}
