//! A plan in CloudRF's words, the field names that planning tools share.
//!
//! | object | field | unit | default | meaning |
//! |---|---|---|---|---|
//! | `transmitter`, or each of `transmitters` | `lat`, `lon` | degrees | | |
//! | | `alt` | m | 1.5 | height above the ground |
//! | | `frq` | MHz | 5900 | carrier |
//! | | `txw` | W | 0.2 (23 dBm) | power |
//! | | `bwi` | MHz | 20 | width of the channel; the widest counts |
//! | | `antenna` | | the request's | of this transmitter |
//! | `antenna` | | | omnidirectional | [`radiodiff_radio::propagation::AntennaRequest`] |
//! | `receiver` | `alt` | m | 1.5 | height above the ground |
//! | | `rxg` | dBi | 0 | gain |
//! | | `rxs` | dBm | | sensitivity: the threshold of coverage |
//! | `output` | `nf` | dBm | by `bwi` and a noise figure of 7 dB | noise floor |
//! | | `res` | m | 1 | side of a pixel |
//! | | `rad` | km | 0.128 | from the map's centre to its sides |
//!
//! Fields that are not known are named in a warning and not used; a field that cannot be used is an error.

use super::fields::{FieldError, Fields};
use super::input::Input;
use crate::coverage::Receiver;
use radiodiff_radio::propagation::AntennaRequest;
use radiodiff_radio::scene::{LEAST_ANTENNA_HEIGHT_M, MAX_DECIBELS, MOST_ANTENNA_HEIGHT_M};
use serde_json::Value;

/// The most transmitters of a request; each costs a map.
const MOST_TRANSMITTERS: usize = 32;
/// The code of every error here: what the request says cannot be used.
const CODE: &str = "request";

/// A transmitter that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct StationRequest {
    /// Degrees.
    pub lng: f64,
    pub lat: f64,
    /// `None` where the request does not say.
    pub power_dbm: Option<f64>,
    pub height_m: Option<f64>,
    pub frequency_mhz: Option<f64>,
    pub antenna: AntennaRequest,
}

/// A plan that is asked for: at least one transmitter.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanRequest {
    pub stations: Vec<StationRequest>,
    pub receiver: Receiver,
    /// Above the ground; `None` where the request does not say.
    pub receiver_height_m: Option<f64>,
    /// Least received power that counts as covered, dBm.
    pub sensitivity_dbm: Option<f64>,
    /// Name of a scene that is known already.
    pub scene: Option<String>,
    /// Side of a pixel and half of the map's side, metres; `None` where the request does not say.
    pub resolution_m: Option<f64>,
    pub radius_m: Option<f64>,
    pub warnings: Vec<String>,
}

impl TryFrom<Input> for PlanRequest {
    type Error = FieldError;

    fn try_from(input: Input) -> Result<Self, FieldError> {
        let mut fields = Fields::of(input, "", CODE, "an object with a transmitter")?;
        let mut warnings = Vec::new();
        let shared_antenna = fields.take("antenna");
        let mut bandwidth_mhz: Option<f64> = None;
        let mut stations = Vec::new();
        for (path, transmitter) in transmitters(&mut fields)? {
            let (station, bandwidth) = station(transmitter, &path, &shared_antenna, &mut warnings)?;
            bandwidth_mhz = [bandwidth_mhz, bandwidth].into_iter().flatten().reduce(f64::max);
            stations.push(station);
        }
        let mut receiver = Receiver::default();
        receiver.bandwidth_mhz = bandwidth_mhz.unwrap_or(receiver.bandwidth_mhz);
        let (mut sensitivity_dbm, mut receiver_height_m) = (None, None);
        if let Some(mut of) = section(&mut fields, "receiver")? {
            receiver.gain_dbi = decibels(&mut of, "rxg", "dBi")?.unwrap_or(receiver.gain_dbi);
            receiver_height_m = height_m(&mut of)?;
            sensitivity_dbm = decibels(&mut of, "rxs", "dBm")?;
            warnings.extend(of.unknown().map(not_used));
        }
        let (mut resolution_m, mut radius_m) = (None, None);
        if let Some(mut of) = section(&mut fields, "output")? {
            receiver.noise_floor_dbm = decibels(&mut of, "nf", "dBm")?;
            resolution_m = of.number("res", CODE, "metres from 0.1 to 100", |res| (0.1..=100.0).contains(&res))?;
            radius_m = of.number("rad", CODE, "kilometres from 0.01 to 2", |rad| (0.01..=2.0).contains(&rad))?.map(|km| km * 1000.0);
            warnings.extend(of.unknown().map(not_used));
        }
        let scene = match fields.take("scene") {
            Input::Missing => None,
            Input::Text(name) => Some(name),
            found => return Err(fields.error("scene", CODE, &found, "the name of a scene")),
        };
        // Names that tools give their jobs change nothing.
        for name in ["site", "network"] {
            let _ = fields.take(name);
        }
        warnings.extend(fields.unknown().map(not_used));
        Ok(Self { stations, receiver, receiver_height_m, sensitivity_dbm, scene, resolution_m, radius_m, warnings })
    }
}

fn not_used(field: String) -> String {
    format!("{field} is not known and not used")
}

/// The transmitters with where they stand in the request.
fn transmitters(fields: &mut Fields) -> Result<Vec<(String, Input)>, FieldError> {
    let expected = format!("an array of 1 to {MOST_TRANSMITTERS} transmitters, or one as transmitter");
    match (fields.take("transmitter"), fields.take("transmitters")) {
        (Input::Missing, Input::List(items)) if (1..=MOST_TRANSMITTERS).contains(&items.len()) => {
            Ok(items.into_iter().enumerate().map(|(i, item)| (format!("transmitters[{i}]"), item)).collect())
        }
        (Input::Missing, found) => Err(fields.error("transmitters", CODE, &found, expected)),
        (one, Input::Missing) => Ok(vec![("transmitter".into(), one)]),
        (_, found) => Err(fields.error("transmitters", CODE, &found, "either transmitter or transmitters")),
    }
}

/// A transmitter and its bandwidth.
fn station(
    input: Input,
    path: &str,
    shared_antenna: &Input,
    warnings: &mut Vec<String>,
) -> Result<(StationRequest, Option<f64>), FieldError> {
    let mut fields = Fields::of(input, path, CODE, "an object with lat and lon")?;
    let mut degrees = |name: &str, most: f64| {
        let expected = format!("degrees from -{most} to {most}");
        let found = fields.number(name, CODE, &expected, |value| value.abs() <= most)?;
        found.ok_or_else(|| fields.error(name, CODE, &Input::Missing, expected))
    };
    let (lat, lng) = (degrees("lat", 90.0)?, degrees("lon", 180.0)?);
    let watts = fields.number("txw", CODE, "a power above 0 and up to 10000000 W", |watts| watts > 0.0 && watts <= 1e7)?;
    let height_m = height_m(&mut fields)?;
    let frequency_mhz = fields.number("frq", CODE, "a frequency in MHz", |mhz| mhz > 0.0)?;
    let bandwidth_mhz = fields.number("bwi", CODE, "a bandwidth from 0.000001 to 100000 MHz", |mhz| (1e-6..=1e5).contains(&mhz))?;
    let antenna = match fields.take("antenna") {
        Input::Missing => shared_antenna.clone(),
        own => own,
    };
    let antenna_path = fields.path("antenna");
    warnings.extend(fields.unknown().map(not_used));
    let json = match &antenna {
        Input::Missing => String::from("{}"),
        given => Value::from(given.clone()).to_string(),
    };
    let refused = |reason: String| FieldError {
        code: CODE,
        field: antenna_path,
        found: format!("not usable ({reason})"),
        expected: "an antenna such as {\"azi\": 120, \"hbw\": 65}".into(),
    };
    let antenna = AntennaRequest::from_json(&json).map_err(|error| refused(error.to_string()))?;
    let power_dbm = watts.map(|watts| 10.0 * libm::log10(watts * 1000.0));
    Ok((StationRequest { lng, lat, power_dbm, height_m, frequency_mhz, antenna }, bandwidth_mhz))
}

/// An object among the fields, `None` where there is none.
fn section(fields: &mut Fields, name: &str) -> Result<Option<Fields>, FieldError> {
    match fields.take(name) {
        Input::Missing => Ok(None),
        found => Fields::of(found, name, CODE, "an object").map(Some),
    }
}

/// An antenna's height.
fn height_m(fields: &mut Fields) -> Result<Option<f64>, FieldError> {
    let expected = format!("metres from {LEAST_ANTENNA_HEIGHT_M} to {MOST_ANTENNA_HEIGHT_M}");
    fields.number("alt", CODE, &expected, |height_m| (LEAST_ANTENNA_HEIGHT_M..=MOST_ANTENNA_HEIGHT_M).contains(&height_m))
}

fn decibels(fields: &mut Fields, name: &str, unit: &str) -> Result<Option<f64>, FieldError> {
    fields.number(name, CODE, &format!("a number from -{MAX_DECIBELS} to {MAX_DECIBELS} {unit}"), |db| db.abs() <= MAX_DECIBELS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<PlanRequest, FieldError> {
        serde_json::from_value::<Input>(value).expect("any JSON is an input").try_into()
    }

    #[test]
    fn a_request_in_cloudrfs_words() {
        let found = read(json!({
            "site": "roof", "network": "test", "scene": "munich",
            "transmitter": { "lat": 48.135, "lon": "11.577", "frq": 3500, "txw": 2, "bwi": 40, "alt": 12 },
            "receiver": { "rxg": 2.15, "rxs": -95, "alt": 3 },
            "antenna": { "txg": 8, "azi": 120, "hbw": 65 },
            "output": { "nf": -101, "res": 2, "rad": 0.5, "col": "RAINBOW.dBm" },
        }))
        .expect("it is sound");
        let station = &found.stations[0];
        assert_eq!((station.lng, station.lat, station.frequency_mhz), (11.577, 48.135, Some(3500.0)));
        assert!((station.power_dbm.expect("2 W") - 33.0103).abs() < 1e-4);
        assert_eq!((station.antenna.gain_dbi, station.antenna.azimuth_deg), (Some(8.0), 120.0));
        assert_eq!((station.height_m, found.receiver_height_m), (Some(12.0), Some(3.0)));
        let Receiver { gain_dbi, bandwidth_mhz, noise_floor_dbm, .. } = found.receiver;
        assert_eq!((gain_dbi, bandwidth_mhz, noise_floor_dbm), (2.15, 40.0, Some(-101.0)));
        assert_eq!((found.sensitivity_dbm, found.resolution_m, found.radius_m), (Some(-95.0), Some(2.0), Some(500.0)));
        assert_eq!((found.scene.as_deref(), found.warnings), (Some("munich"), vec!["output.col is not known and not used".to_owned()]));
    }

    #[test]
    fn several_transmitters_may_have_antennas_of_their_own() {
        let found = read(json!({
            "transmitters": [{ "lat": 1, "lon": 2, "antenna": { "azi": 10, "hbw": 65 } }, { "lat": 1, "lon": 2, "txw": "" }],
            "antenna": { "azi": 20, "hbw": 65 },
        }))
        .expect("it is sound");
        assert_eq!(found.stations.iter().map(|station| station.antenna.azimuth_deg).collect::<Vec<_>>(), [10.0, 20.0]);
        assert_eq!((found.stations[1].power_dbm, found.receiver), (None, Receiver::default()));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let station = json!({ "lat": 1, "lon": 2 });
        for (value, field) in [
            (json!([]), "the request"),
            (json!({}), "transmitters"),
            (json!({ "transmitters": [] }), "transmitters"),
            (json!({ "transmitters": vec![station.clone(); 33] }), "transmitters"),
            (json!({ "transmitter": station, "transmitters": [station] }), "transmitters"),
            (json!({ "transmitter": 7 }), "transmitter"),
            (json!({ "transmitter": { "lat": 1 } }), "transmitter.lon"),
            (json!({ "transmitter": { "lat": 91, "lon": 2 } }), "transmitter.lat"),
            (json!({ "transmitter": { "lat": "NaN", "lon": 2 } }), "transmitter.lat"),
            (json!({ "transmitter": { "lat": 1, "lon": 2, "txw": 0 } }), "transmitter.txw"),
            (json!({ "transmitter": { "lat": 1, "lon": 2, "alt": 0 } }), "transmitter.alt"),
            (json!({ "transmitter": { "lat": 1, "lon": 2, "txw": "loud" } }), "transmitter.txw"),
            (json!({ "transmitters": [{ "lat": 1, "lon": 2, "antenna": 3 }] }), "transmitters[0].antenna"),
            (json!({ "transmitter": station, "receiver": [] }), "receiver"),
            (json!({ "transmitter": station, "receiver": { "rxs": 1e9 } }), "receiver.rxs"),
            (json!({ "transmitter": station, "output": { "res": 0 } }), "output.res"),
            (json!({ "transmitter": station, "scene": 3 }), "scene"),
        ] {
            assert_eq!(read(value.clone()).expect_err("refused").field, field, "{value}");
        }
        let too_many = read(json!({ "transmitters": vec![station.clone(); 33] })).expect_err("refused").to_string();
        assert!(too_many.contains("an array of 33, expected an array of 1 to 32 transmitters"), "{too_many}");
        let says = |value: Value| read(value).expect_err("refused").to_string();
        assert!(says(json!({ "transmitters": [] })).starts_with("transmitters is an empty array, expected"));
        assert!(
            says(json!({ "transmitter": station, "antenna": 3 }))
                .starts_with("transmitter.antenna is not usable (the antenna is no JSON object")
        );
        let pattern =
            read(json!({ "transmitter": station, "antenna": { "ant": 39 } })).expect("omni").stations[0].antenna.warnings[0].clone();
        assert!(pattern.contains("pattern 39 (ant)"), "{pattern}");
    }
}
