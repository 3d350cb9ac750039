//! `radiodiff dataset bench`: how many samples a second a trainer is given, turned and in batches.

use super::config::DatasetConfig;
use super::order::StreamPosition;
use super::queue::{SampleStream, StreamOptions};
use super::sample::SampleFormat;
use super::set::{SetOptions, TrainingSet};
use crate::folder::Dataset;
use crate::shards::{Shards, channel};
use crate::share::RankShare;
use anyhow::Result;
use clap::value_parser;
use radiodiff_radio::features::ConditionChannel;
use radiodiff_radio::map::GrayCodec;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Measure how fast samples are read, prepared and turned
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folder in RadioMapSeer's layout, or of packed shards
    #[arg(value_name = "DIR")]
    dataset: PathBuf,
    /// Simulation; shards have the one they were packed with
    #[arg(long, default_value = "DPM")]
    method: String,
    /// Channels of the condition, for example buildings,line-of-sight [default: those that the shards hold]
    #[arg(long, value_name = "CHANNEL", value_delimiter = ',', value_parser = channel)]
    channels: Vec<ConditionChannel>,
    /// Samples in each batch
    #[arg(long, default_value_t = 32, value_parser = value_parser!(u32).range(1..))]
    batch: u32,
    /// Threads that make batches [default: all cores]
    #[arg(long, value_parser = value_parser!(u32).range(1..))]
    threads: Option<u32>,
    /// How often the whole dataset is read
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..))]
    epochs: u32,
    /// Do not turn the samples by symmetries
    #[arg(long)]
    no_augmentation: bool,
}

/// Runs the command.
///
/// # Errors
/// A folder that is no dataset; a sample that cannot be read.
pub fn run(args: &Args) -> Result<()> {
    let (set, channels) = open(args)?;
    let threads = args.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), |threads| threads as usize);
    let (batch, symmetries) = (args.batch as usize, if args.no_augmentation { 1 } else { 8 });
    let options = StreamOptions { batch, symmetries, threads, share: RankShare::ALONE, curriculum: None };
    let mut stream = SampleStream::start(&set, options, StreamPosition::start(0))?;
    for epoch in 0..args.epochs {
        let started = Instant::now();
        let batches = set.len().div_ceil(batch);
        for _ in 0..batches {
            stream.next_batch()?;
        }
        let (samples, seconds) = (batches * batch, started.elapsed().as_secs_f64());
        println!(
            "epoch {epoch}: {samples} samples of {channels} channels in {seconds:.2} s, {:.0} a second on {threads} threads",
            samples as f64 / seconds
        );
    }
    Ok(())
}

fn open(args: &Args) -> Result<(Arc<TrainingSet>, usize)> {
    let dataset = DatasetConfig::folder(&args.dataset);
    let mut format = SampleFormat { size: 0, pixels_m: [0.0; 2], channels: args.channels.clone(), gray: GrayCodec::default() };
    let mut options = SetOptions { method: args.method.clone(), ..SetOptions::default() };
    let grid;
    if Shards::are_in(&args.dataset) {
        let shards = Shards::open(&args.dataset)?;
        let layout = shards.layout();
        (grid, format.gray) = (layout.grid(), layout.gray);
        if format.channels.is_empty() {
            format.channels = layout.all_channels();
        }
        options.method.clone_from(&shards.manifest().method);
    } else {
        grid = Dataset::open(&args.dataset, &args.method)?.load(0)?.scene.grid;
    }
    (format.size, format.pixels_m) = (grid.size, [grid.meters_per_pixel; 2]);
    let channels = format.channels.len();
    Ok((Arc::new(TrainingSet::open(&[dataset], format, &options)?), channels))
}
