//! The arguments of `predict`, each checked as it is parsed.

use crate::drawing::{AreaArgs, OutputFile, SourceArgs, StationArgs, TransmitterArg, number, transmitter};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use radiodiff_planning::coverage::Receiver;
use radiodiff_planning::export::{ExportFormat, Palette};
use radiodiff_planning::raster::{PlanLayer, RasterQuantity};
use std::path::PathBuf;

/// Draw the radio map of one or several transmitters among buildings
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Buildings: GeoJSON (also a feature a line), OpenStreetMap XML or PBF; gzip and bzip2 are unpacked
    pub scene: PathBuf,
    /// Transmitter: longitude and latitude in degrees, and its power in dBm, 23 unless given; may be repeated
    #[arg(long, required = true, value_name = "LNG,LAT[,DBM]", allow_hyphen_values = true, value_parser = transmitter)]
    pub tx: Vec<TransmitterArg>,
    /// The map to write; may be repeated. By its ending: .tif (GeoTIFF, float32), .png (image with the world file .pgw), .kml (with its
    /// image) or .kmz, .geojson (contours), .csv (a line for each outdoor pixel), .npy (NumPy array)
    #[arg(long, required = true, value_name = "FILE", value_parser = output)]
    pub out: Vec<OutputFile<ExportFormat>>,
    /// What the map shows. Of several transmitters the strongest counts. The last two say how sure a network is, of received power:
    /// standard-deviation in dB, probability of --threshold or more
    #[arg(long, value_name = "LAYER", default_value = "received-power", value_parser = quantity())]
    pub quantity: RasterQuantity,
    /// Least value that counts as covered, for a path loss the largest: in statistics, and shown in images of layers
    #[arg(long, value_name = "DB", allow_hyphen_values = true, value_parser = number)]
    pub threshold: Option<f64>,
    /// Write statistics as JSON: area, share, largest range, distribution; by --threshold
    #[arg(long, value_name = "FILE", requires = "threshold")]
    pub statistics: Option<PathBuf>,
    #[command(flatten)]
    pub area: AreaArgs,
    #[command(flatten)]
    pub stations: StationArgs,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub receiver: ReceiverArgs,
    /// Levels of contours [default: the threshold, else every 10 dB]
    #[arg(long, value_name = "DB,DB,...", value_delimiter = ',', allow_hyphen_values = true, value_parser = number)]
    pub levels: Vec<f64>,
    /// Colours of images
    #[arg(long, value_name = "NAME", default_value = "turbo", value_parser = palette())]
    pub palette: Palette,
    /// Values of the first and the last colour [default: by the model's range]
    #[arg(long, value_name = "LOW,HIGH", allow_hyphen_values = true, value_parser = range)]
    pub range: Option<(f64, f64)>,
}

/// The receiver
#[derive(clap::Args, Clone, Debug)]
pub struct ReceiverArgs {
    /// Gain of the receiver's antenna, dBi
    #[arg(long, value_name = "DBI", default_value_t = 0.0, allow_hyphen_values = true, value_parser = number)]
    receiver_gain_dbi: f64,
    /// Width of the channel, for the noise and for what interferes, MHz
    #[arg(long, value_name = "MHZ", default_value_t = Receiver::default().bandwidth_mhz, allow_negative_numbers = true, value_parser = number)]
    bandwidth_mhz: f64,
    /// Noise figure of the receiver, dB
    #[arg(long, value_name = "DB", default_value_t = Receiver::default().noise_figure_db, allow_negative_numbers = true, value_parser = number)]
    noise_figure_db: f64,
    /// Noise floor, dBm [default: by bandwidth and noise figure]
    #[arg(long, value_name = "DBM", allow_hyphen_values = true, value_parser = number)]
    noise_floor_dbm: Option<f64>,
}

impl ReceiverArgs {
    pub fn receiver(&self) -> Receiver {
        Receiver {
            gain_dbi: self.receiver_gain_dbi,
            bandwidth_mhz: self.bandwidth_mhz,
            noise_figure_db: self.noise_figure_db,
            noise_floor_dbm: self.noise_floor_dbm,
        }
    }
}

fn output(name: &str) -> Result<OutputFile<ExportFormat>, String> {
    OutputFile::named(name, ExportFormat::from_extension, ".tif, .kml, .kmz, .geojson, .png, .csv or .npy")
}

fn quantity() -> impl TypedValueParser<Value = RasterQuantity> {
    let layers = PlanLayer::ALL.into_iter().map(RasterQuantity::Layer);
    let quantities = layers.chain([RasterQuantity::StandardDeviation, RasterQuantity::Probability]);
    PossibleValuesParser::new(quantities.map(RasterQuantity::name)).try_map(|name| RasterQuantity::named(&name).ok_or("no such layer"))
}

fn palette() -> impl TypedValueParser<Value = Palette> {
    PossibleValuesParser::new(Palette::ALL.map(Palette::name)).try_map(|name| Palette::named(&name).ok_or("no such palette"))
}

fn range(text: &str) -> Result<(f64, f64), String> {
    let (low, high) = text.split_once(',').ok_or("expected LOW,HIGH, two numbers")?;
    let (low, high) = (number(low)?, number(high)?);
    if low < high { Ok((low, high)) } else { Err("expected LOW below HIGH".into()) }
}
