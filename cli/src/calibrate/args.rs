//! The arguments of `calibrate`.

use crate::drawing::length;
use std::path::PathBuf;

/// Fit the map of a cell to measured power, and say how well it predicts blocks that it was not given
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Buildings: GeoJSON (also a feature a line), OpenStreetMap XML or PBF; gzip and bzip2 are unpacked
    #[arg(long, value_name = "FILE")]
    pub buildings: PathBuf,
    /// The cell as JSON: lat, lng, frequency_mhz, and azimuth_deg and height_m where they are known; or an object of such cells by name
    #[arg(long, value_name = "FILE")]
    pub cell: PathBuf,
    /// Measurements: CSV with the columns lng, lat and rsrp_dbm (or power_dbm, dbm), and device where several measured. With --draws
    /// several files may be given
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub measurements: Vec<PathBuf>,
    /// Which cell of the file [default: the only one, or the one that the measurements' file is named after, as cell-A.csv]
    #[arg(long, value_name = "NAME")]
    pub cell_name: Option<String>,
    /// Whose measurements to use [default: the device with the most]
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
    /// Side of the map around the cell, metres
    #[arg(long, value_name = "M", default_value_t = 512.0, value_parser = length)]
    pub extent_m: f64,
    /// Measurements are averaged over squares of this side, metres
    #[arg(long, value_name = "M", default_value_t = 4.0, value_parser = length)]
    pub square_m: f64,
    /// Blocks of this side are left out to validate, metres
    #[arg(long, value_name = "M", default_value_t = 64.0, value_parser = length)]
    pub block_m: f64,
    /// The calibrated map to write: FILE.csv has a line `lng,lat,dbm,deviation_db` for each outdoor pixel, FILE.npy is a NumPy array
    /// (2, N, N) of power and standard deviation, NaN inside buildings
    #[arg(long, value_name = "FILE", conflicts_with = "draws")]
    pub out: Option<PathBuf>,
    /// Instead of calibrating, give 200 squares of 4 m in each of N draws and print the errors on others: random squares, then squares
    /// in blocks of 64 m none of which were given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub draws: Option<u16>,
}
