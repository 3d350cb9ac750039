//! What a training run does, as a TOML file with dotted overrides (`--set diffusion.steps=100`). The resolved configuration is
//! written into the run's folder, so that a run can be made again.

use crate::data::DataConfig;
use crate::presets;
use anyhow::{Context, Result, bail};
use radiodiff_core::diffusion::LossOptions;
use radiodiff_core::model::discriminator::DiscriminatorPreset;
use radiodiff_core::model::first_stage_loss::{AdversarialLoss, AdversarialPhase};
use radiodiff_core::model::{Compat, Preset, lpips};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How large the networks are: in a file a preset's name, the path of a TOML file of one, or a table (docs/networks.md).
    #[serde(deserialize_with = "presets::deserialize")]
    pub preset: Preset,
    /// Fixes the initial weights, the order of the data and the noise.
    pub seed: u64,
    /// `upstream` keeps the public code's mistakes.
    #[serde(default)]
    pub compat: Compat,
    /// Steps between two rows of the log, each with a validation and the weights so far.
    #[serde(default = "default_validate_every")]
    pub validate_every: usize,
    pub data: DataConfig,
    pub autoencoder: AutoencoderConfig,
    pub diffusion: DiffusionConfig,
}

fn default_validate_every() -> usize {
    250
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AutoencoderConfig {
    pub steps: usize,
    pub batch: usize,
    /// Side in pixels of the random crops it is trained on; the networks are convolutional but for the middle's attention.
    pub crop: usize,
    /// The last steps are on whole maps.
    pub whole_map_steps: usize,
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
    /// RadioDiff's full loss; without it only the reconstruction and KL count.
    pub loss: Option<FirstStageLossConfig>,
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

/// The discriminator and how it takes part. It learns at the autoencoder's rate, a step of its own after each of the
/// autoencoder's.
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
    pub phase: AdversarialPhase,
    pub discriminator: DiscriminatorPreset,
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
}

impl Config {
    /// Reads `path` and applies `overrides`, each `a.b=value` with a TOML value (or a bare word, which is taken as a string).
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading the configuration {}", path.display()))?;
        let mut table: toml::Table = toml::from_str(&text).with_context(|| format!("{} is not TOML", path.display()))?;
        for text in overrides {
            override_entry(&mut table, text)?;
        }
        let with = || format!("{} with the overrides {overrides:?}", path.display());
        let mut config: Self = table.try_into().with_context(with)?;
        config.validate()?;
        // Networks draw on the scale of what they learn, so the weights' preset says it.
        config.preset.gray = config.data.gains.scale(config.preset.gray);
        Ok(config)
    }

    fn validate(&self) -> Result<()> {
        let reduction = self.preset.autoencoder.reduction();
        let positive = [
            ("validate_every", self.validate_every),
            ("autoencoder.batch", self.autoencoder.batch),
            ("diffusion.batch", self.diffusion.batch),
            ("diffusion.pixel.batch", self.diffusion.pixel.batch),
        ];
        for (name, value) in positive {
            if value == 0 {
                bail!("{name} is 0, expected at least 1");
            }
        }
        if !(1..=8).contains(&self.diffusion.symmetries) {
            bail!("diffusion.symmetries is {}, expected 1 to 8", self.diffusion.symmetries);
        }
        let crop = self.autoencoder.crop;
        if crop == 0 || !crop.is_multiple_of(reduction) {
            bail!("autoencoder.crop is {crop}, expected a multiple of {reduction}, the pixels of the map per pixel of the latent");
        }
        if let Some(loss) = &self.autoencoder.loss {
            loss.validate(crop.min(self.preset.map_size))?;
        }
        if let Some(LatentScale::Constant(scale)) = self.autoencoder.latent_scale
            && !(scale.is_finite() && scale > 0.0)
        {
            bail!("autoencoder.latent_scale is {scale}, expected \"measured\" or a number above 0");
        }
        if !(self.diffusion.loss.l1 || self.diffusion.loss.l2) {
            bail!("diffusion.loss has neither l1 nor l2");
        }
        self.data.validate()?;
        if !(0.0..=1.0).contains(&self.diffusion.start_share) {
            bail!("diffusion.start_share is {}, expected 0 to 1", self.diffusion.start_share);
        }
        let not_negative = [
            ("autoencoder.learning_rate", self.autoencoder.learning_rate),
            ("autoencoder.weight_decay", self.autoencoder.weight_decay),
            ("autoencoder.kl_weight", self.autoencoder.kl_weight),
            ("autoencoder.min_learning_rate", self.autoencoder.min_learning_rate.unwrap_or(0.0)),
            ("diffusion.learning_rate", self.diffusion.learning_rate),
            ("diffusion.min_learning_rate", self.diffusion.min_learning_rate.unwrap_or(0.0)),
            ("diffusion.weight_decay", self.diffusion.weight_decay),
            ("diffusion.pixel.learning_rate", self.diffusion.pixel.learning_rate),
            ("diffusion.pixel.latent_weight", self.diffusion.pixel.latent_weight),
        ];
        for (name, value) in not_negative {
            if !(value.is_finite() && value >= 0.0) {
                bail!("{name} is {value}, expected 0 or more");
            }
        }
        Ok(())
    }
}

impl FirstStageLossConfig {
    /// `side` is that of the smallest maps it is computed of.
    fn validate(&self, side: usize) -> Result<()> {
        let mut not_negative = vec![("perceptual_weight", self.perceptual_weight)];
        if self.perceptual_weights.is_some() && side < lpips::MIN_SIDE {
            bail!("autoencoder.crop is {side}, expected at least {} for the perceptual term", lpips::MIN_SIDE);
        }
        if let Some(adversary) = &self.adversary {
            if let Err(error) = adversary.discriminator.check(side) {
                bail!("autoencoder.loss.adversary.discriminator.{error}");
            }
            not_negative.extend([
                ("adversary.weight", adversary.weight),
                ("adversary.gradient_penalty", adversary.gradient_penalty),
                ("adversary.phase.factor", adversary.phase.factor),
            ]);
        }
        match not_negative.into_iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
            Some((name, value)) => bail!("autoencoder.loss.{name} is {value}, expected 0 or more"),
            None => Ok(()),
        }
    }
}

fn override_entry(table: &mut toml::Table, text: &str) -> Result<()> {
    let (path, value) = text.split_once('=').with_context(|| format!("the override {text:?} is not of the form a.b=value"))?;
    let value = format!("value = {value}").parse::<toml::Table>().ok().and_then(|mut parsed| parsed.remove("value"));
    let value = value.unwrap_or_else(|| toml::Value::String(text[path.len() + 1..].to_owned()));
    let (parents, name) = path.rsplit_once('.').map_or((None, path), |(parents, name)| (Some(parents), name));
    let mut place = table;
    for part in parents.into_iter().flat_map(|parents| parents.split('.')) {
        let next = place.get_mut(part).and_then(toml::Value::as_table_mut);
        place = next.with_context(|| format!("the override {text:?}: the configuration has no table {part}"))?;
    }
    match place.get_mut(name) {
        // An integer where a float stands is that float.
        Some(old @ toml::Value::Float(_)) if value.is_integer() => {
            *old = toml::Value::Float(value.as_integer().unwrap_or_default() as f64);
        }
        Some(old) => *old = value,
        // What has a default may be missing in the file; a wrong name is found when the configuration is read.
        None => drop(place.insert(name.to_owned(), value)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NANO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/configs/nano.toml");

    #[test]
    fn the_shipped_configuration_loads_and_takes_overrides() {
        let overrides = ["diffusion.steps=7", "data.train=[\"/tmp/x\"]", "diffusion.learning_rate=1", "seed=9"].map(str::to_owned);
        let config = Config::load(Path::new(NANO), &overrides).unwrap();
        assert_eq!((config.diffusion.steps, config.seed, config.diffusion.learning_rate), (7, 9, 1.0));
        assert_eq!(config.data.train, [crate::data::DatasetConfig::folder("/tmp/x")]);
        let scale =
            |text: &str| Config::load(Path::new(NANO), &[format!("autoencoder.latent_scale={text}")]).unwrap().autoencoder.latent_scale;
        assert_eq!(
            ["measured", "0.3", "1"].map(scale),
            [LatentScale::Measured, LatentScale::Constant(0.3), LatentScale::Constant(1.0)].map(Some)
        );
    }

    #[test]
    fn an_override_of_nothing_is_refused_by_name() {
        for (text, words) in [
            ("diffusion.stops=7", "[\"diffusion.stops=7\"]: unknown field `stops`"),
            ("autoencoder.latent_scale=0", "autoencoder.latent_scale is 0, expected \"measured\" or a number above 0"),
            ("autoencoder.latent_scale=guessed", "expected \"measured\" or a number"),
            ("validate_every=0", "validate_every is 0"),
            ("a.b=1", "no table a"),
            ("seed", "a.b=value"),
            ("diffusion.start_share=2", "diffusion.start_share is 2, expected 0 to 1"),
            ("data.building_weight=-0.1", "data.building_weight is -0.1, expected 0 to 1"),
            ("data.building_weight=nan", "data.building_weight is NaN"),
            ("autoencoder.crop=0", "autoencoder.crop is 0, expected a multiple of 8"),
            ("autoencoder.crop=100", "autoencoder.crop is 100, expected a multiple of 8"),
            ("autoencoder.learning_rate=-1", "autoencoder.learning_rate is -1"),
            ("diffusion.pixel.learning_rate=inf", "diffusion.pixel.learning_rate is inf"),
        ] {
            let error = format!("{:#}", Config::load(Path::new(NANO), &[text.to_owned()]).unwrap_err());
            assert!(error.contains(words), "{error}");
        }
    }
}
