//! How exactly a GPU computes in training.

use super::custom::{allow_tf32, autocast};
use serde::{Deserialize, Serialize};
use tch::Device;

/// Arithmetic of a GPU's convolutions and matrix products in training. Parameters, their gradients, the optimiser and losses are float32
/// in all of them. The CPU computes in float32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum TrainingPrecision {
    /// Factors have 24 bits.
    #[default]
    Float32,
    /// Factors have 11 bits and products are added in float32: NVIDIA's TensorFloat-32.
    Tf32,
    /// Factors and results have 8 bits, where libtorch's autocast allows it.
    Bfloat16,
}

impl TrainingPrecision {
    /// The name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Tf32 => "tf32",
            Self::Bfloat16 => "bfloat16",
        }
    }

    /// Prepares the process for steps in this precision.
    pub fn set_up(self, device: Device) {
        if device.is_cuda() {
            allow_tf32(self != Self::Float32);
        }
    }

    /// Computes a loss, or a part of one, in this precision on a device.
    pub fn compute<T>(self, device: Device, loss: impl FnOnce() -> T) -> T {
        let _reduced = (self == Self::Bfloat16 && device.is_cuda()).then(autocast);
        loss()
    }
}
