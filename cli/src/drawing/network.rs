//! Networks on the CPU engine: one that draws a map by diffusion, or one that says quantiles, of which a map is made.

use super::area::StandardGrid;
use anyhow::{Context, Result, ensure};
use radiodiff_core::diffusion::SampleOptions;
use radiodiff_core::model::Preset;
use radiodiff_core::model::preset::{GridRange, QUANTILES};
use radiodiff_core::pipeline::{MapRequest, Pipeline, QuantilePipeline, no_hook};
use radiodiff_core::weights::Checkpoint;
use radiodiff_engines::cpu::CpuEngine;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::{GrayCodec, RadioMap};
use radiodiff_radio::scene::LinkEnds;
use std::path::Path;

/// Percents between the probabilities of two quantiles.
pub const STEP_PERCENT: u32 = 100 / (QUANTILES as u32 + 1);

/// A network on the CPU engine, and how it draws. A reliability is a multiple of [`STEP_PERCENT`] below 100.
pub struct Network {
    engine: CpuEngine,
    drawing: DrawingNetwork,
    grids: GridRange,
}

/// What is drawn with.
enum DrawingNetwork {
    Sampled {
        pipeline: Box<Pipeline<CpuEngine>>,
        options: SampleOptions,
    },
    /// What is exceeded with so many percent; without a number, the mean of all quantiles.
    Quantiles {
        pipeline: Box<QuantilePipeline<CpuEngine>>,
        reliability: Option<u32>,
    },
}

impl Network {
    /// # Errors
    /// A file that cannot be read or holds no weights; a reliability of a network that draws samples.
    pub fn read(weights: &Path, options: SampleOptions, reliability: Option<u32>) -> Result<Self> {
        let shown = weights.display();
        let bytes = std::fs::read(weights).with_context(|| format!("the weights {shown} cannot be read"))?;
        let named = || format!("the weights {shown}");
        let checkpoint = Checkpoint::parse(&bytes).with_context(named)?;
        let engine = CpuEngine::new();
        let drawing = if checkpoint.holds_quantiles() {
            let network = checkpoint.build_quantiles(&engine).with_context(named)?;
            let pipeline = Box::new(QuantilePipeline::new(network).widened(checkpoint.manifest().widening()));
            DrawingNetwork::Quantiles { pipeline, reliability }
        } else {
            ensure!(reliability.is_none(), "the weights {shown} draw samples; --reliability is for weights that say quantiles");
            DrawingNetwork::Sampled { pipeline: Box::new(Pipeline::new(checkpoint.build(&engine).with_context(named)?)), options }
        };
        Ok(Self { engine, drawing, grids: checkpoint.grids() })
    }

    fn preset(&self) -> &Preset {
        match &self.drawing {
            DrawingNetwork::Sampled { pipeline, .. } => pipeline.preset(),
            DrawingNetwork::Quantiles { pipeline, .. } => pipeline.preset(),
        }
    }

    /// The grid that it draws unless another is asked for, and whether it draws no other.
    pub fn grid(&self) -> StandardGrid {
        StandardGrid { grid: self.preset().grid(), is_only: self.grids.is_one() }
    }

    /// Whether it is told how high a transmitter stands.
    pub fn knows_heights(&self) -> bool {
        self.preset().condition.knows_heights()
    }

    /// Whether it is told where cars stand.
    pub fn knows_cars(&self) -> bool {
        self.preset().condition.knows_cars()
    }

    pub fn codec(&self) -> GrayCodec {
        self.preset().gray
    }

    pub fn name(&self) -> String {
        let preset = &self.preset().name;
        match &self.drawing {
            DrawingNetwork::Sampled { options: SampleOptions { steps, seed, .. }, .. } => {
                format!("the network {preset} ({steps} step{}, seed {seed})", if *steps == 1 { "" } else { "s" })
            }
            DrawingNetwork::Quantiles { reliability: Some(percent), .. } => {
                format!("the quantiles of {preset} (exceeded with {percent} %)")
            }
            DrawingNetwork::Quantiles { reliability: None, .. } => format!("the quantiles of {preset} (their mean)"),
        }
    }

    /// # Errors
    /// Those of the pipeline.
    pub fn path_gain(&self, scene: &PreparedScene, ends: &LinkEnds) -> Result<RadioMap> {
        match &self.drawing {
            DrawingNetwork::Sampled { pipeline, options } => {
                let request = MapRequest { scene, ends: *ends, start: 1.0, options: *options };
                pollster::block_on(pipeline.draw_map(&self.engine, &request, no_hook)).context("drawing the map")
            }
            DrawingNetwork::Quantiles { pipeline, reliability } => {
                let mut maps = pollster::block_on(pipeline.draw(&self.engine, scene, ends)).context("drawing the map")?;
                Ok(match reliability {
                    Some(percent) => maps.swap_remove(QUANTILES - (percent / STEP_PERCENT) as usize),
                    None => mean(&maps),
                })
            }
        }
    }
}

/// The mean of maps of one place, at least one.
fn mean(maps: &[RadioMap]) -> RadioMap {
    let of_pixel = |i: usize| maps.iter().map(|map| map.values[i]).sum::<f32>() / maps.len() as f32;
    RadioMap { values: (0..maps[0].values.len()).map(of_pixel).collect(), ..maps[0].clone() }
}
