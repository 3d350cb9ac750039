//! What the `trainer` command is made of.
//!
//! [`data`] gives a dataset as tensors, [`train`] turns it into weights by [`torch`] and writes a [`run_log`], which [`report`] reads, and
//! a [`checkpoint`] every so often; [`parallel`] lets several processes do so together. [`stored_weights`] reads weights again, from files
//! and checkpoints. [`drawing`] draws maps by a network: [`sample`] writes them, [`evaluate`] compares them with a dataset's. [`export`]
//! writes what ships, [`doctor`] checks the machine. [`presets`] counts the networks' parameters and operations; [`import`] reads the
//! public code's checkpoints. Datasets come from the crate `radiodiff-dataset`.

pub mod bench;
pub mod chart;
pub mod checkpoint;
pub mod config;
pub mod data;
pub mod doctor;
pub mod drawing;
pub mod evaluate;
pub mod export;
pub mod gpu;
pub mod import;
pub mod parallel;
pub mod presets;
pub mod report;
pub mod run_log;
pub mod sample;
pub mod selection;
pub mod stored_weights;
pub mod torch;
pub mod train;
