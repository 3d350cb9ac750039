//! `trainer simulate`: the maps of a dataset's own cities and transmitters, computed again by one of core's models.
//!
//! In flow `antenna/{map}.json`, `png/buildings_complete/{map}.png` and, where there are any, `polygon/buildings/{map}.json`; out
//! flow `gain/{METHOD}/{map}_{tx}.png` below another folder. A city is prepared once for all of its transmitters, cities go in
//! parallel, and maps that are there are kept, so that a run that was cut goes on. A file that is not what it should be costs its
//! own maps only: it is named at once and again in the summary at the end.

use crate::{Dataset, GAIN};
use crate::{files, progress};
use anyhow::{Context, Result, ensure};
use geo::Coord;
use radiodiff_radio::map::{GrayCodec, RadioMap};
use radiodiff_radio::propagation::{DominantPathLaw, PreparedScene, RayOptions};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

/// Computes the maps of a dataset's cities and transmitters
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folder in RadioMapSeer's layout
    #[arg(long, value_name = "DIR")]
    dataset: PathBuf,
    /// Model of propagation
    #[arg(long, value_enum)]
    method: Method,
    /// Folder for `gain/{METHOD}`; a run that was cut goes on with the maps that are missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// The models of propagation that RadioMapSeer's folders are named after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Method {
    /// Dominant path
    Dpm,
    /// Ray tracing with two interactions
    Irt2,
    /// Ray tracing with four interactions
    Irt4,
}

impl Method {
    /// The name of its folder below `gain`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dpm => "DPM",
            Self::Irt2 => "IRT2",
            Self::Irt4 => "IRT4",
        }
    }

    /// Path gain of a transmitter at an outdoor position in metres.
    ///
    /// # Errors
    /// A position that is not outdoors.
    pub fn path_gain(self, scene: &PreparedScene, position: Coord<f64>) -> Result<RadioMap> {
        let traced = |interactions| scene.ray_traced(position, &RayOptions { interactions, ..RayOptions::default() });
        Ok(match self {
            Self::Dpm => scene.dominant_path(position, &DominantPathLaw::default()),
            Self::Irt2 => traced(2),
            Self::Irt4 => traced(4),
        }?)
    }
}

/// The dataset's gray levels of a path gain map, (N, N) row-major.
pub fn gray_levels(path_gain: &RadioMap) -> Vec<u8> {
    GrayCodec::default().encode_map(path_gain).iter().map(|&gray| (gray * 255.0).round() as u8).collect()
}

/// Failures shown again at the end.
const SHOWN_FAILURES: usize = 20;

/// Runs the command.
///
/// # Errors
/// A folder that is no dataset or cannot be written; at the end, when some maps could not be made.
pub fn run(args: &Args) -> Result<()> {
    let dataset = Dataset::unsimulated(&args.dataset)?;
    let gain = args.out.join(GAIN).join(args.method.name());
    files::make_folder(&gain)?;
    let same = args.out.canonicalize().ok() == args.dataset.canonicalize().ok();
    ensure!(!same, "--out is the dataset itself, whose own maps would pass for computed ones; choose another folder");

    let cities = dataset.cities();
    let progress = progress::bar(cities.len() as u64, "cities")?;
    let failures = Mutex::new(Vec::new());
    let fail = |error: anyhow::Error| {
        progress.suspend(|| eprintln!("error: {error:#}"));
        failures.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(format!("{error:#}"));
    };
    let started = Instant::now();
    let made: Vec<(usize, usize)> = cities
        .par_iter()
        .map(|&map| {
            let made = simulate(&dataset, map, args.method, &gain, &fail).unwrap_or_else(|error| {
                fail(error);
                (0, 0)
            });
            progress.inc(1);
            made
        })
        .collect();
    progress.finish_and_clear();

    let (new, kept) = made.into_iter().fold((0, 0), |sum, map| (sum.0 + map.0, sum.1 + map.1));
    let seconds = started.elapsed().as_secs_f64();
    let shown = gain.display();
    println!(
        "{shown}: {new} maps of {} cities in {seconds:.1} s ({:.1} a second), {kept} were there",
        cities.len(),
        new as f64 / seconds.max(1e-9)
    );
    let mut failures = failures.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    failures.sort();
    ensure!(
        failures.is_empty(),
        "{} could not be made; mend or remove these and start again, what is there is kept:\n  {}",
        if failures.len() == 1 { "one city or map".into() } else { format!("{} cities or maps", failures.len()) },
        failures.iter().take(SHOWN_FAILURES).cloned().collect::<Vec<_>>().join("\n  ")
    );
    Ok(())
}

/// Makes a city's missing maps; returns how many it made and how many were there. Maps of bad transmitters go to `fail`.
fn simulate(dataset: &Dataset, map: u32, method: Method, gain: &Path, fail: &(impl Fn(anyhow::Error) + Sync)) -> Result<(usize, usize)> {
    let transmitters = dataset.transmitters(map)?;
    let path = |transmitter: u32| gain.join(format!("{map}_{transmitter}.png"));
    let missing: Vec<u32> = (0..transmitters).filter(|&transmitter| !path(transmitter).exists()).collect();
    let kept = transmitters as usize - missing.len();
    if missing.is_empty() {
        return Ok((0, kept));
    }
    let scene = dataset.city_scene(map)?;
    let prepared = PreparedScene::new(&scene);
    let side = u32::try_from(scene.grid.size)?;
    let made = missing.into_par_iter().filter(|&transmitter| {
        let attempt = || -> Result<()> {
            let position = dataset.transmitter_position(map, transmitter, &scene)?;
            let name = || format!("map {map}, transmitter {transmitter}");
            let path_gain = method.path_gain(&prepared, position).with_context(name)?;
            files::write_gray_png(&path(transmitter), &gray_levels(&path_gain), side, side)
        };
        attempt().map_err(&fail).is_ok()
    });
    Ok((made.count(), kept))
}
