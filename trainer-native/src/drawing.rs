//! Drawing maps by a network from its weights' file, on the best device there is.

use crate::stored_weights::{self, WeightsKind};
use crate::torch::{TorchEngine, TrainingPrecision, best_device};
use anyhow::{Context, Result, ensure};
use radiodiff_core::diffusion::{MAX_STEPS, MIN_TIME, SampleOptions};
use radiodiff_core::model::quantiles::probabilities;
use radiodiff_core::pipeline::{MapRequest, Pipeline, QuantilePipeline, no_hook};
use radiodiff_dataset::Sample;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::{RadioMap, widen};
use radiodiff_radio::metrics::EnsembleKind;
use std::path::Path;

/// Most samples of a scene that are drawn together: more fill a GPU no better and take its memory.
const MAX_BATCH: usize = 16;

/// How a network draws its maps.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct DrawOptions {
    /// Steps of the sampler [default: of several samples those that the weights were calibrated in, else 1].
    #[arg(long, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=MAX_STEPS as u64))]
    pub steps: Option<usize>,
    /// Seed of the sampler's noise.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Start the network at this time, above 0 and at most 1, from the scene's dominant path map and as much noise as belongs to the
    /// time. 1 is noise alone; the nearer to 0, the more of that map stays.
    #[arg(long, value_name = "T", value_parser = start_time, requires = "weights")]
    pub start: Option<f32>,
    /// Maps that the network draws of each scene, with the seeds from --seed on.
    #[arg(long, value_name = "M", default_value_t = 1, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1000),
          requires = "weights")]
    pub samples: usize,
    /// Of a checkpoint's weights take the raw ones, as the optimiser left them, and not their average.
    #[arg(long, requires = "weights")]
    pub raw: bool,
}

impl Default for DrawOptions {
    fn default() -> Self {
        Self { steps: None, seed: 0, start: None, samples: 1, raw: false }
    }
}

fn start_time(text: &str) -> Result<f32, String> {
    let expected = || format!("expected a time from {MIN_TIME} to 1");
    text.parse().ok().filter(|time| (MIN_TIME..=1.0).contains(time)).ok_or_else(expected)
}

/// A network that draws.
pub struct MapDrawer {
    engine: TorchEngine,
    network: DrawingNetwork,
    steps: usize,
    /// The factor by which the weights' manifest has samples widened.
    widening: f32,
    options: DrawOptions,
}

/// The two kinds of networks.
enum DrawingNetwork {
    Diffusion(Box<Pipeline<TorchEngine>>),
    Quantiles(Box<QuantilePipeline<TorchEngine>>),
}

impl MapDrawer {
    /// Reads the weights, a file's or those of a checkpoint's folder.
    ///
    /// # Errors
    /// Weights that cannot be used; options of a sampler with a network of quantiles, which has none.
    pub fn open(path: &Path, options: DrawOptions) -> Result<Self> {
        let stored = stored_weights::open(path, if options.raw { WeightsKind::Raw } else { WeightsKind::Averaged })?;
        let engine = TorchEngine::new(best_device());
        // As validation computes, whatever libtorch's default is.
        TrainingPrecision::Float32.set_up(engine.device());
        let network = if stored.holds_quantiles() {
            ensure!(
                options.samples == 1 && options.steps.is_none_or(|steps| steps == 1) && options.start.is_none(),
                "the weights {} are a network of quantiles, which draws all of them at once: leave out --samples, --steps and --start",
                path.display()
            );
            let pipeline = |model| QuantilePipeline::new(model).widened(stored.manifest().widening());
            stored.build_quantiles(&engine).map(|model| DrawingNetwork::Quantiles(Box::new(pipeline(model))))
        } else {
            stored.build(&engine).map(|model| DrawingNetwork::Diffusion(Box::new(Pipeline::new(model))))
        };
        let network = network.with_context(|| format!("the weights {}", path.display()))?;
        let manifest = stored.manifest();
        let meant = manifest.steps(options.samples);
        let steps = options.steps.unwrap_or(meant);
        if options.samples > 1 && manifest.ensemble.is_some() && steps != meant {
            eprintln!("warning: the samples of {} differ as they should in {meant} steps, and are drawn in {steps}", path.display());
        }
        Ok(Self { engine, network, steps, widening: manifest.widening(), options })
    }

    /// The network's name and where it starts.
    pub fn name(&self) -> String {
        let begun = self.options.start.map_or(String::new(), |start| format!(" from the dominant path at t = {start}"));
        let raw = if self.options.raw { ", raw weights" } else { "" };
        let name = match &self.network {
            DrawingNetwork::Diffusion(pipeline) => pipeline.preset().name.clone(),
            DrawingNetwork::Quantiles(pipeline) => format!("quantiles of {}", pipeline.preset().name),
        };
        format!("{name}{raw}{begun}")
    }

    /// What the maps are that are drawn of a scene.
    pub fn kind(&self) -> EnsembleKind {
        match self.network {
            DrawingNetwork::Diffusion(_) => EnsembleKind::Draws,
            DrawingNetwork::Quantiles(_) => EnsembleKind::Quantiles,
        }
    }

    /// A name for each of the maps that are drawn of a scene.
    pub fn maps(&self) -> Vec<String> {
        match self.network {
            DrawingNetwork::Diffusion(_) => (0..self.options.samples as u64).map(|i| format!("seed-{}", self.options.seed + i)).collect(),
            DrawingNetwork::Quantiles(_) => probabilities().map(|p| format!("quantile-{p:.2}")).to_vec(),
        }
    }

    /// The maps of a scene and a transmitter: one for each of the samples' seeds, or the quantiles, ascending. Several are widened as the
    /// weights' manifest says.
    pub fn draw(&self, scene: &PreparedScene, sample: &Sample) -> Result<Vec<RadioMap>> {
        let _guard = tch::no_grad_guard();
        let of_map = || format!("map {}_{}", sample.map, sample.transmitter);
        let pipeline = match &self.network {
            DrawingNetwork::Diffusion(pipeline) => pipeline,
            DrawingNetwork::Quantiles(pipeline) => {
                return pollster::block_on(pipeline.draw(&self.engine, scene, &sample.ends())).with_context(of_map);
            }
        };
        let mut maps = Vec::with_capacity(self.options.samples);
        while maps.len() < self.options.samples {
            let batch = MAX_BATCH.min(self.options.samples - maps.len());
            let seed = self.options.seed.wrapping_add(maps.len() as u64);
            let options = SampleOptions { steps: self.steps, seed, ..SampleOptions::default() };
            let request = MapRequest { scene, ends: sample.ends(), start: self.options.start.unwrap_or(1.0), options };
            let drawn = pollster::block_on(pipeline.draw_samples(&self.engine, &request, batch, no_hook));
            maps.extend(drawn.with_context(of_map)?);
        }
        widen(maps.iter_mut().map(|map| map.values.as_mut_slice()), self.widening);
        Ok(maps)
    }
}
