//! The stages' settings: the first stage's with its loss, the denoiser's with its last phase on maps.

use super::ranges::{in_range, not_negative, positive};
use crate::data::Curriculum;
use crate::torch::{AverageSchedule, Decay, Schedule};
use anyhow::{Result, bail, ensure};
use radiodiff_core::diffusion::{LossOptions, parameter_shapes};
use radiodiff_core::model::discriminator::DiscriminatorPreset;
use radiodiff_core::model::first_stage_loss::{AdversarialLoss, AdversarialPhase};
use radiodiff_core::model::preset::QuantilesPreset;
use radiodiff_core::model::{Compat, Preset, lpips};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How the optimiser steps, beyond the rate. Every entry has a default.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    pub decay: Decay,
    /// Of the polynomial decay. RadioDiff's are 0.95 in the first stage and 0.96 in the second; without an entry 0.96, or with
    /// `compat = "upstream"` RadioDiff's.
    pub power: Option<f64>,
    /// Steps over which the rate rises; `compat = "upstream"` has none.
    pub warmup: usize,
    /// The largest norm of all gradients together; longer ones are scaled down to it. The public code clips the first stage's after
    /// the step, where nothing uses them any more, and so does `compat = "upstream"`.
    pub clip_norm: f64,
    /// Batches whose mean gradient makes a step.
    pub accumulate: usize,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self { decay: Decay::Polynomial, power: None, warmup: 50, clip_norm: 1.0, accumulate: 1 }
    }
}

impl OptimizerConfig {
    /// The schedule from `base` down to `least`, a hundredth of it where nothing is said; `power` where the settings have none.
    pub fn schedule(&self, base: f64, least: Option<f64>, power: f64, steps: usize, compat: Compat) -> Schedule {
        let power = self.power.unwrap_or(power);
        Schedule { base, least: least.unwrap_or(0.01 * base), decay: self.decay, power, warmup: self.warmup, steps, compat }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AutoencoderConfig {
    pub steps: usize,
    pub batch: usize,
    /// Side in pixels of the random crops it is trained on; the networks are convolutional but for the middle's attention.
    pub crop: usize,
    /// Other sides from later steps on, in the order of the steps: small crops first, which are learnt fast, then larger ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crops: Vec<CropConfig>,
    /// The last steps are on whole maps.
    pub whole_map_steps: usize,
    /// Weights to begin with, a file or a checkpoint's folder; fresh ones where nothing is said.
    pub init: Option<PathBuf>,
    /// Prefixes of the names of parameters that stay as they are.
    #[serde(default)]
    pub freeze: Vec<String>,
    /// Easy maps first; all from the beginning where nothing is said.
    pub curriculum: Option<Curriculum>,
    pub learning_rate: f64,
    pub weight_decay: f64,
    /// RadioDiff's 1e-6: KL is summed over the latent, the reconstruction over the map.
    pub kl_weight: f64,
    /// The learning rate does not fall below this; a hundredth of it where nothing is said. With `compat = "upstream"` it is a
    /// share of the learning rate (RadioDiff's 5e-7).
    pub min_learning_rate: Option<f64>,
    /// What latents are multiplied by before diffusion: measured where nothing is said; with `compat = "upstream"` the preset's,
    /// RadioDiff's 0.3.
    pub latent_scale: Option<LatentScale>,
    #[serde(default)]
    pub optimizer: OptimizerConfig,
    #[serde(default)]
    pub average: AverageSchedule,
    /// RadioDiff's full loss; without it only the reconstruction and KL count.
    pub loss: Option<FirstStageLossConfig>,
}

/// The crops from a step on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CropConfig {
    /// The first step with these crops.
    pub from: usize,
    /// Side in pixels.
    pub side: usize,
}

/// Where the latents' scale comes from.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase", expecting = "expected \"measured\" or a number")]
pub enum LatentScale {
    /// One over the standard deviation of the trained latents, drawn from their posteriors.
    Measured,
    #[serde(untagged)]
    Constant(f64),
}

/// What the first stage's loss has beyond reconstruction and KL. The log-variance is learnt wherever this section is.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FirstStageLossConfig {
    /// LPIPS's weights, a safetensors file with the public code's names (`loss.perceptual_loss.*`): VGG16's convolutions and the
    /// five linear weightings. Without it the perceptual term is off.
    pub perceptual_weights: Option<PathBuf>,
    /// RadioDiff's 1.
    #[serde(default = "one")]
    pub perceptual_weight: f64,
    pub adversary: Option<AdversaryConfig>,
}

fn one() -> f64 {
    1.0
}

/// The discriminator and how it takes part. It learns at the autoencoder's rate, in steps of its own between the autoencoder's.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AdversaryConfig {
    #[serde(default)]
    pub loss: AdversarialLoss,
    /// Factor of the adaptive weight; RadioDiff's 0.5.
    pub weight: f64,
    /// Weight of (|grad D| - 1)^2 between maps and reconstructions in the discriminator's loss; RadioDiff has none.
    #[serde(default)]
    pub gradient_penalty: f64,
    /// The discriminator takes a step after every so many of the autoencoder's.
    #[serde(default = "every_step")]
    pub every: usize,
    pub phase: AdversarialPhase,
    pub discriminator: DiscriminatorPreset,
}

fn every_step() -> usize {
    1
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DiffusionConfig {
    pub steps: usize,
    pub batch: usize,
    pub learning_rate: f64,
    pub weight_decay: f64,
    /// As the autoencoder's; RadioDiff's 5e-6.
    pub min_learning_rate: Option<f64>,
    #[serde(default)]
    pub loss: LossOptions,
    /// Share of the samples trained at t = 1, where a one-step sampler evaluates the network.
    pub start_share: f64,
    /// How many of the square's eight symmetries the maps are turned by; the latents of each are kept in memory.
    pub symmetries: usize,
    /// Weights to begin with, a file or a checkpoint's folder. A first stage that the run has trained comes before theirs.
    pub init: Option<PathBuf>,
    /// Prefixes of the names of parameters that stay as they are, in both phases.
    #[serde(default)]
    pub freeze: Vec<String>,
    /// Easy maps first, in the phase on latents; all from the beginning where nothing is said.
    pub curriculum: Option<Curriculum>,
    #[serde(default)]
    pub optimizer: OptimizerConfig,
    #[serde(default)]
    pub average: AverageSchedule,
    pub pixel: PixelConfig,
}

/// The last phase: at t = 1 the predicted latent is decoded and compared with the map itself, and the decoder learns too.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PixelConfig {
    pub steps: usize,
    pub batch: usize,
    pub learning_rate: f64,
    /// Weight of the latent's loss beside the map's.
    pub latent_weight: f64,
    /// Count squared errors of the map alone, as RMSE and NMSE do; by default the absolute ones too, for sharper maps.
    #[serde(default)]
    pub squared: bool,
    #[serde(default)]
    pub optimizer: OptimizerConfig,
    #[serde(default)]
    pub average: AverageSchedule,
}

/// The network of quantiles, which is trained on maps alone.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct QuantilesConfig {
    pub steps: usize,
    pub batch: usize,
    /// Side in pixels of the random crops it is trained on.
    pub crop: usize,
    /// The last steps are on whole maps, whose statistics the normalisations meet afterwards.
    pub whole_map_steps: usize,
    /// Weights to begin with, a file or a checkpoint's folder; fresh ones where nothing is said.
    pub init: Option<PathBuf>,
    pub learning_rate: f64,
    pub weight_decay: f64,
    /// The learning rate does not fall below this; a hundredth of it where nothing is said.
    pub min_learning_rate: Option<f64>,
    #[serde(default)]
    pub optimizer: OptimizerConfig,
    #[serde(default)]
    pub average: AverageSchedule,
}

/// What every phase has, under its table's name.
fn check_steps(table: &str, optimizer: &OptimizerConfig, average: AverageSchedule) -> Result<()> {
    positive(table, &[("optimizer.accumulate", optimizer.accumulate), ("average.every", average.every)])?;
    in_range(table, &[("average.decay", average.decay)])?;
    not_negative(table, &[("optimizer.power", optimizer.power.unwrap_or(1.0))])?;
    if optimizer.clip_norm.is_nan() || optimizer.clip_norm <= 0.0 {
        bail!("{table}.optimizer.clip_norm is {}, expected above 0, inf for no clipping", optimizer.clip_norm);
    }
    Ok(())
}

/// What every stage has, under its table's name.
fn check_transfer(table: &str, preset: &Preset, freeze: &[String], curriculum: Option<Curriculum>) -> Result<()> {
    if !freeze.is_empty() {
        let shapes = parameter_shapes(preset)?;
        for prefix in freeze {
            let example = shapes.keys().next().map_or("", String::as_str);
            ensure!(
                shapes.keys().any(|name| name.starts_with(prefix.as_str())),
                "{table}.freeze has {prefix:?}, which no parameter's name begins with, expected such as {example:?}"
            );
        }
    }
    curriculum.map_or(Ok(()), |curriculum| curriculum.check(&format!("{table}.curriculum")))
}

impl AutoencoderConfig {
    pub(super) fn check(&self, preset: &Preset) -> Result<()> {
        let table = "autoencoder";
        positive(table, &[("batch", self.batch)])?;
        let reduction = preset.autoencoder.reduction();
        let sides = self.crops.iter().map(|crop| ("crops: side", crop.side));
        for (entry, side) in [("crop", self.crop)].into_iter().chain(sides.clone()) {
            if side == 0 || !side.is_multiple_of(reduction) {
                bail!("autoencoder.{entry} is {side}, expected a multiple of {reduction}, the pixels of the map per pixel of the latent");
            }
        }
        if let Some(pair) = self.crops.windows(2).find(|pair| pair[0].from >= pair[1].from) {
            bail!("autoencoder.crops: from is {} after {}, expected later steps", pair[1].from, pair[0].from);
        }
        let smallest = sides.map(|(_, side)| side).fold(self.crop, usize::min);
        if let Some(loss) = &self.loss {
            loss.check(smallest.min(preset.map_size))?;
        }
        check_transfer(table, preset, &self.freeze, self.curriculum)?;
        if let Some(LatentScale::Constant(scale)) = self.latent_scale
            && !(scale.is_finite() && scale > 0.0)
        {
            bail!("autoencoder.latent_scale is {scale}, expected \"measured\" or a number above 0");
        }
        let numbers = [
            ("learning_rate", self.learning_rate),
            ("weight_decay", self.weight_decay),
            ("kl_weight", self.kl_weight),
            ("min_learning_rate", self.min_learning_rate.unwrap_or(0.0)),
        ];
        not_negative(table, &numbers)?;
        check_steps(table, &self.optimizer, self.average)
    }
}

impl AutoencoderConfig {
    /// The crops' side in pixels at a step; the largest number for whole maps.
    pub fn crop_at(&self, step: usize) -> usize {
        if step + self.whole_map_steps >= self.steps {
            return usize::MAX;
        }
        self.crops.iter().rev().find(|crop| crop.from <= step).map_or(self.crop, |crop| crop.side)
    }
}

impl FirstStageLossConfig {
    /// `side` is that of the smallest maps it is computed of.
    fn check(&self, side: usize) -> Result<()> {
        not_negative("autoencoder.loss", &[("perceptual_weight", self.perceptual_weight)])?;
        if self.perceptual_weights.is_some() && side < lpips::MIN_SIDE {
            bail!("autoencoder.crop is {side}, expected at least {} for the perceptual term", lpips::MIN_SIDE);
        }
        let Some(adversary) = &self.adversary else { return Ok(()) };
        let table = "autoencoder.loss.adversary";
        if let Err(error) = adversary.discriminator.check(side) {
            bail!("{table}.discriminator.{error}");
        }
        positive(table, &[("every", adversary.every)])?;
        let numbers =
            [("weight", adversary.weight), ("gradient_penalty", adversary.gradient_penalty), ("phase.factor", adversary.phase.factor)];
        not_negative(table, &numbers)
    }
}

impl DiffusionConfig {
    pub(super) fn check(&self, preset: &Preset) -> Result<()> {
        let table = "diffusion";
        check_transfer(table, preset, &self.freeze, self.curriculum)?;
        positive(table, &[("batch", self.batch), ("pixel.batch", self.pixel.batch)])?;
        if !(1..=8).contains(&self.symmetries) {
            bail!("diffusion.symmetries is {}, expected 1 to 8", self.symmetries);
        }
        if !(self.loss.l1 || self.loss.l2) {
            bail!("diffusion.loss has neither l1 nor l2");
        }
        in_range(table, &[("start_share", self.start_share)])?;
        let numbers = [
            ("learning_rate", self.learning_rate),
            ("min_learning_rate", self.min_learning_rate.unwrap_or(0.0)),
            ("weight_decay", self.weight_decay),
            ("pixel.learning_rate", self.pixel.learning_rate),
            ("pixel.latent_weight", self.pixel.latent_weight),
        ];
        not_negative(table, &numbers)?;
        check_steps(table, &self.optimizer, self.average)?;
        check_steps("diffusion.pixel", &self.pixel.optimizer, self.pixel.average)
    }
}

impl QuantilesConfig {
    pub(super) fn check(&self, preset: &Preset) -> Result<()> {
        let table = "quantiles";
        positive(table, &[("batch", self.batch), ("crop", self.crop)])?;
        // A preset without such a network is refused where it is asked for.
        if let Some(reduction) = preset.quantiles.as_ref().map(QuantilesPreset::reduction)
            && !self.crop.is_multiple_of(reduction)
        {
            bail!("quantiles.crop is {}, expected a multiple of {reduction}, by which the levels divide a map", self.crop);
        }
        let numbers = [
            ("learning_rate", self.learning_rate),
            ("weight_decay", self.weight_decay),
            ("min_learning_rate", self.min_learning_rate.unwrap_or(0.0)),
        ];
        not_negative(table, &numbers)?;
        check_steps(table, &self.optimizer, self.average)
    }

    /// The crops' side in pixels at a step; the largest number for whole maps.
    pub fn crop_at(&self, step: usize) -> usize {
        if step + self.whole_map_steps >= self.steps { usize::MAX } else { self.crop }
    }
}
