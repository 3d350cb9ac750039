//! The cell of a calibration that is asked for. Its measurements are read by the module that fits (web/calibration).

use super::{TransmitterRequest, coverage};
use radiodiff_planning::request::{FieldError, Fields, Input};

/// Readings in a square of this side count as one place; an error's block has the other, metres.
const SQUARE_M: f64 = 4.0;
const BLOCK_M: f64 = 64.0;

/// A cell, and how what was measured of it is used.
#[derive(Clone, Debug, PartialEq)]
pub struct CellRequest {
    /// The cell. Its power and its gain are fitted, so those of the request mean nothing.
    pub transmitter: TransmitterRequest,
    /// What is known of its antenna; `None` where the request does not say.
    pub height_m: Option<f64>,
    pub square_m: f64,
    pub block_m: f64,
}

impl TryFrom<Input> for CellRequest {
    type Error = FieldError;

    fn try_from(input: Input) -> Result<Self, FieldError> {
        let mut fields = Fields::of(input, "", "request", "an object with a transmitter and measurements")?;
        let asked = fields.take("transmitter");
        let mut cell = Fields::of(asked.clone(), "transmitter", "transmitter", "an object with lng, lat and frequencyMHz")?;
        let height_m = coverage::height(&mut cell)?;
        let mut side = |name: &str, default: f64| {
            fields
                .number(name, "measurements", "a length from 0.1 to 10000 m", |value| (0.1..=1e4).contains(&value))
                .map(|m| m.unwrap_or(default))
        };
        let (square_m, block_m) = (side("squareM", SQUARE_M)?, side("blockM", BLOCK_M)?);
        Ok(Self { transmitter: TransmitterRequest::read("transmitter", asked)?, height_m, square_m, block_m })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(request: Value) -> Result<CellRequest, FieldError> {
        serde_json::from_value::<Input>(request).expect("any JSON is an input").try_into()
    }

    #[test]
    fn what_is_not_said_of_a_cell_is_not_known() {
        let bare = read(json!({ "transmitter": { "lng": 9, "lat": 50, "frequencyMHz": 3500 } })).expect("a cell");
        assert_eq!((bare.height_m, bare.square_m, bare.block_m), (None, 4.0, 64.0));
        let known = read(json!({ "transmitter": { "lng": 9, "lat": 50, "heightM": 20 }, "squareM": "8" })).expect("a height");
        assert_eq!((known.height_m, known.square_m), (Some(20.0), 8.0));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (change, field) in [
            (json!({ "transmitter": null }), "transmitter"),
            (json!({ "transmitter": { "lng": 9 } }), "transmitter.lat"),
            (json!({ "squareM": 0 }), "squareM"),
            (json!({ "blockM": "wide" }), "blockM"),
        ] {
            let mut request = json!({ "transmitter": { "lng": 9, "lat": 50 } });
            for (name, value) in change.as_object().expect("an object") {
                request[name] = value.clone();
            }
            assert_eq!(read(request).expect_err(field).field, field);
        }
    }
}
