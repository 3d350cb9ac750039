//! What a cell sees around it, for the module that fits maps to measured power (web/calibration): plain arrays, since that module knows
//! nothing of buildings and paths.

use super::scene::{SceneHandle, TransmitterReport, antenna};
use crate::request::CellRequest;
use geo::Coord;
use js_sys::{Float32Array, Float64Array};
use radiodiff_radio::calibration::Surroundings;
use radiodiff_radio::propagation::{AntennaPattern, FrequencyScaling};
use radiodiff_radio::scene::{GeoBounds, Grid};
use radiodiff_web_values::{CellTerms, checked, error, object};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// A cell and its surroundings.
#[wasm_bindgen]
pub struct CellSurroundings {
    request: CellRequest,
    surroundings: Surroundings,
    /// The middle of the map, degrees.
    center: [f64; 2],
    azimuth_deg: Option<f64>,
    warnings: Vec<String>,
}

/// What JavaScript is told: the other module's terms, and what it reports of the cell itself.
#[derive(Serialize)]
struct CellReport {
    #[serde(flatten)]
    terms: CellTerms,
    /// The cell as it was asked for.
    transmitter: TransmitterReport,
    warnings: Vec<String>,
}

#[wasm_bindgen]
impl CellSurroundings {
    /// Checks `{ transmitter, squareM, blockM }` and looks around the cell.
    #[wasm_bindgen(constructor)]
    pub fn new(scene: &SceneHandle, request: JsValue) -> Result<CellSurroundings, JsValue> {
        let request: CellRequest = checked(request)?;
        let asked = &request.transmitter;
        // The same frequencies as for a transmitter that is drawn.
        FrequencyScaling::to(asked.frequency_mhz).map_err(|e| error("frequency", &e))?;
        let antenna = antenna(asked)?;
        let azimuth_deg = (antenna.pattern != AntennaPattern::Omni).then_some(antenna.azimuth_deg);
        let position = scene.frame().to_meters(Coord { x: asked.lng, y: asked.lat });
        let surroundings = Surroundings::new(scene.scene(), position).map_err(|e| error("transmitter", &e))?;
        let GeoBounds { west, south, east, north } = scene.bounds();
        let mut warnings = asked.warnings.clone();
        warnings.extend(antenna.warnings);
        warnings.extend(request.height_m.and_then(|height_m| surroundings.roof_warning(scene.scene(), height_m)));
        Ok(CellSurroundings { request, surroundings, center: [(west + east) / 2.0, (south + north) / 2.0], azimuth_deg, warnings })
    }

    /// `{ size, metersPerPixel, center, antenna, streetAntenna, frequencyMHz, azimuthDeg, heightM, squareM, blockM, transmitter,
    /// warnings }`.
    pub fn terms(&self) -> Result<JsValue, JsValue> {
        let Grid { size, meters_per_pixel } = self.surroundings.grid;
        let place = |Coord { x, y }: Coord<f64>| [x, y];
        let terms = CellTerms {
            size,
            meters_per_pixel,
            center: self.center,
            antenna: place(self.surroundings.antenna),
            street_antenna: place(self.surroundings.street_antenna),
            frequency_mhz: self.request.transmitter.frequency_mhz,
            azimuth_deg: self.azimuth_deg,
            height_m: self.request.height_m,
            square_m: self.request.square_m,
            block_m: self.request.block_m,
        };
        let transmitter = TransmitterReport::as_asked(&self.request.transmitter);
        object(&CellReport { terms, transmitter, warnings: self.warnings.clone() })
    }

    /// Stated heights of roofs, metres; 0 where none is stated.
    #[wasm_bindgen(js_name = statedRoofs)]
    pub fn stated_roofs(&self) -> Float32Array {
        Float32Array::from(self.surroundings.stated_roofs_m.as_slice())
    }

    /// From every pixel to the nearest wall, metres.
    #[wasm_bindgen(js_name = wallDistance)]
    pub fn wall_distance(&self) -> Float64Array {
        Float64Array::from(self.surroundings.wall_distance_m.as_slice())
    }

    /// Path gain by the dominant path, dB, NaN inside buildings.
    pub fn gain(&self) -> Float32Array {
        Float32Array::from(self.surroundings.gain_db.as_slice())
    }
}
