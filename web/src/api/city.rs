//! Buildings, and the map that needs no network.

use super::{error, set};
use geo::Coord;
use js_sys::{Array, Float32Array, Object, Uint8Array};
use radiodiff_radio::map::RadioMap;
use radiodiff_radio::propagation::{
    AntennaPattern, AntennaRequest, DominantPathLaw, FrequencyScaling, LAW_FREQUENCY_MHZ, PreparedScene, received_power,
};
use radiodiff_radio::scene::{GeoBounds, Grid, ImportOptions, LocalFrame, Scene, SceneError, Transmitter, import};
use wasm_bindgen::prelude::*;

/// How far the bounds that were asked for may differ from the map's before the user is told, in pixels.
const BOUNDS_TOLERANCE_PIXELS: f64 = 2.0;

/// Buildings on a square grid, ready to be drawn on.
#[wasm_bindgen]
pub struct City {
    scene: Scene,
    pub(super) prepared: PreparedScene,
    frame: LocalFrame,
    bounds: GeoBounds,
    warnings: Vec<String>,
}

/// A transmitter that stands outdoors on the map, with its antenna.
#[wasm_bindgen]
pub struct Placed {
    /// Metres in the grid's frame.
    pub(super) transmitter: Transmitter,
    pattern: AntennaPattern,
    degrees: Coord<f64>,
    warnings: Vec<String>,
}

#[wasm_bindgen]
impl Placed {
    /// What is used of the request: { lng, lat, antennaGainDbi, antenna, warnings }; antenna in CloudRF's words, without the csv.
    pub fn report(&self) -> Object {
        let antenna = Object::new();
        set(&antenna, "txg", self.transmitter.antenna_gain_dbi);
        if self.pattern != AntennaPattern::Omni {
            set(&antenna, "azi", self.transmitter.azimuth_deg);
            set(&antenna, "tlt", self.transmitter.downtilt_deg);
        }
        if let AntennaPattern::Sector(sector) = &self.pattern {
            set(&antenna, "hbw", sector.horizontal_beamwidth_deg);
            set(&antenna, "vbw", sector.vertical_beamwidth_deg);
            set(&antenna, "fbr", sector.front_to_back_db);
        }
        let report = Object::new();
        set(&report, "lng", self.degrees.x);
        set(&report, "lat", self.degrees.y);
        set(&report, "antennaGainDbi", self.transmitter.antenna_gain_dbi);
        set(&report, "antenna", antenna);
        set(&report, "warnings", self.warnings.iter().map(JsValue::from).collect::<Array>());
        report
    }

    /// A path gain map (dB) as received power (dBm), NaN inside buildings.
    pub(super) fn received(&self, gain: &RadioMap) -> Result<Float32Array, JsValue> {
        // Neither the dominant path nor the networks tell by which corner a path leaves, so the straight line stands for it.
        let power = received_power(gain, &self.transmitter, &self.pattern, |_| None).map_err(|e| error("frequency", &e))?;
        Ok(Float32Array::from(power.values.as_slice()))
    }
}

#[wasm_bindgen]
impl City {
    /// Reads buildings from GeoJSON. `bounds` is [west, south, east, north] in degrees, or empty to centre on the buildings; the
    /// map is `size` x `size` pixels around their centre.
    #[wasm_bindgen(constructor)]
    pub fn new(geojson: &str, bounds: &[f64], size: usize, meters_per_pixel: f64) -> Result<City, JsValue> {
        let asked = match *bounds {
            [] => None,
            [west, south, east, north] => Some(GeoBounds { west, south, east, north }),
            _ => return Err(error("bounds", &format!("bounds has {} values, expected west, south, east, north", bounds.len()))),
        };
        let grid = Grid { size, meters_per_pixel };
        let imported = import(geojson.as_bytes(), &ImportOptions { grid, bounds: asked })
            .map_err(|e| error(if matches!(e, SceneError::Bounds { .. }) { "bounds" } else { "geojson" }, &e))?;
        let bounds = imported.scene.bounds.ok_or_else(|| error("geojson", &"the scene has no place on the globe"))?;
        let center = Coord { x: (bounds.west + bounds.east) / 2.0, y: (bounds.south + bounds.north) / 2.0 };
        let frame = LocalFrame::centered(center, grid);
        let mut warnings = imported.report.warnings();
        warnings.extend(asked.and_then(|asked| differing_bounds(&frame, asked, grid)));
        let prepared = PreparedScene::new(&imported.scene);
        Ok(City { scene: imported.scene, prepared, frame, bounds, warnings })
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

    /// Checks a transmitter and moves it outdoors. `antenna` is JSON in CloudRF's words, or nothing for an omni; its `txg` comes
    /// before `antenna_gain_dbi`.
    pub fn place(
        &self,
        lng: f64,
        lat: f64,
        power_dbm: f64,
        frequency_mhz: f64,
        antenna_gain_dbi: f64,
        antenna: Option<String>,
    ) -> Result<Placed, JsValue> {
        for (what, value) in [("power", power_dbm), ("antenna gain", antenna_gain_dbi)] {
            if !value.is_finite() {
                return Err(error("power", &format!("the transmitter's {what} is {value}, expected a number of decibels")));
            }
        }
        let scaling = FrequencyScaling::to(frequency_mhz).map_err(|e| error("frequency", &e))?;
        if !(lng.is_finite() && lat.is_finite()) {
            let message = format!("the transmitter's position {lng}, {lat} is not a longitude and latitude in degrees");
            return Err(error("transmitter", &message));
        }
        let antenna = AntennaRequest::from_json(antenna.as_deref().unwrap_or("{}")).map_err(|e| error("antenna", &e))?;
        let position = self.frame.to_meters(Coord { x: lng, y: lat });
        let asked = Transmitter {
            position,
            power_dbm,
            frequency_mhz,
            antenna_gain_dbi: antenna.gain_dbi.unwrap_or(antenna_gain_dbi),
            azimuth_deg: antenna.azimuth_deg,
            downtilt_deg: antenna.downtilt_deg,
        };
        let placement = self.scene.place_transmitter(asked).map_err(|cause| {
            let GeoBounds { west, south, east, north } = self.bounds;
            let map = format!("the map is {west:.5}, {south:.5}, {east:.5}, {north:.5}: west, south, east, north");
            error("transmitter", &format!("{cause} (asked for {lng:.5}, {lat:.5}; {map})"))
        })?;
        let mut warnings = antenna.warnings;
        warnings.extend(placement.moved_m.map(|moved_m| {
            format!(
                "The transmitter at {lng:.5}, {lat:.5} stood inside a building; it was moved {moved_m:.1} m to the nearest outdoor place."
            )
        }));
        if !scaling.is_identity() {
            warnings.push(format!(
                "The map was made for {LAW_FREQUENCY_MHZ} MHz and scaled to {frequency_mhz} MHz by free space and knife-edge diffraction."
            ));
        }
        let degrees = self.frame.to_degrees(placement.transmitter.position);
        Ok(Placed { transmitter: placement.transmitter, pattern: antenna.pattern, degrees, warnings })
    }

    /// The dominant path model's map: values in dBm, NaN inside buildings.
    #[wasm_bindgen(js_name = dominantPath)]
    pub fn dominant_path(&self, placed: &Placed) -> Result<Float32Array, JsValue> {
        let position = placed.transmitter.position;
        let gain = self.prepared.dominant_path(position, &DominantPathLaw::default()).map_err(|e| error("transmitter", &e))?;
        placed.received(&gain)
    }
}

/// What to say when the map does not cover what was asked for.
fn differing_bounds(frame: &LocalFrame, asked: GeoBounds, grid: Grid) -> Option<String> {
    let low = frame.to_meters(Coord { x: asked.west, y: asked.south });
    let high = frame.to_meters(Coord { x: asked.east, y: asked.north });
    let (width_m, height_m, extent_m) = (high.x - low.x, high.y - low.y, grid.extent_m());
    let tolerance_m = BOUNDS_TOLERANCE_PIXELS * grid.meters_per_pixel;
    let differs = (width_m - extent_m).abs() > tolerance_m || (height_m - extent_m).abs() > tolerance_m;
    differs.then(|| format!("the bounds span {width_m:.0} x {height_m:.0} m; the map covers {extent_m} x {extent_m} m around their centre"))
}
