//! Datasets opened for training: their samples by one index, prepared for a network.
//!
//! A sample that was prepared once is kept while there is room, because some channels take longer to compute than a small network
//! takes to learn from them. What is kept never changes what comes out.

use super::config::DatasetConfig;
use super::curriculum::{Ranks, difficulty};
use super::order::{Share, shares};
use super::sample::{PreparedSample, SampleFormat};
use super::source::{Defaults, Source};
use anyhow::{Context, Result, ensure};
use radiodiff_radio::features::TurnedPlane;
use radiodiff_radio::geometry::Symmetry;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::splits::Scheme;

/// How a list of datasets is opened.
#[derive(Clone, Debug)]
pub struct SetOptions {
    /// The folder of `gain` of datasets that name none.
    pub method: String,
    /// The scheme of splits that name none.
    pub scheme: Scheme,
    /// Bytes of prepared samples that may be kept in memory.
    pub keep_bytes: usize,
    /// Whether a sample that cannot be read is replaced by the next one of its dataset, with a warning, instead of being an error.
    pub skip_damaged: bool,
}

impl Default for SetOptions {
    /// DPM, RadioUNet's splits, nothing kept and nothing skipped.
    fn default() -> Self {
        Self { method: "DPM".into(), scheme: Scheme::default(), keep_bytes: 0, skip_damaged: false }
    }
}

/// Opened datasets. Samples have one index over all of them, in the order of the list.
#[derive(Debug)]
pub struct TrainingSet {
    sources: Vec<Source>,
    shares: Vec<Share>,
    format: SampleFormat,
    planes: Vec<Vec<TurnedPlane>>,
    skip_damaged: bool,
    /// Indices of samples that could not be read and were skipped.
    damaged: Mutex<BTreeSet<usize>>,
    kept: Vec<OnceLock<Arc<PreparedSample>>>,
    room: AtomicUsize,
    /// Made when a curriculum first asks for them.
    ranks: OnceLock<Arc<Vec<Ranks>>>,
}

impl TrainingSet {
    /// Opens every dataset of a list. Files are listed, and none of their images is read yet.
    ///
    /// # Errors
    /// An empty list; a folder that is no dataset or holds no map of its split; shards without the channels of the format; weights
    /// of some datasets only, or not above 0; channels that cannot be turned.
    pub fn open(datasets: &[DatasetConfig], format: SampleFormat, options: &SetOptions) -> Result<Self> {
        ensure!(!datasets.is_empty(), "the list of datasets is empty: expected at least one folder to read maps from");
        let weights: Vec<f64> = datasets.iter().filter_map(|dataset| dataset.weight).collect();
        ensure!(
            weights.is_empty() || weights.len() == datasets.len(),
            "{} of {} datasets have a weight: give all of them one, or none",
            weights.len(),
            datasets.len()
        );
        let defaults = Defaults { method: &options.method, scheme: options.scheme };
        let open = |dataset| Source::open(dataset, defaults, &format);
        let sources = datasets.iter().map(open).collect::<Result<Vec<_>>>()?;
        let sizes: Vec<usize> = sources.iter().map(Source::len).collect();
        let shares = shares(&sizes, (!weights.is_empty()).then_some(&weights))?;
        let samples = sizes.iter().sum();
        ensure!(u32::try_from(samples).is_ok(), "{samples} samples are more than are counted in 32 bits");
        Ok(Self {
            sources,
            shares,
            planes: format.turned_planes()?,
            format,
            skip_damaged: options.skip_damaged,
            damaged: Mutex::default(),
            kept: (0..samples).map(|_| OnceLock::new()).collect(),
            room: AtomicUsize::new(options.keep_bytes),
            ranks: OnceLock::new(),
        })
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Never true: a dataset without maps is refused.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub fn format(&self) -> &SampleFormat {
        &self.format
    }

    pub(super) fn shares(&self) -> &[Share] {
        &self.shares
    }

    /// The datasets: folder, number of samples, and method.
    pub fn folders(&self) -> impl Iterator<Item = (&Path, usize, &str)> {
        self.sources.iter().map(|source| (source.folder(), source.len(), source.method()))
    }

    /// A sample's name for messages: its map, transmitter and folder.
    ///
    /// # Panics
    /// When `index` is not below [`Self::len`].
    pub fn name(&self, index: usize) -> String {
        let (source, place) = self.source_of(index);
        source.name(place)
    }

    /// How many samples were skipped because they could not be read.
    pub fn skipped(&self) -> usize {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// One prepared sample; in place of one that cannot be read, where such are skipped, the next of its dataset.
    ///
    /// # Errors
    /// A file that is missing or not what it should be, which the message names; where such are skipped, a dataset of nothing else.
    ///
    /// # Panics
    /// When `index` is not below [`Self::len`].
    pub fn sample(&self, index: usize) -> Result<Arc<PreparedSample>> {
        if !self.skip_damaged {
            return self.prepared(index);
        }
        let Share { first, samples, .. } = self.share_of(index);
        let mut last = None;
        for candidate in (0..samples).map(|step| first + (index - first + step) % samples) {
            if self.damaged.lock().unwrap_or_else(PoisonError::into_inner).contains(&candidate) {
                continue;
            }
            match self.prepared(candidate) {
                Ok(sample) => return Ok(sample),
                Err(error) => {
                    // Two threads may find the same damage; one of them says so.
                    if self.damaged.lock().unwrap_or_else(PoisonError::into_inner).insert(candidate) {
                        eprintln!("warning: a sample is skipped: {error:#}");
                    }
                    last = Some(error);
                }
            }
        }
        let (source, _) = self.source_of(index);
        let error = last.unwrap_or_else(|| anyhow::anyhow!("all of them are damaged"));
        Err(error).with_context(|| format!("{} holds no sample that can be read", source.folder().display()))
    }

    /// For each dataset its samples by difficulty. The first call reads every map, without the condition's channels, on all cores. A
    /// sample that cannot be read counts as hardest where such are skipped.
    pub(super) fn ranks(&self) -> Result<Arc<Vec<Ranks>>> {
        if let Some(ranks) = self.ranks.get() {
            return Ok(Arc::clone(ranks));
        }
        let maps_only = SampleFormat { channels: Vec::new(), ..self.format.clone() };
        let of_sample = |source: &Source, place: usize| match source.prepare(place, &maps_only) {
            Ok(sample) => Ok(difficulty(&sample)),
            Err(_) if self.skip_damaged => Ok(f64::INFINITY),
            Err(error) => Err(error.context(source.name(place))),
        };
        let of_source = |source: &Source| {
            let difficulties = (0..source.len()).into_par_iter().map(|place| of_sample(source, place)).collect::<Result<Vec<f64>>>()?;
            Ok(Ranks::new(&difficulties))
        };
        let ranks = Arc::new(self.sources.iter().map(of_source).collect::<Result<Vec<Ranks>>>()?);
        Ok(Arc::clone(self.ranks.get_or_init(|| ranks)))
    }

    fn prepared(&self, index: usize) -> Result<Arc<PreparedSample>> {
        if let Some(sample) = self.kept[index].get() {
            return Ok(Arc::clone(sample));
        }
        let (source, place) = self.source_of(index);
        let sample = Arc::new(source.prepare(place, &self.format).with_context(|| source.name(place))?);
        let bytes = sample.bytes();
        let take = |room: usize| room.checked_sub(bytes);
        if source.is_slow() && self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
            // Where two threads prepared the same sample, its room is taken twice; that is rare and only wastes room.
            let _ = self.kept[index].set(Arc::clone(&sample));
        }
        Ok(sample)
    }

    fn share_of(&self, index: usize) -> Share {
        assert!(index < self.len(), "sample {index} of {}", self.len());
        self.shares[self.shares.partition_point(|share| share.first <= index) - 1]
    }

    fn source_of(&self, index: usize) -> (&Source, usize) {
        assert!(index < self.len(), "sample {index} of {}", self.len());
        let source = self.shares.partition_point(|share| share.first <= index) - 1;
        (&self.sources[source], index - self.shares[source].first)
    }

    /// The planes that a condition turned by a symmetry is made of.
    pub fn planes(&self, symmetry: Symmetry) -> &[TurnedPlane] {
        &self.planes[symmetry.number()]
    }
}
