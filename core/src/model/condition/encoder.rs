//! The choice between the two condition encoders.

use super::pyramid::Pyramid;
use super::swin::SwinEncoder;
use crate::engine::Engine;
use crate::model::preset::{ConditionPreset, EncoderPreset};
use crate::parameters::{ParameterError, VarBuilder};

/// The encoder that the preset names.
pub enum ConditionEncoder<E: Engine> {
    Pyramid(Pyramid<E>),
    Swin(SwinEncoder<E>),
}

impl<E: Engine> ConditionEncoder<E> {
    /// Parameters of [`Pyramid`] or of [`SwinEncoder`]. The preset has been validated.
    pub fn new(vb: &VarBuilder<E>, preset: &ConditionPreset) -> Result<Self, ParameterError> {
        let channels = preset.channels.len();
        Ok(match &preset.encoder {
            EncoderPreset::Pyramid(pyramid) => Self::Pyramid(Pyramid::new(vb, channels, pyramid)?),
            EncoderPreset::Swin(swin) => Self::Swin(SwinEncoder::new(vb, channels, swin)?),
        })
    }

    /// (N, C, H, W) in [-1, 1] -> one map a U-Net level, each half the size of the one before, the first as large as the latent.
    pub fn forward(&self, e: &E, condition: &E::Tensor) -> Vec<E::Tensor> {
        match self {
            Self::Pyramid(pyramid) => pyramid.forward(e, condition),
            Self::Swin(swin) => swin.forward(e, condition),
        }
    }
}
