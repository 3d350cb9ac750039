//! What a phase of training minimises, and what it does beside the optimiser's steps.

use super::first_stage::FirstStageTerms;
use super::session::{MapDrawing, Session};
use super::trouble::Signs;
use crate::data::{Batch, BatchStream, Curriculum, StreamOptions, StreamPosition};
use crate::torch::{AverageSchedule, Schedule, StepInputs, TorchEngine, TorchParameters};
use anyhow::{Result, ensure};
use radiodiff_core::diffusion::RadioDiff;
use tch::Tensor;

/// A phase of a stage: which parameters move, and how. `M` are the networks.
pub struct Phase<'a, M = RadioDiff<TorchEngine>> {
    pub name: &'static str,
    /// The networks' parameters under these are trained, and averaged together with their running statistics.
    pub prefixes: &'static [&'static str],
    /// Parameters under these stay as they are.
    pub frozen: &'a [String],
    pub schedule: Schedule,
    /// Samples a batch, of this process, turned by symmetries drawn among the first so many.
    pub batch: usize,
    pub symmetries: usize,
    pub curriculum: Option<Curriculum>,
    /// Gives each phase an order of the samples of its own.
    pub order: u64,
    pub clip_norm: f64,
    /// Batches whose mean gradient makes a step.
    pub accumulate: usize,
    pub weight_decay: f64,
    pub average: AverageSchedule,
    /// What validation draws.
    pub draw: MapDrawing<M>,
    /// Whether that should be as sharp as the maps.
    pub reconstructs: bool,
}

impl<M> Phase<'_, M> {
    /// The networks' parameters that the optimiser moves.
    ///
    /// # Errors
    /// All of them are frozen, and the phase has steps.
    pub fn trained(&self, parameters: &TorchParameters) -> Result<Vec<(String, Tensor)>> {
        let mut trained = parameters.trainable(self.prefixes);
        let (before, frozen) = (trained.len(), |name: &str| self.frozen.iter().any(|prefix| name.starts_with(prefix.as_str())));
        trained.retain(|(name, _)| !frozen(name));
        ensure!(
            !trained.is_empty() || self.schedule.steps == 0,
            "{}: all of its {before} parameters are frozen: freeze fewer, or give the phase 0 steps",
            self.name
        );
        Ok(trained)
    }

    /// The phase's batches from a position on.
    pub fn stream(&self, s: &Session<M>, position: StreamPosition) -> Result<BatchStream> {
        let options = StreamOptions {
            batch: self.batch,
            symmetries: self.symmetries,
            threads: s.config.data.threads(),
            share: s.group.share(),
            curriculum: self.curriculum,
        };
        s.train.stream(options, position)
    }
}

/// A batch's loss, each one element.
pub struct StepLoss {
    /// What is minimised.
    pub total: Tensor,
    /// The part of it that does not jump when a term is switched on: what bad steps are known by.
    pub steady: Tensor,
    /// What the first stage's loss consists of.
    pub terms: Option<FirstStageTerms>,
}

impl StepLoss {
    /// Of a single term.
    pub fn of(loss: Tensor) -> Self {
        Self { steady: loss.detach(), total: loss, terms: None }
    }

    /// All numbers that are read of it: total, steady part, and the terms' means.
    pub fn numbers(&self) -> Vec<&Tensor> {
        [&self.total, &self.steady].into_iter().chain(self.terms.iter().flat_map(FirstStageTerms::means)).collect()
    }
}

/// See the module. Everything that a step changes in it is among its tensors, so that a checkpoint can hold it.
pub trait Objective<M = RadioDiff<TorchEngine>> {
    /// What the loss of a batch of step `step` is computed from, with everything that is drawn for it; `number` is the batch's place
    /// among all of the phase.
    fn inputs(&self, session: &Session<M>, step: usize, number: usize, batch: &Batch) -> Result<StepInputs>;

    /// The loss of a step's inputs.
    fn loss(&self, session: &Session<M>, step: usize, inputs: &StepInputs) -> Result<StepLoss>;

    /// Whether the loss of inputs of the same shapes is the same operations at every step, of which none reads anything back
    /// ([`crate::torch::StepGraphs`]).
    fn repeats(&self) -> bool {
        true
    }

    /// Takes the terms of a step's last batch in with what their means are, for [`Self::terms`] and [`Self::signs`].
    fn note(&self, _terms: &FirstStageTerms, _means: &[f64]) {}

    /// What follows a step of the optimiser at the rate `rate`, of which `batch` was the first batch: an adversary's own step, which
    /// changes nothing where its loss is not finite. The loss, where there was such a step.
    fn after_step(&self, _session: &Session<M>, _step: usize, _rate: f64, _batch: &Batch) -> Result<Option<f64>> {
        Ok(None)
    }

    /// The last step's terms under their names in the log.
    fn terms(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }

    /// What the last step, whose loss was `total`, shows of the training's health.
    fn signs(&self, total: f64) -> Signs {
        Signs { error: Some(total), ..Signs::default() }
    }

    /// Parameters that the optimiser moves beside the networks'.
    fn trained(&self) -> Vec<(String, Tensor)> {
        Vec::new()
    }

    /// All that changes from step to step.
    fn state(&self) -> Vec<(String, Tensor)> {
        Vec::new()
    }

    /// The part of the state that a forward pass changes, and a bad step must not.
    fn buffers(&self) -> Vec<(String, Tensor)> {
        Vec::new()
    }
}
