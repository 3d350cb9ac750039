//! A map as a file: an image with its world file, a table, an array. Each is written whole or not at all.

use super::args::{OutputFile, OutputFormat};
use anyhow::{Context, Result};
use colorous::Gradient;
use image::{ImageFormat, Rgba, RgbaImage};
use npyz::WriterBuilder;
use radiodiff_dataset::files;
use radiodiff_radio::map::RadioMap;
use radiodiff_radio::scene::{GeoBounds, LocalFrame};
use std::fmt::Write as _;
use std::io::Cursor;
use std::path::Path;

/// From dark blue over green to dark red; its lightness tells levels apart in the middle, where most of a map is.
const COLORS: Gradient = colorous::TURBO;

/// A map of received power and where it lies.
pub struct GeoMap<'a> {
    /// dBm, NaN inside buildings.
    pub received: &'a RadioMap,
    pub frame: &'a LocalFrame,
    pub bounds: GeoBounds,
    /// The powers of the first and the last colour; beyond them colours stay the same.
    pub colors_dbm: (f64, f64),
}

/// Writes the file and, beside an image, its world file; returns a summary for the user.
///
/// # Errors
/// A place that cannot be written to.
pub fn write(map: &GeoMap, file: &OutputFile) -> Result<String> {
    match file.format {
        OutputFormat::Png => {
            files::write(&file.path, &png(map)?)?;
            let world_file = file.path.with_extension("pgw");
            files::write(&world_file, world_file_text(map).as_bytes())?;
            let (low, high) = map.colors_dbm;
            Ok(format!("colours from {low:.0} dBm (blue) to {high:.0} dBm (red), buildings transparent; world file {}", name(&world_file)))
        }
        OutputFormat::Csv => {
            let (text, lines) = csv(map)?;
            files::write(&file.path, text.as_bytes())?;
            Ok(format!("{lines} outdoor pixels"))
        }
        OutputFormat::Npy => {
            files::write(&file.path, &npy(map)?)?;
            Ok(String::from("float32 dBm, row 0 in the north, NaN inside buildings"))
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().display().to_string()
}

fn png(map: &GeoMap) -> Result<Vec<u8>> {
    let side = u32::try_from(map.received.grid.size)?;
    let (low, high) = map.colors_dbm;
    let color = |column: u32, row: u32| {
        let dbm = f64::from(map.received.values[(row * side + column) as usize]);
        if dbm.is_nan() {
            return Rgba([0, 0, 0, 0]);
        }
        let colorous::Color { r, g, b } = COLORS.eval_continuous(((dbm - low) / (high - low)).clamp(0.0, 1.0));
        Rgba([r, g, b, u8::MAX])
    };
    let mut bytes = Cursor::new(Vec::new());
    RgbaImage::from_fn(side, side, color).write_to(&mut bytes, ImageFormat::Png).context("encoding the image")?;
    Ok(bytes.into_inner())
}

/// ESRI's world file: degrees a column, two rotations, degrees a row, and the centre of the north-western pixel.
fn world_file_text(map: &GeoMap) -> String {
    let GeoBounds { west, south, east, north } = map.bounds;
    let size = map.received.grid.size as f64;
    let (column, row) = ((east - west) / size, (south - north) / size);
    [column, 0.0, 0.0, row, west + column / 2.0, north + row / 2.0].iter().map(|value| format!("{value:.12}\n")).collect()
}

/// The table and its number of lines below the header.
fn csv(map: &GeoMap) -> Result<(String, usize)> {
    let (grid, mut text, mut lines) = (map.received.grid, String::from("lng,lat,dbm\n"), 0);
    for (i, dbm) in map.received.values.iter().enumerate().filter(|(_, dbm)| !dbm.is_nan()) {
        let degrees = map.frame.to_degrees(grid.pixel_center(i / grid.size, i % grid.size));
        writeln!(text, "{:.7},{:.7},{dbm:.2}", degrees.x, degrees.y)?;
        lines += 1;
    }
    Ok((text, lines))
}

fn npy(map: &GeoMap) -> Result<Vec<u8>> {
    let side = map.received.grid.size as u64;
    let mut bytes = Vec::new();
    let mut writer =
        npyz::WriteOptions::new().default_dtype().shape(&[side, side]).writer(&mut bytes).begin_nd().context("encoding the array")?;
    writer.extend(map.received.values.iter().copied()).context("encoding the array")?;
    writer.finish().context("encoding the array")?;
    Ok(bytes)
}
