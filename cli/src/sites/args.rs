//! The arguments of `sites`, and its list of candidates.

use crate::drawing::{AreaArgs, OutputFile, SourceArgs, StationArgs, TransmitterArg, length, number, transmitter};
use anyhow::{Context, Result};
use radiodiff_dataset::files;
use radiodiff_radio::calibration::{SiteRow, read_sites};
use std::path::{Path, PathBuf};

/// Find the places for new transmitters that cover most
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Buildings, in any format of `predict`
    pub scene: PathBuf,
    /// How many places to find
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub count: usize,
    /// Least received power that counts as covered, dBm
    #[arg(long, value_name = "DBM", allow_hyphen_values = true, value_parser = number)]
    pub threshold: f64,
    /// Candidates: CSV with the columns lng and lat, and perhaps name, height_m and power_dbm, which come before --height-m and
    /// --power-dbm [default: a place in each square of --spacing-m]
    #[arg(long, value_name = "FILE")]
    pub candidates: Option<PathBuf>,
    /// Side of the squares that have one candidate each, metres
    #[arg(long, value_name = "M", default_value_t = 16.0, value_parser = length, conflicts_with = "candidates")]
    pub spacing_m: f64,
    /// Power of the new transmitters, dBm [default: 23]
    #[arg(long, value_name = "DBM", allow_hyphen_values = true, value_parser = number)]
    pub power_dbm: Option<f64>,
    /// Transmitter that is there already; may be repeated
    #[arg(long, value_name = "LNG,LAT[,DBM]", allow_hyphen_values = true, value_parser = transmitter)]
    pub existing: Vec<TransmitterArg>,
    /// Write the places: .geojson or .csv
    #[arg(long, value_name = "FILE", value_parser = output)]
    pub out: Option<OutputFile<SiteFormat>>,
    #[command(flatten)]
    pub area: AreaArgs,
    #[command(flatten)]
    pub stations: StationArgs,
    #[command(flatten)]
    pub source: SourceArgs,
}

/// What the places are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteFormat {
    GeoJson,
    Csv,
}

fn output(name: &str) -> Result<OutputFile<SiteFormat>, String> {
    let format = |extension: &str| match extension.to_lowercase().as_str() {
        "geojson" | "json" => Some(SiteFormat::GeoJson),
        "csv" => Some(SiteFormat::Csv),
        _ => None,
    };
    OutputFile::named(name, format, ".geojson or .csv")
}

/// The candidates of a table.
///
/// # Errors
/// A file that cannot be read; a line without a place on the globe, or with a height or power that no antenna has.
pub fn read_candidates(path: &Path) -> Result<Vec<SiteRow>> {
    read_sites(&files::read_text(path)?).with_context(|| format!("the candidates {}", path.display()))
}
