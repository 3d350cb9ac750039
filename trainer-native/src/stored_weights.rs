//! A network's weights from whatever holds them: a weights file, or the folder of a run's checkpoint.
//!
//! A checkpoint holds the weights twice: raw, as the optimiser left them, and their average, which is what validation draws with and
//! what ships. A weights file holds one of the two, mostly the average.

use crate::checkpoint::Stored;
use anyhow::{Context, Result, ensure};
use radiodiff_core::model::Preset;
use radiodiff_core::weights::{Checkpoint, HostTensor, Precision, WeightsManifest, serialize};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use tch::{Device, Kind, Tensor};

/// Which of a checkpoint's weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WeightsKind {
    /// Their average, and the weights themselves of what the phase does not train.
    #[default]
    Averaged,
    /// As the optimiser left them.
    Raw,
}

/// What is read of a checkpoint's state: the run's configuration, and of that the preset.
#[derive(Deserialize)]
struct SavedRun {
    config: String,
}

#[derive(Deserialize)]
struct SavedConfig {
    preset: Preset,
}

/// Reads the weights of a file, or of a checkpoint's folder `step-...`.
///
/// # Errors
/// What cannot be read or is damaged, by name; raw weights asked of a file.
pub fn open(path: &Path, kind: WeightsKind) -> Result<Checkpoint> {
    let with = || format!("the weights {}", path.display());
    if path.is_dir() {
        return of_checkpoint(path, kind).with_context(with);
    }
    ensure!(
        kind == WeightsKind::Averaged,
        "{} is a file, which has one kind of weights: give the folder of a checkpoint (checkpoints/step-...) for the raw ones",
        path.display()
    );
    let bytes = std::fs::read(path).with_context(|| format!("reading the weights {}", path.display()))?;
    Checkpoint::parse(&bytes).with_context(with)
}

fn of_checkpoint(folder: &Path, kind: WeightsKind) -> Result<Checkpoint> {
    let stored = Stored::<SavedRun>::open(folder)?;
    let SavedConfig { preset } = toml::from_str(&stored.state.config).context("its configuration")?;
    let mut tensors = stored.tensors("networks")?;
    if kind == WeightsKind::Averaged {
        let averages = stored.tensors("average")?.into_iter();
        let averages = averages.filter_map(|(name, average)| Some((name.strip_prefix("average.")?.to_owned(), average)));
        tensors.extend(averages);
    }
    // Of two of one name the last stays.
    let tensors = tensors.into_iter().map(|(name, tensor)| Ok((name, on_host(&tensor)?)));
    let tensors = tensors.collect::<Result<BTreeMap<String, HostTensor>>>()?;
    Ok(Checkpoint::parse(&serialize(&tensors, WeightsManifest::of(preset), Precision::F32)?)?)
}

fn on_host(tensor: &Tensor) -> Result<HostTensor> {
    let shape = tensor.size().iter().map(|&n| n as usize).collect();
    let flat = tensor.to_device(Device::Cpu).to_kind(Kind::Float).contiguous().view(-1);
    Ok(HostTensor { shape, values: Vec::<f32>::try_from(&flat)? })
}
