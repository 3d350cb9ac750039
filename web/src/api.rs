//! What JavaScript sees: a scene that is prepared once and a transmitter that is moved in it.
//!
//! The module runs in a worker (web/js/worker.js); nothing here touches the page. In come GeoJSON text and degrees, out go plain
//! objects and a Float32Array. Errors are JavaScript `Error`s whose `code` names their kind.

use geo::Coord;
use js_sys::{Array, Error, Float32Array, Object, Reflect, Uint8Array};
use radiodiff_core::propagation::{DominantPathLaw, PreparedScene};
use radiodiff_core::scene::{GeoBounds, Grid, ImportOptions, LocalFrame, Scene, Transmitter};
use wasm_bindgen::prelude::*;

/// Shows a panic's message in the console; the worker turns the trap into a typed error and starts again.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

fn error(code: &str, message: &dyn std::fmt::Display) -> JsValue {
    let error = Error::new(&message.to_string());
    set(&error, "code", code);
    error.into()
}

/// Sets a property of an object that is ours.
fn set(object: &Object, key: &str, value: impl Into<JsValue>) {
    // Only a frozen or foreign object refuses a property; ours are fresh.
    let _ = Reflect::set(object, &key.into(), &value.into());
}

/// Buildings on a grid of 256 x 256 m, ready to be drawn on.
#[wasm_bindgen]
pub struct City {
    scene: Scene,
    prepared: PreparedScene,
    frame: LocalFrame,
    bounds: GeoBounds,
    warnings: Vec<String>,
}

#[wasm_bindgen]
impl City {
    /// Reads buildings from GeoJSON. `bounds` is [west, south, east, north] in degrees, or empty to centre on the buildings.
    #[wasm_bindgen(constructor)]
    pub fn new(geojson: &str, bounds: &[f64]) -> Result<City, JsValue> {
        let bounds = match *bounds {
            [] => None,
            [west, south, east, north] => Some(GeoBounds { west, south, east, north }),
            _ => return Err(error("bounds", &format!("bounds has {} values, expected west, south, east, north", bounds.len()))),
        };
        let grid = Grid::default();
        let imported = Scene::from_geojson(geojson, &ImportOptions { grid, bounds }).map_err(|e| error("geojson", &e))?;
        let bounds = imported.scene.bounds.ok_or_else(|| error("geojson", &"the scene has no place on the globe"))?;
        let center = Coord { x: (bounds.west + bounds.east) / 2.0, y: (bounds.south + bounds.north) / 2.0 };
        let prepared = PreparedScene::new(&imported.scene);
        let warnings = imported.warnings.iter().map(ToString::to_string).collect();
        Ok(City { scene: imported.scene, prepared, frame: LocalFrame::centered(center, grid), bounds, warnings })
    }

    /// { size, metersPerPixel, bounds, warnings, mask }: mask is 1 inside buildings, row 0 in the north.
    pub fn info(&self) -> Object {
        let info = Object::new();
        set(&info, "size", self.scene.grid.size as f64);
        set(&info, "metersPerPixel", self.scene.grid.meters_per_pixel);
        let bounds = Object::new();
        for (key, value) in
            [("west", self.bounds.west), ("south", self.bounds.south), ("east", self.bounds.east), ("north", self.bounds.north)]
        {
            set(&bounds, key, value);
        }
        set(&info, "bounds", bounds);
        set(&info, "warnings", self.warnings.iter().map(JsValue::from).collect::<Array>());
        set(&info, "mask", Uint8Array::from(self.scene.mask.pixels.as_slice()));
        info
    }

    /// The dominant path model's map: { values, warnings, transmitter: {lng, lat} }, values in dBm, NaN inside buildings.
    #[wasm_bindgen(js_name = dominantPath)]
    pub fn dominant_path(&self, lng: f64, lat: f64, power_dbm: f64) -> Result<Object, JsValue> {
        if !power_dbm.is_finite() {
            return Err(error("power", &format!("the transmitter's power is {power_dbm}, expected dBm")));
        }
        let position = self.frame.to_meters(Coord { x: lng, y: lat });
        let asked = Transmitter { power_dbm, ..Transmitter::at(position.x, position.y) };
        let placement = self.scene.place_transmitter(asked).map_err(|e| error("transmitter", &e))?;
        let position = placement.transmitter.position;
        let gain = self.prepared.dominant_path(position, &DominantPathLaw::default()).map_err(|e| error("transmitter", &e))?;
        let power: Vec<f32> = gain.values.iter().map(|&gain_db| gain_db + power_dbm as f32).collect();
        let warnings = Array::new();
        if let Some(moved_m) = placement.moved_m {
            warnings.push(
                &format!("The transmitter stood inside a building; it was moved {moved_m:.1} m to the nearest outdoor place.").into(),
            );
        }
        let degrees = self.frame.to_degrees(position);
        let transmitter = Object::new();
        set(&transmitter, "lng", degrees.x);
        set(&transmitter, "lat", degrees.y);
        let map = Object::new();
        set(&map, "values", Float32Array::from(power.as_slice()));
        set(&map, "warnings", warnings);
        set(&map, "transmitter", transmitter);
        Ok(map)
    }
}
