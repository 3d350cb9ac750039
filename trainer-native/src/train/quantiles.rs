//! The network of quantiles, on maps: from the condition to the path gain's distribution in every pixel, by the very score that
//! forecasts are judged by.

use super::dry_run;
use super::objective::{Objective, Phase, StepLoss};
use super::pixels::place_weights;
use super::session::Session;
use super::stage_run::{RunMode, StageRun};
use super::steps;
use super::transfer::Beginning;
use crate::config::{Config, QuantilesConfig};
use crate::data::Batch;
use crate::parallel::ProcessGroup;
use crate::torch::{StepInputs, TorchEngine, TorchTensor};
use anyhow::{Context, Result};
use radiodiff_core::engine::Engine;
use radiodiff_core::model::quantiles::{QuantileNet, quantile_loss};
use radiodiff_core::parameters::VarBuilder;
use std::path::Path;
use std::rc::Rc;
use tch::{Kind, Tensor};

type QuantileNetwork = QuantileNet<TorchEngine>;

/// Trains, from the weights `from` where the run is not resumed, and writes `quantiles.safetensors`.
pub fn run(config: Config, folder: &Path, from: Option<Beginning>, mode: RunMode, group: &Rc<ProcessGroup>) -> Result<()> {
    let settings = config.quantiles.clone().context("the configuration has no section [quantiles], which says how long it is trained")?;
    let mut run = StageRun::open("quantiles", &config, folder, mode, group)?;
    let resumes = run.as_ref().is_some_and(StageRun::resumes);
    let pixels_m = config.preset.quantile_grids().pixels_m;
    let seed = config.seed;
    let session = Session::with_networks(config, folder, (pixels_m, true), group, |preset, engine, parameters| {
        let model = QuantileNet::new(preset, &VarBuilder::new(engine, parameters))?;
        // The other processes are given process 0's parameters when the phase begins.
        from.iter().filter(|_| group.leads() && !resumes).try_for_each(|from| from.restore_quantiles(parameters, preset, seed))?;
        Ok(model)
    })?;
    let (optimizer, compat) = (&settings.optimizer, session.config.compat);
    let phase = Phase {
        name: "quantiles",
        prefixes: &["quantiles."],
        frozen: &[],
        schedule: optimizer.schedule(settings.learning_rate, settings.min_learning_rate, 1.0, settings.steps, compat),
        batch: group.part_of(settings.batch, "quantiles.batch")?,
        symmetries: 8,
        curriculum: None,
        order: 3,
        clip_norm: optimizer.clip_norm,
        accumulate: optimizer.accumulate,
        weight_decay: settings.weight_decay,
        average: settings.average,
        draw: mean_map,
        reconstructs: false,
    };
    let objective = QuantilesObjective { settings: &settings };
    let Some(run) = &mut run else { return dry_run::report(&session, &phase, &objective) };
    steps::train(&session, run, &phase, &objective)?;
    run.finish()?;
    session.save("quantiles.safetensors")
}

/// The continuous ranked probability score of crops, in dB.
struct QuantilesObjective<'a> {
    settings: &'a QuantilesConfig,
}

impl Objective<QuantileNetwork> for QuantilesObjective<'_> {
    fn inputs(&self, s: &Session<QuantileNetwork>, step: usize, number: usize, batch: &Batch) -> Result<StepInputs> {
        let Batch { condition, truth, outdoors, .. } = s.cropped(number, batch, self.settings.crop_at(step));
        Ok(StepInputs { tensors: vec![condition, truth, outdoors], times: Vec::new() })
    }

    fn loss(&self, s: &Session<QuantileNetwork>, _: usize, inputs: &StepInputs) -> Result<StepLoss> {
        let [condition, truth, outdoors] = inputs.parts().map(Tensor::shallow_clone);
        let batch = Batch { samples: Vec::new(), condition, truth, outdoors };
        let weights = TorchTensor(place_weights(&batch, s.config.data.building_weight, &s.group)?);
        let quantiles = s.model.maps(&s.engine, &TorchTensor(batch.condition));
        let loss = quantile_loss(&s.engine, &quantiles, &TorchTensor(batch.truth), &weights);
        // Maps are on the scale where the range of gray levels is 2.
        let in_db = s.engine.affine(&loss, 0.5 * s.config.preset.gray.range_db(), 0.0);
        Ok(StepLoss::of(in_db.0.sum(None::<Kind>)))
    }
}

/// The mean of the quantiles.
fn mean_map(s: &Session<QuantileNetwork>, batch: &Batch) -> TorchTensor {
    let quantiles = s.model.maps(&s.engine, &TorchTensor(batch.condition.shallow_clone()));
    TorchTensor(quantiles.0.mean_dim([1i64].as_slice(), true, Kind::Float))
}
