//! `radiodiff simulate`: the maps of a dataset's own scenes and transmitters, computed again.
//!
//! In flow `antenna/{map}.json`, `png/buildings_complete/{map}.png`, for variants with cars `png/cars/{map}.png`, and where there
//! are any, `polygon/buildings/{map}.json`. Out flow `gain/{VARIANT}/{map}_{tx}.png` below another folder. A scene is prepared once
//! for all of its transmitters, scenes go in parallel, and maps that are there are kept, so that an interrupted run goes on. A file
//! that is not what it should be costs its own maps only: it is named at once and again in the summary at the end.

use super::simulator::{Simulator, gray_levels};
use crate::folder::{GAIN, SceneIndex, Variant};
use crate::share::RankShare;
use crate::{files, progress};
use anyhow::{Context, Result, ensure};
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::scene::{ANTENNA_HEIGHT_M, check_antenna_height};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

/// Compute the maps of a dataset's scenes and transmitters
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folder in RadioMapSeer's layout
    #[arg(long, value_name = "DIR")]
    dataset: PathBuf,
    /// Simulation to compute; cars are those of `png/cars`
    #[arg(long, value_enum, ignore_case = true)]
    method: Variant,
    /// Height of the transmitters above the ground, metres, 0.5 to 200. Maps that are in --out already are kept, so give every height its
    /// own folder [default: what the dataset says of each, else 1.5]
    #[arg(long, value_name = "M", value_parser = height)]
    height_m: Option<f64>,
    /// Folder for `gain/{VARIANT}`; an interrupted run goes on with the maps that are missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

fn height(text: &str) -> Result<f64> {
    let height_m = text.trim().parse().with_context(|| format!("expected a height in metres, found {text:?}"))?;
    Ok(check_antenna_height("transmitters", height_m)?)
}

/// Failures shown again at the end.
const SHOWN_FAILURES: usize = 20;

/// Runs the command.
///
/// # Errors
/// A folder that is no dataset or cannot be written; at the end, when some maps could not be made.
pub fn run(args: &Args) -> Result<()> {
    let simulator = Simulator::new(args.method);
    let scenes = SceneIndex::open(&args.dataset, args.method.has_cars())?;
    let antennas = || args.height_m.map_or_else(|| scenes.has_other_antennas(), |height_m| height_m != ANTENNA_HEIGHT_M);
    simulator.unused_heights(|| scenes.has_other_roofs(), antennas).iter().for_each(|warning| eprintln!("warning: {warning}"));
    let gain = args.out.join(GAIN).join(args.method.name());
    let share = RankShare::from_environment()?;
    if share.is_alone() {
        files::make_folder(&gain)?
    } else {
        files::make_shared_folder(&gain)?
    }
    let same = args.out.canonicalize().ok() == args.dataset.canonicalize().ok();
    ensure!(!same, "--out is the dataset itself, whose own maps would pass for computed ones; choose another folder");

    let maps: Vec<u32> = share.of(&scenes.maps()).copied().collect();
    let progress = progress::bar(maps.len() as u64, "scenes")?;
    let failures = Mutex::new(Vec::new());
    let fail = |error: anyhow::Error| {
        progress.suspend(|| eprintln!("error: {error:#}"));
        failures.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(format!("{error:#}"));
    };
    let started = Instant::now();
    let made: Vec<(usize, usize)> = maps
        .par_iter()
        .map(|&map| {
            let made = simulate(&scenes, map, (simulator, args.height_m), &gain, &fail).unwrap_or_else(|error| {
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
    let shown = if share.is_alone() {
        gain.display().to_string()
    } else {
        format!("{}: process {} of {}", gain.display(), share.rank(), share.world())
    };
    println!(
        "{shown}: {new} maps of {} scenes in {seconds:.1} s ({:.1} a second), {kept} were there",
        maps.len(),
        new as f64 / seconds.max(1e-9)
    );
    let mut failures = failures.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    failures.sort();
    ensure!(
        failures.is_empty(),
        "{} could not be made; mend or remove these and start again, what is there is kept:\n  {}",
        if failures.len() == 1 { "one scene or map".into() } else { format!("{} scenes or maps", failures.len()) },
        failures.iter().take(SHOWN_FAILURES).cloned().collect::<Vec<_>>().join("\n  ")
    );
    Ok(())
}

/// Makes a scene's missing maps, all with transmitters at one height where one is given; returns how many it made and how many were there.
/// Maps of bad transmitters go to `fail`.
fn simulate(
    scenes: &SceneIndex,
    map: u32,
    (simulator, height_m): (Simulator, Option<f64>),
    gain: &Path,
    fail: &(impl Fn(anyhow::Error) + Sync),
) -> Result<(usize, usize)> {
    let transmitters = scenes.transmitters(map)?;
    let path = |transmitter: u32| gain.join(format!("{map}_{transmitter}.png"));
    let missing: Vec<u32> = (0..transmitters).filter(|&transmitter| !path(transmitter).exists()).collect();
    let kept = transmitters as usize - missing.len();
    if missing.is_empty() {
        return Ok((0, kept));
    }
    let scene = scenes.scene(map)?.scene;
    let prepared = PreparedScene::new(&scene);
    let side = u32::try_from(scene.grid.size)?;
    let made = missing.into_par_iter().filter(|&transmitter| {
        let attempt = || -> Result<()> {
            let position = scenes.position(map, transmitter, &scene)?;
            let name = || format!("map {map}, transmitter {transmitter}");
            let height_m = height_m.map_or_else(|| scenes.height_m(map, transmitter), |height_m| Ok(Some(height_m)))?;
            let simulator = height_m.map_or(simulator, |height_m| simulator.at_height(height_m));
            let path_gain = simulator.path_gain(&prepared, position).with_context(name)?;
            files::write_gray_png(&path(transmitter), &gray_levels(&path_gain), side, side)
        };
        attempt().map_err(&fail).is_ok()
    });
    Ok((made.count(), kept))
}
