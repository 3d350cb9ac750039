//! Why a weights file is refused.

use super::manifest::{FORMAT_VERSION, MANIFEST_KEY};
use super::precision::{LEAST_LEVELS, MOST_LEVELS};
use crate::diffusion::BuildError;
use crate::model::PresetError;
use crate::model::quantiles::QuantilesError;
use crate::parameters::ParameterError;
use radiodiff_radio::map::Quantity;
use thiserror::Error;

/// Why a weights file is refused.
#[derive(Debug, Error)]
pub enum WeightsError {
    #[error("not a safetensors file, or a damaged one: {0}; download or export it again")]
    Format(safetensors::SafeTensorError),
    #[error("a file of PyTorch's own format, which only Python reads: save its tensors by safetensors.torch.save_file")]
    PyTorch,
    #[error("the safetensors file has no \"{MANIFEST_KEY}\" entry in its metadata: it is not a RadioDiff weights file")]
    NoManifest,
    #[error("the manifest cannot be read: {0}")]
    Manifest(serde_json::Error),
    #[error("weights format {found}, expected {FORMAT_VERSION}: use a matching version of this program")]
    Version { found: u32 },
    #[error("the network draws {found:?}, expected {:?}: to anything else the transmit power cannot be added", Quantity::PathGainDb)]
    Quantity { found: Quantity },
    #[error(transparent)]
    Preset(#[from] PresetError),
    #[error("tensor {name} has element type {found}, expected {expected}")]
    ElementType { name: String, found: String, expected: &'static str },
    #[error("tensor {name} holds 8-bit integers, and the file has no {name}.scale: export it again")]
    NoScales { name: String },
    #[error("tensor {name} has the shape {found:?}, expected [{channels}]: a scale for each output channel")]
    Scales { name: String, channels: usize, found: Vec<usize> },
    #[error("8-bit weights with {found} steps to a channel's root mean square, expected {LEAST_LEVELS} to {MOST_LEVELS}")]
    Levels { found: f32 },
    #[error("tensor {name} holds a value that is not finite at element {index}: the file is damaged or its training failed")]
    NotFinite { name: String, index: usize },
    #[error("tensor {name} holds {value} at element {index}, which float16 cannot hold: write float32")]
    TooLarge { name: String, index: usize, value: f32 },
    #[error("tensor {name} holds the variance {value} at element {index}, expected at least 0: the file was not made by training")]
    NegativeVariance { name: String, index: usize, value: f32 },
    #[error("the content's SHA-256 is {found}, the manifest says {expected}: the file is damaged; download or export it again")]
    Damaged { expected: String, found: String },
    #[error("{} of the file's tensors are not used by preset {preset}: {}", names.len(), names.join(", "))]
    Unused { preset: String, names: Vec<String> },
    #[error("the file holds the network of quantiles of preset {preset}, expected networks that draw maps from noise")]
    OfQuantiles { preset: String },
    #[error(transparent)]
    Quantiles(QuantilesError),
    #[error(transparent)]
    Parameter(#[from] ParameterError),
}

impl From<BuildError> for WeightsError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Preset(error) => Self::Preset(error),
            BuildError::Parameter(error) => Self::Parameter(error),
        }
    }
}

impl From<QuantilesError> for WeightsError {
    fn from(error: QuantilesError) -> Self {
        match error {
            QuantilesError::Preset(error) => Self::Preset(error),
            error @ QuantilesError::NoEntry { .. } => Self::Quantiles(error),
            QuantilesError::Parameter(error) => Self::Parameter(error),
        }
    }
}

// Not `#[from]`: that would make them sources too, and a printed chain of errors would repeat the message.
impl From<safetensors::SafeTensorError> for WeightsError {
    fn from(error: safetensors::SafeTensorError) -> Self {
        Self::Format(error)
    }
}

impl From<serde_json::Error> for WeightsError {
    fn from(error: serde_json::Error) -> Self {
        Self::Manifest(error)
    }
}
