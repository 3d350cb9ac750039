//! What stands between a transmitter and one receiver.

use super::scene::{SceneHandle, TransmitterReport};
use crate::request::{Method, ProfileRequest};
use geo::Coord;
use radiodiff_radio::propagation::{Antenna, PathProfile};
use radiodiff_radio::scene::{GeoBounds, Transmitter};
use radiodiff_web_values::{checked, error, object};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// What JavaScript is told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileReport {
    #[serde(flatten)]
    profile: PathProfile,
    transmitter: TransmitterReport,
    receiver: ReceiverReport,
    warnings: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReceiverReport {
    lng: f64,
    lat: f64,
    height_m: f64,
}

#[wasm_bindgen]
impl SceneHandle {
    /// The path profile of `{ transmitter, receiver }`; web/js/index.d.ts says what it holds.
    pub fn profile(&self, request: JsValue) -> Result<JsValue, JsValue> {
        let request: ProfileRequest = checked(request)?;
        let (Coord { x: lng, y: lat }, height_m) = (request.receiver, request.receiver_height_m);
        let placed = self.place_transmitter(&request.transmitter, height_m)?;
        let position = self.frame().to_meters(request.receiver);
        let Some((row, column)) = self.grid().pixel_of(position) else {
            let GeoBounds { west, south, east, north } = self.bounds();
            let map = format!("expected one on the map: {west:.5}, {south:.5}, {east:.5}, {north:.5}, west, south, east, north");
            return Err(error("receiver", &format!("the receiver stands at {lng:.5}, {lat:.5}, {map}")));
        };
        let mut warnings = request.warnings;
        if self.scene().roofs.at(row * self.grid().size + column) >= height_m {
            warnings.push("The receiver is inside a building, and the walls around it are not counted.".into());
        }
        let Transmitter { position: from, height_m: from_m, frequency_mhz, .. } = placed.transmitter;
        let (from, to) = (Antenna { position: from, height_m: from_m }, Antenna { position, height_m });
        let profile = PathProfile::new(&self.prepared, from, to, frequency_mhz).map_err(|e| error("frequency", &e))?;
        // Rays, too, are of the transmitter's own frequency.
        let mut transmitter = placed.report(Method::Rays);
        warnings.append(&mut transmitter.warnings);
        object(&ProfileReport { profile, transmitter, receiver: ReceiverReport { lng, lat, height_m }, warnings })
    }
}
