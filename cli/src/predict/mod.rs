//! `radiodiff predict`: the map of one transmitter among a user's own buildings.
//!
//! In flow a file of buildings in any format that scenes are imported from, and a transmitter ([`args`]). A propagation model, or a
//! network with its weights ([`source`]), gives the path gain; the transmitter's power, antenna and frequency make it received power.
//! Out flows an image with its world file, a table or an array ([`output`]). Whatever was changed or left out is a warning on the
//! standard error stream; the standard output has one line about the map.

mod args;
mod output;
mod source;

pub use args::Args;

use anyhow::{Context, Result};
use geo::Coord;
use output::GeoMap;
use radiodiff_dataset::files;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::propagation::{AntennaPattern, AntennaRequest, FrequencyScaling, received_power};
use radiodiff_radio::scene::{GeoBounds, Grid, ImportOptions, Imported, LocalFrame, Scene, Transmitter, import};
use source::MapSource;

/// How far bounds may differ from the map's before a warning says so, in pixels.
const BOUNDS_TOLERANCE_PIXELS: f64 = 2.0;

/// Runs the command.
///
/// # Errors
/// A file that cannot be read, a transmitter off the map, a frequency or an antenna that cannot be used, a place that cannot be
/// written to.
pub fn run(args: &Args) -> Result<()> {
    files::check_place(&args.out.path)?;
    let source = MapSource::new(args)?;
    let grid = source.grid();
    let shown = args.scene.display();
    let bytes = std::fs::read(&args.scene).with_context(|| format!("{shown} cannot be read"))?;
    let imported = import(&bytes, &ImportOptions { grid, bounds: args.bounds, default_height_m: args.building_height })
        .with_context(|| format!("the scene {shown}"))?;
    let Imported { scene, report } = imported;
    report.warnings().iter().for_each(|warning| warn(warning));
    report.assumptions().iter().for_each(|assumption| eprintln!("note: {assumption}"));
    let bounds = scene.bounds.with_context(|| format!("the scene {shown} has no place on the globe"))?;
    let frame = frame_of(bounds, grid);
    if let Some(asked) = args.bounds {
        warn_of_other_bounds(&frame, asked, grid);
    }
    let (transmitter, pattern) = place(args, &scene, &frame, bounds)?;
    let ends = transmitter.links(args.receiver_height);
    source.warn_of_heights(&ends).iter().for_each(|warning| warn(warning));
    let path_gain = source.path_gain(&PreparedScene::new(&scene), &ends)?;
    let received = received_power(&path_gain, &transmitter, ends.receiver_height_m, &pattern, |_| None)?;
    let (floor_db, ceiling_db) = source.range_db();
    let sent_dbm = transmitter.power_dbm + transmitter.antenna_gain_dbi;
    let map = GeoMap { received: &received, frame: &frame, bounds, colors_dbm: (floor_db + sent_dbm, ceiling_db + sent_dbm) };
    let summary = output::write(&map, &args.out)?;
    let GeoBounds { west, south, east, north } = bounds;
    println!(
        "{}: {1} x {1} pixels of {2} m at {west:.6}, {south:.6}, {east:.6}, {north:.6} (west, south, east, north), by {3}; {summary}",
        args.out.path.display(),
        grid.size,
        grid.meters_per_pixel,
        source.name()
    );
    Ok(())
}

fn warn(message: &str) {
    eprintln!("warning: {message}");
}

/// The frame whose grid has these bounds.
fn frame_of(bounds: GeoBounds, grid: Grid) -> LocalFrame {
    LocalFrame::centered(Coord { x: (bounds.west + bounds.east) / 2.0, y: (bounds.south + bounds.north) / 2.0 }, grid)
}

/// Says that the map does not cover the bounds that were asked for, where it does not.
fn warn_of_other_bounds(frame: &LocalFrame, asked: GeoBounds, grid: Grid) {
    let low = frame.to_meters(Coord { x: asked.west, y: asked.south });
    let high = frame.to_meters(Coord { x: asked.east, y: asked.north });
    let (width_m, height_m, extent_m) = (high.x - low.x, high.y - low.y, grid.extent_m());
    let differs = |length_m: f64| (length_m - extent_m).abs() > BOUNDS_TOLERANCE_PIXELS * grid.meters_per_pixel;
    if differs(width_m) || differs(height_m) {
        warn(&format!("the bounds span {width_m:.0} x {height_m:.0} m; the map covers {extent_m} x {extent_m} m around their centre"));
    }
}

/// The transmitter outdoors or above a roof, and its antenna's pattern.
fn place(args: &Args, scene: &Scene, frame: &LocalFrame, bounds: GeoBounds) -> Result<(Transmitter, AntennaPattern)> {
    let antenna = match &args.antenna {
        Some(antenna) => antenna.request().context("the antenna")?,
        None => AntennaRequest::from_json("{}").context("the antenna")?,
    };
    antenna.warnings.iter().for_each(|warning| warn(warning));
    let position = frame.to_meters(args.tx.lng_lat);
    let standard = Transmitter::at(position.x, position.y);
    let transmitter = Transmitter {
        height_m: args.height,
        power_dbm: args.tx.power_dbm.unwrap_or(standard.power_dbm),
        frequency_mhz: args.frequency_mhz.unwrap_or(standard.frequency_mhz),
        antenna_gain_dbi: antenna.gain_dbi.unwrap_or(standard.antenna_gain_dbi),
        azimuth_deg: antenna.azimuth_deg,
        downtilt_deg: antenna.downtilt_deg,
        ..standard
    };
    if !FrequencyScaling::to(transmitter.frequency_mhz)?.is_identity() {
        warn(&format!(
            "the map is made for {} MHz and scaled to {} MHz by free space and knife-edge diffraction",
            standard.frequency_mhz, transmitter.frequency_mhz
        ));
    }
    let Coord { x: lng, y: lat } = args.tx.lng_lat;
    let placed = scene.place_transmitter(transmitter).with_context(|| {
        let GeoBounds { west, south, east, north } = bounds;
        format!("--tx {lng},{lat} on a map of {west:.6}, {south:.6}, {east:.6}, {north:.6} (west, south, east, north)")
    })?;
    if let Some(moved_m) = placed.moved_m {
        let Coord { x: lng, y: lat } = frame.to_degrees(placed.transmitter.position);
        warn(&format!(
            "the transmitter stood inside a building: it is {} m above the ground, the roof {:.1} m; it was moved {moved_m:.1} m to the nearest outdoor pixel, {lng:.6},{lat:.6}",
            args.height, placed.roof_m
        ));
    }
    Ok((placed.transmitter, antenna.pattern))
}
