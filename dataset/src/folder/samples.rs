//! The radio maps of one simulation, read one by one.

use super::gray_png;
use super::layout::{self, ANTENNA_IMAGES, BUILDINGS, FileNumbers, GAIN, Listing};
use super::scene_index::{IndexedScene, SceneIndex};
use super::variant::Variant;
use anyhow::{Context, Result, ensure};
use geo::Coord;
use radiodiff_radio::scene::{ANTENNA_HEIGHT_M, LinkEnds, Scene};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One radio map and the scene and transmitter it was made for.
#[derive(Clone, Debug)]
pub struct Sample {
    pub map: u32,
    pub transmitter: u32,
    /// With its cars in the simulations that have some.
    pub scene: Arc<Scene>,
    /// Metres in the scene's frame, on an outdoor pixel.
    pub position: Coord<f64>,
    /// Of the transmitter above the ground, metres.
    pub height_m: f64,
    /// (N, N) row-major, 1 where a car stands, in the simulations with cars.
    pub car_mask: Option<Arc<[u8]>>,
    /// (N, N) gray levels, row-major, row 0 in the north; N is the size of the scene's grid.
    pub truth: Vec<u8>,
    /// (N, N) row-major, 0 where `truth` is not known and means nothing; absent where all of it is known.
    pub known: Option<Vec<u8>>,
}

impl Sample {
    /// The ends of the map's links; receivers stand at 1.5 m.
    pub fn ends(&self) -> LinkEnds {
        LinkEnds { height_m: self.height_m, ..LinkEnds::at(self.position) }
    }

    /// (N, N) row-major, 1 outdoors where the map is known.
    pub fn known_outdoors(&self) -> Vec<u8> {
        let known = |i: usize| self.known.as_ref().is_none_or(|known| known[i] != 0);
        self.scene.mask.pixels.iter().enumerate().map(|(i, &inside)| u8::from(inside == 0 && known(i))).collect()
    }
}

/// The maps of one folder and one simulation, ordered by (map, transmitter).
#[derive(Debug)]
pub struct Dataset {
    folder: PathBuf,
    variant: Variant,
    entries: Vec<((u32, u32), PathBuf)>,
    others: Vec<PathBuf>,
    scenes: SceneIndex,
}

impl Dataset {
    /// Lists `gain/{method}/*.png`; nothing else is read yet.
    ///
    /// # Errors
    /// A method that is no [`Variant`]; a folder that cannot be listed or holds no map; a file that looks like a map and is not
    /// named `{map}_{transmitter}.png`.
    pub fn open(folder: &Path, method: &str) -> Result<Self> {
        let variant: Variant = method.parse()?;
        let gain = layout::path(folder, &format!("{GAIN}/{}", variant.name()));
        let mut listing = Listing::<(u32, u32)>::read(&gain, "png")
            .with_context(|| format!("a dataset in RadioMapSeer's layout is expected in {}", folder.display()))?;
        let others = std::mem::take(&mut listing.others);
        let entries: Vec<_> = listing.sound(&gain, "png")?.into_iter().collect();
        let scenes = SceneIndex::of_maps(folder, variant.has_cars(), entries.iter().map(|((map, _), _)| *map))?;
        Ok(Self { folder: folder.to_owned(), variant, entries, others, scenes })
    }

    /// Keeps the radio maps of these maps; returns how many of the maps the folder does not have.
    pub fn keep(&mut self, maps: &BTreeSet<u32>) -> usize {
        self.scenes.keep(maps);
        self.entries.retain(|((map, _), _)| maps.contains(map));
        maps.len() - self.scenes.maps().len()
    }

    pub fn variant(&self) -> Variant {
        self.variant
    }

    /// What a user has to know of the folder of gain maps: entries of it that are none.
    pub fn notice(&self) -> Option<String> {
        layout::passed_over(&self.others)
    }

    /// Number of radio maps.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether [`Self::keep`] left no map; an opened dataset has some.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The files' common name, "12_3" for transmitter 3 of map 12.
    ///
    /// # Panics
    /// When `i` is not below [`Self::len`].
    pub fn name(&self, i: usize) -> String {
        self.entries[i].0.stem()
    }

    /// Reads one radio map.
    ///
    /// # Errors
    /// A file that is missing or not what it should be; the message names it.
    ///
    /// # Panics
    /// When `i` is not below [`Self::len`].
    pub fn load(&self, i: usize) -> Result<Sample> {
        let ((map, transmitter), path) = &self.entries[i];
        let IndexedScene { scene, car_mask } = self.scenes.scene(*map)?;
        let (size, truth) = gray_png::read(path)?;
        let expected = scene.grid.size;
        ensure!(
            size == expected,
            "{}: expected {expected} x {expected} pixels as its map of buildings has, found {size} x {size}",
            path.display()
        );
        let position = self.scenes.position(*map, *transmitter, &scene)?;
        let height_m = self.scenes.height_m(*map, *transmitter)?.unwrap_or(ANTENNA_HEIGHT_M);
        let known = self.known(i, expected)?;
        Ok(Sample { map: *map, transmitter: *transmitter, scene, position, height_m, car_mask, truth, known })
    }
}

impl Dataset {
    /// Which pixels of a map are known, where a file says so.
    fn known(&self, i: usize, expected: usize) -> Result<Option<Vec<u8>>> {
        let path = self.folder.join(format!("{}/{}_{}.png", layout::KNOWN, self.variant.name(), self.name(i)));
        if !path.exists() {
            return Ok(None);
        }
        let (size, known) = gray_png::read(&path)?;
        ensure!(size == expected, "{}: expected {expected} x {expected} pixels as the gain has, found {size} x {size}", path.display());
        Ok(known.contains(&0).then_some(known))
    }
}

/// The images of buildings, transmitter and gain of one sample as they lie on disk: gray levels, row-major.
///
/// # Errors
/// A name that is not `{map}_{transmitter}`; a file that is missing or no square 8-bit gray PNG.
pub fn raw_images(folder: &Path, method: &str, name: &str) -> Result<[Vec<u8>; 3]> {
    let (map, _) =
        <(u32, u32)>::parse(name).with_context(|| format!("the sample is {name:?}, expected one like 12_3 (map_transmitter)"))?;
    let files = [format!("{BUILDINGS}/{map}.png"), format!("{ANTENNA_IMAGES}/{name}.png"), format!("{GAIN}/{method}/{name}.png")];
    let [buildings, antenna, gain] = files.map(|file| gray_png::read(&layout::path(folder, &file)).map(|(_, gray)| gray));
    Ok([buildings?, antenna?, gain?])
}
