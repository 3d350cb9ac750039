//! What the `trainer` command is made of: datasets read, written and simulated.

pub mod dataset;
pub mod simulate;
