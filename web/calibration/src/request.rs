//! What was measured, as JavaScript hands it over.

use geo::Coord;
use radiodiff_planning::request::{FieldError, Fields, Input, numbered};
use radiodiff_radio::calibration::{TableRow, read_table};

/// Measurements, and whose of them count.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasurementsRequest {
    /// At least one row.
    pub rows: Vec<TableRow>,
    /// `None` takes the device with the most rows.
    pub device: Option<String>,
}

impl TryFrom<Input> for MeasurementsRequest {
    type Error = FieldError;

    fn try_from(input: Input) -> Result<Self, FieldError> {
        let mut fields = Fields::of(input, "", "request", "an object with measurements")?;
        let device = device(&mut fields)?;
        Ok(Self { rows: rows(&mut fields)?, device })
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

    fn read(request: Value) -> Result<MeasurementsRequest, FieldError> {
        serde_json::from_value::<Input>(request).expect("any JSON is an input").try_into()
    }

    #[test]
    fn a_table_and_a_list_say_the_same() {
        let listed = json!([{ "lng": 9.001, "lat": 50, "powerDbm": "-80" }, { "lng": 9.002, "lat": 50, "powerDbm": -90, "device": "S10" }]);
        let listed = read(json!({ "measurements": listed })).expect("a list");
        let table = read(json!({ "measurements": "lng,lat,dbm\n9.001,50,-80\n9.002,50,-90" })).expect("a table");
        let places = |request: &MeasurementsRequest| request.rows.iter().map(|row| (row.lng_lat, row.power_dbm)).collect::<Vec<_>>();
        assert_eq!(places(&listed), places(&table));
        assert_eq!(listed.rows[1].device.as_deref(), Some("S10"));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (request, field) in [
            (json!({ "measurements": [] }), "measurements"),
            (json!({ "measurements": "a,b\n1,2" }), "measurements"),
            (json!({ "measurements": [{ "lng": 9, "lat": 50 }] }), "measurements[0].powerDbm"),
            (json!({ "measurements": "lng,lat,dbm\n9,50,-80", "device": 7 }), "device"),
            (json!({ "measurements": [{ "lng": 9, "lat": 50, "powerDbm": -80, "device": 7 }] }), "measurements[0].device"),
        ] {
            assert_eq!(read(request).expect_err(field).field, field);
        }
    }
}
