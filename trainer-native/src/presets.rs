//! `trainer presets`: what each preset holds and costs, counted without computing or allocating anything.

use anyhow::{Context, Result};
use radiodiff_core::engine::CountingEngine;
use radiodiff_core::model::{Preset, RadioDiff};
use radiodiff_core::weights::{ParameterError, ParameterSource, ParameterSpec, Parameters};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Print a table of the presets: parameters, and multiply-accumulates of their parts.
#[derive(clap::Args, Debug)]
pub struct Args {}

pub fn run(_: &Args) -> Result<()> {
    print!("{}", table()?);
    Ok(())
}

/// What one preset holds and costs, for one map.
pub struct Price {
    /// Parameters without running statistics.
    pub first_stage: usize,
    pub denoiser: usize,
    /// Multiply-accumulates.
    pub encoder: u64,
    pub decoder: u64,
    /// Of the condition encoder and the projections of its stages.
    pub condition: u64,
    /// One evaluation of the U-Net with both decoders.
    pub unet: u64,
    /// The one-step sampler's only evaluation: at t = 1 one decoder suffices.
    pub one_step: u64,
    /// Bytes of the largest tensor.
    pub largest_tensor: usize,
}

/// Remembers how many elements each parameter has.
#[derive(Default)]
struct Counter(RefCell<BTreeMap<String, usize>>);

impl ParameterSource<CountingEngine> for Counter {
    fn parameter(&self, _: &CountingEngine, spec: &ParameterSpec) -> Result<Vec<usize>, ParameterError> {
        self.0.borrow_mut().insert(spec.name.clone(), spec.shape.iter().product());
        Ok(spec.shape.clone())
    }
}

/// Counts a preset.
pub fn price(preset: &Preset) -> Result<Price> {
    let (engine, counter) = (CountingEngine::default(), Counter::default());
    let model = RadioDiff::new(preset, &Parameters::new(&engine, &counter))?;
    let counted = counter.0.into_inner();
    let parameters = |prefix: &str| {
        let own = counted.iter().filter(|(name, _)| name.starts_with(prefix) && !name.contains(".running_"));
        own.map(|(_, count)| count).sum()
    };
    let side = preset.map_size;
    let mut largest = 0;
    let mut spent = || {
        let cost = engine.take();
        largest = largest.max(cost.largest_tensor);
        cost.macs
    };
    spent();
    model.first_stage.moments(&engine, &vec![1, 1, side, side]);
    let encoder = spent();
    model.first_stage.decode(&engine, &model.latent_shape(1).to_vec());
    let decoder = spent();
    let encoded = model.denoiser.encode_condition(&engine, &vec![1, preset.condition.channels.len(), side, side]);
    let condition = spent();
    let latent = model.latent_shape(1).to_vec();
    model.denoiser.predict(&engine, &latent, &[0.5], &encoded);
    let unet = spent();
    model.denoiser.predict(&engine, &latent, &[1.0], &encoded);
    let one_step = spent();
    Ok(Price {
        first_stage: parameters("first_stage_model."),
        denoiser: parameters("model."),
        encoder,
        decoder,
        condition,
        unet,
        one_step,
        largest_tensor: 4 * largest,
    })
}

/// The table, in Markdown.
pub fn table() -> Result<String> {
    let mut text = String::from(
        "| preset | first stage, parameters | denoiser, parameters | encoder, GMAC | decoder | condition | U-Net, an evaluation \
         | the one step at t = 1 | a map in one step | largest tensor, MiB |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for name in Preset::NAMES {
        let preset = Preset::named(name).with_context(|| format!("preset {name}"))?;
        let p = price(&preset)?;
        let giga = |macs: u64| macs as f64 / 1e9;
        let [encoder, decoder, condition, unet, one_step] = [p.encoder, p.decoder, p.condition, p.unet, p.one_step].map(giga);
        let map = condition + one_step + decoder;
        let largest = p.largest_tensor as f64 / f64::from(1 << 20);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {encoder:.3} | {decoder:.3} | {condition:.3} | {unet:.3} | {one_step:.3} | {map:.3} | {largest:.1} |",
            p.first_stage, p.denoiser
        );
    }
    Ok(text)
}
