//! What the `trainer` command is made of.
//!
//! [`simulate`] makes datasets, [`dataset`] reads and writes them, [`train`] turns one into weights by [`torch`], [`evaluate`]
//! compares maps with a dataset's, [`export`] writes what ships.

#[cfg(feature = "torch")]
pub mod config;
pub mod dataset;
pub mod evaluate;
pub mod export;
pub mod files;
pub mod simulate;
#[cfg(feature = "torch")]
pub mod torch;
#[cfg(feature = "torch")]
pub mod train;
