//! What a training run does, as a TOML file with dotted overrides (`--set diffusion.steps=100`). The resolved configuration is
//! written into the run's folder, so that a run can be made again.

mod overrides;
mod ranges;
mod reader;
mod stages;

pub use stages::{
    AdversaryConfig, AutoencoderConfig, CropConfig, DiffusionConfig, FirstStageLossConfig, LatentScale, OptimizerConfig, PixelConfig,
    QuantilesConfig,
};

use crate::checkpoint::Retention;
use crate::data::DataConfig;
use crate::presets;
use crate::torch::TrainingPrecision;
use anyhow::{Context, Result, bail};
use radiodiff_core::model::{Compat, Preset};
use serde::{Deserialize, Serialize};
use std::path::Path;

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
    /// How exactly a GPU computes; the CPU computes in float32.
    #[serde(default)]
    pub precision: TrainingPrecision,
    /// Record a step on a GPU once and replay it, where the phase's loss allows it.
    #[serde(default = "default_cuda_graphs")]
    pub cuda_graphs: bool,
    /// Keep the channels of a pixel side by side on a GPU too, as on the CPU.
    #[serde(default)]
    pub channels_last: bool,
    /// Forget the inner values of the networks' blocks and compute them again for their gradients: less memory for more time.
    #[serde(default)]
    pub gradient_checkpointing: bool,
    /// Steps between two rows of the log, each with a validation and the weights so far.
    #[serde(default = "default_validate_every")]
    pub validate_every: usize,
    /// Steps between two pictures of drawn maps in the log; without it each validation has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples_every: Option<usize>,
    /// Train on the first batch alone, to see that a network can learn at all.
    #[serde(default)]
    pub overfit_batch: bool,
    /// When checkpoints are written and which of them stay.
    #[serde(default)]
    pub checkpoints: Retention,
    /// What is done about a step whose loss is not finite or stands out.
    #[serde(default)]
    pub guard: GuardConfig,
    pub data: DataConfig,
    pub autoencoder: AutoencoderConfig,
    pub diffusion: DiffusionConfig,
    /// Of `trainer train quantiles`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<QuantilesConfig>,
}

fn default_cuda_graphs() -> bool {
    true
}

fn default_validate_every() -> usize {
    250
}

/// How a run meets bad steps, those whose loss or gradient is not finite or whose loss stands out: such a step is skipped; after
/// several in a row the rate is halved; when that does not help, the run stops.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct GuardConfig {
    /// A loss stands out where it lies further above the running mean than this many running mean deviations.
    pub outlier: f64,
    /// Bad steps in a row that are only skipped.
    pub skips: usize,
    /// How often the rate is halved before the run stops.
    pub lowerings: usize,
    /// Good steps in a row after which a halving is taken back.
    pub recovery: usize,
}

impl Default for GuardConfig {
    fn default() -> Self {
        Self { outlier: 30.0, skips: 3, lowerings: 4, recovery: 1000 }
    }
}

impl Config {
    /// Reads `path` and applies `overrides`, each `a.b=value` with a TOML value (or a bare word, which is taken as a string).
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading the configuration {}", path.display()))?;
        let mut table: toml::Table = toml::from_str(&text).with_context(|| format!("{} is not TOML", path.display()))?;
        for text in overrides {
            overrides::apply(&mut table, text)?;
        }
        let with = || format!("{} with the overrides {overrides:?}", path.display());
        let mut config: Self = reader::read(table).with_context(with)?;
        config.check()?;
        // Networks draw on the scale of what they learn, so the weights' preset says it.
        config.preset.gray = config.data.gains.scale(config.preset.gray);
        Ok(config)
    }

    /// Reads the configuration that another process of the run has resolved.
    pub fn resolved(text: &str) -> Result<Self> {
        Ok(reader::read(toml::from_str(text)?)?)
    }

    fn check(&self) -> Result<()> {
        let positive_numbers = [
            ("validate_every", self.validate_every),
            ("samples_every", self.samples_every.unwrap_or(1)),
            ("checkpoints.every", self.checkpoints.every),
            ("checkpoints.keep", self.checkpoints.keep),
        ];
        ranges::positive("", &positive_numbers)?;
        self.data.validate()?;
        if self.guard.outlier.is_nan() || self.guard.outlier <= 0.0 {
            bail!("guard.outlier is {}, expected above 0, inf for no outliers", self.guard.outlier);
        }
        self.autoencoder.check(&self.preset)?;
        self.diffusion.check(&self.preset)?;
        self.quantiles.as_ref().map_or(Ok(()), |quantiles| quantiles.check(&self.preset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use radiodiff_dataset::splits::{Scheme, Split};

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

    /// docs/radiodiff.md, "Training of the public code".
    #[test]
    fn papers_configuration_has_the_published_schedules() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/configs");
        for name in ["edge", "paper"] {
            let config = Config::load(&Path::new(folder).join(format!("{name}.toml")), &[]).unwrap();
            assert_eq!(config.preset, Preset::named(name).unwrap());
        }
        let config = Config::load(&Path::new(folder).join("paper.toml"), &[]).unwrap();
        let (first, second) = (&config.autoencoder, &config.diffusion);
        assert_eq!((first.steps, first.batch, second.steps, second.batch), (150_000, 2, 50_000, 32));
        let adversary = first.loss.as_ref().and_then(|loss| loss.adversary.as_ref()).unwrap();
        assert_eq!((adversary.phase.start, adversary.phase.factor, adversary.weight), (50_001, 1.0, 0.5));
        let rate =
            |step, compat| first.optimizer.schedule(first.learning_rate, first.min_learning_rate, 1.0, first.steps, compat).rate(step);
        assert_eq!([rate(0, Compat::Upstream), rate(0, config.compat), rate(150_000, config.compat)], [5e-6, 5e-6, 5e-7]);
        assert!((rate(75_000, Compat::Upstream) - 2.59e-6).abs() < 1e-8, "{}", rate(75_000, Compat::Upstream));
        let rate =
            |step| second.optimizer.schedule(second.learning_rate, second.min_learning_rate, 1.0, second.steps, config.compat).rate(step);
        assert_eq!(rate(0), 5e-5);
        assert!((rate(25_000) - 2.57e-5).abs() < 1e-8, "{}", rate(25_000));
        assert_eq!(rate(50_000), 5e-6, "the floor is a rate");
        assert_eq!([first.average.decay, second.average.decay], [0.995, 0.999]);
        let splits = [&config.data.train, &config.data.valid].map(|sets| sets.iter().map(|set| set.split).collect::<Vec<_>>());
        assert_eq!((splits, config.data.scheme), ([vec![Some(Split::Train)], vec![Some(Split::Validation)]], Scheme::RadioUnet));
    }

    #[test]
    fn crops_grow_and_the_last_steps_are_whole_maps() {
        let overrides = ["autoencoder.crop=64", "autoencoder.crops=[{ from = 100, side = 128 }, { from = 2000, side = 192 }]"];
        let config = Config::load(Path::new(NANO), &overrides.map(str::to_owned)).unwrap();
        let sides = [0, 99, 100, 1999, 2000, 2799, 2800].map(|step| config.autoencoder.crop_at(step));
        assert_eq!(sides, [64, 64, 128, 128, 192, 192, usize::MAX]);
    }

    #[test]
    fn the_configurations_for_irt4_are_of_a_network_of_differences() {
        for name in ["train", "tune"] {
            let path = format!("{}/configs/irt4/{name}.toml", env!("CARGO_MANIFEST_DIR"));
            let config = Config::load(Path::new(&path), &[]).unwrap();
            assert!(config.preset.residual.is_some() && config.preset.first_stage_takes_condition(), "{name}");
            assert!(config.diffusion.pixel.squared && config.data.building_weight == 0.0, "{name}");
        }
    }

    #[test]
    fn the_configuration_for_reliability_is_of_both_rivals() {
        let path = format!("{}/configs/reliability/train.toml", env!("CARGO_MANIFEST_DIR"));
        let load = |text: &str| Config::load(Path::new(&path), &[text.to_owned()]);
        let config = load("seed=2").unwrap();
        let quantiles = config.quantiles.unwrap();
        assert!(config.preset.residual.is_some() && config.preset.quantiles.is_some());
        assert_eq!([0, quantiles.steps - quantiles.whole_map_steps].map(|step| quantiles.crop_at(step)), [128, usize::MAX]);
        for (text, words) in [
            ("quantiles.crop=100", "quantiles.crop is 100, expected a multiple of 16"),
            ("quantiles.batch=0", "quantiles.batch is 0"),
            ("quantiles.learning_rate=-1", "quantiles.learning_rate is -1"),
        ] {
            let error = format!("{:#}", load(text).unwrap_err());
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn an_override_of_nothing_is_refused_by_name() {
        for (text, words) in [
            ("diffusion.stops=7", "[\"diffusion.stops=7\"]: diffusion: unknown field `stops`, did you mean `steps`?"),
            ("autoencoder.latent_scale=0", "autoencoder.latent_scale is 0, expected \"measured\" or a number above 0"),
            ("autoencoder.latent_scale=guessed", "expected \"measured\" or a number"),
            ("validate_every=0", "validate_every is 0"),
            ("samples_every=0", "samples_every is 0"),
            ("a.b=1", "unknown field `a`"),
            ("diffusion.pixl.steps=1", "diffusion: unknown field `pixl`, did you mean `pixel`?"),
            ("checkpoints.every=0", "checkpoints.every is 0"),
            ("seed.a=1", "seed is a value"),
            ("seed", "a.b=value"),
            ("diffusion.start_share=2", "diffusion.start_share is 2, expected 0 to 1"),
            ("data.building_weight=-0.1", "data.building_weight is -0.1, expected 0 to 1"),
            ("data.building_weight=nan", "data.building_weight is NaN"),
            ("autoencoder.crop=0", "autoencoder.crop is 0, expected a multiple of 8"),
            ("autoencoder.crop=100", "autoencoder.crop is 100, expected a multiple of 8"),
            ("autoencoder.crops=[{ from = 5, side = 60 }]", "autoencoder.crops: side is 60, expected a multiple of 8"),
            ("autoencoder.crops=[{ from = 5, side = 64 }, { from = 5, side = 128 }]", "autoencoder.crops: from is 5 after 5"),
            ("autoencoder.freeze=[\"first_stage_modl.\"]", "autoencoder.freeze has \"first_stage_modl.\""),
            ("diffusion.curriculum={ start = 0, epochs = 2 }", "diffusion.curriculum.start is 0"),
            ("diffusion.curriculum={ start = 0.5, epochs = 0 }", "diffusion.curriculum.epochs is 0"),
            ("autoencoder.learning_rate=-1", "autoencoder.learning_rate is -1"),
            ("diffusion.pixel.learning_rate=inf", "diffusion.pixel.learning_rate is inf"),
        ] {
            let error = format!("{:#}", Config::load(Path::new(NANO), &[text.to_owned()]).unwrap_err());
            assert!(error.contains(words), "{error}");
        }
    }
}
