//! Buildings and cars on a map, transmitters that stand on it, and the map that needs no network.

use super::Request;
use super::signal::TransmitterSignal;
use crate::memory::{MOST_MODULE_BYTES, PlanSize};
use crate::request::{Method, RayRequest, SceneRequest, TransmitterRequest};
use geo::Coord;
use js_sys::Uint8Array;
use radiodiff_planning::coverage::Signal;
use radiodiff_planning::request::FieldError;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::RadioMap;
use radiodiff_radio::propagation::{
    AntennaPattern, AntennaRequest, DominantPath, FrequencyScaling, LAW_FREQUENCY_MHZ, Material, PropagationModel, RayOptions, RayTracing,
    RoofsOfRays, WithCars,
};
use radiodiff_radio::scene::{
    Building, BuildingCluster, GeoBounds, Grid, ImportOptions, ImportReport, Imported, LinkEnds, LocalFrame, Scene, SceneError,
    Transmitter, import, import_cars,
};
use radiodiff_web_values::{checked, error, field_error, object, set};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// A scene on a square grid, prepared for drawing.
#[wasm_bindgen]
pub struct SceneHandle {
    scene: Scene,
    pub(super) prepared: PreparedScene,
    frame: LocalFrame,
    bounds: GeoBounds,
    report: ImportReport,
    warnings: Vec<String>,
    /// Of buildings whose source does not state a height.
    building_height_m: f64,
}

/// The antenna of a transmitter that is asked for; without one, an omnidirectional one.
pub(super) fn antenna(asked: &TransmitterRequest) -> Result<AntennaRequest, JsValue> {
    let json = asked.antenna.as_ref().map_or_else(|| "{}".to_owned(), ToString::to_string);
    AntennaRequest::from_json(&json).map_err(|e| error("antenna", &e))
}

/// What JavaScript is told of a scene.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SceneInfo<'a> {
    size: usize,
    meters_per_pixel: f64,
    bounds: GeoBounds,
    warnings: &'a [String],
    /// The file's format, in words.
    format: &'a str,
    clusters: Vec<ClusterInfo>,
    /// How many cars are on the map.
    cars: usize,
}

/// Buildings that stand together, and the bounds that put the map there.
#[derive(Serialize)]
struct ClusterInfo {
    #[serde(flatten)]
    cluster: BuildingCluster,
    bounds: GeoBounds,
}

/// A transmitter that stands outdoors on the map, with its antenna.
#[wasm_bindgen]
pub struct PlacedTransmitter {
    /// Metres in the grid's frame.
    pub(super) transmitter: Transmitter,
    receiver_height_m: f64,
    pattern: AntennaPattern,
    /// Without the warning of a scaled frequency, which is apart.
    report: TransmitterReport,
    scaled_frequency: Option<String>,
}

/// A transmitter as it is used, and what was changed for that.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransmitterReport {
    lng: f64,
    lat: f64,
    height_m: f64,
    power_dbm: f64,
    #[serde(rename = "frequencyMHz")]
    frequency_mhz: f64,
    antenna_gain_dbi: f64,
    antenna: AntennaReport,
    pub warnings: Vec<String>,
}

/// An antenna as it is used, in CloudRF's words. Fields that do not count are left out.
#[derive(Clone, Default, Serialize)]
struct AntennaReport {
    txg: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    azi: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tlt: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hbw: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vbw: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fbr: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    csv: Option<String>,
}

impl TransmitterReport {
    /// A transmitter that is not put on the map.
    pub fn as_asked(asked: &TransmitterRequest) -> Self {
        let &TransmitterRequest { lng, lat, height_m, power_dbm, frequency_mhz, antenna_gain_dbi, .. } = asked;
        let antenna = AntennaReport { txg: antenna_gain_dbi, ..AntennaReport::default() };
        Self { lng, lat, height_m, power_dbm, frequency_mhz, antenna_gain_dbi, antenna, warnings: Vec::new() }
    }
}

impl AntennaReport {
    fn new(transmitter: &Transmitter, pattern: &AntennaPattern, csv: Option<&str>) -> Self {
        let mut report = Self { txg: transmitter.antenna_gain_dbi, ..Self::default() };
        if *pattern != AntennaPattern::Omni {
            report.azi = Some(transmitter.azimuth_deg);
            report.tlt = Some(transmitter.downtilt_deg);
        }
        match pattern {
            AntennaPattern::Sector(sector) => {
                report.hbw = Some(sector.horizontal_beamwidth_deg);
                report.vbw = Some(sector.vertical_beamwidth_deg);
                report.fbr = Some(sector.front_to_back_db);
            }
            AntennaPattern::Table(_) => report.csv = csv.map(str::to_owned),
            AntennaPattern::Omni => {}
        }
        report
    }
}

#[wasm_bindgen]
impl PlacedTransmitter {
    /// `{ lng, lat, heightM, powerDbm, frequencyMHz, antennaGainDbi, antenna, warnings }`: what the method of this name uses of the request.
    #[wasm_bindgen(js_name = report)]
    pub fn report_by_name(&self, method: &str) -> Result<JsValue, JsValue> {
        let method = Method::named(method).ok_or_else(|| error("method", &format!("there is no method {method}")))?;
        object(&self.report(method))
    }
}

impl PlacedTransmitter {
    /// What a method uses of the request, and what was changed for that.
    pub(super) fn report(&self, method: Method) -> TransmitterReport {
        let mut report = self.report.clone();
        // Rays are traced at the transmitter's own frequency.
        if method != Method::Rays {
            report.warnings.extend(self.scaled_frequency.clone());
        }
        report
    }

    fn links(&self) -> LinkEnds {
        self.transmitter.links(self.receiver_height_m)
    }

    /// What the transmitter sends to every pixel, from its map of path gain (dB).
    pub(super) fn signal(&self, gain: &RadioMap) -> Result<TransmitterSignal, JsValue> {
        let signal = Signal::new(gain, &self.transmitter, self.receiver_height_m, &self.pattern).map_err(|e| error("frequency", &e))?;
        Ok(TransmitterSignal { signal })
    }

    /// As [`Self::signal`], of several maps that it may have.
    pub(super) fn signals(&self, gains: &[RadioMap]) -> Result<Vec<TransmitterSignal>, JsValue> {
        let signals = Signal::all(gains, &self.transmitter, self.receiver_height_m, &self.pattern).map_err(|e| error("frequency", &e))?;
        Ok(signals.into_iter().map(|signal| TransmitterSignal { signal }).collect())
    }
}

#[wasm_bindgen]
impl SceneHandle {
    /// Reads buildings from the text or the bytes (a Uint8Array) of a file in any format that [`import`] knows, and puts them on a map,
    /// beside the cars of `cars` (GeoJSON as text or bytes) where these are given. `request` is `{ bounds, metersPerPixel,
    /// buildingHeightM }`; without bounds the map stands where most buildings are, and without metres a pixel it has `size` x `size`
    /// pixels of `meters_per_pixel`.
    #[wasm_bindgen(constructor)]
    pub fn new(source: JsValue, cars: JsValue, request: JsValue, size: usize, meters_per_pixel: f64) -> Result<SceneHandle, JsValue> {
        let request: SceneRequest = checked(request)?;
        let SceneRequest { bounds: asked, building_height_m, .. } = request;
        let grid = request.grid(Grid { size, meters_per_pixel }).map_err(|e| field_error(&e))?;
        let Imported { mut scene, report } =
            import(&bytes(&source), &ImportOptions { grid, bounds: asked, default_height_m: building_height_m })
                .map_err(|e| error(if matches!(e, SceneError::Bounds { .. }) { "bounds" } else { "geojson" }, &e))?;
        let bounds = scene.bounds.ok_or_else(|| error("geojson", &"the scene has no place on the globe"))?;
        let frame = LocalFrame::of_bounds(bounds, grid);
        let mut warnings = report.warnings();
        warnings.extend(report.assumptions());
        let own_grid = request.meters_per_pixel.is_none();
        warnings.extend(asked.filter(|_| own_grid).and_then(|asked| differing_bounds(&frame, asked, grid)));
        if !(cars.is_undefined() || cars.is_null()) {
            let read = import_cars(&bytes(&cars), &frame, grid).map_err(|e| {
                let value = error("geojson", &format!("the cars: {e}"));
                set(&value, "field", "cars");
                value
            })?;
            scene = scene.with_cars(read.cars);
            warnings.extend(read.warnings);
        }
        let prepared = PreparedScene::new(&scene);
        Ok(SceneHandle { scene, prepared, frame, bounds, report, warnings, building_height_m })
    }

    /// `{ size, metersPerPixel, bounds, warnings, format, clusters, cars }`.
    pub fn info(&self) -> Result<JsValue, JsValue> {
        let Grid { size, meters_per_pixel } = self.scene.grid;
        let clusters = self.report.clusters.iter().map(|&cluster| ClusterInfo {
            cluster,
            bounds: LocalFrame::centered(Coord { x: cluster.lng, y: cluster.lat }, self.scene.grid).bounds(),
        });
        object(&SceneInfo {
            size,
            meters_per_pixel,
            bounds: self.bounds,
            warnings: &self.warnings,
            format: &self.report.format,
            clusters: clusters.collect(),
            cars: self.scene.cars.len(),
        })
    }

    /// Warnings of what only ray tracing reads: materials of walls that are not known.
    #[wasm_bindgen(js_name = rayWarnings)]
    pub fn ray_warnings(&self) -> Vec<String> {
        self.report.unknown_materials().into_iter().collect()
    }

    /// 1 inside buildings, row 0 in the north.
    pub fn mask(&self) -> Uint8Array {
        Uint8Array::from(self.scene.mask.pixels.as_slice())
    }

    /// Puts the request's transmitter of this number on the map; one inside a building is moved outdoors. Refuses a plan that would not
    /// fit into memory.
    pub fn place(&self, request: &Request, index: usize) -> Result<PlacedTransmitter, JsValue> {
        let transmitters = &request.request.transmitters;
        let Some(asked) = transmitters.get(index) else {
            return Err(error("transmitter", &format!("there is no transmitter {index}: the request has {}", transmitters.len())));
        };
        self.check_memory(transmitters.len(), 0)?;
        self.place_transmitter(asked, request.request.plan.receiver_height_m)
    }

    /// How many workers may share the request's plan of physical maps within so many bytes, the page's part among them: at most `workers`,
    /// at least one.
    #[wasm_bindgen(js_name = workersWithin)]
    pub fn workers_within(&self, request: &Request, workers: usize, most_bytes: f64) -> usize {
        self.plan_size(request.request.transmitters.len(), 0).workers_within(workers, most_bytes as u64)
    }

    /// A transmitter's signal by the dominant path model.
    #[wasm_bindgen(js_name = dominantPath)]
    pub fn dominant_path(&self, placed: &PlacedTransmitter) -> Result<TransmitterSignal, JsValue> {
        placed.signal(&self.path_gain(placed)?)
    }

    /// A transmitter's signal by ray tracing at its own frequency: all paths of as many reflections and diffractions as the request asks
    /// for, and the direct line over roofs.
    pub fn rays(&self, placed: &PlacedTransmitter, request: &Request) -> Result<TransmitterSignal, JsValue> {
        let PlacedTransmitter { transmitter, receiver_height_m, pattern, .. } = placed;
        let RayRequest { interactions, walls } = request.request.rays;
        let default = RayOptions::at_frequency(transmitter.frequency_mhz);
        let options = RayOptions {
            roofs: RoofsOfRays::Scene,
            interactions: interactions.unwrap_or(default.interactions),
            material: walls.map_or(default.material, Material::of_wall),
            ..default
        };
        let gain = RayTracing { options }.path_gain(&self.prepared, &placed.links()).map_err(|e| error("transmitter", &e))?;
        Ok(TransmitterSignal { signal: Signal::at_own_frequency(&gain, transmitter, *receiver_height_m, pattern) })
    }
}

impl SceneHandle {
    /// A transmitter's path gain by the dominant path model, weakened by the scene's cars, dB.
    pub(super) fn path_gain(&self, placed: &PlacedTransmitter) -> Result<RadioMap, JsValue> {
        WithCars(DominantPath::of_maps()).path_gain(&self.prepared, &placed.links()).map_err(|e| error("transmitter", &e))
    }

    /// Of so many transmitters, and a network's maps of each, 0 without a network.
    pub(super) fn check_memory(&self, transmitters: usize, maps: usize) -> Result<(), JsValue> {
        let Grid { size, meters_per_pixel } = self.scene.grid;
        let bytes = self.plan_size(transmitters, maps).module_bytes();
        if bytes <= MOST_MODULE_BYTES {
            return Ok(());
        }
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        Err(field_error(&FieldError {
            code: "too-large",
            field: "metersPerPixel".into(),
            found: meters_per_pixel.to_string(),
            expected: format!(
                "more metres, smaller bounds or fewer transmitters: {size} x {size} pixels and {transmitters} transmitters take {:.1} GiB of \
                 memory, and {:.0} GiB can be had",
                gib(bytes),
                gib(MOST_MODULE_BYTES)
            ),
        }))
    }

    fn plan_size(&self, transmitters: usize, maps: usize) -> PlanSize {
        PlanSize { grid: self.scene.grid, has_cars: !self.scene.cars.is_empty(), transmitters, maps }
    }

    pub(super) fn scene(&self) -> &Scene {
        &self.scene
    }

    pub(super) fn frame(&self) -> LocalFrame {
        self.frame
    }

    pub(super) fn bounds(&self) -> GeoBounds {
        self.bounds
    }

    pub(super) fn grid(&self) -> Grid {
        self.scene.grid
    }

    pub(super) fn buildings(&self) -> &[Building] {
        &self.scene.buildings
    }

    pub(super) fn building_height_m(&self) -> f64 {
        self.building_height_m
    }

    pub(super) fn place_transmitter(&self, asked: &TransmitterRequest, receiver_height_m: f64) -> Result<PlacedTransmitter, JsValue> {
        let &TransmitterRequest { lng, lat, height_m, power_dbm, frequency_mhz, .. } = asked;
        let scaling = FrequencyScaling::to(frequency_mhz).map_err(|e| error("frequency", &e))?;
        let antenna = antenna(asked)?;
        let transmitter = Transmitter {
            position: self.frame.to_meters(Coord { x: lng, y: lat }),
            height_m,
            power_dbm,
            frequency_mhz,
            antenna_gain_dbi: antenna.gain_dbi.unwrap_or(asked.antenna_gain_dbi),
            azimuth_deg: antenna.azimuth_deg,
            downtilt_deg: antenna.downtilt_deg,
        };
        let placement = self.scene.place_transmitter(transmitter).map_err(|cause| {
            let GeoBounds { west, south, east, north } = self.bounds;
            let map = format!("the map is {west:.5}, {south:.5}, {east:.5}, {north:.5}: west, south, east, north");
            error("transmitter", &format!("{cause} (asked for {lng:.5}, {lat:.5}; {map})"))
        })?;
        let mut warnings = asked.warnings.clone();
        warnings.extend(antenna.warnings);
        warnings.extend(placement.moved_m.map(|moved_m| {
            format!(
                "The transmitter at {lng:.5}, {lat:.5} stood inside a building: it is {height_m} m above the ground, the roof {:.1} m; it was moved {moved_m:.1} m to the nearest outdoor place.",
                placement.roof_m
            )
        }));
        let scaled_frequency = (!scaling.is_identity()).then(|| {
            format!(
                "The map was made for {LAW_FREQUENCY_MHZ} MHz and scaled to {frequency_mhz} MHz by free space and knife-edge diffraction."
            )
        });
        let transmitter = placement.transmitter;
        let degrees = self.frame.to_degrees(transmitter.position);
        let csv = asked.antenna.as_ref().and_then(|antenna| antenna.get("csv")?.as_str());
        let report = TransmitterReport {
            lng: degrees.x,
            lat: degrees.y,
            height_m,
            power_dbm,
            frequency_mhz,
            antenna_gain_dbi: transmitter.antenna_gain_dbi,
            antenna: AntennaReport::new(&transmitter, &antenna.pattern, csv),
            warnings,
        };
        Ok(PlacedTransmitter { transmitter, receiver_height_m, pattern: antenna.pattern, report, scaled_frequency })
    }
}

/// The bytes of a text or of a Uint8Array.
fn bytes(source: &JsValue) -> Vec<u8> {
    source.as_string().map_or_else(|| Uint8Array::new(source).to_vec(), String::into_bytes)
}

/// The warning that the map does not cover what was asked for.
fn differing_bounds(frame: &LocalFrame, asked: GeoBounds, grid: Grid) -> Option<String> {
    let ([width_m, height_m], extent_m) = (frame.differing_span_m(asked, grid)?, grid.extent_m());
    Some(format!(
        "The bounds span {width_m:.0} x {height_m:.0} m; the map covers {extent_m} x {extent_m} m around their centre. With metersPerPixel a \
         physical map covers them."
    ))
}
