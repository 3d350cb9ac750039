//! The command `trainer`. Exit codes: 0 done, 1 failed, 2 wrong usage.

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use trainer::{dataset, evaluate, export, goldens, import, presets, simulate, statistics, synth};

/// Makes datasets of radio maps, trains RadioDiff on them, evaluates and exports the weights.
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
    Dataset(DatasetCommand),
    Simulate(simulate::Args),
    #[cfg(feature = "torch")]
    Train(trainer::train::Args),
    Evaluate(evaluate::Args),
    Export(export::Args),
    Goldens(goldens::Args),
    Import(import::Args),
    Presets(presets::Args),
}

#[derive(Subcommand)]
enum DatasetCommand {
    Synth(synth::Args),
    Statistics(statistics::Args),
    Check(dataset::check::Args),
    Pack(dataset::pack::Args),
    Bench(dataset::bench::Args),
}

fn main() -> ExitCode {
    #[cfg(feature = "torch")]
    {
        trainer::torch::keep_freed_memory();
        trainer::torch::load_cuda();
    }
    let result = match Cli::parse().command {
        Command::Dataset(DatasetCommand::Synth(args)) => synth::run(&args),
        Command::Dataset(DatasetCommand::Statistics(args)) => statistics::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Dataset(DatasetCommand::Check(args)) => dataset::check::run(&args),
        Command::Dataset(DatasetCommand::Pack(args)) => dataset::pack::run(&args),
        Command::Dataset(DatasetCommand::Bench(args)) => dataset::bench::run(&args),
        #[cfg(feature = "torch")]
        Command::Train(args) => trainer::train::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Goldens(args) => goldens::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Presets(args) => presets::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
