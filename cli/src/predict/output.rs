//! A plan's layer as a file, each written whole or not at all.

use super::args::Args;

use crate::drawing::{OutputFile, PlacedStation};
use anyhow::{Context, Result};
use radiodiff_dataset::files;
use radiodiff_planning::coverage::Receiver;
use radiodiff_planning::export::{ExportFormat, ExportOptions, Look, PlacemarkPoint, export};
use radiodiff_planning::raster::{GeoRaster, PlanLayer};

/// Contours without levels or a threshold are this far apart, dB.
const CONTOUR_STEP_DB: f64 = 10.0;
/// A layer and what its colours depend on.
pub struct Plan<'a> {
    pub layer: PlanLayer,
    pub raster: &'a GeoRaster,
    pub stations: &'a [PlacedStation],
    pub receiver: &'a Receiver,
    /// Path gain in dB at gray levels 0 and 1.
    pub range_db: (f64, f64),
}

impl Plan<'_> {
    /// The values of the first and the last colour, unless the user chose them.
    fn color_range(&self) -> (f64, f64) {
        let sent_dbm = self.stations.iter().map(PlacedStation::sent_dbm).fold(f64::NEG_INFINITY, f64::max) + self.receiver.gain_dbi;
        Look::usual_range(self.layer, self.range_db, sent_dbm, self.receiver.noise_dbm())
    }

    fn options(&self, args: &Args) -> ExportOptions {
        let (low, high) = args.range.unwrap_or_else(|| self.color_range());
        let levels = if !args.levels.is_empty() {
            args.levels.clone()
        } else if let Some(threshold) = args.threshold {
            vec![threshold]
        } else {
            let first = (low / CONTOUR_STEP_DB).ceil() as i64;
            (first..=(high / CONTOUR_STEP_DB).floor() as i64).map(|level| level as f64 * CONTOUR_STEP_DB).collect()
        };
        let point = |(i, station): (usize, &PlacedStation)| PlacemarkPoint {
            name: format!("transmitter {}", i + 1),
            lng: station.lng_lat.x,
            lat: station.lng_lat.y,
        };
        ExportOptions {
            look: Look { palette: args.palette, low, high, threshold: args.threshold },
            levels,
            title: format!("{} ({})", self.raster.quantity.title(), args.scene.file_stem().unwrap_or_default().display()),
            points: self.stations.iter().enumerate().map(point).collect(),
        }
    }
}

/// Writes the file, after the files that belong to it; returns a summary for the user.
///
/// # Errors
/// A layer that the format cannot hold, and a place that cannot be written to.
pub fn write(plan: &Plan, args: &Args, file: &OutputFile<ExportFormat>) -> Result<String> {
    let options = plan.options(args);
    let stem = file.path.file_stem().context("the file has no name")?.to_string_lossy();
    let exported = export(plan.raster, file.format, &options, &stem)?;
    let (main, companions) = exported.split_first().context("nothing was exported")?;
    for companion in companions {
        files::write(&file.path.with_file_name(&companion.name), &companion.bytes)?;
    }
    files::write(&file.path, &main.bytes)?;
    let companion = companions.first().map_or("", |companion| companion.name.as_str());
    Ok(summary(plan, file.format, &options, companion))
}

fn summary(plan: &Plan, format: ExportFormat, options: &ExportOptions, companion: &str) -> String {
    let unit = plan.raster.quantity.unit();
    let Look { palette, low, high, .. } = options.look;
    let title = plan.raster.quantity.title();
    match format {
        ExportFormat::GeoTiff => format!("{title}, float32 {unit}, EPSG:4326, no data inside buildings"),
        ExportFormat::Png if plan.layer == PlanLayer::BestServer => format!("{title}, a colour for each; world file {companion}"),
        ExportFormat::Png => {
            format!(
                "{title}, colours ({}) from {low:.0} to {high:.0} {unit}, buildings transparent; world file {companion}",
                palette.name()
            )
        }
        ExportFormat::Kml => format!("{title} laid on the ground, colours from {low:.0} to {high:.0} {unit}; image {companion}"),
        ExportFormat::Kmz => format!("{title} laid on the ground, colours from {low:.0} to {high:.0} {unit}"),
        ExportFormat::Contours => format!("{title}, areas at {} levels", options.levels.len()),
        ExportFormat::Csv => format!("{title}, {} outdoor pixels", plan.raster.values.iter().filter(|value| !value.is_nan()).count()),
        ExportFormat::Npy => format!("{title}, float32 {unit}, row 0 in the north, NaN inside buildings"),
    }
}
