//! One dataset: a folder whose images are read and whose channels are computed, or shards that hold both.

use super::config::DatasetConfig;
use super::sample::{PreparedSample, SampleFormat};
use super::unpack::unpack;
use crate::folder::Dataset;
use crate::shards::Shards;
use crate::splits::{Scheme, split_name};
use anyhow::{Context, Result, ensure};
use std::cell::RefCell;
use std::path::{Path, PathBuf};

thread_local! {
    /// What a record is read into.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What datasets of a list have in common where they do not say otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Defaults<'a> {
    pub method: &'a str,
    pub scheme: Scheme,
}

/// An opened dataset.
#[derive(Debug)]
pub struct Source {
    folder: PathBuf,
    samples: Samples,
}

#[derive(Debug)]
enum Samples {
    Folder(Dataset),
    Packed(Shards),
}

impl Source {
    /// # Errors
    /// Those of [`super::TrainingSet::open`] that concern one dataset.
    pub fn open(config: &DatasetConfig, defaults: Defaults, format: &SampleFormat) -> Result<Self> {
        let folder = config.path.clone();
        let samples = if Shards::are_in(&folder) {
            Samples::Packed(open_shards(config, defaults, format)?)
        } else {
            Samples::Folder(open_folder(config, defaults)?)
        };
        Ok(Self { folder, samples })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn len(&self) -> usize {
        match &self.samples {
            Samples::Folder(dataset) => dataset.len(),
            Samples::Packed(shards) => shards.len(),
        }
    }

    /// The simulation whose maps they are.
    pub fn method(&self) -> &str {
        match &self.samples {
            Samples::Folder(dataset) => dataset.variant().name(),
            Samples::Packed(shards) => &shards.manifest().method,
        }
    }

    /// A sample's name for messages.
    pub fn name(&self, i: usize) -> String {
        let folder = self.folder.display();
        match &self.samples {
            Samples::Folder(dataset) => format!("map {} of {folder}", dataset.name(i)),
            Samples::Packed(_) => format!("sample {i} of {folder}"),
        }
    }

    /// Whether preparing a sample takes much longer than copying it.
    pub fn is_slow(&self) -> bool {
        matches!(self.samples, Samples::Folder(_))
    }

    /// # Errors
    /// A file that is missing or not what it should be; a map of another size than the format's.
    pub fn prepare(&self, i: usize, format: &SampleFormat) -> Result<PreparedSample> {
        match &self.samples {
            Samples::Folder(dataset) => PreparedSample::compute(&dataset.load(i)?, format),
            Samples::Packed(shards) => BUFFER.with_borrow_mut(|buffer| unpack(&shards.record(i, buffer)?, shards, format)),
        }
    }
}

fn open_folder(config: &DatasetConfig, defaults: Defaults) -> Result<Dataset> {
    let mut dataset = Dataset::open(&config.path, config.method.as_deref().unwrap_or(defaults.method))?;
    if let Some(notice) = dataset.notice() {
        eprintln!("warning: {notice}");
    }
    if let Some(split) = config.split {
        let scheme = config.scheme.unwrap_or(defaults.scheme);
        let absent = scheme.keep(split, &mut dataset).with_context(|| config.path.display().to_string())?;
        if absent > 0 {
            eprintln!("warning: {} lacks {absent} maps of the split {}", config.path.display(), split_name(scheme, split));
        }
    }
    Ok(dataset)
}

fn open_shards(config: &DatasetConfig, defaults: Defaults, format: &SampleFormat) -> Result<Shards> {
    let (shards, shown) = (Shards::open(&config.path)?, config.path.display());
    let method = config.method.as_deref().unwrap_or(defaults.method);
    let manifest = shards.manifest();
    ensure!(
        manifest.method.eq_ignore_ascii_case(method),
        "{shown} holds maps of {}, expected {method}: name the method of the shards, or pack others",
        manifest.method
    );
    if let Some(split) = config.split {
        let expected = split_name(config.scheme.unwrap_or(defaults.scheme), split);
        ensure!(manifest.split == expected, "{shown} holds the split {:?}, expected {expected:?}: pack that split", manifest.split);
    }
    shards.layout().check_channels(&format.channels, &format.gray).with_context(|| shown.to_string())?;
    format.check(shards.grid()).with_context(|| shown.to_string())?;
    Ok(shards)
}
