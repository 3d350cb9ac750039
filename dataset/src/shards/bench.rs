//! `radiodiff dataset bench`: how many samples a second the shards of a folder give a trainer, with batches and augmentation.

use super::batches::Epoch;
use super::reader::Shards;
use anyhow::Result;
use clap::value_parser;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Measure how fast packed shards are read
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folder of shards
    #[arg(value_name = "DIR")]
    shards: PathBuf,
    /// Samples in each batch
    #[arg(long, default_value_t = 32, value_parser = value_parser!(u32).range(1..))]
    batch: u32,
    /// Threads that make batches [default: all cores]
    #[arg(long, value_parser = value_parser!(u32).range(1..))]
    threads: Option<u32>,
    /// How often the whole folder is read
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..))]
    epochs: u32,
    /// Do not turn the samples by symmetries
    #[arg(long)]
    no_augmentation: bool,
}

/// Runs the command.
///
/// # Errors
/// Shards that are not whole.
pub fn run(args: &Args) -> Result<()> {
    let shards = Arc::new(Shards::open(&args.shards)?);
    let threads = args.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), |threads| threads as usize);
    for number in 0..args.epochs as usize {
        let (started, mut samples) = (Instant::now(), 0);
        let epoch = Epoch { seed: 0, number, batch: args.batch as usize, augment: !args.no_augmentation, threads, prefetch: 2 };
        for batch in shards.epoch(epoch)? {
            samples += batch?.names.len();
        }
        let seconds = started.elapsed().as_secs_f64();
        println!("epoch {number}: {samples} samples in {seconds:.2} s, {:.0} a second on {threads} threads", samples as f64 / seconds);
    }
    Ok(())
}
