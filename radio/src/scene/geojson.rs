//! Buildings from GeoJSON (RFC 7946, EPSG:4326).
//!
//! Takes a Geometry, a Feature or a FeatureCollection; uses every Polygon and MultiPolygon, whatever the winding, with holes;
//! keeps `height` and `building:levels`. What cannot be used is left out with a warning that names the feature; only a text
//! without any usable building is an error.

use super::{Building, GeoBounds, Grid, LocalFrame, Scene};
use geo::algorithm::bool_ops::BooleanOps;
use geo::{Area, BoundingRect, Coord, LineString, MultiPolygon, Polygon, Rect, Validation};
use geojson::{Feature, GeoJson, Geometry, GeometryValue, JsonValue};
use thiserror::Error;

/// What the text is placed on.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportOptions {
    pub grid: Grid,
    /// The grid is centred on these bounds' centre; `None` centres it on the buildings' bounding box.
    pub bounds: Option<GeoBounds>,
}

/// A scene and what had to be left out or changed to get it.
#[derive(Clone, Debug)]
pub struct Imported {
    pub scene: Scene,
    pub warnings: Vec<SceneWarning>,
}

/// Something that was left out or changed.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneWarning {
    /// Which feature, by position in the file and name or id where it has one.
    pub place: String,
    pub message: String,
}

impl std::fmt::Display for SceneWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Why there is no scene.
#[derive(Debug, Error, Clone, PartialEq)]
pub enum SceneError {
    #[error("the GeoJSON cannot be read: {reason}; check the file in a GeoJSON validator")]
    Syntax { reason: String },
    #[error("the GeoJSON has no usable building{}; it needs Polygon or MultiPolygon geometries", list(warnings))]
    NoBuilding { warnings: Vec<SceneWarning> },
    #[error(
        "no building lies on the map: buildings span {buildings}, the map {map} (west, south, east, north); choose bounds that hold them"
    )]
    OutsideBounds { buildings: String, map: String },
    #[error("bounds {west}, {south}, {east}, {north} (west, south, east, north) are not a region of the globe away from the poles")]
    Bounds { west: f64, south: f64, east: f64, north: f64 },
}

fn list(warnings: &[SceneWarning]) -> String {
    let shown: Vec<String> = warnings.iter().take(3).map(ToString::to_string).collect();
    if shown.is_empty() { String::new() } else { format!(" ({})", shown.join("; ")) }
}

/// Beyond these latitudes a local frame in degrees makes no sense.
const MAX_LATITUDE: f64 = 89.0;

impl Scene {
    /// Reads buildings from GeoJSON text.
    pub fn from_geojson(text: &str, options: &ImportOptions) -> Result<Imported, SceneError> {
        let document: GeoJson = text.parse().map_err(|error: geojson::Error| SceneError::Syntax { reason: error.to_string() })?;
        let mut import = Import::default();
        match document {
            GeoJson::FeatureCollection(collection) => {
                for (index, feature) in collection.features.iter().enumerate() {
                    import.feature(&place_of(index, feature), feature);
                }
            }
            GeoJson::Feature(feature) => import.feature(&place_of(0, &feature), &feature),
            GeoJson::Geometry(geometry) => import.geometry("the geometry", &geometry, Tags::default(), 0),
        }
        let Import { found, mut warnings } = import;
        let Some(extent) = found.iter().filter_map(|b| b.footprint.bounding_rect()).reduce(union) else {
            return Err(SceneError::NoBuilding { warnings });
        };
        let center = match options.bounds {
            Some(bounds) => center_of(bounds)?,
            None => extent.center(),
        };
        let frame = LocalFrame::centered(center, options.grid);
        let map = frame.bounds();
        let total = found.len();
        let reaches = |b: &Building| {
            let rect = b.footprint.bounding_rect();
            rect.is_some_and(|r| r.min().x < map.east && r.max().x > map.west && r.min().y < map.north && r.max().y > map.south)
        };
        let mut buildings: Vec<Building> = found.into_iter().filter(reaches).collect();
        if buildings.is_empty() {
            let (min, max) = (extent.min(), extent.max());
            return Err(SceneError::OutsideBounds {
                buildings: format!("{:.5}, {:.5}, {:.5}, {:.5}", min.x, min.y, max.x, max.y),
                map: format!("{:.5}, {:.5}, {:.5}, {:.5}", map.west, map.south, map.east, map.north),
            });
        }
        if buildings.len() < total {
            let message = format!("{} of {total} buildings lie outside the map and are not used", total - buildings.len());
            warnings.push(SceneWarning { place: "the file".into(), message });
        }
        for building in &mut buildings {
            use geo::MapCoordsInPlace;
            building.footprint.map_coords_in_place(|c| frame.to_meters(c));
        }
        let mut scene = Scene::from_polygons(options.grid, buildings);
        scene.bounds = Some(map);
        Ok(Imported { scene, warnings })
    }
}

fn union(a: Rect<f64>, b: Rect<f64>) -> Rect<f64> {
    Rect::new(
        Coord { x: a.min().x.min(b.min().x), y: a.min().y.min(b.min().y) },
        Coord { x: a.max().x.max(b.max().x), y: a.max().y.max(b.max().y) },
    )
}

fn center_of(GeoBounds { west, south, east, north }: GeoBounds) -> Result<Coord<f64>, SceneError> {
    let valid = [west, east].iter().all(|v| v.abs() <= 180.0) && [south, north].iter().all(|v| v.abs() <= MAX_LATITUDE);
    if valid && west < east && south < north {
        Ok(Coord { x: (west + east) / 2.0, y: (south + north) / 2.0 })
    } else {
        Err(SceneError::Bounds { west, south, east, north })
    }
}

fn place_of(index: usize, feature: &Feature) -> String {
    let name = feature.property("name").and_then(JsonValue::as_str).map(str::to_owned);
    let id = feature.id.as_ref().map(|id| match id {
        geojson::feature::Id::String(text) => text.clone(),
        geojson::feature::Id::Number(number) => number.to_string(),
    });
    match name.or(id) {
        Some(label) => format!("feature {index} ({label})"),
        None => format!("feature {index}"),
    }
}

/// What a feature says besides its shape.
#[derive(Clone, Copy, Default)]
struct Tags {
    height_m: Option<f64>,
    levels: Option<f64>,
}

/// A number, or a string that starts with one ("12 m").
fn number(value: Option<&JsonValue>) -> Option<f64> {
    let number = match value? {
        JsonValue::Number(number) => number.as_f64()?,
        JsonValue::String(text) => {
            let text = text.trim();
            let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
            text[..end].parse().ok()?
        }
        _ => return None,
    };
    (number.is_finite() && number > 0.0).then_some(number)
}

/// How deep GeometryCollections may nest.
const MAX_DEPTH: usize = 16;

#[derive(Default)]
struct Import {
    found: Vec<Building>,
    warnings: Vec<SceneWarning>,
}

impl Import {
    fn warn(&mut self, place: &str, message: impl Into<String>) {
        self.warnings.push(SceneWarning { place: place.into(), message: message.into() });
    }

    fn feature(&mut self, place: &str, feature: &Feature) {
        let tags = Tags { height_m: number(feature.property("height")), levels: number(feature.property("building:levels")) };
        match &feature.geometry {
            Some(geometry) => self.geometry(place, geometry, tags, 0),
            None => self.warn(place, "has no geometry and is not used"),
        }
    }

    fn geometry(&mut self, place: &str, geometry: &Geometry, tags: Tags, depth: usize) {
        match &geometry.value {
            GeometryValue::Polygon { coordinates } => self.polygon(place, coordinates, tags),
            GeometryValue::MultiPolygon { coordinates } => coordinates.iter().for_each(|rings| self.polygon(place, rings, tags)),
            GeometryValue::GeometryCollection { geometries } if depth < MAX_DEPTH => {
                geometries.iter().for_each(|g| self.geometry(place, g, tags, depth + 1));
            }
            other => self.warn(place, format!("is a {}, not a Polygon or MultiPolygon, and is not used", other.type_name())),
        }
    }

    fn polygon(&mut self, place: &str, rings: &[Vec<geojson::Position>], tags: Tags) {
        let mut lines = Vec::with_capacity(rings.len());
        for (index, ring) in rings.iter().enumerate() {
            let place = if index == 0 { place.to_owned() } else { format!("{place}, hole {index}") };
            match line_string(ring) {
                Ok(line) => lines.push(line),
                Err(reason) => {
                    self.warn(&place, format!("{reason}; it is not used"));
                    if index == 0 {
                        return;
                    }
                }
            }
        }
        if lines.is_empty() {
            return self.warn(place, "has no outline and is not used");
        }
        let exterior = lines.remove(0);
        let polygon = Polygon::new(exterior, lines);
        let parts = if polygon.is_valid() {
            vec![polygon]
        } else {
            self.warn(place, "crosses or touches itself; it was repaired by the even-odd rule, check its outline");
            repair(&polygon).0
        };
        for footprint in parts {
            if footprint.unsigned_area() > 0.0 {
                self.found.push(Building { footprint, height_m: tags.height_m, levels: tags.levels });
            } else {
                self.warn(place, "has no area and is not used");
            }
        }
    }
}

fn line_string(ring: &[geojson::Position]) -> Result<LineString<f64>, String> {
    let mut points = Vec::with_capacity(ring.len());
    for (index, position) in ring.iter().enumerate() {
        let &[x, y, ..] = position.as_slice() else {
            return Err(format!("point {index} has {} coordinates, expected longitude and latitude", position.len()));
        };
        if !(x.is_finite() && y.is_finite() && x.abs() <= 180.0 && y.abs() <= MAX_LATITUDE) {
            return Err(format!("point {index} ({x}, {y}) is not a longitude and latitude in degrees"));
        }
        points.push(Coord { x, y });
    }
    let mut distinct = points.clone();
    distinct.dedup();
    if distinct.len() > 1 && distinct.first() == distinct.last() {
        distinct.pop();
    }
    if distinct.len() < 3 {
        return Err(format!("has {} different points, an outline needs at least 3", distinct.len()));
    }
    Ok(LineString::new(points))
}

/// The area inside by the even-odd rule, as simple polygons.
fn repair(polygon: &Polygon<f64>) -> MultiPolygon<f64> {
    polygon.xor(&MultiPolygon::<f64>::new(Vec::new()))
}
