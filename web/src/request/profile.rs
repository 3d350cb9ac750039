//! The link whose path profile is asked for.

use super::{TransmitterRequest, coverage};
use geo::Coord;
use radiodiff_planning::request::{FieldError, Fields, Input};
use radiodiff_radio::scene::ANTENNA_HEIGHT_M;

/// A transmitter, and the place of one receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileRequest {
    pub transmitter: TransmitterRequest,
    /// Longitude and latitude.
    pub receiver: Coord<f64>,
    /// Above the ground.
    pub receiver_height_m: f64,
    /// Fields that are not known and not used.
    pub warnings: Vec<String>,
}

impl TryFrom<Input> for ProfileRequest {
    type Error = FieldError;

    fn try_from(input: Input) -> Result<Self, FieldError> {
        let mut fields = Fields::of(input, "", "request", "an object with a transmitter and a receiver")?;
        let transmitter = TransmitterRequest::read("transmitter", fields.take("transmitter"))?;
        let mut receiver = Fields::of(fields.take("receiver"), "receiver", "receiver", "an object with lng and lat")?;
        let x = receiver.required("lng", "receiver", "a longitude in degrees")?;
        let y = receiver.required("lat", "receiver", "a latitude in degrees")?;
        let receiver_height_m = coverage::height(&mut receiver)?.unwrap_or(ANTENNA_HEIGHT_M);
        let warnings = receiver.unknown().map(|field| format!("{field} is not known and not used.")).collect();
        Ok(Self { transmitter, receiver: Coord { x, y }, receiver_height_m, warnings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(request: Value) -> Result<ProfileRequest, FieldError> {
        serde_json::from_value::<Input>(request).expect("any JSON is an input").try_into()
    }

    #[test]
    fn both_ends_have_heights_of_their_own() {
        let found =
            read(json!({ "transmitter": { "lng": 9, "lat": 50, "heightM": 20 }, "receiver": { "lng": "9.1", "lat": 50, "alt": 3 } }));
        let found = found.expect("a link");
        assert_eq!((found.transmitter.height_m, found.receiver_height_m, found.receiver), (20.0, 3.0, Coord { x: 9.1, y: 50.0 }));
        let found =
            read(json!({ "transmitter": { "lng": 9, "lat": 50 }, "receiver": { "lng": 9, "lat": 50, "gain": 3 } })).expect("a link");
        assert_eq!((found.receiver_height_m, found.warnings), (1.5, vec!["receiver.gain is not known and not used.".to_owned()]));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (change, field) in [
            (json!({ "transmitter": null }), "transmitter"),
            (json!({ "receiver": null }), "receiver"),
            (json!({ "receiver": { "lng": 9 } }), "receiver.lat"),
            (json!({ "receiver": { "lng": 9, "lat": 50, "heightM": 0 } }), "receiver.heightM"),
        ] {
            let mut request = json!({ "transmitter": { "lng": 9, "lat": 50 }, "receiver": { "lng": 9, "lat": 50 } });
            for (name, value) in change.as_object().expect("an object") {
                request[name] = value.clone();
            }
            assert_eq!(read(request).expect_err(field).field, field);
        }
    }
}
