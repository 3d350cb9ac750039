//! The calibrated map as a file.

use super::site::Site;
use anyhow::{Context, Result, bail};
use npyz::WriterBuilder;
use radiodiff_dataset::files;
use radiodiff_radio::calibration::{Calibration, Prediction};
use std::fmt::Write as _;
use std::path::Path;

#[derive(Clone, Copy)]
enum Format {
    Csv,
    Npy,
}

fn format_of(path: &Path) -> Result<Format> {
    match path.extension().and_then(|extension| extension.to_str()).map(str::to_lowercase).as_deref() {
        Some("csv") => Ok(Format::Csv),
        Some("npy") => Ok(Format::Npy),
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
    let bytes = match format_of(path)? {
        Format::Csv => {
            let mut text = String::from("lng,lat,dbm,deviation_db\n");
            for (i, predicted) in pixels.iter().enumerate() {
                if let Some(Prediction { power_dbm, deviation_db, .. }) = predicted {
                    let degrees = site.frame.to_degrees(grid.pixel_center(i / grid.size, i % grid.size));
                    writeln!(text, "{:.7},{:.7},{power_dbm:.2},{deviation_db:.2}", degrees.x, degrees.y)?;
                }
            }
            text.into_bytes()
        }
        Format::Npy => {
            let value = |of: fn(&Prediction) -> f64| pixels.iter().map(move |one| one.as_ref().map_or(f32::NAN, |one| of(one) as f32));
            let values = value(|one| one.power_dbm).chain(value(|one| one.deviation_db));
            let mut bytes = Vec::new();
            let side = grid.size as u64;
            let options = npyz::WriteOptions::new().default_dtype().shape(&[2, side, side]);
            let mut writer = options.writer(&mut bytes).begin_nd().context("encoding the array")?;
            writer.extend(values).context("encoding the array")?;
            writer.finish().context("encoding the array")?;
            bytes
        }
    };
    files::write(path, &bytes)?;
    let drawn = pixels.iter().flatten().count();
    Ok(format!("{}: power and standard deviation at {drawn} outdoor pixels of {} m", path.display(), grid.meters_per_pixel))
}
