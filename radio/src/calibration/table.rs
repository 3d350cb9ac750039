//! Measurements as drive-test tools, phones and spreadsheets export them, and lists of sites: a table with a header, whose values
//! commas, semicolons or tabulators separate ([`crate::delimited`]).

use super::limits::{LEAST_POWER_DBM, MOST_POWER_DBM};
use crate::delimited::{DelimitedText, RowError};
use crate::scene::{LEAST_ANTENNA_HEIGHT_M, MAX_DECIBELS, MOST_ANTENNA_HEIGHT_M};
use geo::Coord;
use thiserror::Error;

/// Names of the columns in lower case, the first that is there counts.
pub const LONGITUDE: [&str; 4] = ["lng", "lon", "long", "longitude"];
/// As [`LONGITUDE`].
pub const LATITUDE: [&str; 2] = ["lat", "latitude"];
const POWER: [&str; 7] = ["rsrp_dbm", "power_dbm", "rssi_dbm", "dbm", "rsrp", "rssi", "power"];
const DEVICE: [&str; 3] = ["device", "phone", "receiver"];
/// Of sites; www/page/plan/sites.js reads the same columns.
const NAME: [&str; 3] = ["name", "site", "id"];
const HEIGHT: [&str; 2] = ["height_m", "height"];
/// What tables of measurements have beside a power.
const MEASURED: [&str; 7] = ["rsrp_dbm", "rsrp", "rssi_dbm", "rssi", "device", "phone", "receiver"];
const SENT_POWER: [&str; 3] = ["power_dbm", "dbm", "power"];

/// A line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRow {
    /// Longitude and latitude, degrees.
    pub lng_lat: Coord<f64>,
    pub power_dbm: f64,
    /// What measured it, where the table says so.
    pub device: Option<String>,
}

/// A line of a list of sites. `None` where the line has no value.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteRow {
    /// Longitude and latitude, degrees.
    pub lng_lat: Coord<f64>,
    pub name: Option<String>,
    /// Of the antenna above the ground.
    pub height_m: Option<f64>,
    /// Transmit power.
    pub power_dbm: Option<f64>,
}

/// A table that cannot be used.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum TableError {
    #[error("the table is empty, expected a header such as {example} and a line for every {row}")]
    Empty { example: &'static str, row: &'static str },
    #[error("the table has no column for the {what} (one of {expected}); its columns are {found}")]
    Column { what: &'static str, expected: String, found: String },
    #[error("line {line}: the {what} is {found:?}, expected {expected}")]
    Value { line: usize, what: &'static str, found: String, expected: String },
    #[error(transparent)]
    Row(#[from] RowError),
}

/// Reads a table of measurements. Columns other than place, power and device are ignored.
///
/// # Errors
/// A table without lines or columns, a line with another number of fields, a value that no place or power has.
pub fn read_table(text: &str) -> Result<Vec<TableRow>, TableError> {
    let mut table = Table::open(text, TableError::Empty { example: "lng,lat,rsrp_dbm", row: "measurement" })?;
    let places = table.place_columns()?;
    let power = table.needed("power", &POWER)?;
    let device = table.column(&DEVICE);
    table.rows(|row| {
        let power_dbm = row.number(power, "power in dBm", LEAST_POWER_DBM, MOST_POWER_DBM)?;
        let device = device.and_then(|column| row.record.get(column)).map(str::to_owned);
        Ok(TableRow { lng_lat: row.place(places)?, power_dbm, device })
    })
}

/// Reads a list of sites: longitudes and latitudes in degrees, with names, heights (0.5 to 200 m) and powers (-200 to 200 dBm) where it has
/// such columns and a line fills them. Other columns are ignored, and so is a power without names and heights, or beside a device: it is
/// one that was measured.
///
/// # Errors
/// As [`read_table`], and a height or a power out of range.
pub fn read_sites(text: &str) -> Result<Vec<SiteRow>, TableError> {
    let mut table = Table::open(text, TableError::Empty { example: "lng,lat", row: "place" })?;
    let places = table.place_columns()?;
    let [name, height, power] = [table.column(&NAME), table.column(&HEIGHT), table.column(&SENT_POWER)];
    let is_measured = (name.is_none() && height.is_none()) || table.column(&MEASURED).is_some();
    let power = power.filter(|_| !is_measured);
    table.rows(|row| {
        let filled = |column: Option<usize>| column.filter(|&column| row.record.get(column).is_some_and(|cell| !cell.is_empty()));
        let number = |column, what, least, most| filled(column).map(|column| row.number(column, what, least, most)).transpose();
        Ok(SiteRow {
            lng_lat: row.place(places)?,
            name: filled(name).and_then(|column| row.record.get(column)).map(str::to_owned),
            height_m: number(height, "height in metres", LEAST_ANTENNA_HEIGHT_M, MOST_ANTENNA_HEIGHT_M)?,
            power_dbm: number(power, "power in dBm", -MAX_DECIBELS, MAX_DECIBELS)?,
        })
    })
}

/// A table whose header was read.
struct Table<'a> {
    reader: csv::Reader<&'a [u8]>,
    /// In lower case.
    header: Vec<String>,
    text: DelimitedText<'a>,
    empty: TableError,
}

/// The columns of longitude and latitude.
type PlaceColumns = [usize; 2];

impl<'a> Table<'a> {
    fn open(text: &'a str, empty: TableError) -> Result<Self, TableError> {
        let text = DelimitedText::new(text, None);
        let mut reader = text.reader();
        let header: Vec<String> = reader.headers().map_err(|error| text.row_error(&error))?.iter().map(str::to_lowercase).collect();
        if header.iter().all(String::is_empty) {
            return Err(empty);
        }
        Ok(Self { reader, header, text, empty })
    }

    fn column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.header.iter().position(|found| found == name))
    }

    fn needed(&self, what: &'static str, names: &[&str]) -> Result<usize, TableError> {
        let missing = || TableError::Column { what, expected: names.join(", "), found: self.header.join(", ") };
        self.column(names).ok_or_else(missing)
    }

    fn place_columns(&self) -> Result<PlaceColumns, TableError> {
        Ok([self.needed("longitude", &LONGITUDE)?, self.needed("latitude", &LATITUDE)?])
    }

    fn rows<T>(&mut self, row: impl Fn(&Row) -> Result<T, TableError>) -> Result<Vec<T>, TableError> {
        let text = self.text;
        let records = self.reader.records().map(|record| record.map_err(|error| text.row_error(&error)));
        let rows: Vec<T> = records.map(|record| row(&Row { record: record?, text })).collect::<Result<_, _>>()?;
        if rows.is_empty() { Err(self.empty.clone()) } else { Ok(rows) }
    }
}

/// A line of a table.
struct Row<'a> {
    record: csv::StringRecord,
    text: DelimitedText<'a>,
}

impl Row<'_> {
    fn number(&self, column: usize, what: &'static str, least: f64, most: f64) -> Result<f64, TableError> {
        let found = self.record.get(column).unwrap_or_default();
        self.text.decimal_point(found).parse().ok().filter(|number: &f64| (least..=most).contains(number)).ok_or_else(|| {
            let line = self.text.line(self.record.position());
            TableError::Value { line, what, found: found.to_owned(), expected: format!("{least} to {most}") }
        })
    }

    fn place(&self, [longitude, latitude]: PlaceColumns) -> Result<Coord<f64>, TableError> {
        Ok(Coord { x: self.number(longitude, "longitude", -180.0, 180.0)?, y: self.number(latitude, "latitude", -90.0, 90.0)? })
    }
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
    fn sites_have_what_their_line_says() {
        let site = |name: Option<&str>, height_m, power_dbm| SiteRow {
            lng_lat: Coord { x: 1.0, y: 2.5 },
            name: name.map(str::to_owned),
            height_m,
            power_dbm,
        };
        assert_eq!(read_sites("Longitude,Latitude\n1,2.5\n"), Ok(vec![site(None, None, None)]));
        let list = "Name;lng;lat;Height_m;dBm\nmast, old;1;2,5;12,5;\n;1;2,5;;-3\n";
        assert_eq!(read_sites(list), Ok(vec![site(Some("mast, old"), Some(12.5), None), site(None, None, Some(-3.0))]));
        for measured in ["lng,lat,dbm\n1,2.5,-90\n", "lng,lat,power,device\n1,2.5,-90,S10\n"] {
            assert_eq!(read_sites(measured), Ok(vec![site(None, None, None)]), "{measured}");
        }
        for (line, words) in [
            ("1,2,250,0", "line 2: the height in metres is \"250\", expected 0.5 to 200"),
            ("1,2,12 m,0", "line 2: the height in metres is \"12 m\""),
            ("1,2,12,loud", "line 2: the power in dBm is \"loud\", expected -200 to 200"),
            (",2,12,0", "line 2: the longitude is \"\""),
        ] {
            let error = read_sites(&format!("lng,lat,height,power\n{line}\n")).expect_err(line).to_string();
            assert!(error.contains(words), "{line}: {error}");
        }
    }

    #[test]
    fn spreadsheets_of_every_country_are_read() {
        let row = TableRow { lng_lat: Coord { x: 10.25, y: 50.5 }, power_dbm: -80.5, device: Some("a, b".into()) };
        for text in [
            "lng,lat,dbm,device\n10.25,50.5,-80.5,\"a, b\"\n",
            "lng;lat;dbm;device\r\n10,25;50,5;-80,5;a, b\r\n",
            "\u{feff}sep=;\r\nlng;lat;dbm;device\r\n10.25;50.5;-80.5;a, b\r\n",
            "SEP=,\nlng,lat,dbm,device\n10.25,50.5,-80.5,\"a, b\"\n",
            "lng\tlat\tdbm\tdevice\n10,25\t50,5\t-80,5\ta, b\n",
        ] {
            assert_eq!(read_table(text), Ok(vec![row.clone()]), "{text:?}");
        }
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
        says("lng;lat;dbm\n1,5;2,5;-80;1", "line 2: expected 3 fields, found 4");
        says("sep=;", "the table is empty");
        says("sep=;\n\nlng;lat;dbm\n1,5;2,5;loud", "line 4: the power in dBm is \"loud\"");
        says("sep=;\nlng;lat;dbm\n1,5;2,5;-80;1", "line 3: expected 3 fields, found 4");
        says("lng lat dbm\n1 2 -80", "its columns are lng lat dbm");
        let error = read_sites("lon,lat\n").expect_err("no place").to_string();
        assert!(error.contains("a line for every place"), "{error}");
    }
}
