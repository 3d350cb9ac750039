//! What the `trainer` command is made of.
//!
//! [`synth`] makes datasets, [`simulate`] their maps, [`statistics`] measures them, [`dataset`] reads and writes them, [`train`]
//! turns one into weights by [`torch`], [`evaluate`] compares maps with a dataset's, [`export`] writes what ships. [`goldens`]
//! writes what the networks compute, to be compared with other programs, [`presets`] what they cost; [`import`] reads the public
//! code's checkpoints.

#[cfg(feature = "torch")]
pub mod config;
pub mod dataset;
pub mod evaluate;
pub mod export;
pub mod files;
pub mod goldens;
pub mod import;
pub mod presets;
mod progress;
mod raster;
pub mod simulate;
pub mod statistics;
pub mod synth;
#[cfg(feature = "torch")]
pub mod torch;
#[cfg(feature = "torch")]
pub mod train;
