//! The same buildings twice: by their rasters, as they are or turned by one of the eight symmetries.

use super::report::Report;
use radiodiff_radio::geometry::Symmetry;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

/// The buildings of one map.
#[derive(Debug)]
pub struct MapBuildings {
    pub file: PathBuf,
    /// The split that the map is in, if any.
    pub split: Option<String>,
    pub digest: RasterDigest,
}

/// Hashes that tell one raster of buildings from another.
#[derive(Clone, Copy, Debug)]
pub struct RasterDigest {
    /// Of the raster as it is.
    pub as_is: u64,
    /// The least of the eight turned rasters' hashes, which is the same for all of them.
    pub turned: u64,
}

impl RasterDigest {
    /// Of a mask, (size, size) row-major.
    pub fn of(size: usize, mask: &[u8]) -> Self {
        let mut image = vec![0; mask.len()];
        let mut hash = |symmetry: Symmetry| {
            symmetry.turn(size, mask, &mut image);
            let mut hasher = DefaultHasher::new();
            image.hash(&mut hasher);
            hasher.finish()
        };
        let as_is = hash(Symmetry::default());
        Self { as_is, turned: Symmetry::all().map(hash).min().unwrap_or(as_is) }
    }
}

/// Adds the maps with the same buildings to the report: wrong when they are in two splits, else worth knowing.
pub fn find(maps: &[MapBuildings], report: &mut Report) {
    let mut groups: BTreeMap<u64, Vec<&MapBuildings>> = BTreeMap::new();
    maps.iter().for_each(|map| groups.entry(map.digest.turned).or_default().push(map));
    for group in groups.values().filter(|group| group.len() > 1) {
        let splits: BTreeSet<&str> = group.iter().filter_map(|map| map.split.as_deref()).collect();
        let name = |map: &&MapBuildings| {
            let turned = if map.digest.as_is == group[0].digest.as_is { "" } else { ", turned" };
            format!("{} ({}{turned})", map.file.display(), map.split.as_deref().unwrap_or("in no split"))
        };
        let line = group.iter().map(name).collect::<Vec<_>>().join(" = ");
        if splits.len() > 1 {
            report.add_wrong("the same buildings in two splits", [line]);
        } else {
            report.add_note("the same buildings twice", [line]);
        }
    }
}
