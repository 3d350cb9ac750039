//! The scenes and transmitters of a folder, whether or not there are maps of them.
//!
//! Every simulation of a folder has the same buildings and transmitters, so those who compute maps and those who read them share
//! this index. A scene is read when it is asked for, and the latest are kept: RadioMapSeer has 80 radio maps of each, and a dataset
//! may have more scenes than memory holds.

use super::gray_png;
use super::layout::{
    self, ANTENNA_HEIGHTS, ANTENNA_IMAGES, ANTENNAS, BUILDINGS, CARS, FOOTPRINTS, FOOTPRINTS_AND_CARS, HEIGHTS, Listing, is_coarse,
    meters_per_pixel,
};
use crate::files;
use anyhow::{Context, Result, bail, ensure};
use geo::{Coord, InteriorPoint, Polygon};
use radiodiff_radio::geometry::with_footprints_of_mask;
use radiodiff_radio::scene::{
    ANTENNA_HEIGHT_M, BUILDING_HEIGHT_M, Building, BuildingMask, Grid, RoofHeights, Scene, Transmitter, antennas_from_json,
    buildings_from_json, cars_from_pixels, check_antenna_height,
};
use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A scene and the raster of its cars.
#[derive(Clone, Debug)]
pub struct IndexedScene {
    /// Its cars are those of the raster.
    pub scene: Arc<Scene>,
    /// (N, N) row-major, 1 where a car stands; `None` in an index without cars.
    pub car_mask: Option<Arc<[u8]>>,
}

/// A folder's scenes by the numbers of their maps.
#[derive(Debug)]
pub struct SceneIndex {
    folder: PathBuf,
    with_cars: bool,
    meters_per_pixel: f64,
    maps: BTreeSet<u32>,
    /// The latest first.
    kept: Mutex<VecDeque<(u32, IndexedScene)>>,
}

/// Scenes kept, some 350 KB each without footprints. A scene that is not kept is read again, in a small part of the time that its
/// features take.
const KEPT: usize = 320;

impl SceneIndex {
    /// Lists `antenna/*.json`. Scenes get the cars of `png/cars` when `with_cars` is true and have none otherwise.
    ///
    /// # Errors
    /// A folder that cannot be listed or holds no scene, or a JSON file that is not named `{map}.json`.
    pub fn open(folder: &Path, with_cars: bool) -> Result<Self> {
        let antennas = layout::path(folder, ANTENNAS);
        let listing = Listing::<u32>::read(&antennas, "json")
            .with_context(|| format!("a dataset in RadioMapSeer's layout is expected in {}", folder.display()))?;
        Self::of_maps(folder, with_cars, listing.sound(&antennas, "json")?.into_keys())
    }

    /// The index of these maps, of which nothing is read yet.
    ///
    /// # Errors
    /// Those of [`meters_per_pixel`].
    pub fn of_maps(folder: &Path, with_cars: bool, maps: impl IntoIterator<Item = u32>) -> Result<Self> {
        let (maps, meters_per_pixel) = (maps.into_iter().collect(), meters_per_pixel(folder)?);
        Ok(Self { folder: folder.to_owned(), with_cars, meters_per_pixel, maps, kept: Mutex::default() })
    }

    /// The maps' numbers, ascending.
    pub fn maps(&self) -> Vec<u32> {
        self.maps.iter().copied().collect()
    }

    /// Forgets all maps but these.
    pub fn keep(&mut self, maps: &BTreeSet<u32>) {
        self.maps.retain(|map| maps.contains(map));
    }

    /// The scene of a map.
    ///
    /// # Errors
    /// A file that is missing or not what it should be; the message names it.
    pub fn scene(&self, map: u32) -> Result<IndexedScene> {
        if let Some(scene) = self.kept(map) {
            return Ok(scene);
        }
        let scene = self.read(map)?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.truncate(KEPT - 1);
        kept.push_front((map, scene.clone()));
        Ok(scene)
    }

    /// A kept scene, which becomes the latest.
    fn kept(&self, map: u32) -> Option<IndexedScene> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(number, _)| *number == map)?;
        let found = kept.remove(place)?;
        let scene = found.1.clone();
        kept.push_front(found);
        Some(scene)
    }

    fn read(&self, map: u32) -> Result<IndexedScene> {
        let (size, gray) = gray_png::read(&layout::path(&self.folder, &format!("{BUILDINGS}/{map}.png")))?;
        let grid = Grid { size, meters_per_pixel: self.meters_per_pixel };
        let mask = BuildingMask { size, pixels: lit(&gray) };
        let buildings = self.footprints(map, grid, &mask)?;
        let mut scene = Scene { buildings, ..Scene::from_mask(grid, mask) };
        if let Some(roofs) = self.roofs(map, &scene)? {
            // Heights are of the mask's pixels; RadioMapSeer has none.
            scene = scene.with_roofs(roofs);
        } else {
            scene = with_footprints_of_mask(scene);
        }
        let car_mask = if self.with_cars { Some(self.car_mask(map, size)?) } else { None };
        if let Some(car_mask) = &car_mask {
            let cars = if is_coarse(grid) { self.car_outlines(map)? } else { cars_from_pixels(grid, car_mask) };
            scene = scene.with_cars(cars);
        }
        Ok(IndexedScene { scene: Arc::new(scene), car_mask })
    }

    /// Number of transmitters of a map.
    ///
    /// # Errors
    /// As [`Self::scene`].
    pub fn transmitters(&self, map: u32) -> Result<u32> {
        Ok(u32::try_from(self.listed_positions(map)?.len())?)
    }

    /// Where a transmitter stands, in metres in the scene's frame and on an outdoor pixel: entry `transmitter` of the map's JSON.
    /// Its metres are rounded in some data, so that it may fall into a building; then the lit pixel of its image is taken, and
    /// where that is of no use the nearest outdoor pixel.
    ///
    /// # Errors
    /// As [`Self::scene`], and a number beyond the list.
    pub fn position(&self, map: u32, transmitter: u32, scene: &Scene) -> Result<Coord<f64>> {
        let positions = self.listed_positions(map)?;
        let path = self.antennas_path(map);
        let shown = path.display();
        let Some(&position) = positions.get(transmitter as usize) else {
            bail!("{shown}: expected a position of transmitter {transmitter}, found {} positions", positions.len());
        };
        let placed = |position: Coord<f64>| scene.place_transmitter(Transmitter::at(position.x, position.y));
        let place = placed(position).with_context(|| format!("{shown}, transmitter {transmitter}"))?;
        if place.moved_m.is_none() {
            return Ok(position);
        }
        match self.lit_pixel(map, transmitter, scene.grid)?.map(placed) {
            Some(Ok(lit)) if lit.moved_m.is_none() => Ok(lit.transmitter.position),
            _ => Ok(place.transmitter.position),
        }
    }

    /// Whether a roof is not 25 m high by the folder. A file that cannot be read says nothing here; its scene cannot be read either.
    pub fn has_other_roofs(&self) -> bool {
        let is_other = |&height_m: &u8| height_m != 0 && f64::from(height_m) != BUILDING_HEIGHT_M;
        let has_other = |map: &u32| {
            let heights = gray_png::read(&layout::path(&self.folder, &format!("{HEIGHTS}/{map}.png")));
            heights.is_ok_and(|(_, heights_m)| heights_m.iter().any(is_other))
        };
        self.maps.iter().any(has_other)
    }

    /// Whether a transmitter is not 1.5 m high by the folder. A file that cannot be read says nothing here, as with roofs.
    pub fn has_other_antennas(&self) -> bool {
        let has_other = |map: &u32| {
            let heights = antenna_heights_m(&layout::path(&self.folder, &format!("{ANTENNA_HEIGHTS}/{map}.json")));
            heights.is_ok_and(|heights_m| heights_m.iter().any(|&height_m| height_m != ANTENNA_HEIGHT_M))
        };
        self.maps.iter().any(has_other)
    }

    /// How high a transmitter stands above the ground, metres, where the folder says it.
    ///
    /// # Errors
    /// Those of [`antenna_heights_m`], and a number beyond the list.
    pub fn height_m(&self, map: u32, transmitter: u32) -> Result<Option<f64>> {
        let path = layout::path(&self.folder, &format!("{ANTENNA_HEIGHTS}/{map}.json"));
        if !path.exists() {
            return Ok(None);
        }
        let heights_m = antenna_heights_m(&path)?;
        let found = heights_m.get(transmitter as usize).copied();
        let missing = || format!("{}: expected a height of transmitter {transmitter}, found {} heights", path.display(), heights_m.len());
        found.with_context(missing).map(Some)
    }

    fn antennas_path(&self, map: u32) -> PathBuf {
        layout::path(&self.folder, &format!("{ANTENNAS}/{map}.json"))
    }

    fn listed_positions(&self, map: u32) -> Result<Vec<Coord<f64>>> {
        let path = self.antennas_path(map);
        let text = files::read_text(&path).with_context(|| format!("the positions of map {map}'s transmitters"))?;
        antennas_from_json(&text).with_context(|| format!("{}: expected a list of [x, y] in metres", path.display()))
    }

    fn car_mask(&self, map: u32, expected: usize) -> Result<Arc<[u8]>> {
        let path = layout::path(&self.folder, &format!("{CARS}/{map}.png"));
        let (size, gray) = gray_png::read(&path)?;
        ensure!(
            size == expected,
            "{}: expected {expected} x {expected} pixels as its map of buildings has, found {size} x {size}",
            path.display()
        );
        Ok(lit(&gray).into())
    }

    /// The map's heights, `None` where the folder has none.
    fn roofs(&self, map: u32, scene: &Scene) -> Result<Option<RoofHeights>> {
        let path = layout::path(&self.folder, &format!("{HEIGHTS}/{map}.png"));
        if !path.exists() {
            return Ok(None);
        }
        let (size, gray) = gray_png::read(&path)?;
        let expected = scene.grid.size;
        ensure!(
            size == expected,
            "{}: expected {expected} x {expected} pixels as its map of buildings has, found {size} x {size}",
            path.display()
        );
        let meters: Vec<f32> = gray.into_iter().map(f32::from).collect();
        Ok(Some(RoofHeights::of_raster(&scene.mask, &meters, BUILDING_HEIGHT_M)))
    }

    /// The map's polygons, none where the folder has none. Where cars are among them, a building is told from a car by its mask.
    fn footprints(&self, map: u32, grid: Grid, mask: &BuildingMask) -> Result<Vec<Building>> {
        if let Some(buildings) = self.outlines(FOOTPRINTS, map)? {
            return Ok(buildings);
        }
        let is_built = |building: &Building| {
            let pixel = building.footprint.interior_point().and_then(|point| grid.pixel_of(point.0));
            pixel.is_some_and(|(row, column)| mask.is_building(row, column))
        };
        Ok(self.outlines(FOOTPRINTS_AND_CARS, map)?.unwrap_or_default().into_iter().filter(is_built).collect())
    }

    /// The cars' outlines, which follow those of the buildings.
    fn car_outlines(&self, map: u32) -> Result<Vec<Polygon<f64>>> {
        let known = |kind: &str| {
            let missing = || format!("{}/{kind}/{map}.json: expected it, since pixels are too large for png/cars", self.folder.display());
            self.outlines(kind, map)?.with_context(missing)
        };
        let buildings = known(FOOTPRINTS)?.len();
        Ok(known(FOOTPRINTS_AND_CARS)?.into_iter().skip(buildings).map(|car| car.footprint).collect())
    }

    /// The outlines of a file, `None` where there is none.
    fn outlines(&self, kind: &str, map: u32) -> Result<Option<Vec<Building>>> {
        let path = layout::path(&self.folder, &format!("{kind}/{map}.json"));
        if !path.exists() {
            return Ok(None);
        }
        let text = files::read_text(&path)?;
        Ok(Some(buildings_from_json(&text).with_context(|| format!("{}: expected rings of [x, y] in metres", path.display()))?))
    }

    /// Centre of the brightest pixel of the antenna's image, if there is an image and a pixel above 0.
    fn lit_pixel(&self, map: u32, transmitter: u32, grid: Grid) -> Result<Option<Coord<f64>>> {
        let path = layout::path(&self.folder, &format!("{ANTENNA_IMAGES}/{map}_{transmitter}.png"));
        if !path.exists() {
            return Ok(None);
        }
        let (size, gray) = gray_png::read(&path)?;
        ensure!(size == grid.size, "{}: expected {} x {} pixels, found {size} x {size}", path.display(), grid.size, grid.size);
        let brightest = gray.iter().enumerate().filter(|&(_, &level)| level > 0).max_by_key(|&(_, &level)| level);
        Ok(brightest.map(|(i, _)| grid.pixel_center(i / size, i % size)))
    }
}

/// The heights of a map's transmitters above the ground, metres.
///
/// # Errors
/// A file that cannot be read or is no list of heights that antennas have.
pub fn antenna_heights_m(path: &Path) -> Result<Vec<f64>> {
    let shown = path.display();
    let heights_m: Vec<f64> =
        serde_json::from_str(&files::read_text(path)?).with_context(|| format!("{shown}: expected a list of heights in metres"))?;
    for (transmitter, &height_m) in heights_m.iter().enumerate() {
        check_antenna_height("transmitter", height_m).with_context(|| format!("{shown}, transmitter {transmitter}"))?;
    }
    Ok(heights_m)
}

/// 1 where a gray level is above 0.
pub fn lit(gray: &[u8]) -> Vec<u8> {
    gray.iter().map(|&level| u8::from(level > 0)).collect()
}
