//! The arguments of `predict`, each checked as it is parsed.

use anyhow::{Context, Result};
use geo::Coord;
use radiodiff_dataset::files;
use radiodiff_radio::propagation::AntennaRequest;
use radiodiff_radio::scene::{ANTENNA_HEIGHT_M, BUILDING_HEIGHT_M, GeoBounds, check_antenna_height, check_building_height};
use std::path::{Path, PathBuf};

/// Draw the radio map of a transmitter among buildings
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Buildings: GeoJSON (also a feature a line), OpenStreetMap XML or PBF; gzip and bzip2 are unpacked
    pub scene: PathBuf,
    /// Transmitter: longitude and latitude in degrees, and its power in dBm, 23 unless given
    #[arg(long, value_name = "LNG,LAT[,DBM]", allow_hyphen_values = true, value_parser = transmitter)]
    pub tx: TransmitterArg,
    /// Height of the transmitter above the ground, 0.5 to 200 m. Inside a building it must be above the roof
    #[arg(long, value_name = "M", default_value_t = ANTENNA_HEIGHT_M, allow_hyphen_values = true, value_parser = antenna_height)]
    pub height: f64,
    /// Height of the receivers above the ground, 0.5 to 200 m
    #[arg(long, value_name = "M", default_value_t = ANTENNA_HEIGHT_M, allow_hyphen_values = true, value_parser = antenna_height)]
    pub receiver_height: f64,
    /// Height of buildings that the file gives neither a height nor storeys, 0.5 to 1000 m
    #[arg(long, value_name = "M", default_value_t = BUILDING_HEIGHT_M, allow_hyphen_values = true, value_parser = building_height)]
    pub building_height: f64,
    /// The map to write. FILE.png is an image with the world file FILE.pgw, FILE.csv has a line `lng,lat,dbm` for each outdoor pixel,
    /// and FILE.npy is a NumPy array of dBm, NaN inside buildings
    #[arg(long, value_name = "FILE", value_parser = output)]
    pub out: OutputFile,
    /// Centre the map on the centre of these bounds, in degrees [default: where most buildings are]
    #[arg(long, value_name = "W,S,E,N", allow_hyphen_values = true, value_parser = bounds)]
    pub bounds: Option<GeoBounds>,
    /// Carrier frequency, 500 to 100000 [default: 5900]
    #[arg(long, value_name = "MHZ")]
    pub frequency_mhz: Option<f64>,
    /// Antenna: JSON in CloudRF's words, as {"azi": 120, "hbw": 65}, or a file of it, or a file.csv of a measured pattern
    /// [default: omnidirectional]
    #[arg(long, value_name = "JSON|FILE", value_parser = antenna)]
    pub antenna: Option<AntennaArg>,
    /// Propagation model
    #[arg(long, value_enum, default_value = "dominant-path")]
    pub method: ModelChoice,
    /// Draw with a network instead of a propagation model: its weights
    #[cfg(feature = "network")]
    #[arg(long, value_name = "FILE", conflicts_with = "method")]
    pub weights: Option<PathBuf>,
    /// Steps of the network's sampler
    #[cfg(feature = "network")]
    #[arg(long, value_name = "N", requires = "weights", default_value_t = 1,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=radiodiff_core::diffusion::MAX_STEPS as u64))]
    pub steps: usize,
    /// Seed of the sampler's noise
    #[cfg(feature = "network")]
    #[arg(long, value_name = "N", requires = "weights", default_value_t = 0)]
    pub seed: u64,
}

/// The propagation models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ModelChoice {
    /// The path of least loss round corners and over roofs
    DominantPath,
    /// All paths of up to two reflections and diffractions
    Rays,
    /// The distance alone, as if there were no buildings
    LogDistance,
}

/// Where a transmitter stands, and its power where it is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransmitterArg {
    /// Degrees.
    pub lng_lat: Coord<f64>,
    pub power_dbm: Option<f64>,
}

/// What a map is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    Png,
    Csv,
    Npy,
}

/// A file to write and the format that its name asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile {
    pub path: PathBuf,
    pub format: OutputFormat,
}

/// An antenna in the words of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AntennaArg {
    Json(String),
    File(PathBuf),
}

impl AntennaArg {
    /// # Errors
    /// A file that cannot be read; a text that is no antenna.
    pub fn request(&self) -> Result<AntennaRequest> {
        let json = match self {
            Self::Json(text) => text.clone(),
            Self::File(path) => {
                let text = files::read_text(path)?;
                let table = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
                if table { serde_json::json!({ "csv": text }).to_string() } else { text }
            }
        };
        let place = || match self {
            Self::Json(_) => String::from("--antenna"),
            Self::File(path) => path.display().to_string(),
        };
        AntennaRequest::from_json(&json).with_context(place)
    }
}

/// Numbers between commas.
fn numbers(text: &str) -> Result<Vec<f64>, String> {
    let number = |part: &str| match part.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!("{:?} is not a number", part.trim())),
    };
    text.split(',').map(number).collect()
}

fn degrees(name: &str, value: f64, most: f64) -> Result<f64, String> {
    if value.abs() <= most { Ok(value) } else { Err(format!("the {name} is {value}, expected -{most} to {most} degrees")) }
}

fn transmitter(text: &str) -> Result<TransmitterArg, String> {
    let (lng, lat, power_dbm) = match numbers(text)?[..] {
        [lng, lat] => (lng, lat, None),
        [lng, lat, power_dbm] => (lng, lat, Some(power_dbm)),
        ref other => return Err(format!("expected LNG,LAT or LNG,LAT,DBM, found {} numbers", other.len())),
    };
    let lng_lat = Coord { x: degrees("longitude", lng, 180.0)?, y: degrees("latitude", lat, 90.0)? };
    Ok(TransmitterArg { lng_lat, power_dbm })
}

fn meters(text: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| format!("{text:?} is not a number of metres"))
}

fn antenna_height(text: &str) -> Result<f64, String> {
    check_antenna_height("antenna", meters(text)?).map_err(|error| error.to_string())
}

fn building_height(text: &str) -> Result<f64, String> {
    check_building_height(meters(text)?).map_err(|error| error.to_string())
}

fn bounds(text: &str) -> Result<GeoBounds, String> {
    let [west, south, east, north] = numbers(text)?[..] else { return Err("expected W,S,E,N, four numbers in degrees".into()) };
    if west >= east || south >= north {
        return Err("expected west below east and south below north, in the order W,S,E,N".into());
    }
    Ok(GeoBounds { west, south, east, north })
}

fn output(text: &str) -> Result<OutputFile, String> {
    let path = PathBuf::from(text);
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let format = match extension.as_str() {
        "png" => OutputFormat::Png,
        "csv" => OutputFormat::Csv,
        "npy" => OutputFormat::Npy,
        _ => return Err("expected a name that ends in .png, .csv or .npy".into()),
    };
    Ok(OutputFile { path, format })
}

fn antenna(text: &str) -> Result<AntennaArg, String> {
    let json = text.trim_start().starts_with('{');
    Ok(if json { AntennaArg::Json(text.to_owned()) } else { AntennaArg::File(Path::new(text).to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transmitters_have_two_or_three_numbers() {
        let expected = |power_dbm| TransmitterArg { lng_lat: Coord { x: -0.12, y: 51.5 }, power_dbm };
        assert_eq!(transmitter("-0.12,51.5"), Ok(expected(None)));
        assert_eq!(transmitter(" -0.12, 51.5 ,-3"), Ok(expected(Some(-3.0))));
        for text in ["", "1", "a,b", "1,2,3,4", "1,", "1,2,", "NaN,1", "1,inf", "181,0", "0,-91"] {
            assert!(transmitter(text).is_err(), "{text}");
        }
    }

    #[test]
    fn heights_are_numbers_of_meters_in_range() {
        assert_eq!((antenna_height("24"), antenna_height(" 0.5 "), building_height("300")), (Ok(24.0), Ok(0.5), Ok(300.0)));
        for text in ["0", "-2", "10000", "12 m", "3;4", "NaN", "inf", ""] {
            assert!(antenna_height(text).is_err() && building_height(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bounds_are_a_region() {
        assert_eq!(bounds("-1,2,3,4"), Ok(GeoBounds { west: -1.0, south: 2.0, east: 3.0, north: 4.0 }));
        for text in ["1,2,3", "3,2,1,4", "1,4,3,2", "1,2,1,4", "a,b,c,d"] {
            assert!(bounds(text).is_err(), "{text}");
        }
    }
}
