//! The command `trainer`. Exit codes: 0 done, 1 failed, 2 wrong usage.

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use trainer::{doctor, evaluate, export, import, presets, report, sample};

/// Make datasets of radio maps, train RadioDiff on them, evaluate and export the weights
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make, measure, check and pack datasets of radio maps
    #[command(subcommand)]
    Dataset(radiodiff_dataset::Command),
    Simulate(radiodiff_dataset::simulate::Args),
    Train(trainer::train::Args),
    Report(report::Args),
    Sample(sample::Args),
    Evaluate(evaluate::Args),
    Export(export::Args),
    Import(import::Args),
    Presets(presets::Args),
    Doctor(doctor::Args),
}

fn main() -> ExitCode {
    trainer::torch::keep_freed_memory();
    trainer::torch::load_cuda();
    let result = match Cli::parse().command {
        Command::Dataset(command) => command.run(),
        Command::Simulate(args) => radiodiff_dataset::simulate::run(&args),
        Command::Train(args) => trainer::train::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Sample(args) => sample::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Presets(args) => presets::run(&args),
        Command::Doctor(args) => doctor::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
