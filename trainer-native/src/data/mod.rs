//! The data that networks are trained and validated on, as tensors.
//!
//! In flow the configuration's datasets, which [`radiodiff_dataset::stream`] reads, prepares, mixes and turns on threads of its own.
//! Out flow [`Batch`]es on a device: by a [`BatchStream`] in the order that the seed fixes, or by [`TrainingData::batch`] the samples
//! that are asked for. A stream's [`StreamPosition`] is what a checkpoint holds of the data's order: a stream that starts there gives
//! the batches that would have come next.

mod batch;
mod config;
mod description;

pub use batch::{Batch, BatchStream, TrainingData};
pub use config::{DataConfig, Gains};
pub use radiodiff_dataset::share::RankShare;
pub use radiodiff_dataset::stream::{Curriculum, DatasetConfig, OrderedSample, StreamOptions, StreamPosition};
