//! A plan's layer as a file, each written whole or not at all.

use super::args::Args;

use crate::drawing::{OutputFile, PlacedStation};
use anyhow::{Context, Result};
use radiodiff_dataset::files;
use radiodiff_planning::coverage::Receiver;
use radiodiff_planning::export::{ExportFormat, ExportOptions, Look, PlacemarkPoint, export};
use radiodiff_planning::raster::{GeoRaster, PlanLayer, RasterQuantity};

/// The first and the last colour of a standard deviation, dB, and of a probability.
const DEVIATION_RANGE: (f64, f64) = (0.0, 8.0);
const PROBABILITY_RANGE: (f64, f64) = (0.0, 1.0);

/// A map and what its colours depend on.
pub struct Plan<'a> {
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
        match self.raster.quantity {
            RasterQuantity::Layer(layer) => Look::usual_range(layer, self.range_db, sent_dbm, self.receiver.noise_dbm()),
            RasterQuantity::Probability => PROBABILITY_RANGE,
            RasterQuantity::StandardDeviation | RasterQuantity::Difference => DEVIATION_RANGE,
        }
    }

    /// Contours without levels or a threshold, between the first and the last colour.
    fn usual_levels(&self, low: f64, high: f64) -> Vec<f64> {
        let every = |step: f64| (low / step).ceil() as i64..=(high / step).floor() as i64;
        match self.raster.quantity {
            RasterQuantity::Layer(_) => every(10.0).map(|level| level as f64 * 10.0).collect(),
            RasterQuantity::Probability => every(0.1).map(|level| level as f64 / 10.0).collect(),
            RasterQuantity::StandardDeviation | RasterQuantity::Difference => every(2.0).map(|level| level as f64 * 2.0).collect(),
        }
    }

    fn options(&self, args: &Args) -> ExportOptions {
        let (low, high) = args.range.unwrap_or_else(|| self.color_range());
        // Other quantities than layers are not on its scale.
        let threshold = args.threshold.filter(|_| matches!(self.raster.quantity, RasterQuantity::Layer(_)));
        let levels = if !args.levels.is_empty() {
            args.levels.clone()
        } else if let Some(threshold) = threshold {
            vec![threshold]
        } else {
            self.usual_levels(low, high)
        };
        let point = |(i, station): (usize, &PlacedStation)| PlacemarkPoint {
            name: format!("transmitter {}", i + 1),
            lng: station.lng_lat.x,
            lat: station.lng_lat.y,
        };
        ExportOptions {
            look: Look { palette: args.palette, low, high, threshold },
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
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    let Look { palette, low, high, .. } = options.look;
    // Without the digits of a sum that nobody reads.
    let [low, high] = [low, high].map(|end| (end * 100.0).round() / 100.0);
    let title = plan.raster.quantity.title();
    match format {
        ExportFormat::GeoTiff => format!("{title}, float32{unit}, EPSG:4326, no data inside buildings"),
        ExportFormat::Png if plan.raster.quantity == PlanLayer::BestServer.into() => {
            format!("{title}, a colour for each; world file {companion}")
        }
        ExportFormat::Png => {
            format!("{title}, colours ({}) from {low} to {high}{unit}, buildings transparent; world file {companion}", palette.name())
        }
        ExportFormat::Kml => format!("{title} laid on the ground, colours from {low} to {high}{unit}; image {companion}"),
        ExportFormat::Kmz => format!("{title} laid on the ground, colours from {low} to {high}{unit}"),
        ExportFormat::Contours => format!("{title}, areas at {} levels", options.levels.len()),
        ExportFormat::Csv => format!("{title}, {} outdoor pixels", plan.raster.values.iter().filter(|value| !value.is_nan()).count()),
        ExportFormat::Npy => format!("{title}, float32{unit}, row 0 in the north, NaN inside buildings"),
    }
}
