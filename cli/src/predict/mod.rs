//! `radiodiff predict`: the map of one or several transmitters among a user's own buildings.
//!
//! In flow a file of buildings in any format that scenes are imported from, and transmitters ([`args`]). A propagation model, or a
//! network, gives each one's path gain; power, antenna and frequency make it received power, and the plan's layer is drawn of all, or how
//! far the maps of a network's forecast differ.
//! Out flow files for other programs ([`output`]). Whatever was changed or left out is a warning on the standard error stream; the
//! standard output has one line about each file, and one about what is covered.

mod args;
mod output;

pub use args::Args;

use crate::drawing::{MapSource, PlacedStation, SceneCache, Station};
use anyhow::{Result, ensure};
use output::Plan;
use radiodiff_dataset::files;
use radiodiff_planning::coverage::{Coverage, CoverageStatistics, Receiver, Signal, Spread};
use radiodiff_planning::raster::{GeoRaster, PlanLayer, RasterQuantity};
use radiodiff_radio::scene::{GeoBounds, Grid};
use std::path::PathBuf;

/// Received power and path loss of a pixel.
const BYTES_OF_SIGNAL: usize = 8;
const GIB: usize = 1 << 30;
/// All maps of a forecast are kept until the last is drawn.
const MOST_BYTES: usize = 4 * GIB;

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
    check_quantity(args, source, grid)?;
    let map = scenes.get(&args.scene, args.area.cars.as_deref(), &args.area.import_options(grid))?;
    map.assumptions().iter().for_each(|assumption| eprintln!("note: {assumption}"));
    let mut warnings = map.warnings().to_vec();
    let empty = Coverage::new(grid, args.receiver.receiver())?;
    let (mut drawn, mut stations) = (Vec::new(), Vec::new());
    warnings.extend(args.stations.unused_heights(source));
    warnings.extend(map.warnings_for(source));
    for tx in &args.tx {
        let placed = map.place(&Station::new(tx, &args.stations)?, source)?;
        drawn.push(match args.quantity {
            RasterQuantity::Layer(_) => vec![map.signal(source, &placed, args.stations.receiver_height_m)?],
            _ => map.signals(source, &placed, args.stations.receiver_height_m)?,
        });
        // What is said of the antenna and the frequency is the same for all.
        let new: Vec<String> = placed.warnings.iter().filter(|warning| !warnings.contains(warning)).cloned().collect();
        warnings.extend(new);
        stations.push(placed);
    }
    let plans = plans(&empty, drawn)?;
    let values = values(args, &plans);
    let raster = GeoRaster { grid, bounds: map.bounds(), quantity: args.quantity, values };
    let mut lines = write(args, source, &raster, (&stations, empty.receiver()))?;
    if let (Some(threshold), RasterQuantity::Layer(layer)) = (args.threshold, args.quantity) {
        let statistics = plans[0].statistics(layer, threshold);
        lines.push(described(layer, &statistics));
        if let Some(path) = &args.statistics {
            files::write(path, &serde_json::to_vec_pretty(&statistics)?)?;
        }
    }
    Ok(Report { warnings, lines })
}

/// Refuses to say how sure something is that draws one map, and a probability of nothing.
fn check_quantity(args: &Args, source: &MapSource, grid: Grid) -> Result<()> {
    let name = args.quantity.name();
    if matches!(args.quantity, RasterQuantity::Layer(_)) {
        return Ok(());
    }
    ensure!(
        source.maps() > 1,
        "--quantity {name} is for networks: expected --weights that say quantiles, without --reliability, or --weights that draw samples, \
         with --samples 2 or more; {} draws one map",
        source.name()
    );
    ensure!(args.quantity != RasterQuantity::Probability || args.threshold.is_some(), "--quantity {name} needs --threshold, in dBm");
    ensure!(args.statistics.is_none(), "--statistics are of a layer, and --quantity {name} is none");
    let bytes = args.tx.len() * source.maps() * grid.pixels() * BYTES_OF_SIGNAL;
    ensure!(
        bytes <= MOST_BYTES,
        "the {} maps of {} transmitters would take {:.1} GiB, more than {} GiB: draw fewer --samples or --tx, or larger pixels",
        source.maps() * args.tx.len(),
        args.tx.len(),
        bytes as f64 / GIB as f64,
        MOST_BYTES / GIB
    );
    Ok(())
}

/// The plans that the transmitters' signals make: of a forecast the first of all transmitters, the second of all, and so on.
fn plans(empty: &Coverage, drawn: Vec<Vec<Signal>>) -> Result<Vec<Coverage>> {
    let mut plans = vec![empty.clone(); drawn.first().map_or(0, Vec::len)];
    for signals in drawn {
        plans.iter_mut().zip(signals).try_for_each(|(plan, signal)| plan.add(signal))?;
    }
    Ok(plans)
}

/// The values of the quantity that was asked for, of at least one plan.
fn values(args: &Args, plans: &[Coverage]) -> Vec<f32> {
    if let RasterQuantity::Layer(layer) = args.quantity {
        return plans[0].values(layer);
    }
    let mut spread = Spread::new(args.threshold);
    plans.iter().for_each(|plan| spread.add(&plan.values(PlanLayer::ReceivedPower)));
    match spread.probability() {
        Some(probability) if args.quantity == RasterQuantity::Probability => probability,
        _ => spread.standard_deviation(),
    }
}

/// Writes the layer to every file; returns a line about each.
fn write(args: &Args, source: &MapSource, raster: &GeoRaster, (stations, receiver): (&[PlacedStation], &Receiver)) -> Result<Vec<String>> {
    let plan = Plan { raster, stations, receiver, range_db: source.range_db() };
    let GeoBounds { west, south, east, north } = raster.bounds;
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
fn described(layer: PlanLayer, statistics: &CoverageStatistics) -> String {
    let CoverageStatistics { threshold, share, covered_area_m2, outdoor_area_m2, largest_range_m, .. } = statistics;
    let range =
        largest_range_m.map_or_else(|| String::from("nothing is in reach"), |range_m| format!("the farthest place is {range_m:.0} m away"));
    format!(
        "{} of {threshold} {}: {:.1} % of the ground outdoors, {covered_area_m2:.0} of {outdoor_area_m2:.0} m2; {range}",
        layer.title(),
        layer.unit(),
        share * 100.0
    )
}
