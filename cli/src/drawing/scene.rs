//! Buildings and cars on a map, and transmitters among them.

use super::source::MapSource;
use super::station::{PlacedStation, Station};
use anyhow::{Context, Result};
use geo::Coord;
use radiodiff_planning::coverage::Signal;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::height_raster::import_any;
use radiodiff_radio::propagation::{FrequencyScaling, LAW_FREQUENCY_MHZ};
use radiodiff_radio::scene::{GeoBounds, Grid, ImportOptions, Imported, ImportedCars, LocalFrame, Scene, import_cars};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// So many scenes are kept; a batch usually works through one after another.
const KEPT_SCENES: usize = 4;

/// A scene with its place on the globe, prepared for the maps of many transmitters.
pub struct MapScene {
    scene: Scene,
    prepared: PreparedScene,
    frame: LocalFrame,
    bounds: GeoBounds,
    /// What was left out of the files, repaired or assumed.
    warnings: Vec<String>,
    /// What was assumed of heights.
    assumptions: Vec<String>,
    /// The warning that walls have materials that are not known.
    unknown_materials: Option<String>,
}

impl MapScene {
    /// From a file of buildings in any known format, and one of cars.
    ///
    /// # Errors
    /// A file that cannot be read, or no building on the map.
    pub fn read(path: &Path, cars: Option<&Path>, options: &ImportOptions) -> Result<Self> {
        let bytes = |path: &Path| std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()));
        let map = Self::new(&bytes(path)?, options).with_context(|| format!("the scene {}", path.display()))?;
        let Some(cars) = cars else { return Ok(map) };
        map.with_cars(&bytes(cars)?).with_context(|| format!("the cars {}", cars.display()))
    }

    /// From the bytes of a file of buildings.
    ///
    /// # Errors
    /// Bytes of no known format, no building on the map, and a height that no building has.
    pub fn new(bytes: &[u8], options: &ImportOptions) -> Result<Self> {
        let Imported { scene, report } = import_any(bytes, options)?;
        let grid = options.grid;
        let bounds = scene.bounds.context("it has no place on the globe")?;
        let frame = LocalFrame::of_bounds(bounds, grid);
        let mut warnings = report.warnings();
        warnings.extend(options.bounds.and_then(|asked| differing_bounds(&frame, asked, grid)));
        let (assumptions, unknown_materials) = (report.assumptions(), report.unknown_materials());
        Ok(Self { prepared: PreparedScene::new(&scene), scene, frame, bounds, warnings, assumptions, unknown_materials })
    }

    /// The same map with the cars of a GeoJSON file's bytes.
    ///
    /// # Errors
    /// Bytes that are no GeoJSON.
    pub fn with_cars(mut self, bytes: &[u8]) -> Result<Self> {
        let ImportedCars { cars, warnings } = import_cars(bytes, &self.frame, self.grid())?;
        self.warnings.extend(warnings);
        let scene = self.scene.with_cars(cars);
        Ok(Self { prepared: PreparedScene::new(&scene), scene, ..self })
    }

    pub fn grid(&self) -> Grid {
        self.scene.grid
    }

    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    pub fn frame(&self) -> &LocalFrame {
        &self.frame
    }

    pub fn bounds(&self) -> GeoBounds {
        self.bounds
    }

    /// Sentences on buildings without a height, and on ground that is not flat.
    pub fn assumptions(&self) -> &[String] {
        &self.assumptions
    }

    /// How many corners paths turn at, of buildings of any height and of cars.
    #[cfg(feature = "serve")]
    pub fn turning_points(&self) -> usize {
        let with_cars = if self.scene.cars.is_empty() { &self.prepared } else { self.prepared.with_cars_as_walls() };
        with_cars.turning_points(0.0).walls.corners.len()
    }

    /// How many sides all cars have together.
    #[cfg(feature = "serve")]
    pub fn sides_of_cars(&self) -> usize {
        self.scene.cars.iter().map(|car| car.exterior().lines().len()).sum()
    }

    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The warnings that concern some sources alone: cars where they are not known, unknown materials where walls reflect.
    pub fn warnings_for(&self, source: &MapSource) -> Vec<String> {
        let unused = !self.scene.cars.is_empty() && !source.knows_cars();
        let cars = unused.then(|| format!("{} knows no cars: those on the map are left out", source.name()));
        let materials = self.unknown_materials.clone().filter(|_| source.knows_materials());
        cars.into_iter().chain(materials).collect()
    }

    /// Puts a transmitter on the map for a source of maps; one inside a building goes to the nearest outdoor pixel, with a warning.
    ///
    /// # Errors
    /// A place off the map, and a frequency that maps cannot be scaled to.
    pub fn place(&self, station: &Station, source: &MapSource) -> Result<PlacedStation> {
        let transmitter = station.transmitter(self.frame.to_meters(station.lng_lat));
        let mut warnings = station.antenna.warnings.clone();
        warnings.extend(source.warnings(transmitter.height_m));
        let scaling = FrequencyScaling::to(transmitter.frequency_mhz).with_context(|| station.name.clone())?;
        if !scaling.is_identity() && !source.knows_frequency() {
            warnings.push(format!(
                "the map is made for {LAW_FREQUENCY_MHZ} MHz and scaled to {} MHz by free space and knife-edge diffraction",
                transmitter.frequency_mhz
            ));
        }
        let placed = self.scene.place_transmitter(transmitter).with_context(|| {
            let GeoBounds { west, south, east, north } = self.bounds;
            let Coord { x, y } = station.lng_lat;
            let exchanged = self.scene.grid.pixel_of(self.frame.to_meters(Coord { x: y, y: x })).is_some();
            let advice = if exchanged { "; longitude and latitude have been exchanged, there or in the buildings" } else { "" };
            format!("{} on a map of {west:.6}, {south:.6}, {east:.6}, {north:.6} (west, south, east, north){advice}", station.name)
        })?;
        let lng_lat = self.frame.to_degrees(placed.transmitter.position);
        warnings.extend(placed.moved_m.map(|moved_m| {
            let Coord { x: lng, y: lat } = lng_lat;
            let (height_m, roof_m) = (transmitter.height_m, placed.roof_m);
            format!(
                "the transmitter stood inside a building: it is {height_m} m above the ground, the roof {roof_m:.1} m; it was moved {moved_m:.1} m \
                 to the nearest outdoor pixel, {lng:.6},{lat:.6}"
            )
        }));
        Ok(PlacedStation { transmitter: placed.transmitter, pattern: station.antenna.pattern.clone(), lng_lat, warnings })
    }

    /// What a transmitter sends to receivers at a height above every pixel.
    ///
    /// # Errors
    /// Those of the source: heights that no antenna has.
    pub fn signal(&self, source: &MapSource, placed: &PlacedStation, receiver_height_m: f64) -> Result<Signal> {
        let PlacedStation { transmitter, pattern, .. } = placed;
        let path_gain = source.path_gain(&self.prepared, transmitter, receiver_height_m)?;
        if source.knows_frequency() {
            return Ok(Signal::at_own_frequency(&path_gain, transmitter, receiver_height_m, pattern));
        }
        Ok(Signal::new(&path_gain, transmitter, receiver_height_m, pattern)?)
    }

    /// As [`Self::signal`], what a transmitter may send: one signal for each map that a network draws of it.
    ///
    /// # Errors
    /// Those of [`Self::signal`].
    pub fn signals(&self, source: &MapSource, placed: &PlacedStation, receiver_height_m: f64) -> Result<Vec<Signal>> {
        let PlacedStation { transmitter, pattern, .. } = placed;
        let path_gains = source.path_gains(&self.prepared, transmitter, receiver_height_m)?;
        Ok(Signal::all(&path_gains, transmitter, receiver_height_m, pattern)?)
    }
}

/// The warning that the map does not cover the bounds that were asked for.
fn differing_bounds(frame: &LocalFrame, asked: GeoBounds, grid: Grid) -> Option<String> {
    let ([width_m, height_m], extent_m) = (frame.differing_span_m(asked, grid)?, grid.extent_m());
    Some(format!("the bounds span {width_m:.0} x {height_m:.0} m; the map covers {extent_m} x {extent_m} m around their centre"))
}

/// What a scene is made of.
type SceneKey = (PathBuf, Option<PathBuf>, ImportOptions);

/// The scenes that were used last, shared by threads. Two threads that ask for a new scene at once may both read it.
#[derive(Default)]
pub struct SceneCache {
    scenes: Mutex<Vec<(SceneKey, Arc<MapScene>)>>,
}

impl SceneCache {
    /// # Errors
    /// Those of [`MapScene::read`].
    pub fn get(&self, path: &Path, cars: Option<&Path>, options: &ImportOptions) -> Result<Arc<MapScene>> {
        let key = (path.to_owned(), cars.map(Path::to_owned), *options);
        let known = |scenes: &[(SceneKey, Arc<MapScene>)]| scenes.iter().find(|(other, _)| *other == key).map(|(_, scene)| scene.clone());
        if let Some(scene) = known(&self.scenes.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(scene);
        }
        let scene = Arc::new(MapScene::read(path, cars, options)?);
        let mut scenes = self.scenes.lock().unwrap_or_else(PoisonError::into_inner);
        if scenes.len() == KEPT_SCENES {
            scenes.remove(0);
        }
        scenes.push((key, scene.clone()));
        Ok(scene)
    }
}
