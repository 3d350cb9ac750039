//! Import of the public code's checkpoints, saved as safetensors.
//!
//! In flow a state dict and a preset; out flow tensors under the preset's own names and a report: applied, missing, misshapen (both
//! of which fail the import) and unused tensors such as losses, counters and indices. The public names are ours up to a prefix: a
//! file may hold one network from its own root, or both below `model.`, `first_stage_model.` or deeper.

use super::error::WeightsError;
use super::host::HostTensor;
use super::tensors::{host_tensor, read};
use crate::diffusion::parameter_shapes;
use crate::engine::CountingEngine;
use crate::model::Preset;
use crate::model::lpips::Lpips;
use crate::parameters::{ParameterRecorder, VarBuilder};
use safetensors::SafeTensors;
use std::collections::BTreeMap;
use std::fmt;
use thiserror::Error;

/// The prefixes of the networks in our names and, in most files, in the public ones.
const ROOTS: [&str; 3] = ["", "first_stage_model.", "model."];
/// The latent scale. Files may lack it, because the preset knows it.
const SCALE: &str = "scale_factor";
/// The path of LPIPS in the public checkpoints.
pub const LPIPS_ROOT: &str = "loss.perceptual_loss";
/// Names of each list that are printed.
const SHOWN: usize = 8;

/// The result of an import: what happened to the files' tensors and to the preset's parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Parameters that were read, by our names.
    pub applied: Vec<String>,
    /// Parameters that the files lack and the preset gives, by our names.
    pub by_preset: Vec<String>,
    /// Parameters that the files lack, by our names, with their shapes.
    pub missing: Vec<String>,
    /// Parameters of another shape, by our names, with the expected and the found shape.
    pub misshapen: Vec<String>,
    /// Tensors that nothing uses, by the files' names.
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
    #[error("the checkpoint is not one of {what}: {report}; {remedy}")]
    Incomplete { what: String, report: Box<LoadReport>, remedy: &'static str },
}

/// A file's name, for messages, and its content.
type Opened<'a> = (&'a str, SafeTensors<'a>);

/// Opens the files, before any network is built for them.
fn open<'a>(files: &[(&'a str, &'a [u8])]) -> Result<Vec<Opened<'a>>, ImportError> {
    let open = |&(file, bytes): &(&'a str, &'a [u8])| match read(bytes) {
        Ok(content) => Ok((file, content)),
        Err(error) => Err(ImportError::File { file: file.to_owned(), error }),
    };
    files.iter().map(open).collect()
}

/// The parameters that are looked for in files.
struct Wanted {
    /// The networks' name in messages.
    what: String,
    /// The advice to a user whose files lack some.
    remedy: &'static str,
    /// Our names and their shapes.
    shapes: BTreeMap<String, Vec<usize>>,
    /// Prefixes of our names that a file may leave out.
    roots: &'static [&'static str],
    /// The latent scale, where files may lack it.
    scale: Option<f32>,
    /// Never trained, so that several copies are equal and the first is taken.
    frozen: bool,
}

impl Wanted {
    /// Our name of a file's tensor, whatever its prefix.
    fn our_name(&self, name: &str) -> Option<String> {
        let suffixes = std::iter::once(0).chain(name.match_indices('.').map(|(dot, _)| dot + 1)).map(|start| &name[start..]);
        let ours = suffixes.flat_map(|suffix| self.roots.iter().map(move |root| format!("{root}{suffix}")));
        ours.into_iter().find(|ours| self.shapes.contains_key(ours))
    }

    fn read(&self, files: &[Opened<'_>], prefix: &str) -> Result<(BTreeMap<String, HostTensor>, LoadReport), ImportError> {
        let (mut tensors, mut report) = (BTreeMap::new(), LoadReport::default());
        let mut found_as: BTreeMap<String, String> = BTreeMap::new();
        for (file, content) in files {
            let of_file = |error| ImportError::File { file: (*file).to_owned(), error };
            for (name, view) in content.iter().collect::<BTreeMap<_, _>>() {
                let wanted = |ours: &String| name.starts_with(prefix) && !(self.frozen && found_as.contains_key(ours));
                let Some(ours) = self.our_name(name).filter(wanted) else {
                    report.unused.push(name.to_owned());
                    continue;
                };
                let second = format!("{name} of {file}");
                if let Some(first) = found_as.insert(ours.clone(), second.clone()) {
                    return Err(ImportError::Ambiguous { name: ours, first, second });
                }
                let (shape, found) = (&self.shapes[&ours], view.shape());
                // A PyTorch scalar has no dimension.
                if shape != found && !(shape == &[1] && found.is_empty()) {
                    report.misshapen.push(format!("{ours} {shape:?}, found {found:?}"));
                    continue;
                }
                let tensor = HostTensor { shape: shape.clone(), ..host_tensor(name, &view).map_err(of_file)? };
                tensors.insert(ours.clone(), tensor);
                report.applied.push(ours);
            }
        }
        if let Some(scale) = self.scale.filter(|_| !found_as.contains_key(SCALE)) {
            found_as.insert(SCALE.into(), String::from("the preset"));
            tensors.insert(SCALE.into(), HostTensor { shape: vec![1], values: vec![scale] });
            report.by_preset.push(format!("{SCALE} {scale}"));
        }
        let missing = self.shapes.iter().filter(|(name, _)| !found_as.contains_key(*name));
        report.missing = missing.map(|(name, shape)| format!("{name} {shape:?}")).collect();
        report.unused.sort();
        if report.missing.is_empty() && report.misshapen.is_empty() {
            Ok((tensors, report))
        } else {
            Err(ImportError::Incomplete { what: self.what.clone(), report: Box::new(report), remedy: self.remedy })
        }
    }
}

/// Reads the tensors of `files` (names for messages, and contents) whose names begin with `prefix` into `preset`'s names.
///
/// # Errors
/// A preset that cannot work, a damaged file, values that are not finite or no floats, a parameter that is there twice, missing or
/// misshapen.
pub fn import(files: &[(&str, &[u8])], prefix: &str, preset: &Preset) -> Result<(BTreeMap<String, HostTensor>, LoadReport), ImportError> {
    let files = open(files)?;
    let shapes = parameter_shapes(preset).map_err(WeightsError::from)?;
    let (what, scale) = (format!("preset {}", preset.name), Some(preset.latent_scale));
    let remedy = "choose another preset, or add the file that holds what is missing";
    Wanted { what, remedy, shapes, roots: &ROOTS, scale, frozen: false }.read(&files, prefix)
}

/// Reads LPIPS's weights, under the names [`LPIPS_ROOT`]`.*`, from a file (its name, for messages, and its content). They may be
/// alone in it, with or without that prefix, or in a checkpoint of the public code.
///
/// # Errors
/// As [`import`], except that of several copies the first is taken.
pub fn import_lpips(file: (&str, &[u8])) -> Result<(BTreeMap<String, HostTensor>, LoadReport), ImportError> {
    let files = open(&[file])?;
    let recorder = ParameterRecorder::default();
    let engine = CountingEngine::default();
    Lpips::new(&VarBuilder::new(&engine, &recorder).pp(LPIPS_ROOT)).map_err(WeightsError::from)?;
    let shapes = recorder.take_shapes();
    let (what, remedy) = (String::from("LPIPS over VGG16"), "give the file of a first stage, or VGG16's convolutions and the weightings");
    Wanted { what, remedy, shapes, roots: &["", "loss.perceptual_loss."], scale: None, frozen: true }.read(&files, "")
}
