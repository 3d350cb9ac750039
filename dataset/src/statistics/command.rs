//! `radiodiff dataset statistics`: the command.

use super::measures::{Measured, Quantiles, Statistics, measure, summary};
use crate::files;
use crate::folder::{BUILDINGS, DATASET_CSV, Listing, gray_png, lit, meters_per_pixel, path};
use anyhow::{Context, Result, ensure};
use radiodiff_radio::scene::BuildingMask;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Measure the maps of a dataset: built share, size of buildings, width of streets
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folder in RadioMapSeer's layout
    folder: PathBuf,
    /// Also write the figures here, as JSON
    #[arg(long, value_name = "FILE.json")]
    out: Option<PathBuf>,
    /// Also draw the first maps of each source, a row each
    #[arg(long, value_name = "FILE.png")]
    sheet: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// A folder without maps of buildings, or a file that is not what it should be.
pub fn run(args: &Args) -> Result<()> {
    let (groups, meters_per_pixel) = (grouped(&args.folder)?, meters_per_pixel(&args.folder)?);
    let all: Vec<(&str, &Path)> =
        groups.iter().flat_map(|(source, images)| images.iter().map(|image| (source.as_str(), image.as_path()))).collect();
    let measured: Vec<Measured> = all.par_iter().map(|(_, image)| Ok(measure(&read(image)?, meters_per_pixel))).collect::<Result<_>>()?;
    let of_source = |source: &str| {
        let found: Vec<&Measured> = all.iter().zip(&measured).filter(|((of, _), _)| *of == source).map(|(_, m)| m).collect();
        summary(source, &found)
    };
    let mut table: Vec<Statistics> = groups.keys().map(|source| of_source(source)).collect();
    if groups.len() > 1 {
        table.push(summary("all", &measured.iter().collect::<Vec<_>>()));
    }
    println!("{}", markdown(&table));
    if let Some(path) = &args.out {
        files::write(path, &serde_json::to_vec_pretty(&table)?)?;
    }
    match &args.sheet {
        Some(path) => draw_sheet(path, &groups),
        None => Ok(()),
    }
}

fn read(image: &Path) -> Result<BuildingMask> {
    let (size, gray) = gray_png::read(image)?;
    Ok(BuildingMask { size, pixels: lit(&gray) })
}

/// The images of buildings by source and ascending number; one source where no `dataset.csv` tells them apart.
fn grouped(folder: &Path) -> Result<BTreeMap<String, Vec<PathBuf>>> {
    let images = path(folder, BUILDINGS);
    let csv = path(folder, DATASET_CSV);
    let sources = if csv.exists() { sources(&csv)? } else { BTreeMap::new() };
    let mut groups: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for (map, image) in Listing::<u32>::read(&images, "png")?.sound(&images, "png")? {
        groups.entry(sources.get(&map).cloned().unwrap_or_else(|| "maps".into())).or_default().push(image);
    }
    Ok(groups)
}

/// Map -> source, where the table has these columns; other datasets have other tables.
fn sources(csv: &Path) -> Result<BTreeMap<u32, String>> {
    let text = files::read_text(csv)?;
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap_or_default();
    let column = |name: &str| header.iter().position(|&found| found == name);
    let (Some(map), Some(source)) = (column("map"), column("source")) else { return Ok(BTreeMap::new()) };
    let entry = |line: Vec<&str>| Some((line.get(map)?.parse().ok()?, (*line.get(source)?).to_owned()));
    Ok(lines.filter_map(entry).collect())
}

fn markdown(table: &[Statistics]) -> String {
    let mut text = String::from(
        "| source | maps | built % | buildings a map | area of a building, m² | width of a street, m |\n|---|---|---|---|---|---|",
    );
    for row in table {
        let shown = |q: Quantiles, factor: f64| format!("{:.0} / {:.0} / {:.0}", q.p10 * factor, q.p50 * factor, q.p90 * factor);
        let cells = [
            shown(row.built_share, 100.0),
            shown(row.buildings_per_map, 1.0),
            shown(row.building_area_m2, 1.0),
            shown(row.street_width_m, 1.0),
        ];
        text += &format!("\n| {} | {} | {} |", row.source, row.maps, cells.join(" | "));
    }
    text + "\n\nEach cell: 10 % of the values lie below / half / 90 %."
}

/// Maps of a source drawn beside each other, and pixels between them.
const SHEET_MAPS: usize = 6;
const SHEET_GAP: usize = 4;
const SHEET_GRAY: u8 = 128;

/// A row of maps for each source, every second pixel of each.
fn draw_sheet(path: &Path, groups: &BTreeMap<String, Vec<PathBuf>>) -> Result<()> {
    let first = groups.values().flatten().next().context("no maps")?;
    let side = read(first)?.size / 2;
    let columns = groups.values().map(|maps| maps.len().min(SHEET_MAPS)).max().unwrap_or(1);
    let extent = |count: usize| count * (side + SHEET_GAP) + SHEET_GAP;
    let (width, height) = (extent(columns), extent(groups.len()));
    let mut sheet = vec![SHEET_GRAY; width * height];
    for (row, maps) in groups.values().enumerate() {
        for (column, image) in maps.iter().take(SHEET_MAPS).enumerate() {
            let mask = read(image)?;
            ensure!(
                mask.size / 2 == side,
                "{} has {1} x {1} pixels, others {2} x {2}: they do not fit one sheet",
                image.display(),
                mask.size,
                2 * side
            );
            for i in 0..side * side {
                let (y, x) = (i / side, i % side);
                let value = if mask.is_building(2 * y, 2 * x) { 0 } else { u8::MAX };
                sheet[(extent(row) + y) * width + extent(column) + x] = value;
            }
        }
    }
    files::write_gray_png(path, &sheet, u32::try_from(width)?, u32::try_from(height)?)
}
