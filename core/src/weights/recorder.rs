//! What networks ask for, learnt by building them on the counting engine: nothing is computed or allocated.

use super::{ParameterError, ParameterSource, ParameterSpec, Parameters};
use crate::engine::CountingEngine;
use crate::model::radiodiff::BuildError;
use crate::model::{Preset, RadioDiff};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Gives every parameter as its shape and remembers it.
#[derive(Default)]
pub struct ParameterRecorder(RefCell<BTreeMap<String, ParameterSpec>>);

impl ParameterRecorder {
    /// What has been asked for since the last call, by name.
    pub fn take(&self) -> BTreeMap<String, ParameterSpec> {
        self.0.take()
    }

    /// The same, of which only the shapes.
    pub fn take_shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.take().into_iter().map(|(name, spec)| (name, spec.shape)).collect()
    }
}

impl ParameterSource<CountingEngine> for ParameterRecorder {
    fn parameter(&self, _: &CountingEngine, spec: &ParameterSpec) -> Result<Vec<usize>, ParameterError> {
        self.0.borrow_mut().insert(spec.name.clone(), spec.clone());
        Ok(spec.shape.clone())
    }
}

/// The shape of every parameter of a preset's networks, by name.
pub fn parameter_shapes(preset: &Preset) -> Result<BTreeMap<String, Vec<usize>>, BuildError> {
    let recorder = ParameterRecorder::default();
    RadioDiff::new(preset, &Parameters::new(&CountingEngine::default(), &recorder))?;
    Ok(recorder.take_shapes())
}
