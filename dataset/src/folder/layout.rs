//! Where each kind of file lies, and which entries of a folder are files of that kind.
//!
//! Folders come from unpacked archives, shared disks and other programs, so that three things are as common as they are silent:
//! names in upper case (`0_0.PNG`), companions that an operating system adds (`._0_0.png`, `.DS_Store`, `Thumbs.db`), and files
//! that only look like maps (`0_0.jpg`, `03_0.png`). The first are read, the second are passed over, and the third are an error:
//! half a dataset must never pass for a whole one.

use crate::files;
use anyhow::{Context, Result, bail, ensure};
use radiodiff_radio::scene::Grid;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub const BUILDINGS: &str = "png/buildings_complete";
/// Gray levels are metres; 0 where nothing is built or the height is not known.
pub const HEIGHTS: &str = "png/heights";
pub const ANTENNA_IMAGES: &str = "png/antennas";
pub const GAIN: &str = "gain";
/// `{method}_{map}_{tx}.png`: 0 where a gain map is not known. Whole maps have no such file.
pub const KNOWN: &str = "png/valid";
pub const ANTENNAS: &str = "antenna";
/// `{map}.json`: the transmitters' heights above the ground in metres, in the order of their numbers. Where there is no such file, they
/// are RadioMapSeer's 1.5 m.
pub const ANTENNA_HEIGHTS: &str = "antenna_height";
pub const CARS: &str = "png/cars";
pub const FOOTPRINTS: &str = "polygon/buildings";
pub const FOOTPRINTS_AND_CARS: &str = "polygon/buildings_and_cars";
pub const DATASET_CSV: &str = "dataset.csv";
/// Where the maps of `dataset synth` come from and how large their pixels are.
pub const DATASET_TOML: &str = "dataset.toml";
/// The same while maps are missing.
pub const UNFINISHED_TOML: &str = "dataset.unfinished.toml";
/// Side of a pixel of RadioMapSeer's maps.
const METERS_PER_PIXEL: f64 = 1.0;

/// The sides that pixels may have, in metres.
pub const PIXELS_M: std::ops::RangeInclusive<f64> = 0.1..=100.0;

/// Files that Windows, macOS and archives add to any folder; names that begin with a dot are passed over as well.
const COMPANIONS: [&str; 6] = ["thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir"];
/// Files of a kind that an error names.
const NAMED: usize = 3;

/// The numbers in the name of a layout's file.
pub trait FileNumbers: Copy + Ord {
    /// What a name without its extension looks like, for messages.
    const EXAMPLE: &'static str;

    /// The numbers in a name without its extension; `None` when it has others, or writes them otherwise than [`Self::stem`].
    fn parse(stem: &str) -> Option<Self>;

    /// The name without its extension.
    fn stem(self) -> String;
}

/// The number of a map: `12.png`, `12.json`.
impl FileNumbers for u32 {
    const EXAMPLE: &'static str = "12";

    fn parse(stem: &str) -> Option<Self> {
        stem.parse().ok().filter(|map: &u32| map.stem() == stem)
    }

    fn stem(self) -> String {
        self.to_string()
    }
}

/// The numbers of a map and of its transmitter: `12_3.png`.
impl FileNumbers for (u32, u32) {
    const EXAMPLE: &'static str = "12_3";

    fn parse(stem: &str) -> Option<Self> {
        let (map, transmitter) = stem.split_once('_')?;
        Some((u32::parse(map)?, u32::parse(transmitter)?))
    }

    fn stem(self) -> String {
        format!("{}_{}", self.0, self.1)
    }
}

/// The files of one kind in a folder.
#[derive(Debug)]
pub struct Listing<N> {
    /// Their paths, whatever the case of the extension.
    pub files: BTreeMap<N, PathBuf>,
    /// Entries that look like files of this kind and are not, each with the reason.
    pub misnamed: Vec<(PathBuf, String)>,
    /// Entries of other kinds, folders among them.
    pub others: Vec<PathBuf>,
}

impl<N: FileNumbers> Listing<N> {
    /// Lists `folder`; `extension` is in lower case and without its dot.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    pub fn read(folder: &Path, extension: &str) -> Result<Self> {
        let mut listing = Self { files: BTreeMap::new(), misnamed: Vec::new(), others: Vec::new() };
        for path in entries(folder)? {
            listing.add(path, extension);
        }
        Ok(listing)
    }

    fn add(&mut self, path: PathBuf, extension: &str) {
        let numbers = path.file_stem().and_then(|stem| stem.to_str()).and_then(N::parse);
        let right_extension = path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension));
        let example = format!("{}.{extension}", N::EXAMPLE);
        let Some(numbers) = numbers.filter(|_| right_extension && !path.is_dir()) else {
            if right_extension || (numbers.is_some() && !path.is_dir()) {
                let folder = if path.is_dir() { ", found a folder" } else { "" };
                self.misnamed.push((path, format!("expected a name like {example}{folder}")));
            } else {
                self.others.push(path);
            }
            return;
        };
        if let Some(first) = self.files.get(&numbers) {
            self.misnamed.push((path, format!("has the numbers of {}", first.display())));
        } else {
            self.files.insert(numbers, path);
        }
    }

    /// The files, where every entry is one or is clearly none.
    ///
    /// # Errors
    /// A misnamed file, or a folder without files.
    pub fn sound(self, folder: &Path, extension: &str) -> Result<BTreeMap<N, PathBuf>> {
        let shown = folder.display();
        if !self.misnamed.is_empty() {
            let line = |(path, reason): &(PathBuf, String)| format!("{}: {reason}", path.display());
            let first: Vec<String> = self.misnamed.iter().take(NAMED).map(line).collect();
            let more = if self.misnamed.len() > NAMED { format!("; and {} more", self.misnamed.len() - NAMED) } else { String::new() };
            bail!("{}{more}", first.join("; "));
        }
        if self.files.is_empty() {
            bail!("{shown} holds no .{extension}: expected files named like {}.{extension}", N::EXAMPLE);
        }
        Ok(self.files)
    }
}

/// The entries of a folder in the order of their names, without those that an operating system adds.
///
/// # Errors
/// A folder that cannot be listed.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let shown = folder.display();
    let listing = fs::read_dir(folder).with_context(|| format!("{shown} cannot be listed"))?;
    let mut paths =
        listing.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>().with_context(|| format!("listing {shown}"))?;
    paths.retain(|path| path.file_name().is_some_and(|name| !is_companion(&name.to_string_lossy())));
    paths.sort_unstable();
    Ok(paths)
}

fn is_companion(name: &str) -> bool {
    name.starts_with('.') || COMPANIONS.iter().any(|companion| companion.eq_ignore_ascii_case(name))
}

/// What a user is told of entries that are passed over; `None` where there are none.
pub fn passed_over(others: &[PathBuf]) -> Option<String> {
    let folder = others.first()?.parent()?.display();
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().display().to_string();
    let names: Vec<String> = others.iter().take(NAMED).map(name).collect();
    let more = if others.len() > NAMED { ", ..." } else { "" };
    Some(format!("{} entries of {folder} are no maps and are passed over: {}{more}", others.len(), names.join(", ")))
}

/// Side of a pixel of a folder's maps in metres: what its `dataset.toml` says, else RadioMapSeer's.
///
/// # Errors
/// A `dataset.toml` that cannot be read or says a size that no pixel has.
pub fn meters_per_pixel(folder: &Path) -> Result<f64> {
    #[derive(Deserialize)]
    struct Scale {
        meters_per_pixel: Option<f64>,
    }
    let Some(path) = [DATASET_TOML, UNFINISHED_TOML].map(|name| folder.join(name)).into_iter().find(|path| path.exists()) else {
        return Ok(METERS_PER_PIXEL);
    };
    let shown = path.display();
    let Scale { meters_per_pixel } = toml::from_str(&files::read_text(&path)?).with_context(|| format!("{shown} is no TOML"))?;
    let side_m = meters_per_pixel.unwrap_or(METERS_PER_PIXEL);
    let (least_m, most_m) = (PIXELS_M.start(), PIXELS_M.end());
    ensure!(PIXELS_M.contains(&side_m), "{shown}: meters_per_pixel is {side_m}, expected {least_m} to {most_m}");
    Ok(side_m)
}

/// Whether pixels are too large for a mask of cars to tell how these stand; their outlines do.
pub fn is_coarse(grid: Grid) -> bool {
    grid.meters_per_pixel > METERS_PER_PIXEL
}

/// The path of `relative` (names joined by `/`) below `folder`. Where there is no such file, one whose names differ in case only is
/// taken; where there is none either, the path is as asked, for the error that reading it gives.
pub fn path(folder: &Path, relative: &str) -> PathBuf {
    let exact = folder.join(relative);
    if exact.exists() {
        return exact;
    }
    let mut found = folder.to_owned();
    for name in relative.split('/') {
        let same = |entry: &PathBuf| entry.file_name().is_some_and(|other| other.eq_ignore_ascii_case(name));
        let next = found.join(name);
        found = if next.exists() {
            next
        } else {
            let Some(next) = entries(&found).ok().and_then(|all| all.into_iter().find(same)) else { return exact };
            next
        };
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn folder_of(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        names.iter().for_each(|name| fs::write(folder.path().join(name), b"").unwrap());
        folder
    }

    #[test]
    fn names_in_any_case_are_files_and_companions_are_none() {
        let folder = folder_of(&["0_0.png", "0_1.PNG", "1_0.Png", "._0_0.png", ".DS_Store", "Thumbs.db", "DESKTOP.INI", "notes.txt"]);
        fs::create_dir(folder.path().join("__MACOSX")).unwrap();
        fs::create_dir(folder.path().join("more")).unwrap();
        let listing = Listing::<(u32, u32)>::read(folder.path(), "png").unwrap();
        assert_eq!(listing.files.keys().copied().collect::<Vec<_>>(), [(0, 0), (0, 1), (1, 0)]);
        assert_eq!(listing.others, ["more", "notes.txt"].map(|name| folder.path().join(name)));
        assert!(listing.misnamed.is_empty(), "{:?}", listing.misnamed);
        assert_eq!(listing.sound(folder.path(), "png").unwrap().len(), 3);
    }

    #[test]
    fn what_looks_like_a_map_and_is_none_is_an_error() {
        for name in ["03_0.png", "+3_0.png", "3.png", "3_0_1.png", "map.PNG", "3_0.jpg", "3_0.tif", "3_0.png.png"] {
            let folder = folder_of(&["0_0.png", name]);
            let error = Listing::<(u32, u32)>::read(folder.path(), "png").unwrap().sound(folder.path(), "png").unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("expected a name like 12_3.png"), "{error}");
        }
        let folder = folder_of(&["7.png", "7.PNG"]);
        let error = Listing::<u32>::read(folder.path(), "png").unwrap().sound(folder.path(), "png").unwrap_err().to_string();
        assert!(error.contains("7.png: has the numbers of") && error.contains("7.PNG"), "{error}");
        fs::create_dir(folder.path().join("8.png")).unwrap();
        let error = Listing::<u32>::read(folder.path(), "png").unwrap().sound(folder.path(), "png").unwrap_err().to_string();
        assert!(error.contains("8.png: expected a name like 12.png, found a folder"), "{error}");
    }

    #[test]
    fn a_path_is_found_in_any_case() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("PNG/Cars")).unwrap();
        fs::write(folder.path().join("PNG/Cars/3.PNG"), b"").unwrap();
        assert_eq!(path(folder.path(), "png/cars/3.png"), folder.path().join("PNG/Cars/3.PNG"));
        assert_eq!(path(folder.path(), "png/cars/4.png"), folder.path().join("png/cars/4.png"));
    }
}
