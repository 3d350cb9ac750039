//! Batches made ahead by worker threads.
//!
//! Thread t of T makes the batches t, t + T, ... into a queue of its own, and the queues are read in turn: any number of threads
//! gives the same batches in the same order. Threads write into [`BatchMemory`], so that a batch can be made where it is needed.

use super::curriculum::Curriculum;
use super::order::{Order, OrderedSample, StreamPosition};
use super::set::TrainingSet;
use crate::share::RankShare;
use anyhow::{Context, Result, bail, ensure};
use half::f16;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

/// Batches that each thread makes ahead.
const AHEAD: usize = 2;

/// How a stream makes batches.
#[derive(Clone, Copy, Debug)]
pub struct StreamOptions {
    /// Samples a batch, of this process.
    pub batch: usize,
    /// Samples are turned by symmetries drawn among the first so many: 1 turns none, 8 draws among all.
    pub symmetries: usize,
    pub threads: usize,
    /// The row's next `batch` samples go to the first process, the `batch` after them to the second, and so on.
    pub share: RankShare,
    /// Easy samples first; `None` draws among all from the beginning.
    pub curriculum: Option<Curriculum>,
}

impl Default for StreamOptions {
    /// Single samples that are not turned, for one process.
    fn default() -> Self {
        Self { batch: 1, symmetries: 1, threads: 1, share: RankShare::ALONE, curriculum: None }
    }
}

/// Samples in memory, row-major. Values are in vectors, or in what a [`BatchMemory`] gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SampleBatch<C = Vec<f16>, I = Vec<u8>> {
    /// Which samples they are and how they are turned.
    pub samples: Vec<OrderedSample>,
    /// (B, C, N, N) in [-1, 1].
    pub condition: C,
    /// (B, 1, N, N) gray levels on the files' scale.
    pub truth: I,
    /// (B, 1, N, N), 1 outdoors, 0 inside buildings and where the map is not known.
    pub outdoors: I,
}

/// Where batches are written: ordinary memory, or memory that a device reads by itself.
pub trait BatchMemory: Send + Sync + 'static {
    type Condition: AsMut<[f16]> + Send;
    type Image: AsMut<[u8]> + Send;

    /// Room for so many values of conditions; what they are does not matter.
    fn condition(&self, values: usize) -> Self::Condition;

    /// Room for so many pixels of images; what they are does not matter.
    fn image(&self, pixels: usize) -> Self::Image;
}

/// The samples of a batch in a memory.
pub type BatchIn<M> = SampleBatch<<M as BatchMemory>::Condition, <M as BatchMemory>::Image>;

/// Vectors.
#[derive(Clone, Copy, Debug, Default)]
pub struct OrdinaryMemory;

impl BatchMemory for OrdinaryMemory {
    type Condition = Vec<f16>;
    type Image = Vec<u8>;

    fn condition(&self, values: usize) -> Vec<f16> {
        vec![f16::ZERO; values]
    }

    fn image(&self, pixels: usize) -> Vec<u8> {
        vec![0; pixels]
    }
}

/// An endless row of batches. Its threads end when it is dropped.
#[derive(Debug)]
pub struct SampleStream<M: BatchMemory = OrdinaryMemory> {
    queues: Vec<Receiver<Result<BatchIn<M>>>>,
    next: usize,
    position: StreamPosition,
    /// Samples that one batch moves the position by: those of all processes.
    stride: usize,
    epoch_length: usize,
}

impl SampleStream {
    /// Starts the threads at a position; batches are vectors.
    ///
    /// # Errors
    /// Those of [`SampleStream::start_in`].
    pub fn start(set: &Arc<TrainingSet>, options: StreamOptions, position: StreamPosition) -> Result<Self> {
        Self::start_in(OrdinaryMemory, set, options, position)
    }
}

impl<M: BatchMemory> SampleStream<M> {
    /// Starts the threads at a position; they write batches into `memory`.
    ///
    /// # Errors
    /// A batch of nothing, no thread or no symmetry, or more than eight; a position outside the epoch, which another dataset left; a
    /// thread that cannot be started; for a curriculum, which looks at every map, a sample that cannot be read.
    pub fn start_in(memory: M, set: &Arc<TrainingSet>, options: StreamOptions, position: StreamPosition) -> Result<Self> {
        let memory = Arc::new(memory);
        let StreamOptions { batch, symmetries, threads, share, curriculum } = options;
        ensure!(batch > 0 && threads > 0, "a stream of batches of {batch} samples by {threads} threads: expected at least 1 of each");
        ensure!((1..=8).contains(&symmetries), "samples turned by {symmetries} symmetries: expected 1 to 8");
        let order = Order::new(position.seed, set.shares().to_vec(), symmetries);
        let order = Arc::new(match curriculum {
            Some(curriculum) => order.with_curriculum(curriculum, set.ranks()?),
            None => order,
        });
        let (epoch_length, stride) = (order.length(), batch * share.world());
        ensure!(
            position.index < epoch_length,
            "the position is sample {} of an epoch of {epoch_length}: it belongs to other datasets",
            position.index
        );
        let own = position.advanced(share.rank() * batch, epoch_length);
        let start = |first: usize| {
            let (sender, receiver) = sync_channel(AHEAD);
            let (set, order, memory) = (Arc::clone(set), Arc::clone(&order), Arc::clone(&memory));
            let make = move || {
                for number in (first..).step_by(threads) {
                    let samples = order.samples(own.advanced(number * stride, epoch_length), batch);
                    let made = set.batch_in(memory.as_ref(), &samples);
                    let failed = made.is_err();
                    // Nobody receives once the stream is dropped.
                    if sender.send(made).is_err() || failed {
                        return;
                    }
                }
            };
            thread::Builder::new().name(format!("samples {first}")).spawn(make).context("starting a thread that makes batches")?;
            Ok(receiver)
        };
        let queues = (0..threads).map(start).collect::<Result<_>>()?;
        Ok(Self { queues, next: 0, position, stride, epoch_length })
    }

    /// Where the next batch begins: that of the first process, whichever this one is.
    pub fn position(&self) -> StreamPosition {
        self.position
    }

    /// Samples in an epoch.
    pub fn epoch_length(&self) -> usize {
        self.epoch_length
    }

    /// The next batch. After an error the stream has ended.
    ///
    /// # Errors
    /// A sample that cannot be read and is not skipped; the message names its file.
    pub fn next_batch(&mut self) -> Result<BatchIn<M>> {
        let queue = self.next % self.queues.len().max(1);
        let made = match self.queues.get(queue) {
            Some(queue) => queue.recv().context("a thread that makes batches has ended").flatten(),
            None => bail!("the stream of samples has ended with the error before"),
        };
        match made {
            Ok(batch) => {
                self.next += 1;
                self.position = self.position.advanced(self.stride, self.epoch_length);
                Ok(batch)
            }
            Err(error) => {
                self.queues.clear();
                Err(error)
            }
        }
    }
}

impl TrainingSet {
    /// These samples, each turned by its symmetry.
    ///
    /// # Errors
    /// As [`TrainingSet::sample`].
    pub fn batch(&self, samples: &[OrderedSample]) -> Result<SampleBatch> {
        self.batch_in(&OrdinaryMemory, samples)
    }

    /// As [`Self::batch`], in a memory.
    ///
    /// # Errors
    /// As [`TrainingSet::sample`].
    pub fn batch_in<M: BatchMemory>(&self, memory: &M, samples: &[OrderedSample]) -> Result<BatchIn<M>> {
        let (size, pixels, channels) = (self.format().size, self.format().pixels(), self.format().channels.len());
        let (mut condition, [mut truth, mut outdoors]) =
            (memory.condition(samples.len() * channels * pixels), [(); 2].map(|()| memory.image(samples.len() * pixels)));
        let mut planes = condition.as_mut().chunks_exact_mut(pixels);
        let images = truth.as_mut().chunks_exact_mut(pixels).zip(outdoors.as_mut().chunks_exact_mut(pixels));
        for (&OrderedSample { index, symmetry }, (truth, outdoors)) in samples.iter().zip(images) {
            let sample = self.sample(index)?;
            symmetry.turn(size, &sample.truth, truth);
            symmetry.turn(size, &sample.outdoors, outdoors);
            for plane in self.planes(symmetry) {
                let Some(out) = planes.next() else { bail!("a condition has more channels than its format") };
                symmetry.turn(size, &sample.condition[plane.source * pixels..][..pixels], out);
                if plane.sign < 0.0 {
                    out.iter_mut().for_each(|value| *value = -*value);
                }
            }
        }
        ensure!(planes.next().is_none(), "a condition has fewer channels than its format");
        Ok(SampleBatch { samples: samples.to_vec(), condition, truth, outdoors })
    }
}
