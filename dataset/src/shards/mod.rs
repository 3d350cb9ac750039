//! Samples packed for training: files of equally long records that are mapped into memory and read without decoding.
//!
//! A folder of shards holds `shard-00000.bin` and so on, and `manifest.json`, which is written last: a folder with a manifest is
//! complete.
//! Numbers are little-endian. A shard is
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `RADSHARD` |
//! | 4 x 4 | version (1), side length N in pixels, 1 with cars and 0 without, number of records |
//! | 4 | digest: CRC-32 of the records' CRC-32s one after the other |
//! | 4 | CRC-32 of the 28 bytes before |
//!
//! and then the records, each
//!
//! | bytes | what |
//! |---|---|
//! | N * N | gray levels of path gain, row-major, row 0 in the north |
//! | N * N / 8, rounded up | buildings, a bit a pixel, the lowest bit first |
//! | as many | cars, in shards with cars |
//! | 4 + 4 | map, transmitter |
//! | 8 + 8 | the transmitter's x and y in metres from the south-west, float64, on an outdoor pixel |
//! | 4 | CRC-32 of the record's bytes before |
//!
//! In flow the samples of a [`Dataset`](crate::Dataset) ([`pack`]); out flow [`Record`]s, or batches of them that threads make
//! ([`Shards::epoch`]). Sizes and headers are checked when a folder is opened, and a record's checksum whenever it is read.

mod batches;
mod bench;
mod format;
mod pack;
mod reader;

pub use batches::{Batches, Epoch, ShardBatch};
pub use bench::{Args as BenchArgs, run as bench};
pub use format::{RecordLayout, ShardEntry, ShardManifest};
pub use pack::{Args as PackArgs, run as pack};
pub use reader::{Record, Shards};
