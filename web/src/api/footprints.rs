//! A scene's buildings for whoever draws them: the footprints that count, with the heights that count, whatever format they came in.

use super::scene::SceneHandle;
use geo::{Coord, LineString};
use radiodiff_radio::scene::{Building, LocalFrame};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

/// Digits after the point of a coordinate in degrees: a centimetre.
const DEGREES_SCALE: f64 = 1e7;

#[wasm_bindgen]
impl SceneHandle {
    /// Text of a GeoJSON FeatureCollection: polygons in degrees, each with its `height` in metres.
    pub fn footprints(&self) -> String {
        let features: Vec<Value> =
            self.buildings().iter().map(|building| feature(building, &self.frame(), self.building_height_m())).collect();
        json!({ "type": "FeatureCollection", "features": features }).to_string()
    }
}

fn feature(building: &Building, frame: &LocalFrame, default_height_m: f64) -> Value {
    let footprint = &building.footprint;
    let rings: Vec<Value> = std::iter::once(footprint.exterior()).chain(footprint.interiors()).map(|ring| degrees(ring, frame)).collect();
    json!({
        "type": "Feature",
        "properties": { "height": building.stated_height_m().unwrap_or(default_height_m) },
        "geometry": { "type": "Polygon", "coordinates": rings },
    })
}

fn degrees(ring: &LineString<f64>, frame: &LocalFrame) -> Value {
    let rounded = |degrees: f64| (degrees * DEGREES_SCALE).round() / DEGREES_SCALE;
    ring.coords().map(|&corner| frame.to_degrees(corner)).map(|Coord { x, y }| json!([rounded(x), rounded(y)])).collect()
}
