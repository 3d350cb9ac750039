//! A building's outline on the globe, the local metric frame it is measured in, and the GeoJSON it is written as.
//!
//! What reads map data shares this room: `cargo xtask cities`, which writes GeoJSON, and the trainer, which cuts maps out of
//! extracts. In flow a .osm.pbf's bytes ([`osm`]) or meshes that xtask reads; out flow [`Footprint`]s.

mod extract;

pub use extract::buildings;

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use geo::orient::Direction;
use geo::{Area, BoundingRect, Coord, LineString, MapCoords, MultiPolygon, Orient, Polygon, Rect, Simplify, Validation, unary_union};
use geojson::{Feature, Geometry, JsonObject};

/// Who must be credited, in the words the OpenStreetMap Foundation asks for.
pub const OSM_ATTRIBUTION: &str = "© OpenStreetMap contributors (openstreetmap.org/copyright)";
pub const OSM_LICENCE: &str = "ODbL-1.0";

/// Corners nearer than this to the line between their neighbours say nothing about the building.
const COLLINEAR_M: f64 = 0.05;
/// Smaller outlines are posts and kiosks, smaller holes are gaps between the faces of a mesh.
const SMALLEST_BUILDING_M2: f64 = 4.0;
const SMALLEST_HOLE_M2: f64 = 1.0;

/// One building outline: EPSG:4326 degrees (x longitude, y latitude), heights in metres.
#[derive(Clone, Debug, PartialEq)]
pub struct Footprint {
    pub polygon: Polygon<f64>,
    pub height_m: Option<f64>,
    pub levels: Option<f64>,
}

/// Metres east (x) and north (y) of a point on the WGS84 ellipsoid: exact at the origin, good to millimetres over 256 m.
pub struct LocalFrame {
    origin: Coord<f64>,
    metres_per_degree: Coord<f64>,
}

impl LocalFrame {
    /// A frame around a longitude and latitude in degrees, scaled by the ellipsoid's radii of curvature there.
    pub fn at(origin: Coord<f64>) -> Self {
        const SEMI_MAJOR_M: f64 = 6_378_137.0;
        const ECCENTRICITY_SQUARED: f64 = 6.694_379_990_14e-3;
        let latitude = origin.y.to_radians();
        let w = (1.0 - ECCENTRICITY_SQUARED * latitude.sin().powi(2)).sqrt();
        let meridian_m = SEMI_MAJOR_M * (1.0 - ECCENTRICITY_SQUARED) / w.powi(3);
        let parallel_m = SEMI_MAJOR_M / w * latitude.cos();
        let degree = 1f64.to_radians();
        Self { origin, metres_per_degree: Coord { x: parallel_m * degree, y: meridian_m * degree } }
    }

    pub fn to_metres(&self, lng_lat: Coord<f64>) -> Coord<f64> {
        Coord { x: (lng_lat.x - self.origin.x) * self.metres_per_degree.x, y: (lng_lat.y - self.origin.y) * self.metres_per_degree.y }
    }

    pub fn to_degrees(&self, metres: Coord<f64>) -> Coord<f64> {
        Coord { x: self.origin.x + metres.x / self.metres_per_degree.x, y: self.origin.y + metres.y / self.metres_per_degree.y }
    }

    pub fn polygon_to_metres(&self, polygon: &Polygon<f64>) -> Polygon<f64> {
        polygon.map_coords(|c| self.to_metres(c))
    }

    pub fn polygon_to_degrees(&self, polygon: &Polygon<f64>) -> Polygon<f64> {
        polygon.map_coords(|c| self.to_degrees(c))
    }
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

/// Writes a FeatureCollection, a feature a line, with the credit in its foreign members.
pub fn write(path: &Path, name: &str, footprints: &[Footprint]) -> Result<()> {
    std::fs::write(path, collection(name, footprints)?).with_context(|| format!("writing {}", path.display()))
}

/// The FeatureCollection as text. `name`, `attribution` and `licence` are foreign members.
pub fn collection(name: &str, footprints: &[Footprint]) -> Result<String> {
    let string = serde_json::to_string::<str>;
    let mut text = String::from("{\"type\":\"FeatureCollection\"");
    write!(text, ",\"name\":{}", string(name)?)?;
    write!(text, ",\"attribution\":{},\"licence\":{}", string(OSM_ATTRIBUTION)?, string(OSM_LICENCE)?)?;
    text.push_str(",\"features\":[");
    for (index, footprint) in footprints.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&serde_json::to_string(&feature(footprint))?);
    }
    text.push_str("\n]}\n");
    Ok(text)
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
