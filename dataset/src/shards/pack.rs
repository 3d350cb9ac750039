//! `radiodiff dataset pack`: a split of a dataset as shards.
//!
//! Shards are written one after the other, each to a temporary name, synced and renamed, and the manifest last. A run that was
//! interrupted, by a full disk say, leaves a folder that no loader takes for complete; it is simply run again.

use super::format::{MANIFEST, ShardEntry, ShardManifest, VERSION, encode, shard_name};
use super::layout::{RecordLayout, channel};
use crate::folder::Dataset;
use crate::splits::{Scheme, Split, split_name};
use crate::{files, progress};
use anyhow::{Context, Result, ensure};
use clap::value_parser;
use radiodiff_radio::features::ConditionChannel;
use radiodiff_radio::map::GrayCodec;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

/// Pack a split of a dataset into memory-mapped shards
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folder in RadioMapSeer's layout
    #[arg(long, value_name = "DIR")]
    pub dataset: PathBuf,
    /// Simulation: DPM, IRT2, IRT4, carsDPM, carsIRT2 or carsIRT4
    #[arg(long, default_value = "DPM")]
    pub method: String,
    /// Pack the maps of this split only
    #[arg(long)]
    pub split: Option<Split>,
    /// Whose splits
    #[arg(long, default_value = "radiounet", requires = "split")]
    pub scheme: Scheme,
    /// Folder of the shards
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Channels of the condition to compute now, so that training only reads them; for example line-of-sight,detour-gain.
    /// Buildings, transmitter and cars are in every record
    #[arg(long, value_name = "CHANNEL", value_delimiter = ',', value_parser = channel)]
    pub channels: Vec<ConditionChannel>,
    /// Gain at gray level 0, in dB, of channels that are gains
    #[arg(long, value_name = "DB", allow_negative_numbers = true, default_value_t = GrayCodec::default().floor_db)]
    pub floor_db: f32,
    /// Gain at gray level 1, in dB, of channels that are gains
    #[arg(long, value_name = "DB", allow_negative_numbers = true, default_value_t = GrayCodec::default().ceiling_db)]
    pub ceiling_db: f32,
    /// Samples in each shard
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = value_parser!(u32).range(1..))]
    pub shard_samples: u32,
}

/// Runs the command.
///
/// # Errors
/// A folder that holds a whole packing already, a sample that cannot be read or has another size, a disk that cannot be written.
pub fn run(args: &Args) -> Result<()> {
    let manifest_path = args.out.join(MANIFEST);
    ensure!(
        !manifest_path.exists(),
        "{} is there: {} holds a whole packing; choose another --out",
        manifest_path.display(),
        args.out.display()
    );
    let mut dataset = Dataset::open(&args.dataset, &args.method)?;
    let all = dataset.len();
    if let Some(notice) = dataset.notice() {
        eprintln!("warning: {notice}");
    }
    let keep = |split| args.scheme.keep(split, &mut dataset).with_context(|| args.dataset.display().to_string());
    let absent_maps = args.split.map_or(Ok(0), keep)?;
    let split = args.split.map_or_else(|| String::from("all"), |split| split_name(args.scheme, split));
    let absent = args.split.map_or_else(String::new, |_| format!("; {absent_maps} maps of the split are absent"));
    println!("{} of {all} samples are packed ({split}){absent}", dataset.len());

    ensure!(args.floor_db < args.ceiling_db, "--floor-db is {}, expected less than --ceiling-db {}", args.floor_db, args.ceiling_db);
    let gray = GrayCodec { floor_db: args.floor_db, ceiling_db: args.ceiling_db };
    let layout = RecordLayout::new(dataset.load(0)?.scene.grid, dataset.variant().has_cars(), &args.channels, gray);
    fs::create_dir_all(&args.out).with_context(|| format!("{} cannot be made", args.out.display()))?;
    let progress = progress::bar(dataset.len() as u64, "samples")?;
    let (started, most, mut shards) = (Instant::now(), args.shard_samples as usize, Vec::new());
    for (i, first) in (0..dataset.len()).step_by(most).enumerate() {
        let count = most.min(dataset.len() - first);
        let sample = |k: usize| {
            progress.inc(1);
            dataset.load(first + k)
        };
        let (bytes, digest) = encode(&layout, count, sample)?;
        let file = shard_name(i);
        files::write(&args.out.join(&file), &bytes)?;
        shards.push(ShardEntry { file, samples: count, digest });
    }
    progress.finish_and_clear();
    let manifest = ShardManifest {
        version: VERSION,
        dataset: args.dataset.clone(),
        method: dataset.variant().name().to_owned(),
        split,
        absent_maps,
        layout,
        samples: dataset.len(),
        shards,
    };
    files::write(&manifest_path, &serde_json::to_vec_pretty(&manifest)?)?;
    println!(
        "{}: {} samples in {} shards, {:.1} s",
        args.out.display(),
        manifest.samples,
        manifest.shards.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(())
}
