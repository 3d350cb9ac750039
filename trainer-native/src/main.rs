//! The command `trainer`. Exit codes: 0 done, 1 failed, 2 wrong usage.

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use trainer::simulate;

/// Makes datasets of radio maps, trains RadioDiff on them, evaluates and exports the weights.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Simulate(simulate::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Simulate(args) => simulate::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
