//! `radiodiff dataset check`: the command.

use super::duplicates::{self, MapBuildings};
use super::folder;
use super::report::Report;
use crate::folder::{BUILDINGS, Variant};
use crate::shards::Shards;
use crate::splits::{Scheme, Split};
use anyhow::{Result, bail};
use std::path::PathBuf;

/// Look for what is wrong with datasets: missing files, sizes, values, the same buildings in two splits
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folders in RadioMapSeer's layout, or of packed shards; each of several counts as one split
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Print the report as JSON, with all files
    #[arg(long)]
    json: bool,
    /// How many files of each kind of finding are named
    #[arg(long, value_name = "N", default_value_t = 10)]
    list: usize,
}

/// Runs the command.
///
/// # Errors
/// When something is wrong, after the report is printed; a folder that is no dataset at all.
pub fn run(args: &Args) -> Result<()> {
    let report = check(&args.folders)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.text(args.list));
    }
    match report.wrong.values().map(Vec::len).sum() {
        0 => Ok(()),
        1 => bail!("1 thing is wrong"),
        wrong => bail!("{wrong} things are wrong"),
    }
}

/// Checks each folder, and the folders' buildings against each other.
///
/// # Errors
/// A folder that holds no maps, or cannot be listed.
pub fn check(folders: &[PathBuf]) -> Result<Report> {
    let (mut report, mut maps) = (Report::default(), Vec::new());
    let splits = [Split::Train, Split::Validation, Split::Test].map(|split| (split, Scheme::RadioUnet.maps(Variant::Dpm, split)));
    let split_of = |map| splits.iter().find(|(_, maps)| maps.contains(&map)).map(|(split, _)| format!("{split:?}").to_lowercase());
    for path in folders {
        if Shards::are_in(path) {
            let shards = Shards::open(path)?;
            let manifest = shards.manifest();
            let (samples, files) = (manifest.samples, manifest.shards.len());
            report.contents.push(format!(
                "{}: {samples} samples of {} in {files} shards ({})",
                path.display(),
                manifest.method,
                manifest.split
            ));
            report.add_wrong("damaged shard", shards.damages());
            continue;
        }
        maps.extend(folder::check(path, &mut report)?.into_iter().map(|(map, digest)| {
            let split = if folders.len() > 1 { Some(path.display().to_string()) } else { split_of(map) };
            MapBuildings { file: path.join(BUILDINGS).join(format!("{map}.png")), split, digest }
        }));
    }
    duplicates::find(&maps, &mut report);
    Ok(report)
}
