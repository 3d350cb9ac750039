//! The same place twice: by the rasters of buildings, as they are or turned by one of the eight symmetries.

use super::Report;
use crate::Symmetry;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

/// A map's buildings.
#[derive(Debug)]
pub struct Place {
    pub file: PathBuf,
    /// The split it is in, if any.
    pub split: Option<String>,
    pub shape: Shape,
}

/// What tells one place from another.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Hash of the raster.
    pub as_is: u64,
    /// Least of the hashes of the eight turned rasters: the same for all of them.
    pub turned: u64,
}

impl Shape {
    /// Of a mask (size, size).
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

/// Adds to the report which of the places are the same: wrong in two splits, else worth knowing.
pub fn find(places: &[Place], report: &mut Report) {
    let mut groups: BTreeMap<u64, Vec<&Place>> = BTreeMap::new();
    places.iter().for_each(|place| groups.entry(place.shape.turned).or_default().push(place));
    for group in groups.values().filter(|group| group.len() > 1) {
        let splits: BTreeSet<&str> = group.iter().filter_map(|place| place.split.as_deref()).collect();
        let name = |place: &&Place| {
            let turned = if place.shape.as_is == group[0].shape.as_is { "" } else { ", turned" };
            format!("{} ({}{turned})", place.file.display(), place.split.as_deref().unwrap_or("in no split"))
        };
        let line = group.iter().map(name).collect::<Vec<_>>().join(" = ");
        if splits.len() > 1 {
            report.add_wrong("the same buildings in two splits", [line]);
        } else {
            report.add_note("the same buildings twice", [line]);
        }
    }
}
