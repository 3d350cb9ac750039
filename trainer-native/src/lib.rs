//! What the `trainer` command is made of.
//!
//! [`data`] gives a dataset as tensors, [`train`] turns it into weights by [`torch`], [`evaluate`] compares maps with a dataset's, [`export`] writes what ships.
//! [`presets`] counts the networks' parameters and operations; [`import`] reads the public code's checkpoints. Datasets come from the crate `radiodiff-dataset`.

pub mod bench;
pub mod config;
pub mod data;
pub mod evaluate;
pub mod export;
pub mod import;
pub mod presets;
pub mod run_log;
pub mod torch;
pub mod train;
