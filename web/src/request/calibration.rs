//! A calibration that is asked for: a cell and what was measured of it.

use super::{TransmitterRequest, coverage, numbered};
use geo::Coord;
use radiodiff_planning::request::{FieldError, Fields, Input};
use radiodiff_radio::calibration::{TableRow, read_table};

/// Readings in a square of this side count as one place; an error's block has the other, metres.
const SQUARE_M: f64 = 4.0;
const BLOCK_M: f64 = 64.0;

/// A cell, measurements, and how they are used.
#[derive(Clone, Debug, PartialEq)]
pub struct CalibrationRequest {
    /// The cell. Its power and its gain are fitted, so those of the request mean nothing.
    pub transmitter: TransmitterRequest,
    /// What is known of its antenna; `None` where the request does not say.
    pub height_m: Option<f64>,
    /// At least one row.
    pub rows: Vec<TableRow>,
    /// Whose measurements count; `None` takes the device with the most.
    pub device: Option<String>,
    pub square_m: f64,
    pub block_m: f64,
}

impl TryFrom<Input> for CalibrationRequest {
    type Error = FieldError;

    fn try_from(input: Input) -> Result<Self, FieldError> {
        let mut fields = Fields::of(input, "", "request", "an object with a transmitter and measurements")?;
        let asked = fields.take("transmitter");
        let mut cell = Fields::of(asked.clone(), "transmitter", "transmitter", "an object with lng, lat and frequencyMHz")?;
        let height_m = coverage::height(&mut cell)?;
        let device = device(&mut fields)?;
        let mut side = |name: &str, default: f64| {
            fields
                .number(name, "measurements", "a length from 0.1 to 10000 m", |value| (0.1..=1e4).contains(&value))
                .map(|m| m.unwrap_or(default))
        };
        let (square_m, block_m) = (side("squareM", SQUARE_M)?, side("blockM", BLOCK_M)?);
        let rows = rows(&mut fields)?;
        Ok(Self { transmitter: TransmitterRequest::read("transmitter", asked)?, height_m, rows, device, square_m, block_m })
    }
}

/// The measurements: a table as text, or a list of objects.
fn rows(fields: &mut Fields) -> Result<Vec<TableRow>, FieldError> {
    const EXPECTED: &str = "a table with the columns lng, lat and a power in dBm, or an array of { lng, lat, powerDbm }";
    match fields.take("measurements") {
        Input::Text(table) => read_table(&table).map_err(|error| FieldError {
            code: "measurements",
            field: fields.path("measurements"),
            found: format!("a table of which {error}"),
            expected: EXPECTED.into(),
        }),
        Input::List(items) if !items.is_empty() => {
            let row = |(path, item): (String, Input)| {
                let mut row = Fields::of(item, &path, "measurements", "an object with lng, lat and powerDbm")?;
                let x = row.required("lng", "measurements", "a longitude in degrees")?;
                let y = row.required("lat", "measurements", "a latitude in degrees")?;
                let power_dbm = row.required("powerDbm", "measurements", "a power in dBm")?;
                Ok(TableRow { lng_lat: Coord { x, y }, power_dbm, device: device(&mut row)? })
            };
            numbered("measurements", items).map(row).collect()
        }
        found => Err(fields.error("measurements", "measurements", &found, EXPECTED)),
    }
}

/// Who measured, where that is said.
fn device(fields: &mut Fields) -> Result<Option<String>, FieldError> {
    match fields.take("device") {
        Input::Missing => Ok(None),
        Input::Text(name) => Ok(Some(name)),
        found => Err(fields.error("device", "measurements", &found, "the name of a device")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(request: Value) -> Result<CalibrationRequest, FieldError> {
        serde_json::from_value::<Input>(request).expect("any JSON is an input").try_into()
    }

    #[test]
    fn a_table_and_a_list_say_the_same() {
        let cell = json!({ "lng": 9, "lat": 50, "frequencyMHz": 3500 });
        let listed = json!([{ "lng": 9.001, "lat": 50, "powerDbm": "-80" }, { "lng": 9.002, "lat": 50, "powerDbm": -90, "device": "S10" }]);
        let listed = read(json!({ "transmitter": cell, "measurements": listed })).expect("a list");
        let table = read(json!({ "transmitter": cell, "measurements": "lng,lat,dbm\n9.001,50,-80\n9.002,50,-90" })).expect("a table");
        let places = |request: &CalibrationRequest| request.rows.iter().map(|row| (row.lng_lat, row.power_dbm)).collect::<Vec<_>>();
        assert_eq!(places(&listed), places(&table));
        assert_eq!(listed.rows[1].device.as_deref(), Some("S10"));
        assert_eq!((table.height_m, table.square_m, table.block_m), (None, 4.0, 64.0));
        let known = json!({ "transmitter": { "lng": 9, "lat": 50, "heightM": 20 }, "measurements": "lng,lat,dbm\n9,50,-80" });
        assert_eq!(read(known).expect("a height").height_m, Some(20.0));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (change, field) in [
            (json!({ "transmitter": null }), "transmitter"),
            (json!({ "transmitter": { "lng": 9 } }), "transmitter.lat"),
            (json!({ "measurements": [] }), "measurements"),
            (json!({ "measurements": "a,b\n1,2" }), "measurements"),
            (json!({ "measurements": [{ "lng": 9, "lat": 50 }] }), "measurements[0].powerDbm"),
            (json!({ "squareM": 0 }), "squareM"),
            (json!({ "device": 7 }), "device"),
            (json!({ "measurements": [{ "lng": 9, "lat": 50, "powerDbm": -80, "device": 7 }] }), "measurements[0].device"),
        ] {
            let mut request = json!({ "transmitter": { "lng": 9, "lat": 50 }, "measurements": "lng,lat,dbm\n9,50,-80" });
            for (name, value) in change.as_object().expect("an object") {
                request[name] = value.clone();
            }
            assert_eq!(read(request).expect_err(field).field, field);
        }
    }
}
