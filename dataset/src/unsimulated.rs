//! A dataset's cities and transmitters without its maps, for whoever makes the maps.

use super::{ANTENNAS, Dataset, Variant};
use anyhow::{Context, Result, ensure};
use geo::Coord;
use radiodiff_radio::scene::{Scene, antennas_from_json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

impl Dataset {
    /// Lists `antenna/*.json`; nothing else is read yet, and there need be no maps.
    ///
    /// # Errors
    /// A folder that cannot be listed or holds no city, or a JSON file that is not named `{map}.json`.
    pub fn unsimulated(folder: &Path) -> Result<Self> {
        let antennas = folder.join(ANTENNAS);
        let listing = fs::read_dir(&antennas).with_context(|| {
            format!("{} cannot be listed; a dataset in RadioMapSeer's layout is expected in {}", antennas.display(), folder.display())
        })?;
        let mut dataset = Self { folder: folder.to_owned(), variant: Variant::Dpm, entries: Vec::new(), cities: BTreeMap::new() };
        for entry in listing {
            let path = entry.with_context(|| format!("listing {}", antennas.display()))?.path();
            if path.extension().is_some_and(|e| e == "json") {
                let map = path.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse().ok());
                let map = map.with_context(|| format!("{}: expected a name like 12.json", path.display()))?;
                dataset.cities.insert(map, OnceLock::new());
            }
        }
        ensure!(!dataset.cities.is_empty(), "{} holds no .json: expected files named like 12.json", antennas.display());
        Ok(dataset)
    }

    /// The cities' numbers, ascending.
    pub fn cities(&self) -> Vec<u32> {
        self.cities.keys().copied().collect()
    }

    /// Number of transmitters of a city.
    ///
    /// # Errors
    /// A file that is missing or not what it should be; the message names it.
    pub fn transmitters(&self, map: u32) -> Result<u32> {
        let path = self.folder.join(ANTENNAS).join(format!("{map}.json"));
        let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let positions = antennas_from_json(&text).with_context(|| format!("{}: expected a list of [x, y] in metres", path.display()))?;
        Ok(u32::try_from(positions.len())?)
    }

    /// A city's scene.
    ///
    /// # Errors
    /// As [`Self::transmitters`].
    ///
    /// # Panics
    /// When `map` is not one of [`Self::cities`].
    pub fn city_scene(&self, map: u32) -> Result<Arc<Scene>> {
        Ok(self.city(map)?.scene)
    }

    /// Where a transmitter stands outdoors, metres in the scene's frame.
    ///
    /// # Errors
    /// As [`Self::transmitters`], and a number beyond the list.
    pub fn transmitter_position(&self, map: u32, transmitter: u32, scene: &Scene) -> Result<Coord<f64>> {
        self.position(map, transmitter, scene)
    }
}
