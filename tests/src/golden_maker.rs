//! Computes the tensors by which two programs are compared: a preset's networks on given images, with weights by rule.
//!
//! In flow an engine, a preset, a seed and a sample's images; out flow named tensors with the public goldens' keys and shapes. The
//! autoencoder and the denoiser are built one after the other, so that only one is in memory. Names of parameters begin at each
//! network's own root, as the rule demands.

use crate::rule::{RuleSource, rule_noise};
use radiodiff_core::diffusion::{BuildError, Denoiser, SampleOptions, Sampling};
use radiodiff_core::engine::{Engine, EngineError};
use radiodiff_core::model::Preset;
use radiodiff_core::model::autoencoder::Autoencoder;
use radiodiff_core::model::discriminator::{Discriminator, DiscriminatorPreset};
use radiodiff_core::model::lpips::Lpips;
use radiodiff_core::model::unet::EncodedCondition;
use radiodiff_core::parameters::{ParameterSource, VarBuilder};
use radiodiff_core::weights::HostTensor;
use std::collections::BTreeMap;
use thiserror::Error;

/// Named tensors.
pub type Goldens = BTreeMap<String, HostTensor>;

/// A sample's images as on disk, gray levels 0 to 255, row-major.
pub struct SampleImages<'a> {
    pub gain: &'a [u8],
    /// One image for each condition channel.
    pub condition: Vec<&'a [u8]>,
}

/// Why goldens cannot be computed.
#[derive(Debug, Error)]
pub enum GoldenMakerError {
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("the {image} image has {found} pixels, preset {preset} expects {expected}")]
    Image { image: String, preset: String, found: usize, expected: usize },
    #[error("{found} condition images, preset {preset} expects {expected}")]
    Channels { preset: String, found: usize, expected: usize },
}

/// Computes goldens on one engine with one seed.
pub struct GoldenMaker<'a, E: Engine> {
    engine: &'a E,
    preset: &'a Preset,
    seed: u64,
    weights: Box<dyn ParameterSource<E> + 'a>,
    goldens: Goldens,
}

impl<'a, E: Engine> GoldenMaker<'a, E> {
    /// Starts with the inputs: `input.gain` (1, 1, H, W), `input.cond` (1, C, H, W), both in [-1, 1], `input.noise` (1, Z, h, w).
    pub fn new(engine: &'a E, preset: &'a Preset, seed: u64, images: &SampleImages<'_>) -> Result<Self, GoldenMakerError> {
        preset.validate().map_err(BuildError::from)?;
        let (side, channels) = (preset.map_size, preset.condition.channels.len());
        if images.condition.len() != channels {
            return Err(GoldenMakerError::Channels { preset: preset.name.clone(), found: images.condition.len(), expected: channels });
        }
        for (i, image) in std::iter::once(&images.gain).chain(&images.condition).enumerate() {
            if image.len() != side * side {
                let image_name = if i == 0 { "gain".into() } else { format!("condition's channel {}", i - 1) };
                let preset = preset.name.clone();
                return Err(GoldenMakerError::Image { image: image_name, preset, found: image.len(), expected: side * side });
            }
        }
        let weights = Box::new(RuleSource { seed });
        let mut maker = Self { engine, preset, seed, weights, goldens: Goldens::new() };
        let scaled = |image: &[u8]| image.iter().map(|&gray| f32::from(gray) / 255.0 * 2.0 - 1.0).collect::<Vec<_>>();
        maker.keep("input.gain", &[1, 1, side, side], scaled(images.gain));
        maker.keep("input.cond", &[1, channels, side, side], images.condition.iter().flat_map(|image| scaled(image)).collect());
        maker.keep("input.noise", &maker.latent_shape(), maker.noise("noise"));
        Ok(maker)
    }

    /// Uses other weights than the rule's.
    pub fn with_weights(self, weights: impl ParameterSource<E> + 'a) -> Self {
        Self { weights: Box::new(weights), ..self }
    }

    pub fn finish(self) -> Goldens {
        self.goldens
    }

    fn latent_shape(&self) -> [usize; 4] {
        let unet = &self.preset.unet;
        [1, unet.latent_channels, unet.latent_size, unet.latent_size]
    }

    fn noise(&self, name: &str) -> Vec<f32> {
        rule_noise(self.seed, name, self.latent_shape().iter().product())
    }

    fn keep(&mut self, key: &str, shape: &[usize], values: Vec<f32>) {
        self.goldens.insert(key.into(), HostTensor { shape: shape.to_vec(), values });
    }

    async fn read(&mut self, key: &str, tensor: &E::Tensor) -> Result<(), EngineError> {
        let values = self.engine.read(tensor).await?;
        self.keep(key, &self.engine.shape(tensor), values);
        Ok(())
    }

    fn input(&self, key: &str) -> E::Tensor {
        let HostTensor { shape, values } = &self.goldens[key];
        self.engine.tensor(values, shape)
    }

    /// `vae.moments` (1, 2 Z, h, w), `vae.kl` (1), `vae.reconstruction` (1, 1, H, W) of the posterior's mode.
    pub async fn autoencoder(&mut self) -> Result<(), GoldenMakerError> {
        let e = self.engine;
        let p = VarBuilder::new(e, self.weights.as_ref());
        let autoencoder = Autoencoder::new(&p, &self.preset.autoencoder).map_err(BuildError::from)?;
        let moments = autoencoder.moments(e, &self.input("input.gain"));
        self.read("vae.moments", &moments).await?;
        let posterior = autoencoder.posterior(e, &moments);
        self.read("vae.kl", &e.reshape(&posterior.kl(e), &[1])).await?;
        self.read("vae.reconstruction", &autoencoder.decode(e, &posterior.mean, None)).await?;
        Ok(())
    }

    /// The critics of the first stage on the gain and its reconstruction: `discriminator.logits_real` and `_fake` (1, 1, h, w),
    /// `lpips.distance` (1). [`Self::autoencoder`] must have been called.
    pub async fn critics(&mut self) -> Result<(), GoldenMakerError> {
        let e = self.engine;
        let p = VarBuilder::new(e, self.weights.as_ref()).pp("loss");
        let [real, fake] = ["input.gain", "vae.reconstruction"].map(|key| self.input(key));
        let discriminator = Discriminator::new(&p.pp("discriminator"), &DiscriminatorPreset::PAPER).map_err(BuildError::from)?;
        let lpips = Lpips::new(&p.pp("perceptual_loss")).map_err(BuildError::from)?;
        self.read("discriminator.logits_real", &discriminator.forward(e, &real)).await?;
        self.read("discriminator.logits_fake", &discriminator.forward(e, &fake)).await?;
        self.read("lpips.distance", &e.reshape(&lpips.distance(e, &real, &fake, 0.0), &[1])).await?;
        Ok(())
    }

    /// The condition encoder's stages, `swin.stage{i}.channels0_8` (1, 8, ..); both parts of the process after preconditioning,
    /// `unet.t{t}.C` and `.eps` (1, Z, h, w), at each of `times` with x_t = `input.noise`; and `sampler.n{N}.latent` for each N of
    /// `steps`, with the last step split, where step i adds the rule's `step_noise.{i}`.
    pub async fn denoiser(&mut self, times: &[f32], steps: &[usize]) -> Result<(), GoldenMakerError> {
        let e = self.engine;
        let denoiser = Denoiser::new(&VarBuilder::new(e, self.weights.as_ref()), self.preset).map_err(BuildError::from)?;
        let stages = denoiser.stages(e, &self.input("input.cond"));
        for (i, stage) in stages.iter().enumerate() {
            let channels = e.shape(stage)[1].min(8);
            self.read(&format!("swin.stage{i}.channels0_8"), &e.narrow(stage, 1, 0, channels)).await?;
        }
        let condition = denoiser.project(e, &stages);
        for &t in times {
            let prediction = denoiser.predict(e, &self.input("input.noise"), &[t], &condition);
            self.read(&format!("unet.t{t:?}.C"), &prediction.drift).await?;
            self.read(&format!("unet.t{t:?}.eps"), &prediction.noise).await?;
        }
        for &steps in steps {
            let latent = self.sampled(&denoiser, &condition, steps);
            self.read(&format!("sampler.n{steps}.latent"), &latent).await?;
        }
        Ok(())
    }

    fn sampled(&self, denoiser: &Denoiser<E>, condition: &EncodedCondition<E::Tensor>, steps: usize) -> E::Tensor {
        let options = SampleOptions { steps, seed: self.seed, split_last_step: true };
        let mut sampling = Sampling::new(self.input("input.noise"), 1.0, &options);
        let noise = |step: usize| self.engine.tensor(&self.noise(&format!("step_noise.{step}")), &self.latent_shape());
        while denoiser.advance(self.engine, condition, &mut sampling, noise) {}
        sampling.latent
    }
}
