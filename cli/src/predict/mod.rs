//! `radiodiff predict`: the map of one or several transmitters among a user's own buildings.
//!
//! In flow a file of buildings in any format that scenes are imported from, and transmitters ([`args`]). A propagation model, or a
//! network, gives each one's path gain; power, antenna and frequency make it received power, and the plan's layer is drawn of all.
//! Out flow files for other programs ([`output`]). Whatever was changed or left out is a warning on the standard error stream; the
//! standard output has one line about each file, and one about what is covered.

mod args;
mod output;

pub use args::Args;

use crate::drawing::{MapScene, MapSource, PlacedStation, SceneCache, Station};
use anyhow::Result;
use output::Plan;
use radiodiff_dataset::files;
use radiodiff_planning::coverage::{Coverage, CoverageStatistics};
use radiodiff_radio::scene::GeoBounds;
use std::path::PathBuf;

/// What a run tells its user.
pub struct Report {
    pub warnings: Vec<String>,
    pub lines: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// A file that cannot be read, a transmitter off the map, a frequency or an antenna that cannot be used, a place that cannot be
/// written to.
pub fn run(args: &Args) -> Result<()> {
    let source = MapSource::new(&args.source)?;
    let report = draw(args, &source, &SceneCache::default())?;
    report.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    report.lines.iter().for_each(|line| println!("{line}"));
    Ok(())
}

/// The files that `args` write, as far as they are named.
pub fn written_files(args: &Args) -> Vec<PathBuf> {
    args.out.iter().map(|file| file.path.clone()).chain(args.statistics.clone()).collect()
}

/// Draws and writes what `args` ask for, with a source made of `args.source`.
///
/// # Errors
/// As [`run`].
pub fn draw(args: &Args, source: &MapSource, scenes: &SceneCache) -> Result<Report> {
    written_files(args).iter().try_for_each(|path| files::check_place(path))?;
    let grid = args.area.grid(source.grid())?;
    let map = scenes.get(&args.scene, args.area.cars.as_deref(), &args.area.import_options(grid))?;
    map.assumptions().iter().for_each(|assumption| eprintln!("note: {assumption}"));
    let mut warnings = map.warnings().to_vec();
    let mut coverage = Coverage::new(grid, args.receiver.receiver())?;
    let mut stations = Vec::new();
    warnings.extend(args.stations.unused_heights(source));
    warnings.extend(map.unused_cars(source));
    for tx in &args.tx {
        let placed = map.place(&Station::new(tx, &args.stations)?, source)?;
        coverage.add(map.signal(source, &placed, args.stations.receiver_height_m)?)?;
        // What is said of the antenna and the frequency is the same for all.
        let new: Vec<String> = placed.warnings.iter().filter(|warning| !warnings.contains(warning)).cloned().collect();
        warnings.extend(new);
        stations.push(placed);
    }
    let mut lines = write(args, source, &map, &coverage, &stations)?;
    if let Some(threshold) = args.threshold {
        let statistics = coverage.statistics(args.quantity, threshold);
        lines.push(described(args, &statistics));
        if let Some(path) = &args.statistics {
            files::write(path, &serde_json::to_vec_pretty(&statistics)?)?;
        }
    }
    Ok(Report { warnings, lines })
}

/// Writes the layer to every file; returns a line about each.
fn write(args: &Args, source: &MapSource, map: &MapScene, coverage: &Coverage, stations: &[PlacedStation]) -> Result<Vec<String>> {
    let raster = coverage.raster(args.quantity, map.bounds());
    let plan = Plan { layer: args.quantity, raster: &raster, stations, receiver: coverage.receiver(), range_db: source.range_db() };
    let GeoBounds { west, south, east, north } = map.bounds();
    let line = |file| {
        let summary = output::write(&plan, args, file)?;
        Ok(format!(
            "{}: {1} x {1} pixels of {2} m at {west:.6}, {south:.6}, {east:.6}, {north:.6} (west, south, east, north), by {3}; {summary}",
            file.path.display(),
            raster.grid.size,
            raster.grid.meters_per_pixel,
            source.name()
        ))
    };
    args.out.iter().map(line).collect()
}

/// What is covered, in a sentence.
fn described(args: &Args, statistics: &CoverageStatistics) -> String {
    let CoverageStatistics { threshold, share, covered_area_m2, outdoor_area_m2, largest_range_m, .. } = statistics;
    let range =
        largest_range_m.map_or_else(|| String::from("nothing is in reach"), |range_m| format!("the farthest place is {range_m:.0} m away"));
    format!(
        "{} of {threshold} {}: {:.1} % of the ground outdoors, {covered_area_m2:.0} of {outdoor_area_m2:.0} m2; {range}",
        args.quantity.title(),
        args.quantity.unit(),
        share * 100.0
    )
}
