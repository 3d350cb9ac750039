//! The arguments of `sites`, and its list of candidates.

use crate::drawing::{AreaArgs, SourceArgs, StationArgs, TransmitterArg, length, number, transmitter};
use anyhow::{Context, Result};
use geo::Coord;
use radiodiff_dataset::files;
use radiodiff_radio::calibration::read_places;
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
    /// Candidates: CSV with the columns lng and lat [default: a place in each square of --spacing-m]
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
    pub out: Option<SiteFile>,
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

/// A file for the places and the format that its name asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteFile {
    pub path: PathBuf,
    pub format: SiteFormat,
}

fn output(text: &str) -> Result<SiteFile, String> {
    let path = PathBuf::from(text);
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let format = match extension.as_str() {
        "geojson" | "json" => SiteFormat::GeoJson,
        "csv" => SiteFormat::Csv,
        _ => return Err("expected a name that ends in .geojson or .csv".into()),
    };
    Ok(SiteFile { path, format })
}

/// Longitudes and latitudes of a table.
///
/// # Errors
/// A file that cannot be read; a line without a place on the globe.
pub fn read_candidates(path: &Path) -> Result<Vec<Coord<f64>>> {
    read_places(&files::read_text(path)?).with_context(|| format!("the candidates {}", path.display()))
}
