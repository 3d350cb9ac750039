//! The subcommands of `dataset`, which `radiodiff` and `trainer` share.

use crate::{bench, check, pack, statistics, synth};
use anyhow::Result;

/// Makes, measures, checks and packs datasets of radio maps.
#[derive(clap::Subcommand)]
pub enum Command {
    Synth(synth::Args),
    Statistics(statistics::Args),
    Check(check::Args),
    Pack(pack::Args),
    Bench(bench::Args),
}

impl Command {
    /// # Errors
    /// Those of the subcommand: a folder that is no dataset, a disk that cannot be written.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::Synth(args) => synth::run(args),
            Self::Statistics(args) => statistics::run(args),
            Self::Check(args) => check::run(args),
            Self::Pack(args) => pack::run(args),
            Self::Bench(args) => bench::run(args),
        }
    }
}
