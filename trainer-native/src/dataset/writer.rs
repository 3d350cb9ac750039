//! Writing a dataset so that a cut run leaves whole files only.
//!
//! Every file is written to a temporary name beside its own, synced and renamed. A map's `antenna/{map}.json` is written last:
//! where it stands, the map is complete, and a run that goes on after a cut skips it.

use super::{ANTENNA_IMAGES, ANTENNAS, BUILDINGS, GAIN};
use crate::files;
use anyhow::{Context, Result, ensure};
use radiodiff_core::scene::BuildingMask;
use std::fs;
use std::path::{Path, PathBuf};

/// Gray level of a building's pixels and of an antenna's.
const LIT: u8 = 255;

/// A folder in RadioMapSeer's layout being filled with maps of one method.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    method: String,
}

impl Writer {
    /// Makes the folders.
    pub fn create(folder: &Path, method: &str) -> Result<Self> {
        let gain = format!("{GAIN}/{method}");
        for part in [BUILDINGS, ANTENNA_IMAGES, ANTENNAS, &gain] {
            let path = folder.join(part);
            fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        }
        Ok(Self { folder: folder.to_owned(), method: method.to_owned() })
    }

    /// Whether a map is there with all of its `transmitters`.
    pub fn has_map(&self, map: u32, transmitters: usize) -> bool {
        let images = (0..transmitters).flat_map(|tx| [self.gain_path(map, tx), self.antenna_image_path(map, tx)]);
        self.antennas_path(map).exists() && self.buildings_path(map).exists() && images.into_iter().all(|path| path.exists())
    }

    /// Writes a map: its buildings and, for each transmitter, its outdoor pixel (row, column) and gray levels (N, N).
    ///
    /// # Errors
    /// Gray levels of another size than the mask's; a disk that cannot be written.
    pub fn write_map(&self, map: u32, mask: &BuildingMask, transmitters: &[((usize, usize), Vec<u8>)]) -> Result<()> {
        let size = mask.size;
        let buildings: Vec<u8> = mask.pixels.iter().map(|&inside| if inside != 0 { LIT } else { 0 }).collect();
        write_png(&self.buildings_path(map), size, &buildings)?;
        let mut antennas: Vec<[usize; 2]> = Vec::new();
        for (tx, ((row, column), gray)) in transmitters.iter().enumerate() {
            ensure!(gray.len() == size * size, "map {map}: {} gray levels for {size} x {size} pixels", gray.len());
            let mut antenna = vec![0; size * size];
            antenna[row * size + column] = LIT;
            write_png(&self.antenna_image_path(map, tx), size, &antenna)?;
            write_png(&self.gain_path(map, tx), size, gray)?;
            antennas.push([*column, size - 1 - row]);
        }
        files::write(&self.antennas_path(map), &serde_json::to_vec(&antennas)?)
    }

    /// Writes a file beside the maps.
    pub fn write_text(&self, name: &str, text: &str) -> Result<()> {
        files::write(&self.folder.join(name), text.as_bytes())
    }

    fn buildings_path(&self, map: u32) -> PathBuf {
        self.folder.join(BUILDINGS).join(format!("{map}.png"))
    }

    fn antenna_image_path(&self, map: u32, tx: usize) -> PathBuf {
        self.folder.join(ANTENNA_IMAGES).join(format!("{map}_{tx}.png"))
    }

    fn gain_path(&self, map: u32, tx: usize) -> PathBuf {
        self.folder.join(GAIN).join(&self.method).join(format!("{map}_{tx}.png"))
    }

    fn antennas_path(&self, map: u32) -> PathBuf {
        self.folder.join(ANTENNAS).join(format!("{map}.json"))
    }
}

/// Gray levels of a square map.
fn write_png(path: &Path, size: usize, gray: &[u8]) -> Result<()> {
    let side = u32::try_from(size)?;
    files::write_gray_png(path, gray, side, side)
}
