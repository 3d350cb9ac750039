//! Values of the command line: numbers between commas, and files whose names say their format.

use geo::Coord;
use radiodiff_radio::scene::{GeoBounds, MAX_DECIBELS};
use std::path::PathBuf;

/// Where a transmitter stands, and its power where it is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransmitterArg {
    /// Degrees.
    pub lng_lat: Coord<f64>,
    pub power_dbm: Option<f64>,
}

/// A file to write and the format that its name asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile<F> {
    pub path: PathBuf,
    pub format: F,
}

impl<F> OutputFile<F> {
    /// From a file's name, by the format of its ending; `endings` says which there are.
    pub fn named(name: &str, format: impl Fn(&str) -> Option<F>, endings: &str) -> Result<Self, String> {
        let path = PathBuf::from(name);
        let format = format(&path.extension().unwrap_or_default().to_string_lossy());
        format.map(|format| Self { path, format }).ok_or_else(|| format!("expected a name that ends in {endings}"))
    }
}

/// A finite number.
pub fn number(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!("{:?} is not a number; expected digits without a unit", text.trim())),
    }
}

/// A length in metres, 1 to 10000.
pub fn length(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(meters) if (1.0..=10_000.0).contains(&meters) => Ok(meters),
        _ => Err(format!("{text:?} is no length from 1 to 10000 metres")),
    }
}

fn numbers(text: &str) -> Result<Vec<f64>, String> {
    text.split(',').map(number).collect()
}

fn degrees(name: &str, value: f64, most: f64) -> Result<f64, String> {
    if value.abs() <= most { Ok(value) } else { Err(format!("the {name} is {value}, expected -{most} to {most} degrees")) }
}

/// `LNG,LAT` or `LNG,LAT,DBM`.
pub fn transmitter(text: &str) -> Result<TransmitterArg, String> {
    let (lng, lat, power_dbm) = match numbers(text)?[..] {
        [lng, lat] => (lng, lat, None),
        [lng, lat, power_dbm] => (lng, lat, Some(power_dbm)),
        ref other => return Err(format!("expected LNG,LAT or LNG,LAT,DBM, found {} numbers", other.len())),
    };
    if let Some(power_dbm) = power_dbm.filter(|dbm: &f64| dbm.abs() > MAX_DECIBELS) {
        return Err(format!("the power is {power_dbm}, expected -{MAX_DECIBELS} to {MAX_DECIBELS} dBm"));
    }
    let lng_lat = Coord { x: degrees("longitude", lng, 180.0)?, y: degrees("latitude", lat, 90.0)? };
    Ok(TransmitterArg { lng_lat, power_dbm })
}

/// `W,S,E,N`.
pub fn bounds(text: &str) -> Result<GeoBounds, String> {
    let [west, south, east, north] = numbers(text)?[..] else { return Err("expected W,S,E,N, four numbers in degrees".into()) };
    if west >= east || south >= north {
        return Err("expected west below east and south below north, in the order W,S,E,N".into());
    }
    Ok(GeoBounds { west, south, east, north })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transmitters_have_two_or_three_numbers() {
        let expected = |power_dbm| TransmitterArg { lng_lat: Coord { x: -0.12, y: 51.5 }, power_dbm };
        assert_eq!(transmitter("-0.12,51.5"), Ok(expected(None)));
        assert_eq!(transmitter(" -0.12, 51.5 ,-3"), Ok(expected(Some(-3.0))));
        for text in ["", "1", "a,b", "1,2,3,4", "1,", "1,2,", "NaN,1", "1,inf", "181,0", "0,-91", "0,0,1e9", "0,0,-201"] {
            assert!(transmitter(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lengths_are_those_of_maps() {
        assert_eq!(length(" 16.5"), Ok(16.5));
        for text in ["0", "-4", "NaN", "inf", "", "16 m", "10001"] {
            assert!(length(text).is_err(), "{text}");
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
