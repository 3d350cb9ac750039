//! A plan that is asked for and one that was drawn.

use super::error::Refusal;
use super::outlines::{check_footprints, check_map};
use crate::drawing::{MapScene, MapSource, PlacedStation, Station};
use axum::http::StatusCode;
use geo::Coord;
use radiodiff_planning::coverage::Coverage;
use radiodiff_planning::export::{Look, Palette};
use radiodiff_planning::raster::{GeoRaster, PlanLayer};
use radiodiff_planning::request::{Input, PlanRequest};
use radiodiff_radio::scene::{ANTENNA_HEIGHT_M, GeoBounds, Grid, ImportOptions, read_footprints};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

/// The threshold of statistics where the request has no sensitivity, dBm.
const THRESHOLD_DBM: f64 = -100.0;
/// The most pixels along a side of the map of a request's own buildings.
const MOST_PIXELS: f64 = 512.0;

/// A request, taken apart: its buildings and cars stay text, which the import of scenes reads.
pub struct AskedPlan {
    pub request: PlanRequest,
    buildings: Option<String>,
    cars: Option<String>,
}

impl AskedPlan {
    /// # Errors
    /// What is no JSON object, and what [`PlanRequest`] refuses.
    pub fn parse(body: &[u8], max_corners: usize) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(body).map_err(|_| Refusal::bad("the request is no UTF-8 text"))?;
        let text = text.trim_start_matches('\u{feff}');
        let mut parts: BTreeMap<String, &RawValue> =
            serde_json::from_str(text).map_err(|error| Refusal::bad(format!("the request is no JSON object: {error}")))?;
        let mut outlines = |name: &str| {
            let text = parts.remove(name).map(|raw| raw.get().to_owned()).filter(|text| text != "null");
            // A corner is an array of its own, so there are no more corners than arrays.
            let arrays = text.iter().flat_map(|text| text.bytes()).filter(|&byte| byte == b'[').count();
            if arrays > max_corners {
                let message = format!("the {name} have up to {arrays} corners, expected at most {max_corners}");
                return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message));
            }
            Ok(text)
        };
        let (buildings, cars) = (outlines("buildings")?, outlines("cars")?);
        let mut fields = BTreeMap::new();
        for (name, raw) in parts {
            let input: Input = serde_json::from_str(raw.get()).map_err(|error| Refusal::bad(format!("{name}: {error}")))?;
            fields.insert(name, input);
        }
        Ok(Self { request: Input::Object(fields).try_into()?, buildings, cars })
    }

    pub fn has_buildings(&self) -> bool {
        self.buildings.is_some()
    }

    /// The scene to draw on: of the request's own buildings around its transmitters, or one that the server knows.
    ///
    /// # Errors
    /// Buildings or cars that cannot be read, a scene that is not known, both or neither of buildings and scene, cars without buildings.
    pub fn scene(&self, known: &BTreeMap<String, Arc<MapScene>>) -> Result<Arc<MapScene>, Refusal> {
        let names = || known.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        if self.cars.is_some() && self.buildings.is_none() {
            return Err(Refusal::bad("expected buildings beside the cars; the server's scenes have the cars of its option --cars"));
        }
        match (&self.buildings, &self.request.scene) {
            (Some(_), Some(_)) => Err(Refusal::bad("expected a scene or buildings, found both")),
            (Some(text), None) => {
                let grid = self.grid()?;
                let (footprints, _) = read_footprints(text.as_bytes()).map_err(|error| Refusal::bad(format!("buildings: {error}")))?;
                check_footprints(&footprints)?;
                let options = ImportOptions { grid, bounds: Some(self.around()), ..ImportOptions::default() };
                let scene = MapScene::new(text.as_bytes(), &options);
                let mut scene = scene.map_err(|error| Refusal::bad(format!("buildings: {error:#}")))?;
                if let Some(cars) = &self.cars {
                    scene = scene.with_cars(cars.as_bytes()).map_err(|error| Refusal::bad(format!("cars: {error:#}")))?;
                }
                check_map(&scene)?;
                Ok(Arc::new(scene))
            }
            (None, Some(name)) => {
                known.get(name).cloned().ok_or_else(|| Refusal::not_found(format!("there is no scene {name:?}; there are: {}", names())))
            }
            (None, None) if known.len() == 1 => known.values().next().cloned().ok_or_else(|| Refusal::bad("there is no scene")),
            (None, None) => Err(Refusal::bad(format!("expected buildings (GeoJSON), or a scene, one of: {}", names()))),
        }
    }

    /// The bounds of the transmitters, so that a map centred on them has them in its middle.
    fn around(&self) -> GeoBounds {
        GeoBounds::around(self.request.stations.iter().map(|station| Coord { x: station.lng, y: station.lat }))
    }

    fn grid(&self) -> Result<Grid, Refusal> {
        let standard = Grid::default();
        let meters_per_pixel = self.request.resolution_m.unwrap_or(standard.meters_per_pixel);
        let extent_m = self.request.radius_m.map_or(standard.extent_m(), |radius_m| 2.0 * radius_m);
        let size = (extent_m / meters_per_pixel).round();
        if !(8.0..=MOST_PIXELS).contains(&size) {
            let message = format!("output.rad and output.res make {size} pixels a side, expected 8 to {MOST_PIXELS}");
            return Err(Refusal::bad(message));
        }
        Ok(Grid { size: size as usize, meters_per_pixel })
    }
}

/// A plan that was drawn.
pub struct DrawnPlan {
    coverage: Coverage,
    stations: Vec<PlacedStation>,
    bounds: GeoBounds,
    range_db: (f64, f64),
    threshold_dbm: f64,
    warnings: Vec<String>,
    rasters: HashMap<PlanLayer, OnceLock<GeoRaster>>,
}

impl DrawnPlan {
    /// Draws a plan.
    ///
    /// # Errors
    /// A transmitter off the map or at a frequency that maps cannot be scaled to.
    pub fn draw(request: &PlanRequest, map: &MapScene, own_buildings: bool, source: &MapSource) -> Result<Self, Refusal> {
        let mut warnings = request.warnings.clone();
        if own_buildings {
            let of_map = map.warnings().iter().filter(|warning| !warning.starts_with("the bounds span"));
            warnings.extend(of_map.chain(map.assumptions()).cloned());
        } else if request.resolution_m.is_some() || request.radius_m.is_some() {
            warnings.push(String::from("output.res and output.rad are those of the scene and not used"));
        }
        let mut coverage = Coverage::new(map.grid(), request.receiver).map_err(|error| Refusal::bad(error.to_string()))?;
        let mut stations = Vec::new();
        if request.receiver_height_m.is_some() || request.stations.iter().any(|station| station.height_m.is_some()) {
            warnings.extend(source.unused_heights());
        }
        warnings.extend(map.warnings_for(source));
        for (i, asked) in request.stations.iter().enumerate() {
            let station = Station {
                name: format!("transmitter {}", i + 1),
                lng_lat: Coord { x: asked.lng, y: asked.lat },
                power_dbm: asked.power_dbm,
                height_m: asked.height_m,
                frequency_mhz: asked.frequency_mhz,
                antenna: asked.antenna.clone(),
            };
            let placed = map.place(&station, source).map_err(|error| Refusal::bad(format!("{error:#}")))?;
            let receiver_height_m = request.receiver_height_m.unwrap_or(ANTENNA_HEIGHT_M);
            let signal =
                map.signal(source, &placed, receiver_height_m).map_err(|error| Refusal::bad(format!("{}: {error:#}", station.name)))?;
            coverage.add(signal).map_err(|error| Refusal::failed(&error))?;
            warnings.extend(placed.warnings.iter().map(|warning| format!("{}: {warning}", station.name)));
            stations.push(placed);
        }
        Ok(Self {
            coverage,
            stations,
            bounds: map.bounds(),
            range_db: source.range_db(),
            threshold_dbm: request.sensitivity_dbm.unwrap_or(THRESHOLD_DBM),
            warnings,
            rasters: PlanLayer::ALL.into_iter().map(|layer| (layer, OnceLock::new())).collect(),
        })
    }

    /// What it takes in memory at most, all layers included.
    pub fn bytes(&self) -> usize {
        let pixels = self.coverage.signals().first().map_or(0, |signal| signal.received().grid.pixels());
        // Two float32 maps for each signal, one for each layer.
        4 * pixels * (2 * self.coverage.signals().len() + PlanLayer::ALL.len())
    }

    pub fn raster(&self, layer: PlanLayer) -> &GeoRaster {
        self.rasters[&layer].get_or_init(|| self.coverage.raster(layer, self.bounds))
    }

    /// Colours of a layer; powers below the threshold are hidden.
    pub fn look(&self, layer: PlanLayer) -> Look {
        let receiver = self.coverage.receiver();
        let sent_dbm = self.stations.iter().map(PlacedStation::sent_dbm).fold(f64::NEG_INFINITY, f64::max) + receiver.gain_dbi;
        let (low, high) = Look::usual_range(layer, self.range_db, sent_dbm, receiver.noise_dbm());
        Look { palette: Palette::Turbo, low, high, threshold: (layer == PlanLayer::ReceivedPower).then_some(self.threshold_dbm) }
    }

    pub fn stations(&self) -> &[PlacedStation] {
        &self.stations
    }

    pub fn threshold_dbm(&self) -> f64 {
        self.threshold_dbm
    }

    /// What a request is told of its plan.
    pub fn reply(&self, id: &str) -> Value {
        let transmitters: Vec<Value> = self.stations.iter().map(used).collect();
        let layers: serde_json::Map<String, Value> = PlanLayer::ALL
            .into_iter()
            .map(|layer| {
                let path = format!("/v1/plans/{id}/{}", layer.name());
                let links =
                    json!({ "png": format!("{path}.png"), "tif": format!("{path}.tif"), "tiles": format!("{path}/{{z}}/{{x}}/{{y}}.png") });
                (layer.name().to_owned(), links)
            })
            .collect();
        json!({
            "id": id,
            "bounds": self.bounds,
            "transmitters": transmitters,
            "noiseDbm": self.coverage.receiver().noise_dbm(),
            "statistics": self.coverage.statistics(PlanLayer::ReceivedPower, self.threshold_dbm),
            "layers": layers,
            "warnings": self.warnings,
        })
    }
}

/// A transmitter as it was used, in the request's words.
fn used(station: &PlacedStation) -> Value {
    let transmitter = &station.transmitter;
    json!({
        "lat": station.lng_lat.y,
        "lon": station.lng_lat.x,
        "alt": transmitter.height_m,
        "frq": transmitter.frequency_mhz,
        "txw": 10_f64.powf(transmitter.power_dbm / 10.0) / 1000.0,
        "antenna": { "txg": transmitter.antenna_gain_dbi, "azi": transmitter.azimuth_deg, "tlt": transmitter.downtilt_deg },
    })
}
