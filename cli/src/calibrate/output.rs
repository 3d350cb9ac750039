//! The calibrated map as a file.

use super::site::Site;
use anyhow::{Result, bail};
use radiodiff_dataset::files;
use radiodiff_planning::export::{ExportFormat, csv, npy};
use radiodiff_planning::raster::{GeoRaster, PlanLayer, RasterQuantity};
use radiodiff_radio::calibration::{Calibration, Prediction};
use std::path::Path;

/// The formats that hold two maps.
fn format_of(path: &Path) -> Result<ExportFormat> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    match ExportFormat::from_extension(&extension) {
        Some(format @ (ExportFormat::Csv | ExportFormat::Npy)) => Ok(format),
        _ => bail!("--out {}: expected a name that ends in .csv or .npy", path.display()),
    }
}

/// Fails where [`write`] would, before the work whose result goes there.
pub fn check(path: &Path) -> Result<()> {
    format_of(path)?;
    files::check_place(path)
}

/// Writes power and its standard deviation at every outdoor pixel; returns a line about the file.
///
/// # Errors
/// A place that cannot be written to.
pub fn write(calibration: &Calibration, site: &Site, path: &Path) -> Result<String> {
    let grid = site.scene.grid;
    let pixels: Vec<Option<Prediction>> = (0..grid.pixels())
        .map(|i| {
            let place = grid.pixel_center(i / grid.size, i % grid.size);
            (site.scene.mask.pixels[i] == 0).then(|| calibration.predict(&site.surroundings, place))
        })
        .collect();
    let raster = |quantity: RasterQuantity, of: fn(&Prediction) -> f64| GeoRaster {
        grid,
        bounds: site.frame.bounds(),
        quantity,
        values: pixels.iter().map(|one| one.as_ref().map_or(f32::NAN, |one| of(one) as f32)).collect(),
    };
    let power = raster(PlanLayer::ReceivedPower.into(), |one| one.power_dbm);
    let deviation = raster(RasterQuantity::StandardDeviation, |one| one.deviation_db);
    let maps = [&power, &deviation];
    let bytes = if format_of(path)? == ExportFormat::Csv { csv(&maps)? } else { npy(&maps)? };
    files::write(path, &bytes)?;
    let drawn = pixels.iter().flatten().count();
    Ok(format!("{}: power and standard deviation at {drawn} outdoor pixels of {} m", path.display(), grid.meters_per_pixel))
}
