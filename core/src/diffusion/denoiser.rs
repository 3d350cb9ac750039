//! The network that diffusion trains: from a scene and a noised latent to the two parts of the process.

use super::process::{Prediction, precondition, step};
use super::sampling::Sampling;
use crate::engine::Engine;
use crate::model::condition::ConditionEncoder;
use crate::model::preset::{EncoderPreset, Preset};
use crate::model::unet::{EncodedCondition, Unet};
use crate::parameters::{Initializer, ParameterError, VarBuilder};

/// Condition encoder and U-Net.
pub struct Denoiser<E: Engine> {
    encoder: ConditionEncoder<E>,
    unet: Unet<E>,
}

impl<E: Engine> Denoiser<E> {
    /// Parameters `init_conv_mask.*` of the encoder, and the U-Net's beside them.
    pub fn new(vb: &VarBuilder<E>, preset: &Preset) -> Result<Self, ParameterError> {
        if let EncoderPreset::Swin(swin) = &preset.condition.encoder
            && swin.public_leftovers
        {
            vb.buffer("init_conv_carK.weight", &[3, 5, 1, 1], Initializer::Constant(0.0))?;
            vb.buffer("init_conv_carK.bias", &[3], Initializer::Constant(0.0))?;
        }
        Ok(Self {
            encoder: ConditionEncoder::new(&vb.pp("init_conv_mask"), &preset.condition)?,
            unet: Unet::new(vb, &preset.unet, &preset.condition.stage_widths())?,
        })
    }

    /// Condition channels (N, C, H, W) in [-1, 1] -> the encoder's stages, one a U-Net level.
    pub fn stages(&self, e: &E, condition: &E::Tensor) -> Vec<E::Tensor> {
        self.encoder.forward(e, condition)
    }

    /// The form of the stages that every step takes.
    pub fn project(&self, e: &E, stages: &[E::Tensor]) -> EncodedCondition<E::Tensor> {
        self.unet.encode_condition(e, stages)
    }

    /// Condition channels (N, C, H, W) in [-1, 1] -> the features that every step takes.
    pub fn encode_condition(&self, e: &E, condition: &E::Tensor) -> EncodedCondition<E::Tensor> {
        self.project(e, &self.stages(e, condition))
    }

    /// Predicts both parts of the process at x_t (N, Z, h, w), one time a sample. At t = 1 the noise is x_t itself, so the second
    /// decoder runs only if some time is below 1.
    pub fn predict(&self, e: &E, x_t: &E::Tensor, times: &[f32], condition: &EncodedCondition<E::Tensor>) -> Prediction<E::Tensor> {
        let with_noise = times.iter().any(|&t| t < 1.0);
        precondition(e, x_t, times, &self.unet.forward(e, x_t, times, condition, with_noise))
    }

    /// Takes one step of the sampler; false when none is left. `noise` gives the noise of step i, counted from 0; the last step takes
    /// none.
    pub fn advance(
        &self,
        e: &E,
        condition: &EncodedCondition<E::Tensor>,
        sampling: &mut Sampling<E::Tensor>,
        noise: impl FnOnce(usize) -> E::Tensor,
    ) -> bool {
        let Some(((t, size), last)) = sampling.next_step() else { return false };
        let times = vec![t; e.shape(&sampling.latent)[0]];
        let prediction = self.predict(e, &sampling.latent, &times, condition);
        let fresh = (!last).then(|| noise(sampling.done()));
        sampling.record(step(e, &sampling.latent, (t, size), &prediction, fresh.as_ref()));
        true
    }
}
