//! Samples packed for training: files of equally long records that are read at any place without decoding.
//!
//! A folder of shards holds `shard-00000.bin` and so on, and `manifest.json`, which is written last: a folder with a manifest is
//! complete.
//! Numbers are little-endian. A shard is
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `RADSHARD` |
//! | 4 x 4 | version (2), side length N in pixels, 1 with cars and 0 without, number of records |
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
//! | a plane a channel | the channels that the manifest names, in its order: line of sight as a bit a pixel, others as float16 |
//! | 4 + 4 | map, transmitter |
//! | 8 + 8 | the transmitter's x and y in metres from the south-west, float64, on an outdoor pixel |
//! | 4 | CRC-32 of the record's bytes before |
//!
//! In flow the samples of a [`Dataset`](crate::Dataset) ([`pack`]); out flow [`Record`]s, which [`stream`](crate::stream) makes
//! batches of. Sizes and headers are checked when a folder is opened, and a record's checksum whenever it is read. Files are read, not
//! mapped into memory: mapped pages would count as the process's own, and a large dataset would seem to fill the machine.

mod format;
mod layout;
mod pack;
mod reader;

pub use format::{ShardEntry, ShardManifest};
pub use layout::{PlaneEncoding, RecordLayout, channel};
pub use pack::{Args as PackArgs, run as pack};
pub use reader::{Record, Shards};
