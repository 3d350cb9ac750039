//! What the `trainer` command is made of.
//!
//! [`train`] turns a dataset into weights by [`torch`], with its state in a [`checkpoint`] every so often. [`evaluate`] compares maps with a dataset's, [`export`] writes what ships.
//! [`presets`] counts the networks' parameters and operations; [`import`] reads the public code's checkpoints. Datasets come from the crate `radiodiff-dataset`.

pub mod checkpoint;
pub mod config;
pub mod evaluate;
pub mod export;
pub mod import;
pub mod presets;
pub mod run_log;
pub mod torch;
pub mod train;
