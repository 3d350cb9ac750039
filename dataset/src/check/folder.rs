//! One folder: which files there are, whether each has its counterparts, and what is in them.

use super::Report;
use super::duplicates::Shape;
use crate::{ANTENNA_IMAGES, ANTENNAS, BUILDINGS, CARS, FOOTPRINTS, FOOTPRINTS_AND_CARS, GAIN, METERS_PER_PIXEL, Variant};
use crate::{gray_png, lit, numbers_of};
use anyhow::{Context, Result, bail};
use geo::Coord;
use indicatif::ParallelProgressIterator;
use radiodiff_radio::scene::{Grid, antennas_from_json, buildings_from_json};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const UNREADABLE: &str = "unreadable file";
const MISNAMED: &str = "misnamed file";
const SIZE: &str = "image of another size";

/// The files of a folder by their numbers.
struct Files<'a> {
    folder: &'a Path,
    gains: Vec<(Variant, BTreeSet<(u32, u32)>)>,
    buildings: BTreeSet<u32>,
    antenna_images: BTreeSet<(u32, u32)>,
}

/// What the images of a map are held against.
struct Map {
    number: u32,
    /// Side length and mask of its buildings; none where they cannot be read.
    buildings: Option<(usize, Vec<u8>)>,
    /// Of its transmitters, in the grid's frame; none where they cannot be read.
    positions: Option<Vec<Coord<f64>>>,
}

/// Checks a folder into `report`; returns the shapes of its maps.
///
/// # Errors
/// A folder without maps, or one that cannot be listed.
pub fn check(folder: &Path, report: &mut Report) -> Result<Vec<(u32, Shape)>> {
    let files = Files::list(folder, report)?;
    let with_gain = files.gains.iter().flat_map(|(_, names)| names.iter().map(|&(map, _)| map));
    let maps: BTreeSet<u32> = with_gain.chain(files.buildings.iter().copied()).collect();
    let maps: Vec<u32> = maps.into_iter().collect();
    let checked: Vec<_> = maps.par_iter().progress().map(|&map| files.check_map(map)).collect();

    let (mut shapes, mut sizes) = (Vec::new(), BTreeMap::<usize, Vec<u32>>::new());
    for (map, found, of_map) in checked {
        report.append(of_map);
        if let Some((size, shape)) = found {
            shapes.push((map, shape));
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
    Ok(shapes)
}

/// The PNGs of a folder; none where it is not there.
fn pngs(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let shown = folder.display();
    let listing = fs::read_dir(folder).with_context(|| format!("{shown} cannot be listed"))?;
    let paths = listing.map(|entry| Ok(entry.with_context(|| format!("listing {shown}"))?.path())).collect::<Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "png")).collect())
}

/// The numbers in the names of a folder's PNGs; a name that is not as `numbers` and back by `name` is misnamed.
fn list<N: Ord>(folder: &Path, report: &mut Report, numbers: fn(&Path) -> Option<N>, name: fn(&N) -> String) -> Result<BTreeSet<N>> {
    let mut found = BTreeSet::new();
    for path in pngs(folder)? {
        match numbers(&path) {
            Some(numbers) if path.file_name().is_some_and(|file| *file == *name(&numbers)) => {
                found.insert(numbers);
            }
            _ => report.add_wrong(MISNAMED, [path.display().to_string()]),
        }
    }
    Ok(found)
}

fn pair(folder: &Path, report: &mut Report) -> Result<BTreeSet<(u32, u32)>> {
    list(folder, report, numbers_of, |(map, tx)| format!("{map}_{tx}.png"))
}

impl<'a> Files<'a> {
    fn list(folder: &'a Path, report: &mut Report) -> Result<Self> {
        let shown = folder.display();
        let listing = fs::read_dir(folder.join(GAIN)).with_context(|| {
            format!("{shown}/{GAIN} cannot be listed; a dataset in RadioMapSeer's layout or packed shards are expected in {shown}")
        })?;
        let mut gains = Vec::new();
        for entry in listing {
            let path = entry.with_context(|| format!("listing {shown}/{GAIN}"))?.path();
            let variant = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<Variant>().ok());
            match variant {
                Some(variant) if path.ends_with(variant.name()) => gains.push((variant, pair(&path, report)?)),
                _ => report.add_note("folder of no known simulation", [path.display().to_string()]),
            }
        }
        gains.sort_by_key(|(variant, _)| variant.name());
        if gains.iter().all(|(_, names)| names.is_empty()) {
            bail!("{shown} holds no gain maps: expected {GAIN}/DPM/12_3.png and the like");
        }
        let number = |path: &Path| path.file_stem()?.to_str()?.parse().ok();
        let buildings = list(&folder.join(BUILDINGS), report, number, |map: &u32| format!("{map}.png"))?;
        let antenna_images = pair(&folder.join(ANTENNA_IMAGES), report)?;
        Ok(Self { folder, gains, buildings, antenna_images })
    }

    fn buildings_path(&self, map: u32) -> PathBuf {
        self.folder.join(BUILDINGS).join(format!("{map}.png"))
    }

    /// Everything of one map: its number, size and shape, and what was found.
    fn check_map(&self, number: u32) -> (u32, Option<(usize, Shape)>, Report) {
        let mut report = Report::default();
        let has_gain = self.gains.iter().any(|(_, names)| names.range((number, 0)..=(number, u32::MAX)).next().is_some());
        let map = self.read_map(number, has_gain, &mut report);
        let of_map =
            |names: &BTreeSet<(u32, u32)>| -> Vec<u32> { names.range((number, 0)..=(number, u32::MAX)).map(|&(_, tx)| tx).collect() };
        let images = of_map(&self.antenna_images);
        images.iter().for_each(|&tx| self.check_antenna_image(&map, tx, &mut report));
        for (variant, names) in &self.gains {
            let transmitters = of_map(names);
            transmitters.iter().for_each(|&tx| self.check_gain(*variant, &map, tx, images.contains(&tx), &mut report));
            let expected = map.positions.as_ref().map_or(0, |positions| positions.len().min(variant.transmitters_per_map()));
            if (1..expected).contains(&transmitters.len()) {
                let line = format!("{}: {} of {expected} transmitters of map {number}", variant.name(), transmitters.len());
                report.add_note("gain maps of some transmitters only", [line]);
            }
            if variant.has_cars() && !transmitters.is_empty() {
                self.read_image(&map, &self.folder.join(CARS).join(format!("{number}.png")), &mut report);
            }
        }
        if !has_gain {
            report.add_note("buildings without a gain map", [self.buildings_path(number).display().to_string()]);
        }
        (number, map.buildings.map(|(size, mask)| (size, Shape::of(size, &mask))), report)
    }

    fn read_map(&self, number: u32, has_gain: bool, report: &mut Report) -> Map {
        let path = self.buildings_path(number);
        let read = if self.buildings.contains(&number) {
            gray_png::read(&path).map_err(|error| report.add_wrong(UNREADABLE, [format!("{error:#}")])).ok()
        } else {
            report.add_wrong("missing map of buildings", [path.display().to_string()]);
            None
        };
        let buildings = read.map(|(size, gray)| (size, lit(&gray)));
        if buildings.as_ref().is_some_and(|(_, mask)| !mask.contains(&0)) {
            report.add_wrong("no outdoor pixel", [path.display().to_string()]);
        }
        let antennas = self.folder.join(ANTENNAS).join(format!("{number}.json"));
        let positions = if has_gain || antennas.exists() { read_json(&antennas, antennas_from_json, report) } else { None };
        for footprints in [FOOTPRINTS, FOOTPRINTS_AND_CARS].map(|kind| self.folder.join(kind).join(format!("{number}.json"))) {
            if footprints.exists() {
                read_json(&footprints, buildings_from_json, report);
            }
        }
        Map { number, buildings, positions }
    }

    /// An image of the map's size.
    fn read_image(&self, map: &Map, path: &Path, report: &mut Report) -> Option<Vec<u8>> {
        let read = gray_png::read(path).map_err(|error| report.add_wrong(UNREADABLE, [format!("{error:#}")])).ok();
        let ((size, gray), (expected, _)) = (read?, map.buildings.as_ref()?);
        if size != *expected {
            report.add_wrong(SIZE, [format!("{}: {size} x {size} pixels, its buildings have {expected} x {expected}", path.display())]);
            return None;
        }
        Some(gray)
    }

    fn check_antenna_image(&self, map: &Map, tx: u32, report: &mut Report) {
        let path = self.folder.join(ANTENNA_IMAGES).join(format!("{}_{tx}.png", map.number));
        let (Some(gray), Some((size, mask))) = (self.read_image(map, &path, report), &map.buildings) else { return };
        let shown = path.display();
        let lit: Vec<usize> = (0..gray.len()).filter(|&i| gray[i] > 0).collect();
        let [lit] = lit[..] else {
            return report.add_wrong("antenna image without exactly one lit pixel", [format!("{shown}: {} lit pixels", lit.len())]);
        };
        let (row, column) = (lit / size, lit % size);
        if mask[lit] != 0 {
            report.add_wrong("transmitter in a building", [format!("{shown}: row {row}, column {column}")]);
        }
        let grid = Grid { size: *size, meters_per_pixel: METERS_PER_PIXEL };
        let position = map.positions.as_ref().and_then(|positions| positions.get(tx as usize));
        let pixel = position.map(|&position| grid.pixel_of(position));
        if pixel.is_some_and(|pixel| pixel != Some((row, column))) {
            let said = pixel.flatten().map_or(String::from("outside the map"), |(row, column)| format!("row {row}, column {column}"));
            let line = format!("{shown}: row {row}, column {column}; {ANTENNAS}/{}.json: {said}", map.number);
            report.add_wrong("antenna image and position that differ", [line]);
        }
    }

    fn check_gain(&self, variant: Variant, map: &Map, tx: u32, has_image: bool, report: &mut Report) {
        let path = self.folder.join(GAIN).join(variant.name()).join(format!("{}_{tx}.png", map.number));
        let shown = path.display();
        if !has_image {
            report.add_wrong("gain map without its antenna image", [shown.to_string()]);
        }
        if map.positions.as_ref().is_some_and(|positions| positions.len() <= tx as usize) {
            report.add_wrong("gain map without its transmitter's position", [format!("{shown}: {ANTENNAS}/{}.json has none", map.number)]);
        }
        let (Some(gray), Some((_, mask))) = (self.read_image(map, &path, report), &map.buildings) else { return };
        if gray.iter().all(|&level| level == 0) {
            report.add_wrong("gain map without a lit pixel", [shown.to_string()]);
        }
        let inside: Vec<u8> =
            gray.iter().zip(mask).filter(|&(&level, &inside)| inside != 0 && level > 0).map(|(&level, _)| level).collect();
        if let Some(most) = inside.iter().max() {
            report.add_wrong("gain inside buildings", [format!("{shown}: {} pixels, up to gray level {most}", inside.len())]);
        }
    }
}

fn read_json<T>(path: &Path, parse: fn(&str) -> Result<T, serde_json::Error>, report: &mut Report) -> Option<T> {
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()));
    let parsed = text.and_then(|text| parse(&text).with_context(|| format!("{}: expected pairs [x, y] in metres", path.display())));
    parsed.map_err(|error| report.add_wrong(UNREADABLE, [format!("{error:#}")])).ok()
}
