//! Checkpoints of the public code, saved as safetensors, become this project's tensors.
//!
//! In flow a state dict and a preset; out flow tensors under the preset's own names with a report of what was applied, what is
//! missing or misshapen (which fails) and what nothing uses: losses, counters, indices. The public names are ours but for what
//! stands before them: a file may hold one network from its own root, or both below `model.`, `first_stage_model.` or deeper.

use super::checkpoint::{host_tensor, read};
use super::{HostTensor, ParameterError, ParameterSource, ParameterSpec, Parameters, WeightsError};
use crate::engine::CountingEngine;
use crate::model::radiodiff::BuildError;
use crate::model::{Preset, RadioDiff};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use thiserror::Error;

/// Where a network stands in our names and, mostly, in the public ones.
const ROOTS: [&str; 3] = ["", "first_stage_model.", "model."];
/// The latent scale; the public lists of parameters leave it out, and the preset knows it.
const SCALE: &str = "scale_factor";
/// Names shown of each list.
const SHOWN: usize = 8;

/// What became of a file's tensors and of a preset's parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Our names of what was read.
    pub applied: Vec<String>,
    /// Our names of what the files lack and the preset gives.
    pub by_preset: Vec<String>,
    /// Our names and shapes of what the files lack.
    pub missing: Vec<String>,
    /// Our names, the expected shapes, and those found.
    pub misshapen: Vec<String>,
    /// The files' names of what nothing uses.
    pub unused: Vec<String>,
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} applied", self.applied.len())?;
        let lists =
            [("by the preset", &self.by_preset), ("missing", &self.missing), ("misshapen", &self.misshapen), ("unused", &self.unused)];
        for (what, names) in lists {
            if !names.is_empty() {
                let more = if names.len() > SHOWN { ", ..." } else { "" };
                write!(f, "; {} {what}: {}{more}", names.len(), names[..names.len().min(SHOWN)].join(", "))?;
            }
        }
        Ok(())
    }
}

/// Why a checkpoint could not be imported.
#[derive(Debug, Error)]
pub enum ImportError {
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error("{file}: {error}")]
    File { file: String, error: WeightsError },
    #[error("{name} is there twice, as {first} and as {second}; give one of the files, or choose by prefix within a file")]
    Ambiguous { name: String, first: String, second: String },
    #[error("the checkpoint is not one of preset {preset}: {report}; choose another preset, or add the file that holds what is missing")]
    Incomplete { preset: String, report: Box<LoadReport> },
}

/// Remembers what the networks ask for.
#[derive(Default)]
struct Expected(RefCell<BTreeMap<String, Vec<usize>>>);

impl ParameterSource<CountingEngine> for Expected {
    fn parameter(&self, _: &CountingEngine, spec: &ParameterSpec) -> Result<Vec<usize>, ParameterError> {
        self.0.borrow_mut().insert(spec.name.clone(), spec.shape.clone());
        Ok(spec.shape.clone())
    }
}

/// Our name for a file's, whatever stands before it.
fn our_name(name: &str, expected: &BTreeMap<String, Vec<usize>>) -> Option<String> {
    let suffixes = std::iter::once(0).chain(name.match_indices('.').map(|(dot, _)| dot + 1)).map(|start| &name[start..]);
    suffixes.flat_map(|suffix| ROOTS.map(|root| format!("{root}{suffix}"))).find(|ours| expected.contains_key(ours))
}

/// Reads the tensors of `files` (names for messages, and contents) whose names begin with `prefix` into `preset`'s names.
///
/// # Errors
/// A preset that cannot work, a damaged file, values that are not finite or no floats, a parameter that is there twice, missing
/// or of another shape.
pub fn import(files: &[(&str, &[u8])], prefix: &str, preset: &Preset) -> Result<(BTreeMap<String, HostTensor>, LoadReport), ImportError> {
    let expected = Expected::default();
    RadioDiff::new(preset, &Parameters::new(&CountingEngine::default(), &expected)).map_err(|error| match error {
        BuildError::Preset(error) => WeightsError::Preset(error),
        BuildError::Parameter(error) => WeightsError::Parameter(error),
    })?;
    let expected = expected.0.into_inner();
    let (mut tensors, mut report) = (BTreeMap::new(), LoadReport::default());
    let mut found_as: BTreeMap<String, String> = BTreeMap::new();
    for &(file, bytes) in files {
        let of_file = |error| ImportError::File { file: file.to_owned(), error };
        for (name, view) in read(bytes).map_err(of_file)?.iter().collect::<BTreeMap<_, _>>() {
            let Some(ours) = our_name(name, &expected).filter(|_| name.starts_with(prefix)) else {
                report.unused.push(name.to_owned());
                continue;
            };
            let second = format!("{name} of {file}");
            if let Some(first) = found_as.insert(ours.clone(), second.clone()) {
                return Err(ImportError::Ambiguous { name: ours, first, second });
            }
            let (shape, found) = (&expected[&ours], view.shape());
            // PyTorch's scalars have no dimension.
            if shape != found && !(shape == &[1] && found.is_empty()) {
                report.misshapen.push(format!("{ours} {shape:?}, found {found:?}"));
                continue;
            }
            let tensor = HostTensor { shape: shape.clone(), ..host_tensor(name, &view).map_err(of_file)? };
            tensors.insert(ours.clone(), tensor);
            report.applied.push(ours);
        }
    }
    if !found_as.contains_key(SCALE) {
        tensors.insert(SCALE.into(), HostTensor { shape: vec![1], values: vec![preset.latent_scale] });
        report.by_preset.push(format!("{SCALE} {}", preset.latent_scale));
    }
    let missing = expected.iter().filter(|(name, _)| name.as_str() != SCALE && !found_as.contains_key(*name));
    report.missing = missing.map(|(name, shape)| format!("{name} {shape:?}")).collect();
    report.unused.sort();
    if report.missing.is_empty() && report.misshapen.is_empty() {
        Ok((tensors, report))
    } else {
        Err(ImportError::Incomplete { preset: preset.name.clone(), report: Box::new(report) })
    }
}
