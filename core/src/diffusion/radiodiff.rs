//! RadioDiff as a whole: the first stage and the denoiser with the latent scale between them.

use super::denoiser::Denoiser;
use super::process::{MIN_TIME, noised};
use super::sampling::{SampleOptions, Sampling};
use crate::engine::{Binary, CountingEngine, Engine};
use crate::model::autoencoder::{Autoencoder, Posterior};
use crate::model::preset::{Preset, PresetError};
use crate::model::residual::MapCoding;
use crate::model::unet::EncodedCondition;
use crate::parameters::{Initializer, ParameterError, ParameterRecorder, VarBuilder};
use crate::random::standard_normal;
use std::collections::BTreeMap;
use thiserror::Error;

/// Why the networks could not be built.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum BuildError {
    #[error(transparent)]
    Preset(#[from] PresetError),
    #[error(transparent)]
    Parameter(#[from] ParameterError),
}

/// Why the sampler cannot start from a map.
#[derive(Debug, Error, Clone, Copy, PartialEq)]
pub enum StartError {
    #[error("start is {found}, expected a time from {MIN_TIME} (the map that is given) to 1 (noise)")]
    Time { found: f32 },
    #[error("start is {found}, and the weights have no encoder for the map to start from: leave start out, or export the weights with it")]
    NoEncoder { found: f32 },
}

/// Latent diffusion: the first stage, the denoiser, and the scale between them.
pub struct RadioDiff<E: Engine> {
    pub preset: Preset,
    pub first_stage: Autoencoder<E>,
    /// What of a map the first stage codes.
    pub coding: MapCoding,
    pub denoiser: Denoiser<E>,
    /// Shape (1). Diffusion works on the first stage's latents times this.
    pub scale_factor: E::Tensor,
}

impl<E: Engine> RadioDiff<E> {
    /// Parameters `first_stage_model.*`, `model.*` and the buffer `scale_factor`, as in the public checkpoints.
    ///
    /// # Errors
    /// A preset that cannot work, and those of the parameters' source.
    pub fn new(preset: &Preset, vb: &VarBuilder<E>) -> Result<Self, BuildError> {
        preset.validate()?;
        let first_stage = Autoencoder::new(&vb.pp("first_stage_model"), &preset.autoencoder)?;
        Self::of_stages(preset, vb, first_stage)
    }

    /// As [`Self::new`], but without what turns maps into latents: enough to draw from noise.
    ///
    /// # Errors
    /// As there.
    pub fn without_encoder(preset: &Preset, vb: &VarBuilder<E>) -> Result<Self, BuildError> {
        preset.validate()?;
        let first_stage = Autoencoder::without_encoder(&vb.pp("first_stage_model"), &preset.autoencoder)?;
        Self::of_stages(preset, vb, first_stage)
    }

    fn of_stages(preset: &Preset, vb: &VarBuilder<E>, first_stage: Autoencoder<E>) -> Result<Self, BuildError> {
        let denoiser = Denoiser::new(&vb.pp("model"), preset)?;
        let scale_factor = vb.buffer("scale_factor", &[1], Initializer::Constant(preset.latent_scale))?;
        Ok(Self { preset: preset.clone(), coding: MapCoding::of(preset), first_stage, denoiser, scale_factor })
    }

    /// Shape of a batch of latents, (batch, Z, h, w).
    pub fn latent_shape(&self, batch: usize) -> [usize; 4] {
        let unet = &self.preset.unet;
        [batch, unet.latent_channels, unet.latent_size, unet.latent_size]
    }

    /// Starts the sampler from noise, at t = 1, for a batch of `samples` maps. The first takes the noise of the options' seed, the
    /// next that of the seed after it, and so on.
    pub fn begin(&self, e: &E, samples: usize, options: &SampleOptions) -> Sampling<E::Tensor> {
        Sampling::new(self.noise(e, options.seed, 0, samples), 1.0, options)
    }

    /// Starts the sampler from a physical map: `map` (1, 1, H, W) in [-1, 1] of the scene `condition` (1, C, H, W) is encoded, and its
    /// latent x0 is noised up to time `start`, x_t = (1 - t) x0 + sqrt(t) noise. Less of the map stays the nearer the start is to 1,
    /// which equals [`Self::begin`]. `samples` as there.
    ///
    /// # Errors
    /// A start that is not in [`MIN_TIME`] to 1; networks without an encoder.
    pub fn begin_from_map(
        &self,
        e: &E,
        (map, condition): (&E::Tensor, &E::Tensor),
        start: f32,
        samples: usize,
        options: &SampleOptions,
    ) -> Result<Sampling<E::Tensor>, StartError> {
        if !(MIN_TIME..=1.0).contains(&start) {
            return Err(StartError::Time { found: start });
        }
        if !self.first_stage.has_encoder() {
            return Err(StartError::NoEncoder { found: start });
        }
        let x0 = e.mul(&self.encode_map(e, map, condition).mean, &self.scale_factor);
        let latent = noised(e, &x0, &self.noise(e, options.seed, 0, samples), &[start]);
        Ok(Sampling::new(latent, start, options))
    }

    /// Takes the sampler's next step; false when none is left. `condition` has as many scenes as the sampler has maps.
    pub fn advance(&self, e: &E, condition: &EncodedCondition<E::Tensor>, sampling: &mut Sampling<E::Tensor>) -> bool {
        let (seed, samples) = (sampling.seed(), e.shape(&sampling.latent)[0]);
        self.denoiser.advance(e, condition, sampling, |step| self.noise(e, seed, step + 1, samples))
    }

    /// Each sample's own noise (samples, Z, h, w): what a sample is does not depend on the batch that it is drawn in.
    fn noise(&self, e: &E, seed: u64, stream: usize, samples: usize) -> E::Tensor {
        let count = self.latent_shape(1).iter().product();
        let of_sample = |i: usize| standard_normal(seed.wrapping_add(i as u64), stream as u32, count);
        e.tensor(&(0..samples).flat_map(of_sample).collect::<Vec<_>>(), &self.latent_shape(samples))
    }

    /// Maps (N, 1, H, W) in [-1, 1] of the scenes `condition` (N, C, H, W) -> the posterior of their latents, not scaled.
    ///
    /// # Panics
    /// Without an encoder.
    pub fn encode_map(&self, e: &E, map: &E::Tensor, condition: &E::Tensor) -> Posterior<E> {
        self.first_stage.encode(e, &self.coding.code(e, map, condition))
    }

    /// Scaled latent (N, Z, h, w) of the scenes `condition` (N, C, H, W) -> map (N, 1, H, W), where [-1, 1] are the gray levels 0 to 1;
    /// not clamped.
    pub fn decode_map(&self, e: &E, latent: &E::Tensor, condition: &E::Tensor) -> E::Tensor {
        self.coding.map(e, &self.decode(e, latent, condition), condition)
    }

    /// Scaled latent (N, Z, h, w) of the scenes `condition` (N, C, H, W) -> gray map (N, 1, H, W) in [0, 1].
    pub fn decode_gray(&self, e: &E, latent: &E::Tensor, condition: &E::Tensor) -> E::Tensor {
        let map = self.coding.map_within_range(e, &self.decode(e, latent, condition), condition);
        e.clamp(&e.affine(&map, 0.5, 0.5), 0.0, 1.0)
    }

    fn decode(&self, e: &E, latent: &E::Tensor, condition: &E::Tensor) -> E::Tensor {
        self.first_stage.decode(e, &e.binary(Binary::Div, latent, &self.scale_factor), Some(condition))
    }
}

/// The shape of every parameter of a preset's networks, by name. Nothing is allocated.
///
/// # Errors
/// A preset that cannot work.
pub fn parameter_shapes(preset: &Preset) -> Result<BTreeMap<String, Vec<usize>>, BuildError> {
    let recorder = ParameterRecorder::default();
    RadioDiff::new(preset, &VarBuilder::new(&CountingEngine::default(), &recorder))?;
    Ok(recorder.take_shapes())
}
