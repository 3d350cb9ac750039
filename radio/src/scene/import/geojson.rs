//! Buildings from GeoJSON (RFC 7946, EPSG:4326), feature by feature.
//!
//! Read are a Geometry, a Feature, a FeatureCollection, an array of these, collections in collections, and sequences of any of them
//! ([`super::json_text`]). Polygon and MultiPolygon geometries count, whatever the winding, with holes, also in GeometryCollections.
//! A feature is parsed on its own, so that one that breaks the standard is left out and named, and never costs the others. What
//! drawing does not need may be anything: ids, bounding boxes, heights of corners, properties that are no object.

use super::error::SceneError;
use super::json_text::documents;
use super::reading::{BuildingFeature, Reading, RingError, ring};
use super::report::{FeatureRef, FindingKind};
use crate::scene::tags::Tags;
use geo::{Coord, LineString};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How deep collections may nest.
const MAX_DEPTH: usize = 16;
/// An excerpt of a value in a message is at most so long.
const MAX_EXCERPT: usize = 60;

/// The members of an object that say which format of JSON it is, when it is not GeoJSON.
const OTHER_FORMATS: [(&str, &str, &str); 5] = [
    ("elements", "Overpass JSON", "export it as GeoJSON, or ask Overpass for [out:xml]"),
    ("CityObjects", "CityJSON", "convert it to GeoJSON in EPSG:4326"),
    ("arcs", "TopoJSON", "convert it to GeoJSON (topo2geo)"),
    ("layers", "a style or a set of layers", "choose the map data itself"),
    ("asset", "a glTF or 3D Tiles file", "convert it to GeoJSON in EPSG:4326"),
];

/// Reads the features of a text.
pub(super) fn read(text: &str, reading: &mut Reading) -> Result<(), SceneError> {
    reading.report.format = "GeoJSON".into();
    let documents = documents(text, &mut reading.report)?;
    for document in &documents {
        items(document, reading, 0)?;
    }
    let unreadable = reading.report.findings.iter().any(|finding| finding.kind == FindingKind::BadCoordinates);
    if let Some(name) = reading.reference_system.take() {
        let said = format!("the file says that its coordinates are in {name}");
        if unreadable {
            let sentence = format!("{said}; expected are longitude and latitude (EPSG:4326)");
            reading.report.note_file(FindingKind::BadCoordinates, sentence);
        } else {
            reading.report.note_file(FindingKind::Placed, format!("{said}; they were read as longitude and latitude (EPSG:4326)"));
        }
    }
    Ok(())
}

/// Takes a document apart into features, without parsing these.
fn items(raw: &RawValue, reading: &mut Reading, depth: usize) -> Result<(), SceneError> {
    let text = raw.get();
    if depth < MAX_DEPTH {
        if text.starts_with('[') {
            let items_of: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            return items_of.into_iter().try_for_each(|item| items(item, reading, depth + 1));
        }
        if text.starts_with('{') {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap_or_default();
            if let Some(features) = members.get("features").filter(|features| features.get().starts_with(['[', '{'])) {
                reading.reference_system = reference_system(&members).or(reading.reference_system.take());
                let features = features.get();
                let list: Vec<&RawValue> = serde_json::from_str(features)
                    .or_else(|_| serde_json::from_str(features).map(|map: BTreeMap<String, &RawValue>| map.into_values().collect()))
                    .unwrap_or_default();
                return list.into_iter().try_for_each(|item| items(item, reading, depth + 1));
            }
            let other = OTHER_FORMATS.iter().find(|(member, ..)| members.contains_key(*member) && !members.contains_key("geometry"));
            if let Some((_, found, advice)) = other.filter(|_| depth == 0 && !members.contains_key("coordinates")) {
                return Err(SceneError::Format { found: (*found).into(), advice });
            }
        }
    }
    let index = reading.report.features;
    reading.report.features += 1;
    let unnamed = FeatureRef { index: Some(index), ..FeatureRef::default() };
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(object)) => feature(index, &object, reading),
        Ok(Value::Null) => reading.report.note(FindingKind::NoGeometry, &unnamed, "it is null"),
        Ok(other) => reading.report.note(FindingKind::Unreadable, &unnamed, format!("expected an object, found {}", excerpt(&other))),
        Err(error) => reading.report.note(FindingKind::Unreadable, &unnamed, error.to_string()),
    }
    Ok(())
}

/// The name in a `crs` member (of the GeoJSON of 2008) that stands for other coordinates than longitude and latitude.
fn reference_system(members: &BTreeMap<String, &RawValue>) -> Option<String> {
    let crs: Value = serde_json::from_str(members.get("crs")?.get()).ok()?;
    let name = match (crs.pointer("/properties/name"), crs.pointer("/properties/code")) {
        (Some(Value::String(name)), _) => name.clone(),
        (_, Some(code @ (Value::Number(_) | Value::String(_)))) => format!("EPSG:{}", code.to_string().trim_matches('"')),
        _ => return None,
    };
    let geographic = ["CRS84", "4326", "4258", "4979", "4269", "WGS84", "WGS 84"].iter().any(|known| name.contains(known));
    (!geographic && !name.is_empty()).then_some(name)
}

fn feature(index: usize, object: &Map<String, Value>, reading: &mut Reading) {
    let properties = object.get("properties").unwrap_or(&Value::Null);
    let tags = Tags::from_properties(properties);
    let id = [object.get("id"), properties.get("@id"), properties.get("id"), properties.get("osm_id")];
    let label = |value: &Value| match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(_) => Some(excerpt(value)),
        _ => None,
    };
    let id = id.into_iter().flatten().find_map(label);
    let name = tags.get("name").map(str::to_owned);
    let feature = FeatureRef { index: Some(index), id, name };
    let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
    let geometry = if object.contains_key("geometry") || kind.eq_ignore_ascii_case("Feature") {
        if kind != "Feature" {
            reading.report.note(FindingKind::TypeAssumed, &feature, "a Feature");
        }
        object.get("geometry").unwrap_or(&Value::Null)
    } else if object.contains_key("coordinates") || object.contains_key("geometries") {
        &Value::Object(object.clone())
    } else {
        return reading.report.note(FindingKind::NoGeometry, &feature, "");
    };
    if let Some(building) = reading.admit(&feature, &tags, true) {
        let before = (reading.found.len(), reading.report.left_out());
        GeometryReader { reading, feature: &feature, building: &building }.geometry(geometry, 0);
        if before == (reading.found.len(), reading.report.left_out()) {
            reading.report.note(FindingKind::EmptyGeometry, &feature, "");
        }
    }
}

/// Reads the geometry of one feature.
struct GeometryReader<'a> {
    reading: &'a mut Reading,
    feature: &'a FeatureRef,
    building: &'a BuildingFeature,
}

impl GeometryReader<'_> {
    fn note(&mut self, kind: FindingKind, detail: impl Into<String>) {
        self.reading.report.note(kind, self.feature, detail);
    }

    fn geometry(&mut self, geometry: &Value, depth: usize) {
        let Value::Object(object) = geometry else {
            let detail = if geometry.is_null() { String::new() } else { format!("its geometry is {}", excerpt(geometry)) };
            return self.note(FindingKind::NoGeometry, detail);
        };
        let Some(kind) = object.get("type").and_then(Value::as_str) else {
            let detail = if object.contains_key("rings") {
                "it has the rings of Esri's JSON; convert the file to GeoJSON"
            } else {
                "its geometry has no type"
            };
            return self.note(FindingKind::NoGeometry, if object.is_empty() { "" } else { detail });
        };
        let coordinates = object.get("coordinates").unwrap_or(&Value::Null);
        let names = ["Polygon", "MultiPolygon", "GeometryCollection"];
        let Some(known) = names.into_iter().find(|name| name.eq_ignore_ascii_case(kind.trim())) else {
            return self.note(FindingKind::NotAPolygon, format!("it is a {}", kind.chars().take(MAX_EXCERPT).collect::<String>()));
        };
        if known != kind {
            self.note(FindingKind::TypeAssumed, format!("a {known}"));
        }
        match known {
            "Polygon" => self.polygon(coordinates),
            "MultiPolygon" => match coordinates {
                Value::Array(polygons) => polygons.iter().for_each(|polygon| self.polygon(polygon)),
                other => self.polygon(other),
            },
            _ if depth == MAX_DEPTH => self.note(FindingKind::NotAPolygon, "its collections nest too deep"),
            _ => match object.get("geometries") {
                Some(Value::Array(geometries)) => {
                    for geometry in geometries.iter().filter(|geometry| !is_nothing(geometry)) {
                        self.geometry(geometry, depth + 1);
                    }
                }
                _ => self.note(FindingKind::EmptyGeometry, "it is a GeometryCollection without geometries"),
            },
        }
    }

    /// A polygon's coordinates: an array of rings, the outer first.
    fn polygon(&mut self, coordinates: &Value) {
        match coordinates {
            nothing if is_nothing(nothing) => {}
            Value::Array(rings) if rings.iter().all(is_nothing) => {}
            Value::Array(rings) => {
                let rings = rings.iter().map(|positions| self.ring(positions)).collect();
                self.reading.polygon(self.building, rings);
            }
            other => self.note(FindingKind::BadCoordinates, format!("its coordinates are {}", excerpt(other))),
        }
    }

    fn ring(&mut self, positions: &Value) -> Result<LineString<f64>, RingError> {
        let bad = |detail: String| RingError { kind: FindingKind::BadCoordinates, detail };
        let corners = match positions {
            nothing if is_nothing(nothing) => return ring(Vec::new()),
            Value::Array(positions) => positions,
            other => return Err(bad(format!("expected a ring of points, found {}", excerpt(other)))),
        };
        let (mut as_text, mut elevated) = (false, false);
        let corner = |(index, position): (usize, &Value)| {
            let found = || bad(format!("point {index} is {}, expected longitude and latitude", excerpt(position)));
            let Value::Array(numbers) = position else { return Err(found()) };
            let mut number = |at: usize| match numbers.get(at) {
                Some(Value::Number(number)) => number.as_f64(),
                Some(Value::String(text)) => {
                    as_text = true;
                    text.trim().parse::<f64>().ok()
                }
                _ => None,
            };
            elevated |= numbers.get(2).and_then(Value::as_f64).is_some_and(|z| z != 0.0);
            match (number(0), number(1)) {
                (Some(x), Some(y)) => Ok(Coord { x, y }),
                _ => Err(found()),
            }
        };
        let corners = corners.iter().enumerate().map(corner).collect::<Result<Vec<_>, _>>()?;
        let closed = corners.first() == corners.last();
        let line = ring(corners)?;
        self.reading.report.elevations |= elevated;
        if as_text {
            self.note(FindingKind::TextNumbers, "");
        }
        if !closed {
            self.note(FindingKind::Unclosed, "");
        }
        Ok(line)
    }
}

/// Null and empty lists: parts that some writers leave behind.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || matches!(value, Value::Array(items) if items.is_empty())
}

/// The beginning of a value, as JSON.
fn excerpt(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
