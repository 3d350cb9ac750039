//! Batches on a device.

use super::config::DataConfig;
use super::description::describe;
use crate::torch::Staged;
use anyhow::{Context, Result};
use half::f16;
use radiodiff_core::model::Preset;
use radiodiff_dataset::stream::{
    BatchIn, BatchMemory, DatasetConfig, OrderedSample, SampleFormat, SampleStream, StreamOptions, StreamPosition, TrainingSet,
};
use radiodiff_radio::geometry::Symmetry;
use radiodiff_radio::map::GrayCodec;
use std::sync::Arc;
use tch::{Device, Kind, Tensor};

/// Samples on a device, float32; maps are gray levels of the preset's scale, moved to [-1, 1].
pub struct Batch {
    /// Which samples they are and how they are turned.
    pub samples: Vec<OrderedSample>,
    /// (B, C, N, N); C is 0 where only maps are wanted.
    pub condition: Tensor,
    /// (B, 1, N, N)
    pub truth: Tensor,
    /// (B, 1, N, N), 1 outdoors, 0 inside buildings and where the map is not known.
    pub outdoors: Tensor,
}

impl Batch {
    /// The same tensors once more.
    pub fn shallow_clone(&self) -> Self {
        let [condition, truth, outdoors] = [&self.condition, &self.truth, &self.outdoors].map(Tensor::shallow_clone);
        Self { samples: self.samples.clone(), condition, truth, outdoors }
    }

    /// The same samples cut to `side` x `side` pixels from (top, left).
    pub fn crop(&self, top: i64, left: i64, side: i64) -> Self {
        let cut = |x: &Tensor| x.narrow(2, top, side).narrow(3, left, side).contiguous();
        let samples = self.samples.clone();
        Self { samples, condition: cut(&self.condition), truth: cut(&self.truth), outdoors: cut(&self.outdoors) }
    }
}

/// Opened datasets, for one preset and one device.
pub struct TrainingData {
    set: Arc<TrainingSet>,
    tensors: Tensors,
    /// The samples' sources, for the weights' manifest.
    pub description: String,
}

impl TrainingData {
    /// Opens datasets for a preset, of pixels within `pixels_m`. With `with_condition` samples have the preset's channels, without it their
    /// maps alone, which are read much faster.
    ///
    /// # Errors
    /// Those of [`TrainingSet::open`].
    pub fn open(
        datasets: &[DatasetConfig],
        settings: &DataConfig,
        (preset, pixels_m): (&Preset, [f64; 2]),
        with_condition: bool,
        device: Device,
    ) -> Result<Self> {
        let channels = if with_condition { preset.condition.channels.clone() } else { Vec::new() };
        let format = SampleFormat { size: preset.map_size, pixels_m, channels, gray: preset.gray };
        let set = TrainingSet::open(datasets, format, &settings.set_options()).context("see data.train and data.valid")?;
        let tensors = Tensors { device, rescaled: rescaled(&preset.gray).map(|levels| levels.to_device(device)) };
        Ok(Self { description: describe(&set), set: Arc::new(set), tensors })
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// Never true: a dataset without maps is refused.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// One sample that is not turned.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn sample(&self, index: usize) -> Result<Batch> {
        self.batch(&[OrderedSample { index, symmetry: Symmetry::default() }])
    }

    /// These samples, each turned by its symmetry.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn batch(&self, samples: &[OrderedSample]) -> Result<Batch> {
        Ok(self.tensors.of(&self.set, self.set.batch_in(&StagingMemory(self.tensors.device), samples)?))
    }

    /// Where a stream of `seed` is after so many samples: after n steps, n times the samples that a step of all processes takes.
    pub fn position(&self, seed: u64, samples: usize) -> StreamPosition {
        StreamPosition::start(seed).advanced(samples, self.len())
    }

    /// The endless row of batches from a position on, made ahead by threads.
    ///
    /// # Errors
    /// Those of [`SampleStream::start`].
    pub fn stream(&self, options: StreamOptions, position: StreamPosition) -> Result<BatchStream> {
        let stream = SampleStream::start_in(StagingMemory(self.tensors.device), &self.set, options, position)?;
        Ok(BatchStream { stream, set: Arc::clone(&self.set), tensors: self.tensors.shallow_clone() })
    }
}

/// A row of batches.
pub struct BatchStream {
    stream: SampleStream<StagingMemory>,
    set: Arc<TrainingSet>,
    tensors: Tensors,
}

impl BatchStream {
    /// The next batch.
    ///
    /// # Errors
    /// A sample that cannot be read and is not skipped; the stream has ended then.
    pub fn next_batch(&mut self) -> Result<Batch> {
        Ok(self.tensors.of(&self.set, self.stream.next_batch()?))
    }

    /// Where the next batch begins.
    pub fn position(&self) -> StreamPosition {
        self.stream.position()
    }
}

/// Where the stream's threads write batches for a device, so that the thread that trains copies nothing but to the device.
struct StagingMemory(Device);

impl BatchMemory for StagingMemory {
    type Condition = Staged<f16>;
    type Image = Staged<u8>;

    fn condition(&self, values: usize) -> Staged<f16> {
        Staged::new(self.0, values)
    }

    fn image(&self, pixels: usize) -> Staged<u8> {
        Staged::new(self.0, pixels)
    }
}

/// How samples become tensors.
struct Tensors {
    device: Device,
    /// The preset's gray level in [-1, 1] of each level of the files, (256); `None` where both scales are the same.
    rescaled: Option<Tensor>,
}

impl Tensors {
    fn shallow_clone(&self) -> Self {
        Self { device: self.device, rescaled: self.rescaled.as_ref().map(Tensor::shallow_clone) }
    }

    fn of(&self, set: &TrainingSet, batch: BatchIn<StagingMemory>) -> Batch {
        let (count, side, channels) = (batch.samples.len() as i64, set.format().size as i64, set.format().channels.len() as i64);
        let [levels, outdoors] = [batch.truth, batch.outdoors].map(|image| image.send(&[count, 1, side, side]).to_kind(Kind::Float));
        let truth = match &self.rescaled {
            None => levels / 127.5 - 1.0,
            Some(table) => {
                let rescaled = table.index_select(0, &levels.to_kind(Kind::Int64).view(-1)).view_as(&levels);
                (rescaled + 1.0) * &outdoors - 1.0
            }
        };
        let condition = batch.condition.send(&[count, channels, side, side]).to_kind(Kind::Float);
        Batch { samples: batch.samples, condition, truth, outdoors }
    }
}

/// The preset's gray level of each level of the files, `None` where both scales are the same.
fn rescaled(preset: &GrayCodec) -> Option<Tensor> {
    let files = GrayCodec::default();
    let level = |level: u8| 2.0 * preset.encode(files.decode(f32::from(level) / 255.0)) - 1.0;
    (*preset != files).then(|| Tensor::from_slice(&(0..=u8::MAX).map(level).collect::<Vec<_>>()))
}
