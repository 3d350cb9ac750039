//! The command `radiodiff`: radio maps for planners, without training. Exit codes: 0 done, 1 failed, 2 wrong usage.
//!
//! [`predict`] draws a map of a user's own buildings, [`batch`] many of them, [`calibrate`] fits one to measured power. [`sites`] finds
//! places for transmitters, and `serve` answers over HTTP. [`drawing`] is what they share. The other subcommands work on folders of
//! many maps and live in the crate `radiodiff-dataset`, whose arguments `trainer` shares.

mod batch;
mod calibrate;
mod drawing;
mod predict;
#[cfg(feature = "serve")]
mod serve;
mod sites;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Radio maps on the command line
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Predict(Box<predict::Args>),
    Batch(batch::Args),
    Sites(Box<sites::Args>),
    #[cfg(feature = "serve")]
    Serve(serve::Args),
    Calibrate(calibrate::Args),
    Simulate(radiodiff_dataset::simulate::Args),
    /// Make, measure, check and pack datasets of radio maps
    #[command(subcommand)]
    Dataset(radiodiff_dataset::Command),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Predict(args) => predict::run(&args),
        Command::Batch(args) => batch::run(&args),
        Command::Sites(args) => sites::run(&args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Simulate(args) => radiodiff_dataset::simulate::run(&args),
        Command::Dataset(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
