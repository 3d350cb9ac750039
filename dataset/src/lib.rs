//! Datasets of radio maps, in RadioMapSeer's folders.
//!
//! Training and evaluation know one kind of dataset only, so that the authors' data, which users bring, and the maps that
//! `radiodiff dataset synth` makes are read by the same code:
//!
//! - [`folder`] reads and writes the layout; its text lists the files;
//! - [`splits`] names the published lists of maps to train, validate and test on;
//! - [`synth`] makes scenes, procedural or cut from real cities, and their maps;
//! - [`simulate`] computes the maps of a folder's scenes again;
//! - [`check`] reports what is wrong with a folder, [`statistics`] measures its buildings and streets;
//! - [`shards`] packs samples, and channels computed from them, into files of equally long records;
//! - [`stream`] gives training its samples: any of these datasets, mixed, in batches that are made ahead;
//! - [`share`] says which part of the work is this process's, where a launcher started several.
//!
//! Each room has the subcommand of `radiodiff dataset` that a user runs it by ([`Command`]); `trainer` has the same subcommands.
//!
//! Errors are [`anyhow`]'s, except where a caller can do something about one of them: nearly every error here is about a user's
//! file, and a person has to read its name, what was expected in it and what was found. No caller branches on that.

pub mod check;
mod commands;
pub mod files;
pub mod folder;
pub mod progress;
mod random;
pub mod shards;
pub mod share;
pub mod simulate;
pub mod splits;
pub mod statistics;
pub mod stream;
pub mod synth;

pub use commands::Command;
pub use folder::{Dataset, Sample, Variant};
