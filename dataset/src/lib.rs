//! Radio maps on disk, in RadioMapSeer's own folders.
//!
//! The same layout holds the authors' data, which users bring, and the maps `trainer dataset synth` makes, so that training and
//! evaluation know one kind of dataset only:
//!
//! | file | what |
//! |---|---|
//! | `png/buildings_complete/{map}.png` | 8-bit gray, above 0 inside buildings |
//! | `dataset.csv` | a line a radio map; docs/data.md has the columns of ours |
//! | `png/antennas/{map}_{tx}.png` | 8-bit gray, one lit pixel |
//! | `png/cars/{map}.png` | 8-bit gray, above 0 where a car stands; only read for simulations with cars |
//! | `gain/{method}/{map}_{tx}.png` | 8-bit gray levels of path gain (/ 255), 0 inside buildings; the methods are [`Variant`]s |
//! | `antenna/{map}.json` | [[x, y], ...] in metres from the south-west, entry `tx` is the transmitter's |
//! | `polygon/buildings/{map}.json` | rings of [x, y] in metres: footprints, read where there are any; else those of `polygon/buildings_and_cars` that are buildings |
//!
//! In flows a folder; out flow [`Sample`]s, or an error that names the file, what was expected and what was found. [`Writer`]
//! makes such a folder. One pixel is one metre. [`Dataset::keep_split`] leaves the maps of a published split; [`Symmetry`] makes
//! eight samples of one; [`shards`] packs a split for fast training; [`check`] looks for what is wrong with a folder.

pub mod bench;
pub mod check;
mod command;
pub mod files;
pub mod gray_png;
pub mod pack;
pub mod progress;
mod raster;
pub mod shards;
pub mod simulate;
mod splits;
pub mod statistics;
mod symmetry;
pub mod synth;
mod unsimulated;
mod variants;
mod writer;

pub use command::Command;
pub use splits::{Scheme, Split};
pub use symmetry::Symmetry;
pub use variants::Variant;
pub use writer::{MapFiles, Writer};

use anyhow::{Context, Result, bail, ensure};
use geo::{Coord, InteriorPoint};
use radiodiff_radio::scene::{Building, BuildingMask, Grid, Scene, Transmitter, antennas_from_json, buildings_from_json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Where each kind of file lies; reading and writing share these.
pub const BUILDINGS: &str = "png/buildings_complete";
const ANTENNA_IMAGES: &str = "png/antennas";
pub const GAIN: &str = "gain";
pub const ANTENNAS: &str = "antenna";
const CARS: &str = "png/cars";
const FOOTPRINTS: &str = "polygon/buildings";
const FOOTPRINTS_AND_CARS: &str = "polygon/buildings_and_cars";
pub const DATASET_CSV: &str = "dataset.csv";
const METERS_PER_PIXEL: f64 = 1.0;

/// One radio map and what it was made for.
#[derive(Clone, Debug)]
pub struct Sample {
    pub map: u32,
    pub transmitter: u32,
    pub scene: Arc<Scene>,
    /// Metres in the scene's frame, on an outdoor pixel.
    pub position: Coord<f64>,
    /// 1 where a car stands, row-major; of simulations with cars.
    pub cars: Option<Arc<[u8]>>,
    /// Gray levels, row-major, row 0 in the north; (size, size) of the scene's grid.
    pub truth: Vec<u8>,
}

/// What the transmitters of a map have in common.
#[derive(Clone, Debug)]
struct City {
    scene: Arc<Scene>,
    cars: Option<Arc<[u8]>>,
}

/// The maps of one folder and one simulation method, ordered by (map, transmitter).
#[derive(Debug)]
pub struct Dataset {
    folder: PathBuf,
    variant: Variant,
    entries: Vec<(u32, u32)>,
    /// Each city is read once, by the first of its maps.
    cities: BTreeMap<u32, OnceLock<City>>,
}

impl Dataset {
    /// Lists `gain/{method}/*.png`; nothing else is read yet.
    ///
    /// # Errors
    /// A method that is no [`Variant`]; a folder that cannot be listed, holds no map, or a PNG that is not named
    /// `{map}_{transmitter}.png`.
    pub fn open(folder: &Path, method: &str) -> Result<Self> {
        let variant: Variant = method.parse()?;
        let gain = folder.join(GAIN).join(variant.name());
        let listing = fs::read_dir(&gain).with_context(|| {
            format!("{} cannot be listed; a dataset in RadioMapSeer's layout is expected in {}", gain.display(), folder.display())
        })?;
        let mut entries = Vec::new();
        for entry in listing {
            let path = entry.with_context(|| format!("listing {}", gain.display()))?.path();
            if path.extension().is_some_and(|e| e == "png") {
                let numbers = numbers_of(&path);
                entries.push(numbers.with_context(|| format!("{}: expected a name like 12_3.png (map_transmitter)", path.display()))?);
            }
        }
        ensure!(!entries.is_empty(), "{} holds no .png: expected maps named like 12_3.png", gain.display());
        entries.sort_unstable();
        let cities = entries.iter().map(|&(map, _)| (map, OnceLock::new())).collect();
        Ok(Self { folder: folder.to_owned(), variant, entries, cities })
    }

    /// Keeps the maps of a published split that are in the folder; returns how many of the split's maps are not.
    ///
    /// # Errors
    /// When none is.
    pub fn keep_split(&mut self, scheme: Scheme, split: Split) -> Result<usize> {
        let maps: BTreeSet<u32> = scheme.maps(self.variant, split).into_iter().collect();
        self.cities.retain(|map, _| maps.contains(map));
        self.entries.retain(|(map, _)| maps.contains(map));
        let shown = self.folder.display();
        ensure!(!self.is_empty(), "{shown} holds none of the {} maps of this split, which go by the numbers 1 to 700", maps.len());
        Ok(maps.len() - self.cities.len())
    }

    pub fn variant(&self) -> Variant {
        self.variant
    }

    /// Number of radio maps.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Never true of an opened dataset.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The files' common name, "12_3" for transmitter 3 of map 12.
    ///
    /// # Panics
    /// When `i` is not below [`Self::len`].
    pub fn name(&self, i: usize) -> String {
        let (map, transmitter) = self.entries[i];
        format!("{map}_{transmitter}")
    }

    /// Reads one radio map.
    ///
    /// # Errors
    /// A file that is missing or not what it should be; the message names it.
    ///
    /// # Panics
    /// When `i` is not below [`Self::len`].
    pub fn load(&self, i: usize) -> Result<Sample> {
        let (map, transmitter) = self.entries[i];
        let City { scene, cars } = self.city(map)?;
        let path = self.folder.join(GAIN).join(self.variant.name()).join(format!("{}.png", self.name(i)));
        let (size, truth) = gray_png::read(&path)?;
        let expected = scene.grid.size;
        ensure!(
            size == expected,
            "{}: expected {expected} x {expected} pixels as its map of buildings has, found {size} x {size}",
            path.display()
        );
        let position = self.position(map, transmitter, &scene)?;
        Ok(Sample { map, transmitter, scene, position, cars, truth })
    }

    fn city(&self, map: u32) -> Result<City> {
        let cell = &self.cities[&map];
        if let Some(city) = cell.get() {
            return Ok(city.clone());
        }
        let (size, gray) = gray_png::read(&self.folder.join(BUILDINGS).join(format!("{map}.png")))?;
        let mask = BuildingMask { size, pixels: lit(&gray) };
        let mut scene = Scene::from_mask(Grid { size, meters_per_pixel: METERS_PER_PIXEL }, mask);
        scene.buildings = self.footprints(map, &scene)?;
        let cars = if self.variant.has_cars() { Some(self.cars(map, size)?) } else { None };
        Ok(cell.get_or_init(|| City { scene: Arc::new(scene), cars }).clone())
    }

    fn cars(&self, map: u32, expected: usize) -> Result<Arc<[u8]>> {
        let path = self.folder.join(CARS).join(format!("{map}.png"));
        let (size, gray) = gray_png::read(&path)?;
        ensure!(
            size == expected,
            "{}: expected {expected} x {expected} pixels as its map of buildings has, found {size} x {size}",
            path.display()
        );
        Ok(lit(&gray).into())
    }

    /// The map's polygons, none where the dataset has none. Where cars are among them, those are known by standing outdoors.
    fn footprints(&self, map: u32, scene: &Scene) -> Result<Vec<Building>> {
        let read = |folder: &str| -> Result<Option<Vec<Building>>> {
            let path = self.folder.join(folder).join(format!("{map}.json"));
            if !path.exists() {
                return Ok(None);
            }
            let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            Ok(Some(buildings_from_json(&text).with_context(|| format!("{}: expected rings of [x, y] in metres", path.display()))?))
        };
        if let Some(buildings) = read(FOOTPRINTS)? {
            return Ok(buildings);
        }
        let is_built = |building: &Building| {
            let pixel = building.footprint.interior_point().and_then(|point| scene.grid.pixel_of(point.0));
            pixel.is_some_and(|(row, column)| scene.mask.is_building(row, column))
        };
        Ok(read(FOOTPRINTS_AND_CARS)?.unwrap_or_default().into_iter().filter(is_built).collect())
    }

    /// The transmitter's place: entry `transmitter` of the map's JSON. Its metres are rounded in some data, so that it may fall
    /// into a building; then the lit pixel of its image is taken, and where that is of no use the nearest outdoor pixel.
    fn position(&self, map: u32, transmitter: u32, scene: &Scene) -> Result<Coord<f64>> {
        let path = self.folder.join(ANTENNAS).join(format!("{map}.json"));
        let shown = path.display();
        let text = fs::read_to_string(&path).with_context(|| format!("{shown} cannot be read; it places map {map}'s transmitters"))?;
        let positions = antennas_from_json(&text).with_context(|| format!("{shown}: expected a list of [x, y] in metres"))?;
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

    /// Centre of the brightest pixel of the antenna's image, if there is an image and a pixel above 0.
    fn lit_pixel(&self, map: u32, transmitter: u32, grid: Grid) -> Result<Option<Coord<f64>>> {
        let path = self.folder.join(ANTENNA_IMAGES).join(format!("{map}_{transmitter}.png"));
        if !path.exists() {
            return Ok(None);
        }
        let (size, gray) = gray_png::read(&path)?;
        ensure!(size == grid.size, "{}: expected {} x {} pixels, found {size} x {size}", path.display(), grid.size, grid.size);
        let brightest = gray.iter().enumerate().filter(|&(_, &v)| v > 0).max_by_key(|&(_, &v)| v);
        Ok(brightest.map(|(i, _)| grid.pixel_center(i / size, i % size)))
    }
}

/// One sample's images of buildings, transmitter and gain as they lie on disk, gray levels row-major.
///
/// # Errors
/// A name that is not `{map}_{transmitter}`; a file that is missing or no square 8-bit gray PNG.
pub fn raw_images(folder: &Path, method: &str, name: &str) -> Result<[Vec<u8>; 3]> {
    let (map, _) =
        numbers_of(Path::new(name)).with_context(|| format!("the sample is {name:?}, expected one like 12_3 (map_transmitter)"))?;
    let files = [format!("{BUILDINGS}/{map}.png"), format!("{ANTENNA_IMAGES}/{name}.png"), format!("{GAIN}/{method}/{name}.png")];
    let [buildings, antenna, gain] = files.map(|file| gray_png::read(&folder.join(file)).map(|(_, gray)| gray));
    Ok([buildings?, antenna?, gain?])
}

/// 1 where a pixel is above 0.
fn lit(gray: &[u8]) -> Vec<u8> {
    gray.iter().map(|&v| u8::from(v > 0)).collect()
}

/// "gain/DPM/12_3.png" -> (12, 3).
pub fn numbers_of(path: &Path) -> Option<(u32, u32)> {
    let (map, transmitter) = path.file_stem()?.to_str()?.split_once('_')?;
    Some((map.parse().ok()?, transmitter.parse().ok()?))
}
