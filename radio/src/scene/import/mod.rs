//! One door for files that hold buildings: bytes in, a scene and a report out.
//!
//! People have buildings as GeoJSON in many spellings, as OpenStreetMap's .osm or .osm.pbf, packed or with a byte order mark. The file is
//! recognised by its content ([`container`]) and read feature by feature ([`geojson`], [`osm`]); one rule says what a building is
//! ([`super::building_rule`]); the map is placed ([`placing`]); and only the outlines that reach it are checked and repaired
//! ([`repair`]), so that a lake of 20,000 corners beside the map costs nothing. Whatever is left out, repaired or assumed stands in
//! the report ([`report`]). Cars come in a file of their own ([`cars`]). Images are recognised and named, not decoded: a browser has its own decoders, and
//! [`Scene::from_mask`] takes the pixels.
//!
//! | format | by | |
//! |---|---|---|
//! | GeoJSON | `{` or `[` | also a feature a line, and text sequences (RFC 8142) |
//! | OpenStreetMap XML | `<osm` | of openstreetmap.org, JOSM or Overpass |
//! | OpenStreetMap PBF | its header | with the feature `osm` |
//! | gzip | its magic number | around any of these |
//! | bzip2 | its magic number | with the feature `osm` |
//! | UTF-8, UTF-16, Latin-1 | marks, zero bytes | around any text |

mod cars;
mod container;
mod error;
mod geojson;
mod json_text;
mod osm;
mod placing;
mod reading;
mod repair;
mod report;

pub use cars::{ImportedCars, import_cars};
pub use error::SceneError;
pub use report::{BuildingCluster, Effect, FeatureRef, Finding, FindingKind, HeightSources, ImportReport};

use super::tags::TaggedHeights;
use super::{BUILDING_HEIGHT_M, Building, GeoBounds, Grid, RoofHeights, Scene, check_building_height};
use container::Content;
use geo::{MapCoordsInPlace, Polygon};
use reading::Reading;
use repair::Outline;

/// What the buildings are placed on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImportOptions {
    pub grid: Grid,
    /// The grid is centred on the centre of these bounds. `None` centres it on the buildings' bounding box; where they stand in several
    /// groups, on that of the largest group.
    pub bounds: Option<GeoBounds>,
    /// Height in metres of buildings that the file gives neither a height nor storeys.
    pub default_height_m: f64,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { grid: Grid::default(), bounds: None, default_height_m: BUILDING_HEIGHT_M }
    }
}

/// A scene, and what happened to the file on the way.
#[derive(Clone, Debug)]
pub struct Imported {
    pub scene: Scene,
    pub report: ImportReport,
}

/// One building outline on the globe: EPSG:4326 degrees (x longitude, y latitude), heights in metres.
#[derive(Clone, Debug, PartialEq)]
pub struct Footprint {
    /// As it was read: not checked for crossings.
    pub polygon: Polygon<f64>,
    pub height_m: Option<f64>,
    pub levels: Option<f64>,
    /// A `building:part` of OpenStreetMap, which lies within the outline of its building.
    pub is_part: bool,
}

/// Makes a scene of a file of any known format.
///
/// # Errors
/// A file that cannot be read, that has no usable building, or none within `options.bounds`; and bounds that are none.
pub fn import(bytes: &[u8], options: &ImportOptions) -> Result<Imported, SceneError> {
    let default_m = check_building_height(options.default_height_m)?;
    let Reading { found, mut report, .. } = read(bytes)?;
    let (frame, on_map) = placing::place(found, options.grid, options.bounds, &mut report)?;
    let mut buildings = Vec::with_capacity(on_map.len());
    for mut outline in on_map {
        outline.polygon.map_coords_in_place(|degrees| frame.to_meters(degrees));
        let parts = match repair::simple(outline.polygon) {
            Outline::Sound(polygon) => vec![polygon],
            Outline::Repaired(parts) => {
                report.note(FindingKind::Crossing, &outline.feature, "");
                parts.0
            }
            Outline::Empty => {
                report.note(FindingKind::NoArea, &outline.feature, "");
                Vec::new()
            }
        };
        let TaggedHeights { height_m, levels, remark } = outline.heights;
        if let Some(remark) = remark {
            report.note(FindingKind::OddHeight, &outline.feature, remark);
        }
        if let Some(Err(word)) = &outline.material {
            report.note(FindingKind::OddMaterial, &outline.feature, format!("{word:?}"));
        }
        let material = outline.material.and_then(Result::ok);
        buildings.extend(parts.into_iter().map(|footprint| Building { footprint, height_m, levels, material }));
    }
    report.buildings = buildings.len();
    report.heights = HeightSources::of(&buildings, default_m);
    if buildings.is_empty() {
        return Err(SceneError::NoBuilding { report: Box::new(report) });
    }
    let roofs = RoofHeights::of_buildings(options.grid, &buildings, default_m);
    let mut scene = Scene::from_polygons(options.grid, buildings).with_roofs(roofs);
    scene.bounds = Some(frame.bounds());
    Ok(Imported { scene, report })
}

/// Reads the footprints of a file of any known format, wherever they lie.
///
/// # Errors
/// A file that cannot be read or has no usable building.
pub fn read_footprints(bytes: &[u8]) -> Result<(Vec<Footprint>, ImportReport), SceneError> {
    let Reading { found, report, .. } = read(bytes)?;
    if found.is_empty() {
        return Err(SceneError::NoBuilding { report: Box::new(report) });
    }
    let footprints =
        found.into_iter().map(|reading::Found { polygon, heights: TaggedHeights { height_m, levels, .. }, is_part, .. }| Footprint {
            polygon,
            height_m,
            levels,
            is_part,
        });
    Ok((footprints.collect(), report))
}

fn read(bytes: &[u8]) -> Result<Reading, SceneError> {
    let mut reading = Reading::default();
    match container::open(bytes, &mut reading.report)? {
        Content::Json(text) => geojson::read(&text, &mut reading)?,
        Content::Xml(text) => osm::xml::read(&text, &mut reading)?,
        #[cfg(feature = "osm")]
        Content::Pbf(bytes) => osm::pbf::read(&bytes, &mut reading)?,
    }
    Ok(reading)
}
