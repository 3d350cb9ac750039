//! Footprints made fit to publish, and written as GeoJSON.
//!
//! In flow outlines in metres or degrees, as meshes and extracts have them. Out flow outlines without needless corners, valid by the
//! standard, and a file of them with its credit.

use std::path::Path;

use anyhow::{Context, Result};
use geo::orient::Direction;
use geo::{Area, BoundingRect, Coord, LineString, MapCoords, MultiPolygon, Orient, Polygon, Rect, Simplify, Validation, unary_union};
use geojson::{Feature, FeatureCollection, Geometry, JsonObject};
use radiodiff_radio::scene::{Footprint, read_footprints};

/// Who must be credited, in the words the OpenStreetMap Foundation asks for.
pub const OSM_ATTRIBUTION: &str = "© OpenStreetMap contributors (openstreetmap.org/copyright)";
pub const OSM_LICENCE: &str = "ODbL-1.0";

/// Corners nearer than this to the line between their neighbours say nothing about the building.
const COLLINEAR_M: f64 = 0.05;
/// Smaller outlines are posts and kiosks, smaller holes are gaps between the faces of a mesh.
const SMALLEST_BUILDING_M2: f64 = 4.0;
const SMALLEST_HOLE_M2: f64 = 1.0;

/// The buildings of an OpenStreetMap extract. Parts of buildings are left out: they lie within the outlines.
pub fn from_extract(bytes: &[u8]) -> Result<Vec<Footprint>> {
    let (footprints, _) = read_footprints(bytes)?;
    let whole = footprints.into_iter().filter(|footprint| !footprint.is_part);
    Ok(whole
        .flat_map(|footprint| publishable(&footprint.polygon).into_iter().map(move |polygon| Footprint { polygon, ..footprint.clone() }))
        .collect())
}

/// Drops what carries no information from outlines in metres: corners on a straight wall, tiny holes and tiny buildings.
pub fn tidy(outlines: MultiPolygon<f64>) -> Vec<Polygon<f64>> {
    let area = |ring: &LineString<f64>| Polygon::new(ring.clone(), vec![]).unsigned_area();
    outlines
        .into_iter()
        .filter(|polygon| area(polygon.exterior()) >= SMALLEST_BUILDING_M2)
        .map(|polygon| {
            let (exterior, holes) = polygon.into_inner();
            let holes = holes.into_iter().filter(|hole| area(hole) >= SMALLEST_HOLE_M2).map(|hole| straighten(&hole)).collect();
            Polygon::new(straighten(&exterior), holes)
        })
        .collect()
}

/// Ramer-Douglas-Peucker keeps a ring's first corner whatever it is, so a second pass starts at another one.
fn straighten(ring: &LineString<f64>) -> LineString<f64> {
    let once = ring.simplify(COLLINEAR_M);
    let open = &once.0[..once.0.len().saturating_sub(1)];
    if open.len() < 4 {
        return once;
    }
    let mut turned: Vec<Coord<f64>> = open[1..].to_vec();
    turned.extend([open[0], open[1]]);
    LineString(turned).simplify(COLLINEAR_M)
}

/// The outline as it is written: 7 decimals (about a centimetre), counter-clockwise outside and clockwise inside as RFC 7946
/// asks, and valid. Rounding or the mapper can make a ring touch or cross itself; such an outline is rebuilt from its area.
pub fn publishable(polygon: &Polygon<f64>) -> Vec<Polygon<f64>> {
    let round = |p: &Polygon<f64>| {
        let rounded = p.map_coords(|c| Coord { x: (c.x * 1e7).round() / 1e7, y: (c.y * 1e7).round() / 1e7 });
        rounded.orient(Direction::Default)
    };
    let rounded = round(polygon);
    if rounded.is_valid() {
        return vec![rounded];
    }
    unary_union([&rounded]).iter().map(round).filter(|p| p.is_valid() && p.unsigned_area() > 0.0).collect()
}

/// The smallest box around all outlines, `None` where there is none.
pub fn bounds(footprints: &[Footprint]) -> Option<Rect<f64>> {
    MultiPolygon::new(footprints.iter().map(|f| f.polygon.clone()).collect()).bounding_rect()
}

/// Writes a FeatureCollection with its name and the credit in its foreign members.
pub fn write(path: &Path, name: &str, footprints: &[Footprint]) -> Result<()> {
    std::fs::write(path, collection(name, footprints)).with_context(|| format!("writing {}", path.display()))
}

fn collection(name: &str, footprints: &[Footprint]) -> String {
    let credit = [("name", name), ("attribution", OSM_ATTRIBUTION), ("licence", OSM_LICENCE)];
    let foreign_members: JsonObject = credit.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    let features = footprints.iter().map(feature).collect();
    FeatureCollection { features, bbox: None, foreign_members: Some(foreign_members) }.to_string() + "\n"
}

fn feature(footprint: &Footprint) -> Feature {
    let mut properties = JsonObject::new();
    if let Some(height_m) = footprint.height_m {
        properties.insert("height".into(), height_m.into());
    }
    if let Some(levels) = footprint.levels {
        properties.insert("building:levels".into(), levels.into());
    }
    Feature {
        geometry: Some(Geometry::from(&footprint.polygon)),
        properties: Some(properties),
        bbox: None,
        id: None,
        foreign_members: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let corners = [(24.9, 60.1), (24.901, 60.1), (24.901, 60.1005), (24.9, 60.1005)];
        let polygon = publishable(&Polygon::new(corners.into_iter().collect(), vec![])).remove(0);
        let footprint = Footprint { polygon, height_m: Some(12.5), levels: Some(4.0), is_part: false };
        let text = collection("Town \"x\"", std::slice::from_ref(&footprint));
        let (read, report) = read_footprints(text.as_bytes()).unwrap();
        assert_eq!((read, report.findings.len()), (vec![footprint], 0));
        let written: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((written["name"].as_str(), written["licence"].as_str()), (Some("Town \"x\""), Some(OSM_LICENCE)));
    }
}
