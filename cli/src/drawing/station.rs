//! A transmitter that is asked for, and one that stands on the map.

use super::antenna::AntennaArg;
use super::source::MapSource;
use super::values::{TransmitterArg, number};
use anyhow::{Context, Result};
use geo::Coord;
use radiodiff_radio::propagation::{AntennaPattern, AntennaRequest};
use radiodiff_radio::scene::{ANTENNA_HEIGHT_M, Transmitter};

/// What all transmitters of a command share
#[derive(clap::Args, Clone, Debug)]
pub struct StationArgs {
    /// Height of the transmitters above the ground, metres, 0.5 to 200 [default: 1.5]
    #[arg(long, value_name = "M", value_parser = number, allow_negative_numbers = true)]
    height_m: Option<f64>,
    /// Height of the receivers above the ground, metres, 0.5 to 200
    #[arg(long, value_name = "M", default_value_t = ANTENNA_HEIGHT_M, value_parser = number, allow_negative_numbers = true)]
    pub receiver_height_m: f64,
    /// Carrier frequency, 500 to 100000 [default: 5900]
    #[arg(long, value_name = "MHZ", allow_negative_numbers = true, value_parser = number)]
    frequency_mhz: Option<f64>,
    /// Antenna of the transmitters: JSON in CloudRF's words, as {"azi": 120, "hbw": 65}, or a file of it, or a file.csv of a measured
    /// pattern [default: omnidirectional]
    #[arg(long, value_name = "JSON|FILE")]
    antenna: Option<AntennaArg>,
}

/// A transmitter that is asked for. What is not given has RadioMapSeer's value ([`Transmitter::at`]).
#[derive(Clone, Debug, PartialEq)]
pub struct Station {
    /// How messages call it, such as `--tx 11.5,48.1`.
    pub name: String,
    /// Degrees.
    pub lng_lat: Coord<f64>,
    pub power_dbm: Option<f64>,
    /// Above the ground.
    pub height_m: Option<f64>,
    pub frequency_mhz: Option<f64>,
    pub antenna: AntennaRequest,
}

/// A transmitter on an outdoor pixel of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedStation {
    pub transmitter: Transmitter,
    pub pattern: AntennaPattern,
    /// Where it stands, degrees.
    pub lng_lat: Coord<f64>,
    /// What was changed for that.
    pub warnings: Vec<String>,
}

impl StationArgs {
    /// The warning that the source does not know the heights that are given.
    pub fn unused_heights(&self, source: &MapSource) -> Option<String> {
        let given = self.height_m.is_some() || self.receiver_height_m != ANTENNA_HEIGHT_M;
        source.unused_heights().filter(|_| given)
    }
}

impl PlacedStation {
    /// Power in the antenna's strongest direction, dBm.
    pub fn sent_dbm(&self) -> f64 {
        self.transmitter.power_dbm + self.transmitter.antenna_gain_dbi
    }
}

impl Station {
    /// From `--tx`, with what all transmitters of a command share.
    ///
    /// # Errors
    /// An antenna that cannot be used.
    pub fn new(arg: &TransmitterArg, shared: &StationArgs) -> Result<Self> {
        let Coord { x: lng, y: lat } = arg.lng_lat;
        let antenna = match &shared.antenna {
            Some(antenna) => antenna.request(),
            None => AntennaRequest::from_json("{}").map_err(Into::into),
        };
        Ok(Self {
            name: format!("--tx {lng},{lat}"),
            lng_lat: arg.lng_lat,
            power_dbm: arg.power_dbm,
            height_m: shared.height_m,
            frequency_mhz: shared.frequency_mhz,
            antenna: antenna.context("the antenna")?,
        })
    }

    /// As a transmitter at a position in metres.
    pub fn transmitter(&self, position: Coord<f64>) -> Transmitter {
        let standard = Transmitter::at(position.x, position.y);
        Transmitter {
            height_m: self.height_m.unwrap_or(standard.height_m),
            power_dbm: self.power_dbm.unwrap_or(standard.power_dbm),
            frequency_mhz: self.frequency_mhz.unwrap_or(standard.frequency_mhz),
            antenna_gain_dbi: self.antenna.gain_dbi.unwrap_or(standard.antenna_gain_dbi),
            azimuth_deg: self.antenna.azimuth_deg,
            downtilt_deg: self.antenna.downtilt_deg,
            ..standard
        }
    }
}
