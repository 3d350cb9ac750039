//! The subcommands of `dataset`, which `radiodiff` and `trainer` share.

use crate::{check, shards, statistics, stream, synth};
use anyhow::Result;

/// Make, measure, check and pack datasets of radio maps
#[derive(clap::Subcommand)]
pub enum Command {
    Synth(synth::Args),
    Statistics(statistics::Args),
    Check(check::Args),
    Pack(shards::PackArgs),
    Bench(stream::BenchArgs),
}

impl Command {
    /// # Errors
    /// Those of the subcommand: a folder that is no dataset, a disk that cannot be written.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::Synth(args) => synth::run(args),
            Self::Statistics(args) => statistics::run(args),
            Self::Check(args) => check::run(args),
            Self::Pack(args) => shards::pack(args),
            Self::Bench(args) => stream::bench(args),
        }
    }
}
