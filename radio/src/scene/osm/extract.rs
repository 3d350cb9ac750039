//! Buildings of an OpenStreetMap extract: closed ways and multipolygon relations tagged `building=*`.
//!
//! Left out is what no wave at street level would notice as a building: `building=no`, free-standing roofs, and what lies
//! underground. A way that is the outer ring of a building relation is drawn by the relation, with its courtyards.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result};
use geo::{Contains, Coord, LineString, Polygon};
use osmpbf::{Element, ElementReader, RelMemberType};

use super::{Footprint, publishable};

type Tags = HashMap<String, String>;

/// The parts of an extract that outlines are made of.
#[derive(Default)]
struct Extract {
    nodes: HashMap<i64, Coord<f64>>,
    ways: HashMap<i64, Vec<i64>>,
    buildings: Vec<Outline>,
}

/// A building as the map has it: rings as lists of ways.
struct Outline {
    tags: Tags,
    outer: Vec<i64>,
    inner: Vec<i64>,
    is_relation: bool,
}

/// Every building of a .osm.pbf, ways first, then relations, each in the order of the file.
///
/// # Errors
/// Bytes that are no .osm.pbf. Buildings cut by the extract's edge, whose corners are missing, are left out.
pub fn buildings(pbf: &[u8]) -> Result<Vec<Footprint>> {
    let mut extract = Extract::default();
    ElementReader::new(pbf).for_each(|element| extract.keep(element)).context("decoding the .osm.pbf")?;
    Ok(extract.footprints())
}

impl Extract {
    fn keep(&mut self, element: Element) {
        match element {
            Element::Node(node) => {
                self.nodes.insert(node.id(), Coord { x: node.lon(), y: node.lat() });
            }
            Element::DenseNode(node) => {
                self.nodes.insert(node.id(), Coord { x: node.lon(), y: node.lat() });
            }
            Element::Way(way) => {
                self.ways.insert(way.id(), way.refs().collect());
                let tags = own(way.tags());
                if is_building(&tags) {
                    self.buildings.push(Outline { tags, outer: vec![way.id()], inner: vec![], is_relation: false });
                }
            }
            Element::Relation(relation) => {
                let tags = own(relation.tags());
                if is_building(&tags) && tags.get("type").is_some_and(|kind| kind == "multipolygon") {
                    let members = |inner: bool| {
                        let ways = relation.members().filter(|m| m.member_type == RelMemberType::Way);
                        ways.filter(|m| (m.role().ok() == Some("inner")) == inner).map(|m| m.member_id).collect()
                    };
                    self.buildings.push(Outline { tags, outer: members(false), inner: members(true), is_relation: true });
                }
            }
        }
    }

    fn footprints(&self) -> Vec<Footprint> {
        let drawn_by_relations: HashSet<i64> =
            self.buildings.iter().filter(|b| b.is_relation).flat_map(|b| b.outer.iter().copied()).collect();
        let mut footprints = Vec::new();
        for building in &self.buildings {
            if !building.is_relation && building.outer.iter().any(|way| drawn_by_relations.contains(way)) {
                continue;
            }
            let (height_m, levels) = (number(&building.tags, "height"), number(&building.tags, "building:levels"));
            for polygon in self.polygons(building) {
                footprints.extend(publishable(&polygon).into_iter().map(|polygon| Footprint { polygon, height_m, levels }));
            }
        }
        footprints
    }

    /// The outer rings of a building, each with the inner rings that lie in it.
    fn polygons(&self, building: &Outline) -> Vec<Polygon<f64>> {
        let mut holes = self.rings(&building.inner);
        let mut polygons = Vec::new();
        for exterior in self.rings(&building.outer) {
            let area = Polygon::new(exterior, vec![]);
            let (inside, outside) = holes.into_iter().partition(|hole: &LineString<f64>| area.contains(hole));
            holes = outside;
            polygons.push(Polygon::new(area.into_inner().0, inside));
        }
        polygons
    }

    /// Joins ways end to end into closed rings. What does not close, or lacks a node in this extract, is no ring.
    fn rings(&self, ways: &[i64]) -> Vec<LineString<f64>> {
        let mut pieces: Vec<Vec<i64>> = ways.iter().filter_map(|way| self.ways.get(way).cloned()).collect();
        let mut rings = Vec::new();
        while let Some(mut ring) = pieces.pop() {
            while ring.first() != ring.last() {
                let end = ring.last();
                let Some(next) = pieces.iter().position(|p| p.first() == end || p.last() == end) else { break };
                let mut piece = pieces.swap_remove(next);
                if piece.first() != end {
                    piece.reverse();
                }
                ring.extend(&piece[1..]);
            }
            let corners: Option<Vec<Coord<f64>>> = ring.iter().map(|node| self.nodes.get(node).copied()).collect();
            if let Some(corners) = corners.filter(|_| ring.len() >= 4 && ring.first() == ring.last()) {
                rings.push(LineString(corners));
            }
        }
        rings
    }
}

fn own<'a>(tags: impl Iterator<Item = (&'a str, &'a str)>) -> Tags {
    tags.map(|(key, value)| (key.into(), value.into())).collect()
}

fn is_building(tags: &Tags) -> bool {
    let value = |key: &str| tags.get(key).map(String::as_str);
    let underground = value("location") == Some("underground") || value("layer").is_some_and(|layer| layer.starts_with('-'));
    value("building").is_some_and(|kind| !["no", "roof"].contains(&kind)) && !underground
}

/// The number a tag begins with (`12`, `12.5 m`, `3;4`); a mapper's free text, so anything unlikely counts as not given.
fn number(tags: &Tags, key: &str) -> Option<f64> {
    let text = tags.get(key)?.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let in_feet = text[digits..].trim_start().starts_with(['\'', 'f']);
    text[..digits].parse().ok().filter(|v| (0.5..1000.0).contains(v) && !in_feet)
}

#[cfg(test)]
mod tests {
    use geo::Area;

    use super::*;

    fn extract() -> Extract {
        let corners = [(1, 0., 0.), (2, 4., 0.), (3, 4., 4.), (4, 0., 4.), (5, 1., 1.), (6, 2., 1.), (7, 2., 2.), (8, 1., 2.)];
        let ways = [(10, vec![1, 2, 3]), (11, vec![1, 4, 3]), (12, vec![5, 6, 7, 8, 5]), (13, vec![1, 2, 3, 99, 1])];
        Extract {
            nodes: corners.into_iter().map(|(id, x, y)| (id, Coord { x, y })).collect(),
            ways: ways.into_iter().collect(),
            buildings: vec![],
        }
    }

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        own(pairs.iter().copied())
    }

    #[test]
    fn a_relation_joins_its_outer_ways_and_keeps_its_courtyard() {
        let mut extract = extract();
        let levels = tags(&[("building", "yes"), ("building:levels", "5"), ("height", "17.5 m")]);
        extract.buildings.push(Outline { tags: levels, outer: vec![10, 11], inner: vec![12], is_relation: true });
        let found = extract.footprints();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].polygon.signed_area(), 15.0, "a 4 x 4 square, counter-clockwise, less a 1 x 1 courtyard");
        assert_eq!(found[0].polygon.interiors().len(), 1);
        assert_eq!((found[0].height_m, found[0].levels), (Some(17.5), Some(5.0)));
    }

    #[test]
    fn a_way_that_a_relation_draws_is_not_drawn_twice() {
        let mut extract = extract();
        extract.buildings.push(Outline { tags: Tags::new(), outer: vec![12], inner: vec![], is_relation: false });
        extract.buildings.push(Outline { tags: Tags::new(), outer: vec![12], inner: vec![], is_relation: true });
        assert_eq!(extract.footprints().len(), 1);
    }

    #[test]
    fn open_and_cut_ways_are_no_buildings() {
        let mut extract = extract();
        extract.buildings.push(Outline { tags: Tags::new(), outer: vec![10], inner: vec![], is_relation: false });
        extract.buildings.push(Outline { tags: Tags::new(), outer: vec![13], inner: vec![], is_relation: false });
        assert!(extract.footprints().is_empty());
    }

    #[test]
    fn tags_decide_what_is_a_building_and_how_high() {
        assert!(is_building(&tags(&[("building", "apartments")])));
        assert!(!is_building(&tags(&[("building", "roof")])));
        assert!(!is_building(&tags(&[("building", "yes"), ("layer", "-1")])));
        assert!(!is_building(&tags(&[("highway", "residential")])));
        for (text, height_m) in
            [("12", Some(12.0)), ("12.5 m", Some(12.5)), ("3;4", Some(3.0)), ("40'", None), ("tall", None), ("-3", None)]
        {
            assert_eq!(number(&tags(&[("height", text)]), "height"), height_m, "{text}");
        }
    }
}
