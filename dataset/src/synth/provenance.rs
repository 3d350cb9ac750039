//! `dataset.toml`: where a dataset's maps come from and under which licence they may be used.
//!
//! While maps are missing, the file is named `dataset.unfinished.toml`: by it a run that goes on recognises its own dataset, and a
//! reader sees that maps are missing. The file holds neither time nor machine nor commit, so that the same command writes the same
//! bytes.

use super::procedural::Kind;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    pub description: String,
    pub method: String,
    pub seed: u64,
    pub maps: u32,
    pub transmitters_per_map: u32,
    pub cars_per_map: u32,
    /// The lowest and the highest building, where heights vary.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub roof_heights_m: Option<[u8; 2]>,
    /// The least and the greatest share of a map's buildings whose heights are stated, where not all are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stated_roofs: Option<[f64; 2]>,
    /// The share of its height by which a stated height is off at most, there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stated_error: Option<f64>,
    /// The lowest and the highest antenna, where heights vary.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub antenna_heights_m: Option<[f64; 2]>,
    pub radio_maps: u32,
    pub map_size_pixels: usize,
    pub meters_per_pixel: f64,
    pub sources: Vec<SourceRecord>,
}

/// Maps of one source, numbered from `first_map` on.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceRecord {
    pub name: String,
    pub first_map: u32,
    pub maps: u32,
    pub licence: String,
    pub credit: String,
}

impl SourceRecord {
    pub fn procedural(kinds: &[Kind], first_map: u32, maps: u32) -> Self {
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        Self {
            name: format!("procedural: {}", kinds.join(", ")),
            first_map,
            maps,
            licence: "MIT OR Apache-2.0".into(),
            credit: "made by `radiodiff dataset synth`".into(),
        }
    }

    /// A city whose footprints are OpenStreetMap's.
    pub fn city(name: &str, north_up: bool, first_map: u32, maps: u32) -> Self {
        Self {
            name: if north_up { format!("{name}, north up") } else { name.into() },
            first_map,
            maps,
            licence: "ODbL-1.0".into(),
            credit: "footprints © OpenStreetMap contributors (openstreetmap.org/copyright)".into(),
        }
    }
}
