//! Checking folders in RadioMapSeer's layout, or of packed shards.
//!
//! In flow folders; out flows a [`Report`]: what is there, what is wrong (each kind with a count and the files' names) and what is
//! only worth knowing. Every file is read. Each of several folders counts as one split, so that `radiodiff dataset check train test`
//! finds buildings that are in both; a single folder is taken apart into RadioUNet's splits.

mod command;
mod duplicates;
mod folder;
mod report;

pub use command::{Args, check, run};
pub use report::{Findings, Report};
