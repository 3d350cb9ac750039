//! Writing a folder of the layout so that an interrupted run leaves whole files only.
//!
//! Every file is written to a temporary name beside its own, synced and renamed. A map's `antenna/{map}.json` is written last:
//! where it is, the map is complete, and the next run skips it.

use super::layout::{ANTENNA_HEIGHTS, ANTENNA_IMAGES, ANTENNAS, BUILDINGS, CARS, FOOTPRINTS, FOOTPRINTS_AND_CARS, GAIN, HEIGHTS};
use crate::files;
use anyhow::{Context, Result, ensure};
use radiodiff_radio::scene::{BuildingMask, RoofHeights};
use serde_json::Number;
use std::path::{Path, PathBuf};

/// Gray level of a building's pixels and of an antenna's.
const LIT: u8 = 255;

/// A folder that is being filled with maps of one simulation.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    method: String,
    with_cars: bool,
    meters_per_pixel: f64,
}

/// What is written of one scene.
pub struct MapFiles<'a> {
    pub mask: &'a BuildingMask,
    /// The text of `polygon/buildings/{map}.json`; without it readers have the image only.
    pub outlines: Option<&'a str>,
    /// The cars' mask and the text of `polygon/buildings_and_cars/{map}.json`.
    pub cars: Option<(&'a BuildingMask, &'a str)>,
    /// The outdoor pixel (row, column) and the (N, N) gray levels of each transmitter.
    pub transmitters: &'a [((usize, usize), Vec<u8>)],
}

impl Writer {
    /// Makes the folders.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn create(folder: &Path, method: &str, with_cars: bool) -> Result<Self> {
        Self::with_folders(folder, method, with_cars, files::make_folder)
    }

    /// Makes the folders of a dataset that other processes fill at the same time.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn create_shared(folder: &Path, method: &str, with_cars: bool) -> Result<Self> {
        Self::with_folders(folder, method, with_cars, files::make_shared_folder)
    }

    fn with_folders(folder: &Path, method: &str, with_cars: bool, make: fn(&Path) -> Result<()>) -> Result<Self> {
        let gain = format!("{GAIN}/{method}");
        let cars: &[&str] = if with_cars { &[CARS, FOOTPRINTS_AND_CARS] } else { &[] };
        make(folder)?;
        for part in [BUILDINGS, ANTENNA_IMAGES, FOOTPRINTS, ANTENNAS, &gain].iter().chain(cars) {
            make(&folder.join(part))?;
        }
        Ok(Self { folder: folder.to_owned(), method: method.to_owned(), with_cars, meters_per_pixel: 1.0 })
    }

    /// For maps whose pixels have another side than one metre.
    pub fn with_pixels(self, meters_per_pixel: f64) -> Self {
        Self { meters_per_pixel, ..self }
    }

    /// Whether a map is complete, with all of its `transmitters`.
    pub fn has_map(&self, map: u32, transmitters: usize) -> bool {
        let images = (0..transmitters).flat_map(|tx| [self.gain_path(map, tx), self.antenna_image_path(map, tx)]);
        let cars = self.with_cars.then(|| [self.path(CARS, map, "png"), self.path(FOOTPRINTS_AND_CARS, map, "json")]);
        let city = [self.path(BUILDINGS, map, "png"), self.path(FOOTPRINTS, map, "json"), self.antennas_path(map)];
        images.chain(cars.into_iter().flatten()).chain(city).all(|path| path.exists())
    }

    /// Writes a map.
    ///
    /// # Errors
    /// Gray levels of another size than the mask's; a disk that cannot be written.
    pub fn write_map(&self, map: u32, city: &MapFiles) -> Result<()> {
        let size = city.mask.size;
        write_mask(&self.path(BUILDINGS, map, "png"), city.mask)?;
        if let Some(outlines) = city.outlines {
            files::write(&self.path(FOOTPRINTS, map, "json"), outlines.as_bytes())?;
        }
        if let Some((mask, outlines)) = city.cars {
            write_mask(&self.path(CARS, map, "png"), mask)?;
            files::write(&self.path(FOOTPRINTS_AND_CARS, map, "json"), outlines.as_bytes())?;
        }
        let mut antennas: Vec<[Number; 2]> = Vec::new();
        for (tx, ((row, column), gray)) in city.transmitters.iter().enumerate() {
            ensure!(gray.len() == size * size, "map {map}: {} gray levels for {size} x {size} pixels", gray.len());
            let mut antenna = vec![0; size * size];
            antenna[row * size + column] = LIT;
            write_png(&self.antenna_image_path(map, tx), size, &antenna)?;
            write_png(&self.gain_path(map, tx), size, gray)?;
            antennas.push([self.coordinate(*column)?, self.coordinate(size - 1 - row)?]);
        }
        files::write(&self.antennas_path(map), &serde_json::to_vec(&antennas)?)
    }

    /// A pixel's centre along an axis as the layout has it: metres, less the half metre that readers add.
    fn coordinate(&self, pixel: usize) -> Result<Number> {
        let meters = (pixel as f64 + 0.5) * self.meters_per_pixel - 0.5;
        let whole = (meters.fract() == 0.0).then(|| Number::from(meters as i64));
        whole.or_else(|| Number::from_f64(meters)).with_context(|| format!("{meters} m is no number"))
    }

    /// Writes the heights of a map's roofs in whole metres, before the map.
    ///
    /// # Errors
    /// A roof above 255 m; a disk that cannot be written.
    pub fn write_heights(&self, map: u32, size: usize, roofs: &RoofHeights) -> Result<()> {
        let highest_m = roofs.highest_m();
        ensure!(highest_m <= f64::from(u8::MAX), "map {map}: a roof is {highest_m} m high, an image of heights holds at most 255 m");
        let levels: Vec<u8> = roofs.meters().iter().map(|height_m| height_m.round() as u8).collect();
        let path = self.path(HEIGHTS, map, "png");
        if let Some(folder) = path.parent() {
            files::make_shared_folder(folder)?;
        }
        write_png(&path, size, &levels)
    }

    /// Writes the heights of a map's transmitters in metres, before the map.
    ///
    /// # Errors
    /// A disk that cannot be written.
    pub fn write_antenna_heights(&self, map: u32, heights_m: &[f64]) -> Result<()> {
        let path = self.path(ANTENNA_HEIGHTS, map, "json");
        if let Some(folder) = path.parent() {
            files::make_shared_folder(folder)?;
        }
        files::write(&path, &serde_json::to_vec(heights_m)?)
    }

    /// Writes a file beside the maps.
    pub fn write_text(&self, name: &str, text: &str) -> Result<()> {
        files::write(&self.folder.join(name), text.as_bytes())
    }

    fn path(&self, folder: &str, map: u32, extension: &str) -> PathBuf {
        self.folder.join(folder).join(format!("{map}.{extension}"))
    }

    fn antenna_image_path(&self, map: u32, tx: usize) -> PathBuf {
        self.folder.join(ANTENNA_IMAGES).join(format!("{map}_{tx}.png"))
    }

    fn gain_path(&self, map: u32, tx: usize) -> PathBuf {
        self.folder.join(GAIN).join(&self.method).join(format!("{map}_{tx}.png"))
    }

    fn antennas_path(&self, map: u32) -> PathBuf {
        self.path(ANTENNAS, map, "json")
    }
}

fn write_mask(path: &Path, mask: &BuildingMask) -> Result<()> {
    let gray: Vec<u8> = mask.pixels.iter().map(|&inside| if inside != 0 { LIT } else { 0 }).collect();
    write_png(path, mask.size, &gray)
}

/// Gray levels of a square map.
fn write_png(path: &Path, size: usize, gray: &[u8]) -> Result<()> {
    let side = u32::try_from(size)?;
    files::write_gray_png(path, gray, side, side)
}
