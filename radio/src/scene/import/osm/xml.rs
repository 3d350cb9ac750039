//! OpenStreetMap's XML (.osm): what openstreetmap.org exports, JOSM saves and Overpass answers.
//!
//! Elements that an editor has marked as deleted are passed over. Where Overpass writes positions into the ways themselves (`out geom`),
//! these count. Where Overpass gave up (time, memory), it answers with what it had and a remark, which is passed on.

use super::{Elements, Member};
use crate::scene::import::error::SceneError;
use crate::scene::import::reading::Reading;
use crate::scene::import::report::FindingKind;
use crate::scene::tags::Tags;
use geo::Coord;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

const FORMAT: &str = "OpenStreetMap XML";

/// XML of another kind: its outermost element, what it is, what to do.
const OTHER_FORMATS: [(&str, &str, &str); 6] = [
    ("osmchange", "a list of changes to OpenStreetMap (.osc)", "export the map itself: .osm or GeoJSON"),
    ("kml", "KML", "convert it to GeoJSON"),
    ("gpx", "a GPS track (GPX)", "choose buildings: GeoJSON or .osm"),
    ("html", "a web page", "check the address of the download"),
    ("svg", "an SVG image", "choose map data: GeoJSON or .osm"),
    ("citymodel", "CityGML", "convert it to GeoJSON in EPSG:4326"),
];

/// A way or relation that is being read.
#[derive(Default)]
struct Open {
    id: i64,
    is_deleted: bool,
    nodes: Vec<i64>,
    members: Vec<Member>,
    tags: Vec<(String, String)>,
}

/// Reads the elements of a text.
pub(in crate::scene::import) fn read(text: &str, reading: &mut Reading) -> Result<(), SceneError> {
    reading.report.format = FORMAT.into();
    let mut reader = Reader::from_str(text);
    let mut elements = Elements::default();
    let mut open: Option<Open> = None;
    let (mut depth, mut seen_root, mut in_remark) = (0_usize, false, false);
    loop {
        let before = reader.buffer_position();
        let event = reader.read_event().map_err(|error| syntax(text, before, &error.to_string()))?;
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                if !seen_root {
                    check_root(start)?;
                    seen_root = true;
                }
                let ends = matches!(event, Event::Empty(_));
                in_remark = !ends && start.name().as_ref() == b"remark";
                depth += usize::from(!ends);
                begin(start, &mut open, &mut elements);
                if ends {
                    finish(start.name().as_ref(), &mut open, &mut elements, reading);
                }
            }
            Event::End(end) => {
                in_remark = false;
                depth = depth.saturating_sub(1);
                finish(end.name().as_ref(), &mut open, &mut elements, reading);
            }
            Event::Text(remark) if in_remark => {
                let remark = String::from_utf8_lossy(remark);
                let sentence = format!("the server did not give all buildings: {}", remark.trim());
                reading.report.note_file(FindingKind::Cut, sentence);
            }
            Event::Eof if depth > 0 => return Err(syntax(text, before, "it ends in the middle")),
            Event::Eof => break,
            _ => {}
        }
    }
    if !seen_root {
        return Err(syntax(text, 0, "it has no element"));
    }
    elements.finish(reading);
    Ok(())
}

fn syntax(text: &str, position: u64, reason: &str) -> SceneError {
    let position = usize::try_from(position).unwrap_or(usize::MAX).min(text.len());
    let line = 1 + text.as_bytes()[..position].iter().filter(|&&byte| byte == b'\n').count();
    SceneError::Syntax { format: FORMAT, reason: format!("{reason} at line {line}"), advice: "check that the download is complete" }
}

fn check_root(root: &BytesStart) -> Result<(), SceneError> {
    let name = String::from_utf8_lossy(root.local_name().as_ref()).to_lowercase();
    if name == "osm" {
        return Ok(());
    }
    let known = OTHER_FORMATS.iter().find(|(known, ..)| *known == name);
    Err(match known {
        Some((_, found, advice)) => SceneError::Format { found: (*found).into(), advice },
        None => SceneError::Format { found: format!("XML with the outermost element {name}"), advice: "choose GeoJSON, .osm or .osm.pbf" },
    })
}

/// An attribute's text; one that cannot be decoded is not there.
fn attribute(element: &BytesStart, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok().flatten()?;
    attribute.unescape_value().ok().map(std::borrow::Cow::into_owned)
}

fn number<N: std::str::FromStr>(element: &BytesStart, name: &str) -> Option<N> {
    attribute(element, name)?.trim().parse().ok()
}

fn position(element: &BytesStart) -> Option<Coord<f64>> {
    Some(Coord { x: number(element, "lon")?, y: number(element, "lat")? })
}

fn begin(element: &BytesStart, open: &mut Option<Open>, elements: &mut Elements) {
    let is_deleted = || {
        attribute(element, "action").is_some_and(|action| action == "delete")
            || attribute(element, "visible").is_some_and(|visible| visible == "false")
    };
    match (element.name().as_ref(), open) {
        (b"node", _) if is_deleted() => {}
        (b"node", _) => {
            if let (Some(id), Some(position)) = (number(element, "id"), position(element)) {
                elements.nodes.insert(id, position);
            }
        }
        (b"way" | b"relation", open) => {
            *open = number(element, "id").map(|id| Open { id, is_deleted: is_deleted(), ..Open::default() });
        }
        (b"nd", Some(open)) => {
            if let Some(id) = number(element, "ref") {
                open.nodes.push(id);
                if let Some(position) = position(element) {
                    elements.nodes.insert(id, position);
                }
            }
        }
        (b"member", Some(open)) if attribute(element, "type").is_some_and(|kind| kind == "way") => {
            if let Some(way) = number(element, "ref") {
                open.members.push(Member { way, is_inner: attribute(element, "role").is_some_and(|role| role == "inner") });
            }
        }
        (b"tag", Some(open)) => {
            if let (Some(key), Some(value)) = (attribute(element, "k"), attribute(element, "v")) {
                open.tags.push((key, value));
            }
        }
        _ => {}
    }
}

fn finish(name: &[u8], open: &mut Option<Open>, elements: &mut Elements, reading: &mut Reading) {
    if !matches!(name, b"way" | b"relation") {
        return;
    }
    let Some(Open { id, is_deleted, nodes, members, tags }) = open.take() else { return };
    let tags = Tags::new(tags);
    match name {
        _ if is_deleted => {}
        b"way" => elements.way(id, nodes, &tags, reading),
        _ => elements.relation(id, &members, &tags, reading),
    }
}
