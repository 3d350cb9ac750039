//! Measurements as drive-test tools and phones export them: a table of comma-separated values with a header.

use super::limits::{LEAST_POWER_DBM, MOST_POWER_DBM};
use geo::Coord;
use thiserror::Error;

/// Names of the columns in lower case, the first that is there counts.
const LONGITUDE: [&str; 4] = ["lng", "lon", "long", "longitude"];
const LATITUDE: [&str; 2] = ["lat", "latitude"];
const POWER: [&str; 7] = ["rsrp_dbm", "power_dbm", "rssi_dbm", "dbm", "rsrp", "rssi", "power"];
const DEVICE: [&str; 3] = ["device", "phone", "receiver"];

/// A line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRow {
    /// Longitude and latitude, degrees.
    pub lng_lat: Coord<f64>,
    pub power_dbm: f64,
    /// What measured it, where the table says so.
    pub device: Option<String>,
}

/// A table that holds no measurements.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum TableError {
    #[error("the table is empty, expected a header such as lng,lat,rsrp_dbm and a line for every measurement")]
    Empty,
    #[error("the table has no column for the {what} (one of {expected}); its columns are {found}")]
    Column { what: &'static str, expected: String, found: String },
    #[error("line {line}: the {what} is {found:?}, expected {expected}")]
    Value { line: u64, what: &'static str, found: String, expected: String },
    #[error("line {line}: {reason}")]
    Broken { line: u64, reason: String },
}

/// Reads a table. Columns other than place, power and device are ignored.
///
/// # Errors
/// A table without lines or columns, a line with another number of fields, a value that no place or power has.
pub fn read_table(text: &str) -> Result<Vec<TableRow>, TableError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header: Vec<String> = reader.headers().map_err(broken)?.iter().map(str::to_lowercase).collect();
    if header.iter().all(String::is_empty) {
        return Err(TableError::Empty);
    }
    let column = |names: &[&str]| names.iter().find_map(|name| header.iter().position(|found| found == name));
    let needed = |what: &'static str, names: &[&str]| {
        column(names).ok_or_else(|| TableError::Column { what, expected: names.join(", "), found: header.join(", ") })
    };
    let longitude = needed("longitude", &LONGITUDE)?;
    let latitude = needed("latitude", &LATITUDE)?;
    let power = needed("power", &POWER)?;
    let device = column(&DEVICE);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let line = record.position().map_or(0, csv::Position::line);
        let value = |column: usize, what: &'static str, least: f64, most: f64| {
            let found = record.get(column).unwrap_or_default();
            let number = found.parse::<f64>().ok().filter(|number| (least..=most).contains(number));
            number.ok_or_else(|| TableError::Value { line, what, found: found.to_owned(), expected: format!("{least} to {most}") })
        };
        let lng_lat = Coord { x: value(longitude, "longitude", -180.0, 180.0)?, y: value(latitude, "latitude", -90.0, 90.0)? };
        let power_dbm = value(power, "power in dBm", LEAST_POWER_DBM, MOST_POWER_DBM)?;
        rows.push(TableRow { lng_lat, power_dbm, device: device.and_then(|column| record.get(column)).map(str::to_owned) });
    }
    if rows.is_empty() { Err(TableError::Empty) } else { Ok(rows) }
}

fn broken(error: csv::Error) -> TableError {
    let line = error.position().map_or(1, csv::Position::line);
    let reason = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!("expected {expected_len} fields, found {len}"),
        other => format!("{other:?}"),
    };
    TableError::Broken { line, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let text = "\u{feff}Device, Latitude ,LON,note,RSRP_dBm\nS10, 36.0 ,-78.9,\"a, b\",-101.5\n";
        let row = TableRow { lng_lat: Coord { x: -78.9, y: 36.0 }, power_dbm: -101.5, device: Some("S10".into()) };
        assert_eq!(read_table(text), Ok(vec![row]));
        let rows = read_table("lng,lat,dbm\n1,2,-80\n3,4,-90").expect("no device is needed");
        assert_eq!((rows.len(), &rows[1].device), (2, &None));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let says = |text: &str, words: &str| {
            let error = read_table(text).expect_err(text).to_string();
            assert!(error.contains(words), "{text:?}: {error}");
        };
        says("", "the table is empty");
        says("\n\n", "the table is empty");
        says("lng,lat,rsrp_dbm\n", "the table is empty");
        says("x,y,rsrp_dbm\n1,2,-80", "no column for the longitude (one of lng, lon, long, longitude); its columns are x, y, rsrp_dbm");
        says("lng,lat\n1,2", "no column for the power");
        says("lng,lat,dbm\n1,2,-80\n1,2,NaN", "line 3: the power in dBm is \"NaN\", expected -200 to 60");
        says("lng,lat,dbm\n1,2,-900", "line 2: the power in dBm is \"-900\"");
        says("lng,lat,dbm\n200,2,-90", "line 2: the longitude is \"200\"");
        says("lng,lat,dbm\n1,inf,-90", "line 2: the latitude is \"inf\"");
        says("lng,lat,dbm\n1,2", "line 2: expected 3 fields, found 2");
    }
}
