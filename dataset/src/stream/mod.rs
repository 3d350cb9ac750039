//! Samples for training, streamed in batches: the only way in which a network is given data.
//!
//! In flow [`DatasetConfig`]s: folders in RadioMapSeer's layout or of packed shards, a split of each, and how often each is drawn.
//! [`TrainingSet`] opens them and prepares single samples: the channels of the condition, gray levels, and the outdoor pixels. A
//! [`SampleStream`] has worker threads make [`SampleBatch`]es ahead, each sample turned by a symmetry. Memory is bounded whatever
//! the size of the datasets: by the batches ahead, and by what a training set may keep.
//!
//! The order of samples and their symmetries depend on the seed alone, not on threads, time or memory. It is an endless row of
//! epochs, and a [`StreamPosition`] is a place in it: a stream that starts there continues as the one that was there.

mod bench;
mod config;
mod curriculum;
mod order;
mod queue;
mod sample;
mod set;
mod source;
mod unpack;

pub use bench::{Args as BenchArgs, run as bench};
pub use config::DatasetConfig;
pub use curriculum::Curriculum;
pub use order::{OrderedSample, StreamPosition};
pub use queue::{BatchIn, BatchMemory, OrdinaryMemory, SampleBatch, SampleStream, StreamOptions};
pub use sample::{PreparedSample, SampleFormat};
pub use set::{SetOptions, TrainingSet};
