//! `trainer dataset statistics`: what the maps of a dataset look like in figures, so that made cities can be held beside real ones.
//!
//! In flow the images of buildings alone, so that every dataset in RadioMapSeer's layout can be measured; `dataset.csv` of
//! `trainer dataset synth` splits them by source. Out flow a table, JSON, and a sheet of pictures. Three things are measured:
//!
//! - the built share of a map;
//! - buildings as sets of connected pixels, those cut by the map's edge left out: their number and the quantiles of their areas;
//! - the width of a street: twice the distance to the nearest wall at the pixels outdoors where that distance is the largest
//!   among the eight neighbours, the ridge between walls. Pixels nearer to the map's edge than to a wall are left out, since
//!   the nearest wall may lie beyond it.

use crate::{BUILDINGS, DATASET_CSV, gray_png};
use crate::{files, raster};
use anyhow::{Context, Result, ensure};
use radiodiff_radio::scene::BuildingMask;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Measures the maps of a dataset: built share, size of buildings, width of streets
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

/// Tenth, half and ninth tenth of a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    pub p10: f64,
    pub p50: f64,
    pub p90: f64,
}

impl Quantiles {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values.get((share * values.len() as f64) as usize).copied().unwrap_or(f64::NAN);
        Self { p10: at(0.1), p50: at(0.5), p90: at(0.9) }
    }
}

/// The maps of one source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statistics {
    pub source: String,
    pub maps: usize,
    pub built_share: Quantiles,
    pub buildings_per_map: Quantiles,
    pub building_area_m2: Quantiles,
    pub street_width_m: Quantiles,
}

/// What one map adds.
struct Measured {
    built_share: f64,
    areas_m2: Vec<f64>,
    buildings: usize,
    streets_m: Vec<f64>,
}

/// Runs the command.
///
/// # Errors
/// A folder without maps of buildings, or a file that is not what it should be.
pub fn run(args: &Args) -> Result<()> {
    let groups = grouped(&args.folder)?;
    let all: Vec<(String, u32)> = groups.iter().flat_map(|(source, maps)| maps.iter().map(|&map| (source.clone(), map))).collect();
    let read = |map: u32| {
        let (size, gray) = gray_png::read(&args.folder.join(BUILDINGS).join(format!("{map}.png")))?;
        Ok(BuildingMask { size, pixels: gray.iter().map(|&v| u8::from(v > 0)).collect() })
    };
    let measured: Vec<Measured> = all.par_iter().map(|(_, map)| Ok(measure(&read(*map)?))).collect::<Result<_>>()?;
    let of_source = |source: &str| {
        let found: Vec<&Measured> = all.iter().zip(&measured).filter(|((of, _), _)| of == source).map(|(_, m)| m).collect();
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
        Some(path) => draw_sheet(path, &groups, read),
        None => Ok(()),
    }
}

/// The maps' numbers by source, ascending; one source where no `dataset.csv` tells them apart.
fn grouped(folder: &Path) -> Result<BTreeMap<String, Vec<u32>>> {
    let images = folder.join(BUILDINGS);
    let listing = fs::read_dir(&images).with_context(|| format!("{} cannot be listed", images.display()))?;
    let csv = folder.join(DATASET_CSV);
    let sources = if csv.exists() { sources(&csv)? } else { BTreeMap::new() };
    let mut groups: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for entry in listing {
        let path = entry.with_context(|| format!("listing {}", images.display()))?.path();
        if path.extension().is_some_and(|e| e == "png") {
            let number = path.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse().ok());
            let map = number.with_context(|| format!("{}: expected a name like 12.png", path.display()))?;
            groups.entry(sources.get(&map).cloned().unwrap_or_else(|| "maps".into())).or_default().push(map);
        }
    }
    ensure!(!groups.is_empty(), "{} holds no .png", images.display());
    groups.values_mut().for_each(|maps| maps.sort_unstable());
    Ok(groups)
}

/// Map -> source, where the table has these columns; it has others in other datasets.
fn sources(csv: &Path) -> Result<BTreeMap<u32, String>> {
    let text = fs::read_to_string(csv).with_context(|| format!("{} cannot be read", csv.display()))?;
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap_or_default();
    let column = |name: &str| header.iter().position(|&found| found == name);
    let (Some(map), Some(source)) = (column("map"), column("source")) else { return Ok(BTreeMap::new()) };
    let entry = |line: Vec<&str>| Some((line.get(map)?.parse().ok()?, (*line.get(source)?).to_owned()));
    Ok(lines.filter_map(entry).collect())
}

fn measure(mask: &BuildingMask) -> Measured {
    let buildings = raster::connected_buildings(mask);
    let built: usize = buildings.iter().map(|(pixels, _)| pixels).sum();
    Measured {
        built_share: built as f64 / mask.pixels.len() as f64,
        buildings: buildings.len(),
        areas_m2: buildings.iter().filter(|(_, at_edge)| !at_edge).map(|&(pixels, _)| pixels as f64).collect(),
        streets_m: street_widths(mask),
    }
}

fn street_widths(mask: &BuildingMask) -> Vec<f64> {
    let (size, distance) = (mask.size, raster::distance_to_wall(mask));
    let mut widths = Vec::new();
    for row in 1..size.saturating_sub(1) {
        for column in 1..size - 1 {
            let here = distance[row * size + column];
            let to_edge = [row, column, size - 1 - row, size - 1 - column].into_iter().min().unwrap_or(0) as f64;
            let ridge = || (row - 1..=row + 1).all(|r| (column - 1..=column + 1).all(|c| distance[r * size + c] <= here));
            if here > 0.0 && here <= to_edge && ridge() {
                // The wall begins half a pixel before its pixel's centre.
                widths.push(2.0 * here - 1.0);
            }
        }
    }
    widths
}

fn summary(source: &str, maps: &[&Measured]) -> Statistics {
    let each = |value: fn(&Measured) -> f64| Quantiles::of(maps.iter().map(|m| value(m)).collect());
    let pooled = |values: fn(&Measured) -> &Vec<f64>| Quantiles::of(maps.iter().flat_map(|m| values(m).iter().copied()).collect());
    Statistics {
        source: source.into(),
        maps: maps.len(),
        built_share: each(|m| m.built_share),
        buildings_per_map: each(|m| m.buildings as f64),
        building_area_m2: pooled(|m| &m.areas_m2),
        street_width_m: pooled(|m| &m.streets_m),
    }
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
fn draw_sheet(path: &Path, groups: &BTreeMap<String, Vec<u32>>, read: impl Fn(u32) -> Result<BuildingMask>) -> Result<()> {
    let first = groups.values().flatten().next().context("no maps")?;
    let side = read(*first)?.size / 2;
    let columns = groups.values().map(|maps| maps.len().min(SHEET_MAPS)).max().unwrap_or(1);
    let extent = |count: usize| count * (side + SHEET_GAP) + SHEET_GAP;
    let (width, height) = (extent(columns), extent(groups.len()));
    let mut sheet = vec![SHEET_GRAY; width * height];
    for (row, maps) in groups.values().enumerate() {
        for (column, &map) in maps.iter().take(SHEET_MAPS).enumerate() {
            let mask = read(map)?;
            ensure!(
                mask.size / 2 == side,
                "map {map} has {0} x {0} pixels, others {1} x {1}: they do not fit one sheet",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_street_between_two_walls_has_its_width() {
        let inside = |i: usize| u8::from(!(20..34).contains(&(i / 64)));
        let widths = street_widths(&BuildingMask { size: 64, pixels: (0..64 * 64).map(inside).collect() });
        assert!(!widths.is_empty() && widths.iter().all(|&w| (13.0..=14.0).contains(&w)), "{widths:?}");
    }

    #[test]
    fn quantiles_of_a_uniform_list() {
        let found = Quantiles::of((0..100).rev().map(f64::from).collect());
        assert_eq!(found, Quantiles { p10: 10.0, p50: 50.0, p90: 90.0 });
        assert!(Quantiles::of(Vec::new()).p50.is_nan());
    }
}
