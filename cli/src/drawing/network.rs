//! Networks on the CPU or a GPU: one that draws maps by diffusion, or one that says quantiles. Of several maps the mean is one.

use super::area::StandardGrid;
use anyhow::{Context, Result, ensure};
use radiodiff_core::diffusion::SampleOptions;
use radiodiff_core::engine::Engine;
use radiodiff_core::model::Preset;
use radiodiff_core::model::preset::{GridRange, QUANTILES};
use radiodiff_core::pipeline::{MapRequest, NetworkPipeline, no_hook};
use radiodiff_core::weights::Checkpoint;
use radiodiff_engines::cpu::CpuEngine;
#[cfg(feature = "vulkan")]
use radiodiff_engines::wgpu::{GpuEngine, GpuOptions};
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::{GrayCodec, RadioMap, widen};
use radiodiff_radio::scene::LinkEnds;
use std::path::Path;

/// Percents between the probabilities of two quantiles.
pub const STEP_PERCENT: u32 = 100 / (QUANTILES as u32 + 1);

/// What the networks run on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Backend {
    /// One core of the processor
    #[default]
    Cpu,
    /// A GPU through Vulkan
    #[cfg(feature = "vulkan")]
    Vulkan,
}

/// How a network draws.
#[derive(Clone, Copy, Debug)]
pub struct NetworkOptions {
    pub backend: Backend,
    /// Of a network that draws samples: how many maps, the sampler's steps, unless given those that so many maps need, and the seed of
    /// the first map's noise.
    pub samples: usize,
    pub steps: Option<usize>,
    pub seed: u64,
    /// Of a network that says quantiles: draw what is exceeded with so many percent, a multiple of [`STEP_PERCENT`] below 100; without a
    /// number, the mean of all quantiles.
    pub reliability: Option<u32>,
}

/// A network on an engine, and how it draws.
pub struct Network {
    drawing: Box<dyn Drawing>,
    preset: Preset,
    grids: GridRange,
    says_quantiles: bool,
    options: NetworkOptions,
    /// Of the sampler, and those that as many samples are calibrated in.
    steps: usize,
    calibrated_steps: usize,
    /// ` on ` and the GPU's name; empty on the CPU.
    adapter: String,
}

/// Draws with whatever engine.
trait Drawing {
    /// The quantiles, lowest first, or so many samples.
    fn path_gains(&self, scene: &PreparedScene, ends: &LinkEnds, samples: usize, sampling: SampleOptions) -> Result<Vec<RadioMap>>;
}

/// A network, and the engine that it was built for.
struct OnEngine<E: Engine> {
    pipeline: NetworkPipeline<E>,
    engine: E,
    /// The factor by which several samples are moved away from their mean.
    widening: f32,
}

impl Network {
    /// # Errors
    /// A file that cannot be read or holds no weights; a reliability of a network that draws samples; a backend that there is not.
    pub fn read(weights: &Path, options: NetworkOptions) -> Result<Self> {
        let shown = weights.display();
        let bytes = std::fs::read(weights).with_context(|| format!("the weights {shown} cannot be read"))?;
        let named = || format!("the weights {shown}");
        let checkpoint = Checkpoint::parse(&bytes).with_context(named)?;
        ensure!(
            options.reliability.is_none() || checkpoint.holds_quantiles(),
            "the weights {shown} draw samples; --reliability is for weights that say quantiles"
        );
        ensure!(
            options.samples == 1 || !checkpoint.holds_quantiles(),
            "the weights {shown} say all quantiles at once; --samples is for weights that draw samples"
        );
        let widening = checkpoint.manifest().widening();
        let (drawing, adapter): (Box<dyn Drawing>, _) = match options.backend {
            Backend::Cpu => {
                let engine = CpuEngine::new();
                let pipeline = NetworkPipeline::build(&checkpoint, &engine).with_context(named)?;
                (Box::new(OnEngine { pipeline, engine, widening }), String::new())
            }
            #[cfg(feature = "vulkan")]
            Backend::Vulkan => {
                let asked_for_by_name = GpuOptions { allow_software: true, ..Default::default() };
                let engine = pollster::block_on(GpuEngine::new(asked_for_by_name)).context("--backend vulkan")?;
                let adapter = format!(" on {}", engine.report().name);
                let pipeline = NetworkPipeline::build(&checkpoint, &engine).with_context(named)?;
                (Box::new(OnEngine { pipeline, engine, widening }), adapter)
            }
        };
        let (preset, says_quantiles) = (checkpoint.manifest().preset.clone(), checkpoint.holds_quantiles());
        let calibrated_steps = checkpoint.manifest().steps(options.samples);
        let steps = options.steps.unwrap_or(calibrated_steps);
        Ok(Self { drawing, preset, grids: checkpoint.grids(), says_quantiles, options, steps, calibrated_steps, adapter })
    }

    /// The grid that it draws unless another is asked for, and whether it draws no other.
    pub fn grid(&self) -> StandardGrid {
        StandardGrid { grid: self.preset.grid(), is_only: self.grids.is_one() }
    }

    /// Whether it is told how high a transmitter stands.
    pub fn knows_heights(&self) -> bool {
        self.preset.condition.knows_heights()
    }

    /// Whether it is told the heights of roofs that are stated.
    pub fn knows_roofs(&self) -> bool {
        self.preset.condition.knows_roofs()
    }

    /// The warning that samples do not differ as they should, because they are drawn in other steps than they were calibrated in.
    pub fn uncalibrated(&self) -> Option<String> {
        let (found, expected) = (self.steps, self.calibrated_steps);
        (self.options.samples > 1 && found != expected).then(|| {
            format!("the samples of {} differ as they should in {expected} steps, not in {found}: leave --steps out", self.preset.name)
        })
    }

    /// The warning about an antenna of a height that it has not learnt, where it is told heights.
    pub fn unlearnt_height(&self, height_m: f64) -> Option<String> {
        let [lowest_m, highest_m] = self.preset.condition.antenna_heights_m();
        (self.knows_heights() && !(lowest_m..=highest_m).contains(&height_m)).then(|| {
            format!(
                "{} has learnt antennas {lowest_m} to {highest_m} m high, one stands at {height_m} m: do not rely on its map",
                self.name()
            )
        })
    }

    /// Whether it is told where cars stand.
    pub fn knows_cars(&self) -> bool {
        self.preset.condition.knows_cars()
    }

    pub fn codec(&self) -> GrayCodec {
        self.preset.gray
    }

    pub fn name(&self) -> String {
        let (preset, adapter) = (&self.preset.name, &self.adapter);
        let (NetworkOptions { samples, seed, reliability, .. }, steps) = (self.options, self.steps);
        if !self.says_quantiles {
            let drawn = if samples == 1 { String::new() } else { format!("{samples} samples, ") };
            return format!("the network {preset} ({drawn}{steps} step{}, seed {seed}){adapter}", if steps == 1 { "" } else { "s" });
        }
        match reliability {
            Some(percent) => format!("the quantiles of {preset} (exceeded with {percent} %){adapter}"),
            None => format!("the quantiles of {preset}{adapter}"),
        }
    }

    /// How many maps it draws of a transmitter.
    pub fn maps(&self) -> usize {
        match self.options.reliability {
            None if self.says_quantiles => QUANTILES,
            _ => self.options.samples,
        }
    }

    /// The quantile that was asked for, or the mean of all maps.
    ///
    /// # Errors
    /// Those of the pipeline.
    pub fn path_gain(&self, scene: &PreparedScene, ends: &LinkEnds) -> Result<RadioMap> {
        let mut maps = self.path_gains(scene, ends)?;
        Ok(match self.options.reliability {
            Some(percent) => maps.swap_remove(QUANTILES - (percent / STEP_PERCENT) as usize),
            None => mean(&maps),
        })
    }

    /// The quantiles, lowest first, or the samples.
    ///
    /// # Errors
    /// Those of the pipeline.
    pub fn path_gains(&self, scene: &PreparedScene, ends: &LinkEnds) -> Result<Vec<RadioMap>> {
        let sampling = SampleOptions { steps: self.steps, seed: self.options.seed, ..SampleOptions::default() };
        self.drawing.path_gains(scene, ends, self.options.samples, sampling).context("drawing the map")
    }
}

impl<E: Engine> Drawing for OnEngine<E> {
    fn path_gains(&self, scene: &PreparedScene, ends: &LinkEnds, samples: usize, sampling: SampleOptions) -> Result<Vec<RadioMap>> {
        match &self.pipeline {
            NetworkPipeline::Samples(pipeline) => {
                let draw = |sample: usize| {
                    let options = SampleOptions { seed: sampling.seed.wrapping_add(sample as u64), ..sampling };
                    let request = MapRequest { scene, ends: *ends, start: 1.0, options };
                    pollster::block_on(pipeline.draw_map(&self.engine, &request, no_hook))
                };
                let mut maps: Vec<RadioMap> = (0..samples).map(draw).collect::<Result<_, _>>()?;
                widen(maps.iter_mut().map(|map| map.values.as_mut_slice()), self.widening);
                Ok(maps)
            }
            NetworkPipeline::Quantiles(pipeline) => Ok(pollster::block_on(pipeline.draw(&self.engine, scene, ends))?),
        }
    }
}

/// The mean of maps of one place, at least one.
fn mean(maps: &[RadioMap]) -> RadioMap {
    let of_pixel = |i: usize| maps.iter().map(|map| map.values[i]).sum::<f32>() / maps.len() as f32;
    RadioMap { values: (0..maps[0].values.len()).map(of_pixel).collect(), ..maps[0].clone() }
}
