//! Why there is no scene.

use super::reading::MAX_LATITUDE;
use super::report::ImportReport;
use crate::scene::HeightError;
use thiserror::Error;

/// Why a file gives no scene.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum SceneError {
    /// The file has a known format and breaks its syntax.
    #[error("the {format} cannot be read: {reason}; {advice}")]
    Syntax { format: &'static str, reason: String, advice: &'static str },
    /// The file has a format that holds no buildings, or none that is read here.
    #[error("the file is {found}, which cannot be read here; {advice}")]
    Format { found: String, advice: &'static str },
    /// Everything was left out.
    #[error("the {} has no usable building{}; it needs outlines: Polygon or MultiPolygon geometries, or ways tagged building", report.format, reasons(report))]
    NoBuilding { report: Box<ImportReport> },
    #[error("no building lies on the map: buildings span {buildings}, the map {map} (west, south, east, north); {advice}")]
    OutsideBounds { buildings: String, map: String, advice: &'static str },
    #[error(
        "bounds {west}, {south}, {east}, {north} (west, south, east, north) are not a region of the globe away from the poles; {}",
        bounds_advice(*west, *south, *east, *north)
    )]
    Bounds { west: f64, south: f64, east: f64, north: f64 },
    /// The height for buildings without one is none.
    #[error(transparent)]
    Height(#[from] HeightError),
}

/// What to change about bounds that no map can have.
fn bounds_advice(west: f64, south: f64, east: f64, north: f64) -> String {
    let swapped = |low: &str, high: &str| format!("{low} has to be less than {high}: exchange them");
    match () {
        () if south > north && west > east => "west has to be less than east and south less than north: exchange both".into(),
        () if south > north => swapped("south", "north"),
        () if south == north || west == east => "they have no extent: give two different corners".into(),
        // Bounds across the antimeridian have their west east of their east, and span less than half of the globe.
        () if west > east => swapped("west", "east"),
        () => format!("longitudes go from -180 to 180, latitudes from -{MAX_LATITUDE} to {MAX_LATITUDE}; have the two been exchanged?"),
    }
}

fn reasons(report: &ImportReport) -> String {
    let shown: Vec<String> = report.findings.iter().take(3).map(ToString::to_string).collect();
    if shown.is_empty() { String::new() } else { format!(" ({})", shown.join("; ")) }
}
