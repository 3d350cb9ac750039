//! What the `trainer` command is made of.
//!
//! [`train`] turns a dataset into weights by [`torch`], [`evaluate`] compares maps with a dataset's, [`export`] writes what ships.
//! [`goldens`] writes what the networks compute, to be compared with other programs, [`presets`] what they cost; [`import`] reads
//! the public code's checkpoints. Datasets come from the crate `radiodiff-dataset`.

pub mod config;
pub mod evaluate;
pub mod export;
pub mod goldens;
pub mod import;
pub mod presets;
pub mod torch;
pub mod train;
