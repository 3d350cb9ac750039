//! A village of 16 houses, and what is read of it.

// Each test file uses its share of this.
#![allow(dead_code)]

use geo::Coord;
use radiodiff_radio::scene::{FindingKind, ImportOptions, Imported, LocalFrame, SceneError, import};
use serde_json::{Value, json};

pub const CENTER: Coord<f64> = Coord { x: 24.94, y: 60.17 };
/// A house covers so many pixels.
pub const HOUSE: usize = 12 * 10;

/// A point in metres east and north of [`CENTER`], in degrees as files have them: seven decimals.
pub fn degrees(x: f64, y: f64) -> [f64; 2] {
    let at = LocalFrame::about(CENTER).to_degrees(Coord { x, y });
    [at.x, at.y].map(|degree| (degree * 1e7).round() / 1e7)
}

pub fn ring(corners: &[(f64, f64)]) -> Value {
    corners.iter().chain(corners.first()).map(|&(x, y)| json!(degrees(x, y))).collect()
}

pub fn rectangle(x: f64, y: f64, width: f64, height: f64) -> Value {
    ring(&[(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
}

/// The south-west corner of a house of the village: 4 x 4 of them, between pixels' centres.
pub fn corner(index: usize) -> (f64, f64) {
    (-74.0 + 40.0 * (index % 4) as f64, -75.0 + 40.0 * (index / 4) as f64)
}

pub fn house(index: usize) -> Value {
    let (x, y) = corner(index);
    rectangle(x, y, 12.0, 10.0)
}

pub fn feature(index: usize) -> Value {
    json!({"type": "Feature", "properties": {"building": "yes"}, "geometry": {"type": "Polygon", "coordinates": [house(index)]}})
}

pub fn village() -> Vec<Value> {
    (0..16).map(feature).collect()
}

pub fn collection(features: &[Value]) -> Value {
    json!({"type": "FeatureCollection", "features": features})
}

/// The village with another feature in place of house 5.
pub fn with(odd: Value) -> Value {
    let mut features = village();
    features[5] = odd;
    collection(&features)
}

pub fn open(text: &str) -> Result<Imported, SceneError> {
    import(text.as_bytes(), &ImportOptions::default())
}

pub fn read(document: &Value) -> Imported {
    open(&document.to_string()).unwrap_or_else(|error| panic!("{document}: {error}"))
}

pub fn built(imported: &Imported) -> usize {
    imported.scene.mask.pixels.iter().filter(|&&pixel| pixel != 0).count()
}

/// How many houses are drawn: 16 in the whole village. Wherever the map stands, a house covers nearly as many pixels.
pub fn houses(imported: &Imported) -> f64 {
    (built(imported) as f64 / HOUSE as f64 * 10.0).round() / 10.0
}

pub fn kinds(imported: &Imported) -> Vec<FindingKind> {
    imported.report.findings.iter().map(|finding| finding.kind).collect()
}
