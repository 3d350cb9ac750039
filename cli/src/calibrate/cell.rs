//! The cell whose power was measured, from a JSON file.

use anyhow::{Context, Result, bail, ensure};
use geo::Coord;
use radiodiff_dataset::files;
use radiodiff_radio::propagation::FrequencyScaling;
use radiodiff_radio::scene::{LEAST_ANTENNA_HEIGHT_M, MOST_ANTENNA_HEIGHT_M};
use serde_json::{Map, Value};
use std::path::Path;

/// What is known of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    pub name: String,
    /// Degrees.
    pub lng_lat: Coord<f64>,
    pub frequency_mhz: f64,
    pub azimuth_deg: Option<f64>,
    pub height_m: Option<f64>,
    /// Fields that are not known, as sentences.
    pub warnings: Vec<String>,
}

/// The fields of a cell.
const FIELDS: [&str; 5] = ["lng", "lat", "frequency_mhz", "azimuth_deg", "height_m"];

/// Reads the cell called `name`; without one, the file's only cell or the one that `measurements` is named after.
///
/// # Errors
/// A file that cannot be read, that holds no such cell, or a cell without a place or with a value out of range.
pub fn read(path: &Path, name: Option<&str>, measurements: &Path) -> Result<Cell> {
    let shown = path.display();
    let text = files::read_text(path)?;
    let value: Value = serde_json::from_str(&text).with_context(|| format!("the cell {shown} is no JSON"))?;
    let object = value.as_object().with_context(|| format!("the cell {shown} is no JSON object"))?;
    let (name, cell) = choose(object, name, measurements).with_context(|| format!("the cell {shown}"))?;
    parse(name, cell).with_context(|| format!("the cell {name:?} of {shown}"))
}

fn choose<'a>(object: &'a Map<String, Value>, name: Option<&'a str>, measurements: &Path) -> Result<(&'a str, &'a Map<String, Value>)> {
    let cells: Vec<(&str, &Map<String, Value>)> =
        object.iter().filter_map(|(name, value)| value.as_object().map(|cell| (name.as_str(), cell))).collect();
    let names = || cells.iter().map(|&(name, _)| name).collect::<Vec<_>>().join(", ");
    let called = |wanted: &str| cells.iter().copied().find(|&(name, _)| name == wanted);
    match (name, cells.as_slice()) {
        (None, []) => Ok(("cell", object)),
        (Some(name), _) => called(name).with_context(|| format!("there is no cell {name:?}; there are: {}", names())),
        (None, [only]) => Ok(*only),
        (None, _) => {
            let stem = measurements.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let found = stem.split(['-', '_', ' ']).find_map(called);
            found.with_context(|| format!("it holds several cells; choose one with --cell-name: {}", names()))
        }
    }
}

fn parse(name: &str, cell: &Map<String, Value>) -> Result<Cell> {
    let number = |key: &str, least: f64, most: f64| -> Result<Option<f64>> {
        // Other tools write `lon`, as tables may.
        match cell.get(key).or_else(|| cell.get("lon").filter(|_| key == "lng")) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_f64() {
                Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
                _ => bail!("{key} is {value}, expected a number from {least} to {most}"),
            },
        }
    };
    let found = || cell.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let needed = |key: &str, least: f64, most: f64| {
        number(key, least, most)?.with_context(|| format!("{key} is missing; its fields are {}, found {}", FIELDS.join(", "), found()))
    };
    let lng_lat = Coord { x: needed("lng", -180.0, 180.0)?, y: needed("lat", -90.0, 90.0)? };
    let frequency_mhz = needed("frequency_mhz", 1.0, 1e6)?;
    FrequencyScaling::to(frequency_mhz)?;
    let height_m = number("height_m", LEAST_ANTENNA_HEIGHT_M, MOST_ANTENNA_HEIGHT_M)?;
    let azimuth_deg = number("azimuth_deg", -360.0, 360.0)?;
    ensure!(lng_lat.y.abs() < 89.0, "lat is {}; maps end before the poles", lng_lat.y);
    let unknown = cell.keys().filter(|key| !FIELDS.contains(&key.as_str()) && *key != "lon");
    let warnings = unknown.map(|key| format!("the cell's {key} is not known and not used; its fields are {}", FIELDS.join(", "))).collect();
    Ok(Cell { name: name.to_owned(), lng_lat, frequency_mhz, azimuth_deg, height_m, warnings })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str, name: Option<&str>, measurements: &str) -> Result<Cell> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cells.json");
        std::fs::write(&path, text).unwrap();
        read(&path, name, Path::new(measurements))
    }

    #[test]
    fn a_cell_is_found_by_name_by_file_or_alone() {
        let two =
            r#"{"A": {"lat": 1, "lng": 2, "frequency_mhz": 3500}, "B": {"lat": 3, "lng": 4, "frequency_mhz": 900, "azimuth_deg": 30}}"#;
        assert_eq!(read_text(two, Some("A"), "x.csv").unwrap().lng_lat, Coord { x: 2.0, y: 1.0 });
        assert_eq!(read_text(two, None, "cell-B.csv").unwrap().azimuth_deg, Some(30.0));
        let alone = r#"{"lat": 1, "lng": 2, "frequency_mhz": 3500, "height_m": null}"#;
        let alone = read_text(alone, None, "x.csv").unwrap();
        assert_eq!((alone.height_m, alone.warnings.len()), (None, 0));
        let lon = r#"{"lat": 1, "lon": 2, "frequency_mhz": 3500}"#;
        let lon = read_text(lon, None, "x.csv").unwrap();
        assert_eq!((lon.lng_lat, lon.warnings.len()), (Coord { x: 2.0, y: 1.0 }, 0));
        let error = format!("{:#}", read_text(r#"{"lat": 1, "lng": 2, "frequency": 3500}"#, None, "x.csv").unwrap_err());
        assert!(
            error.contains("frequency_mhz is missing; its fields are lng, lat,") && error.contains("found frequency, lat, lng"),
            "{error}"
        );
        let misspelt = r#"{"lat": 1, "lng": 2, "frequency_mhz": 3500, "azimuth": 120}"#;
        assert!(read_text(misspelt, None, "x.csv").unwrap().warnings[0].contains("azimuth is not known"));
        for (name, measurements) in [(Some("C"), "x.csv"), (None, "x.csv")] {
            let error = format!("{:#}", read_text(two, name, measurements).unwrap_err());
            assert!(error.contains("A, B"), "{error}");
        }
    }

    #[test]
    fn values_that_no_cell_has_are_named() {
        for (text, words) in [
            ("[]", "no JSON object"),
            ("{", "no JSON"),
            (r#"{"lat": 1, "frequency_mhz": 3500}"#, "lng is missing"),
            (r#"{"lat": 91, "lng": 2, "frequency_mhz": 3500}"#, "lat is 91"),
            (r#"{"lat": 1, "lng": 2, "frequency_mhz": 35}"#, "35 MHz"),
            (r#"{"lat": 1, "lng": 2, "frequency_mhz": 3500, "height_m": 10000}"#, "height_m is 10000, expected a number from 0.5 to 200"),
            (
                r#"{"lat": 1, "lng": 2, "frequency_mhz": 3500, "height_m": "12 m"}"#,
                "height_m is \"12 m\", expected a number from 0.5 to 200",
            ),
            (r#"{"lat": 1, "lng": 2, "frequency_mhz": 3500, "azimuth_deg": "N"}"#, "azimuth_deg is \"N\""),
        ] {
            let error = format!("{:#}", read_text(text, None, "x.csv").unwrap_err());
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
