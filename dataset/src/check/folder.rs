//! Checking one folder: which files there are, whether each has its counterparts, and what is in them.

use super::duplicates::RasterDigest;
use super::report::Report;
use crate::files;
use crate::folder::{
    ANTENNA_HEIGHTS, ANTENNA_IMAGES, ANTENNAS, BUILDINGS, CARS, FOOTPRINTS, FOOTPRINTS_AND_CARS, FileNumbers, GAIN, HEIGHTS, Listing,
    Variant, antenna_heights_m, entries, gray_png, lit, meters_per_pixel, path,
};
use anyhow::{Context, Result, bail};
use geo::Coord;
use indicatif::ParallelProgressIterator;
use radiodiff_radio::scene::{Grid, antennas_from_json, buildings_from_json};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const UNREADABLE: &str = "unreadable file";
const MISNAMED: &str = "misnamed file";
const SIZE: &str = "image of another size";

/// Files by (map, transmitter).
type TransmitterFiles = BTreeMap<(u32, u32), PathBuf>;

/// The files of a folder by their numbers.
struct Files<'a> {
    folder: &'a Path,
    meters_per_pixel: f64,
    gains: Vec<(Variant, TransmitterFiles)>,
    buildings: BTreeMap<u32, PathBuf>,
    antenna_images: TransmitterFiles,
}

/// What the images of a map are compared with.
struct Reference {
    number: u32,
    /// Side length and mask of the buildings; none where they cannot be read.
    buildings: Option<(usize, Vec<u8>)>,
    /// Of the transmitters, in metres in the grid's frame; none where they cannot be read.
    positions: Option<Vec<Coord<f64>>>,
}

/// Checks a folder into `report`; returns the digests of its maps' buildings.
///
/// # Errors
/// A folder without maps, or one that cannot be listed.
pub fn check(folder: &Path, report: &mut Report) -> Result<Vec<(u32, RasterDigest)>> {
    let files = Files::list(folder, report)?;
    let with_gain = files.gains.iter().flat_map(|(_, names)| names.keys().map(|&(map, _)| map));
    let maps: BTreeSet<u32> = with_gain.chain(files.buildings.keys().copied()).collect();
    let maps: Vec<u32> = maps.into_iter().collect();
    let checked: Vec<_> = maps.par_iter().progress().map(|&map| files.check_map(map)).collect();

    let (mut digests, mut sizes) = (Vec::new(), BTreeMap::<usize, Vec<u32>>::new());
    for (map, found, of_map) in checked {
        report.append(of_map);
        if let Some((size, digest)) = found {
            digests.push((map, digest));
            sizes.entry(size).or_default().push(map);
        }
    }
    let usual = sizes.iter().max_by_key(|(_, maps)| maps.len()).map(|(&size, _)| size);
    if let Some(usual) = usual {
        for (size, maps) in sizes.iter().filter(|(size, _)| **size != usual) {
            let line = |&map: &u32| format!("{}: {size} x {size} pixels, most have {usual} x {usual}", files.buildings_path(map).display());
            report.add_wrong(SIZE, maps.iter().map(line));
        }
    }
    let gains: Vec<String> =
        files.gains.iter().map(|(variant, names)| format!("{} gain maps of {}", names.len(), variant.name())).collect();
    let side = usual.map_or(String::from("no readable buildings"), |side| format!("{side} x {side} pixels"));
    report.contents.push(format!("{}: {} maps of {side}; {}", folder.display(), maps.len(), gains.join(", ")));
    Ok(digests)
}

/// The PNGs of a folder by the numbers in their names, none where there is no such folder; adds the other entries to the report.
fn list<N: FileNumbers>(folder: &Path, report: &mut Report) -> Result<BTreeMap<N, PathBuf>> {
    if !folder.exists() {
        return Ok(BTreeMap::new());
    }
    let Listing { files, misnamed, others } = Listing::read(folder, "png")?;
    report.add_wrong(MISNAMED, misnamed.iter().map(|(path, reason)| format!("{}: {reason}", path.display())));
    report.add_note("entry that is no image", others.iter().map(|path| path.display().to_string()));
    Ok(files)
}

/// The files of one map by their transmitters.
fn of_map(files: &BTreeMap<(u32, u32), PathBuf>, number: u32) -> BTreeMap<u32, &Path> {
    files.range((number, 0)..=(number, u32::MAX)).map(|(&(_, tx), path)| (tx, path.as_path())).collect()
}

impl<'a> Files<'a> {
    fn list(folder: &'a Path, report: &mut Report) -> Result<Self> {
        let shown = folder.display();
        let gain = path(folder, GAIN);
        let expected = || format!("a dataset in RadioMapSeer's layout or packed shards are expected in {shown}");
        let mut gains = Vec::new();
        for path in entries(&gain).with_context(expected)? {
            let variant = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<Variant>().ok());
            match variant {
                Some(variant) if path.is_dir() => gains.push((variant, list(&path, report)?)),
                _ => report.add_note("entry of no known simulation", [path.display().to_string()]),
            }
        }
        gains.sort_by_key(|(variant, _)| variant.name());
        if gains.iter().all(|(_, names)| names.is_empty()) {
            bail!("{shown} holds no gain maps: expected {GAIN}/DPM/12_3.png and the like");
        }
        let buildings = list(&path(folder, BUILDINGS), report)?;
        let antenna_images = list(&path(folder, ANTENNA_IMAGES), report)?;
        Ok(Self { folder, meters_per_pixel: meters_per_pixel(folder)?, gains, buildings, antenna_images })
    }

    fn buildings_path(&self, map: u32) -> PathBuf {
        self.buildings.get(&map).cloned().unwrap_or_else(|| self.folder.join(BUILDINGS).join(format!("{map}.png")))
    }

    fn check_antenna_image(&self, map: &Reference, tx: u32, path: &Path, report: &mut Report) {
        let (Some(gray), Some((size, mask))) = (read_image(map, path, report), &map.buildings) else { return };
        let shown = path.display();
        let lit: Vec<usize> = (0..gray.len()).filter(|&i| gray[i] > 0).collect();
        let [lit] = lit[..] else {
            return report.add_wrong("antenna image without exactly one lit pixel", [format!("{shown}: {} lit pixels", lit.len())]);
        };
        let (row, column) = (lit / size, lit % size);
        if mask[lit] != 0 {
            report.add_wrong("transmitter in a building", [format!("{shown}: row {row}, column {column}")]);
        }
        let grid = Grid { size: *size, meters_per_pixel: self.meters_per_pixel };
        let position = map.positions.as_ref().and_then(|positions| positions.get(tx as usize));
        let pixel = position.map(|&position| grid.pixel_of(position));
        if pixel.is_some_and(|pixel| pixel != Some((row, column))) {
            let said = pixel.flatten().map_or(String::from("outside the map"), |(row, column)| format!("row {row}, column {column}"));
            let line = format!("{shown}: row {row}, column {column}; {ANTENNAS}/{}.json: {said}", map.number);
            report.add_wrong("antenna image and position that differ", [line]);
        }
    }

    /// Checks everything of one map; returns its number, the size and digest of its buildings, and the findings.
    fn check_map(&self, number: u32) -> (u32, Option<(usize, RasterDigest)>, Report) {
        let mut report = Report::default();
        let has_gain = self.gains.iter().any(|(_, files)| !of_map(files, number).is_empty());
        let map = self.read_reference(number, has_gain, &mut report);
        let images = of_map(&self.antenna_images, number);
        images.iter().for_each(|(&tx, path)| self.check_antenna_image(&map, tx, path, &mut report));
        for (variant, files) in &self.gains {
            let transmitters = of_map(files, number);
            transmitters.iter().for_each(|(&tx, path)| check_gain(&map, tx, path, images.contains_key(&tx), &mut report));
            let expected = map.positions.as_ref().map_or(0, |positions| positions.len().min(variant.transmitters_per_map()));
            if (1..expected).contains(&transmitters.len()) {
                let line = format!("{}: {} of {expected} transmitters of map {number}", variant.name(), transmitters.len());
                report.add_note("gain maps of some transmitters only", [line]);
            }
            if variant.has_cars() && !transmitters.is_empty() {
                read_image(&map, &path(self.folder, &format!("{CARS}/{number}.png")), &mut report);
            }
        }
        self.check_heights(&map, &mut report);
        if !has_gain {
            report.add_note("buildings without a gain map", [self.buildings_path(number).display().to_string()]);
        }
        (number, map.buildings.map(|(size, mask)| (size, RasterDigest::of(size, &mask))), report)
    }

    /// Heights are of the map's size, above 0 on every building and 0 elsewhere.
    fn check_heights(&self, map: &Reference, report: &mut Report) {
        let path = path(self.folder, &format!("{HEIGHTS}/{}.png", map.number));
        if !path.exists() {
            return;
        }
        let (Some(levels), Some((_, mask))) = (read_image(map, &path, report), &map.buildings) else { return };
        let built = mask.iter().zip(&levels).filter(|&(&inside, &level)| inside != 0 && level == 0).count();
        let open = mask.iter().zip(&levels).filter(|&(&inside, &level)| inside == 0 && level != 0).count();
        if built > 0 {
            report.add_note("buildings without a height, which count as 25 m", [format!("{}: {built} pixels", path.display())]);
        }
        if open > 0 {
            report.add_wrong("heights outside buildings", [format!("{}: {open} pixels", path.display())]);
        }
    }

    fn read_reference(&self, number: u32, has_gain: bool, report: &mut Report) -> Reference {
        let file = self.buildings_path(number);
        let read = if self.buildings.contains_key(&number) {
            gray_png::read(&file).map_err(|error| report.add_wrong(UNREADABLE, [format!("{error:#}")])).ok()
        } else {
            report.add_wrong("missing map of buildings", [file.display().to_string()]);
            None
        };
        let buildings = read.map(|(size, gray)| (size, lit(&gray)));
        if buildings.as_ref().is_some_and(|(_, mask)| !mask.contains(&0)) {
            report.add_wrong("no outdoor pixel", [file.display().to_string()]);
        }
        let antennas = path(self.folder, &format!("{ANTENNAS}/{number}.json"));
        let is_read = has_gain || antennas.exists();
        let positions = if is_read { read_json(&antennas, antennas_from_json, report) } else { None };
        let heights = path(self.folder, &format!("{ANTENNA_HEIGHTS}/{number}.json"));
        if heights.exists() {
            let expected = positions.as_ref().map_or(0, Vec::len);
            match antenna_heights_m(&heights) {
                Ok(found) if found.len() == expected => {}
                // That the antennas cannot be read is said already.
                Ok(_) if is_read && positions.is_none() => {}
                Ok(found) => report.add_wrong(
                    "antenna heights of another number",
                    [format!("{}: {} heights of {expected} antennas", heights.display(), found.len())],
                ),
                Err(error) => report.add_wrong(UNREADABLE, [format!("{error:#}")]),
            }
        }
        for footprints in [FOOTPRINTS, FOOTPRINTS_AND_CARS].map(|kind| path(self.folder, &format!("{kind}/{number}.json"))) {
            if footprints.exists() {
                read_json(&footprints, buildings_from_json, report);
            }
        }
        Reference { number, buildings, positions }
    }
}

/// Reads an image of the map's size.
fn read_image(map: &Reference, path: &Path, report: &mut Report) -> Option<Vec<u8>> {
    let read = gray_png::read(path).map_err(|error| report.add_wrong(UNREADABLE, [format!("{error:#}")])).ok();
    let ((size, gray), (expected, _)) = (read?, map.buildings.as_ref()?);
    if size != *expected {
        report.add_wrong(SIZE, [format!("{}: {size} x {size} pixels, its buildings have {expected} x {expected}", path.display())]);
        return None;
    }
    Some(gray)
}

fn check_gain(map: &Reference, tx: u32, path: &Path, has_image: bool, report: &mut Report) {
    let shown = path.display();
    if !has_image {
        report.add_wrong("gain map without its antenna image", [shown.to_string()]);
    }
    if map.positions.as_ref().is_some_and(|positions| positions.len() <= tx as usize) {
        report.add_wrong("gain map without its transmitter's position", [format!("{shown}: {ANTENNAS}/{}.json has none", map.number)]);
    }
    let (Some(gray), Some((_, mask))) = (read_image(map, path, report), &map.buildings) else { return };
    if gray.iter().all(|&level| level == 0) {
        report.add_wrong("gain map without a lit pixel", [shown.to_string()]);
    }
    let inside: Vec<u8> = gray.iter().zip(mask).filter(|&(&level, &inside)| inside != 0 && level > 0).map(|(&level, _)| level).collect();
    if let Some(most) = inside.iter().max() {
        report.add_wrong("gain inside buildings", [format!("{shown}: {} pixels, up to gray level {most}", inside.len())]);
    }
}

fn read_json<T>(path: &Path, parse: fn(&str) -> Result<T, serde_json::Error>, report: &mut Report) -> Option<T> {
    let text = files::read_text(path);
    let parsed = text.and_then(|text| parse(&text).with_context(|| format!("{}: expected pairs [x, y] in metres", path.display())));
    parsed.map_err(|error| report.add_wrong(UNREADABLE, [format!("{error:#}")])).ok()
}
