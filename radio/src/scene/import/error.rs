//! Why there is no scene.

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
    #[error(
        "no building lies on the map: buildings span {buildings}, the map {map} (west, south, east, north); choose bounds that hold them"
    )]
    OutsideBounds { buildings: String, map: String },
    #[error("bounds {west}, {south}, {east}, {north} (west, south, east, north) are not a region of the globe away from the poles")]
    Bounds { west: f64, south: f64, east: f64, north: f64 },
    /// The height for buildings without one is none.
    #[error(transparent)]
    Height(#[from] HeightError),
}

fn reasons(report: &ImportReport) -> String {
    let shown: Vec<String> = report.findings.iter().take(3).map(ToString::to_string).collect();
    if shown.is_empty() { String::new() } else { format!(" ({})", shown.join("; ")) }
}
