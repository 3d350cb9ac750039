//! The command `radiodiff`. Exit codes: 0 done, 1 failed, 2 wrong usage.

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Radio maps on the command line.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes, measures, checks and packs datasets of radio maps.
    #[command(subcommand)]
    Dataset(radiodiff_dataset::Command),
    Simulate(radiodiff_dataset::simulate::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Dataset(command) => command.run(),
        Command::Simulate(args) => radiodiff_dataset::simulate::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
