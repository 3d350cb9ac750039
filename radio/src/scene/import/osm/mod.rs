//! Buildings from OpenStreetMap's own data: closed ways and multipolygon relations that the rule takes for buildings.
//!
//! Both formats ([`xml`] and, behind the feature `osm`, `pbf`) give nodes, ways and relations; here they are joined to outlines. A way
//! that is the outer ring of a building relation is drawn by the relation, with its courtyards. In flow elements, in any order; out
//! flow rings and tags.

#[cfg(feature = "osm")]
pub(super) mod pbf;
pub(super) mod xml;

use super::reading::{BuildingFeature, Reading, RingError, ring};
use super::report::{FeatureRef, FindingKind};
use crate::scene::tags::Tags;
use geo::coordinate_position::{CoordPos, CoordinatePosition};
use geo::{BoundingRect, Coord, LineString, Polygon, Rect};
use std::collections::{HashMap, HashSet};

/// The elements that outlines are made of.
#[derive(Default)]
struct Elements {
    nodes: HashMap<i64, Coord<f64>>,
    ways: HashMap<i64, Vec<i64>>,
    outlines: Vec<Outline>,
}

/// A building as the map has it: rings as lists of ways.
struct Outline {
    building: BuildingFeature,
    feature: FeatureRef,
    outer: Vec<i64>,
    inner: Vec<i64>,
    is_relation: bool,
}

/// A way that a relation refers to.
struct Member {
    way: i64,
    is_inner: bool,
}

impl Elements {
    fn way(&mut self, id: i64, nodes: Vec<i64>, tags: &Tags, reading: &mut Reading) {
        self.ways.insert(id, nodes);
        self.outline(&format!("way/{id}"), tags, (vec![id], Vec::new()), false, reading);
    }

    fn relation(&mut self, id: i64, members: &[Member], tags: &Tags, reading: &mut Reading) {
        if tags.get("type") == Some("multipolygon") {
            let ways = |inner: bool| members.iter().filter(|member| member.is_inner == inner).map(|member| member.way).collect();
            self.outline(&format!("relation/{id}"), tags, (ways(false), ways(true)), true, reading);
        }
    }

    fn outline(&mut self, id: &str, tags: &Tags, (outer, inner): (Vec<i64>, Vec<i64>), is_relation: bool, reading: &mut Reading) {
        // An extract is full of roads and parks: only what speaks of a building is worth a word.
        if tags.get("building").is_none() && tags.get("building:part").is_none() {
            return;
        }
        reading.report.features += 1;
        let feature = FeatureRef { index: None, id: Some(id.into()), name: tags.get("name").map(str::to_owned) };
        if let Some(building) = reading.admit(&feature, tags, false) {
            self.outlines.push(Outline { building, feature, outer, inner, is_relation });
        }
    }

    /// Hands over every building: ways and relations in the order of the file.
    fn finish(self, reading: &mut Reading) {
        let relations = self.outlines.iter().filter(|outline| outline.is_relation);
        let drawn_by_relations: HashSet<i64> = relations.flat_map(|outline| outline.outer.iter().copied()).collect();
        for outline in &self.outlines {
            if !outline.is_relation && outline.outer.iter().any(|way| drawn_by_relations.contains(way)) {
                continue;
            }
            let (outer, missing_outer) = self.rings(&outline.outer);
            let (mut holes, missing_inner) = self.rings(&outline.inner);
            for exterior in outer {
                let inside = take_inside(&exterior, &mut holes);
                reading.polygon(&outline.building, [exterior].into_iter().chain(inside).map(checked).collect());
            }
            for (kind, missing) in [(FindingKind::Cut, missing_outer), (FindingKind::HoleLeftOut, missing_inner)] {
                if let Some(missing) = missing {
                    reading.report.note(kind, &outline.feature, missing);
                }
            }
        }
    }

    /// Joins ways end to end into closed rings. What does not close or lacks a node or a way in this file is no ring: the text says
    /// what is missing.
    fn rings(&self, ways: &[i64]) -> (Vec<LineString<f64>>, Option<String>) {
        let mut missing = None;
        let mut pieces: Vec<Option<&[i64]>> = Vec::with_capacity(ways.len());
        for way in ways {
            match self.ways.get(way) {
                Some(nodes) if !nodes.is_empty() => pieces.push(Some(nodes)),
                Some(_) => {}
                None => missing = Some(format!("way {way} is not in the file")),
            }
        }
        let mut at_end: HashMap<i64, Vec<usize>> = HashMap::new();
        for (index, nodes) in pieces.iter().enumerate() {
            for node in nodes.iter().flat_map(|nodes| [nodes.first(), nodes.last()]).flatten() {
                at_end.entry(*node).or_default().push(index);
            }
        }
        let mut rings = Vec::new();
        for start in (0..pieces.len()).rev() {
            let Some(nodes) = pieces[start].take() else { continue };
            let mut ring = nodes.to_vec();
            while let Some(&end) = ring.last().filter(|end| ring.first() != Some(*end)) {
                let candidates = at_end.get_mut(&end).into_iter().flat_map(std::mem::take);
                let mut candidates: Vec<usize> = candidates.filter(|&index| pieces[index].is_some()).collect();
                if candidates.is_empty() {
                    break;
                }
                let next = candidates.swap_remove(0);
                at_end.insert(end, candidates);
                let piece = pieces[next].take().unwrap_or_default();
                if piece.first() == Some(&end) {
                    ring.extend(&piece[1..]);
                } else {
                    ring.extend(piece.iter().rev().skip(1));
                }
            }
            let corners: Result<Vec<Coord<f64>>, i64> = ring.iter().map(|node| self.nodes.get(node).copied().ok_or(*node)).collect();
            match corners {
                Err(node) => missing = Some(format!("node {node} is not in the file")),
                Ok(corners) if ring.first() == ring.last() => rings.push(LineString(corners)),
                Ok(_) => missing = Some("its outline is not closed".into()),
            }
        }
        (rings, missing)
    }
}

fn checked(line: LineString<f64>) -> Result<LineString<f64>, RingError> {
    ring(line.0)
}

/// Takes the holes that lie inside an outer ring. As rings of one building do not cross, the first corner that is not on the ring tells.
fn take_inside(exterior: &LineString<f64>, holes: &mut Vec<LineString<f64>>) -> Vec<LineString<f64>> {
    let area = Polygon::new(exterior.clone(), Vec::new());
    let Some(rect) = area.bounding_rect() else { return Vec::new() };
    let is_inside = |hole: &LineString<f64>| {
        let position = |corner: &Coord<f64>| Some(area.coordinate_position(corner)).filter(|position| *position != CoordPos::OnBoundary);
        hole.bounding_rect().is_some_and(|hole| within(hole, rect)) && hole.0.iter().find_map(position) != Some(CoordPos::Outside)
    };
    let (inside, outside) = std::mem::take(holes).into_iter().partition(is_inside);
    *holes = outside;
    inside
}

fn within(inner: Rect<f64>, outer: Rect<f64>) -> bool {
    let ((low, high), (outer_low, outer_high)) = ((inner.min(), inner.max()), (outer.min(), outer.max()));
    low.x >= outer_low.x && low.y >= outer_low.y && high.x <= outer_high.x && high.y <= outer_high.y
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::Area;

    fn elements() -> Elements {
        let corners = [(1, 0., 0.), (2, 4., 0.), (3, 4., 4.), (4, 0., 4.), (5, 1., 1.), (6, 2., 1.), (7, 2., 2.), (8, 1., 2.)];
        let ways = [(10, vec![1, 2, 3]), (11, vec![1, 4, 3]), (12, vec![5, 6, 7, 8, 5]), (13, vec![1, 2, 3, 99, 1])];
        // In ten-thousandths of a degree: a building is not wider than that.
        Elements {
            nodes: corners.into_iter().map(|(id, x, y)| (id, Coord { x: x * 1e-4, y: y * 1e-4 })).collect(),
            ways: ways.into_iter().collect(),
            outlines: Vec::new(),
        }
    }

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        Tags::new(pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())))
    }

    fn members(outer: &[i64], inner: &[i64]) -> Vec<Member> {
        let all = outer.iter().map(|&way| Member { way, is_inner: false });
        all.chain(inner.iter().map(|&way| Member { way, is_inner: true })).collect()
    }

    #[test]
    fn a_relation_joins_its_outer_ways_and_keeps_its_courtyard() {
        let (mut elements, mut reading) = (elements(), Reading::default());
        let levels = tags(&[("type", "multipolygon"), ("building", "yes"), ("building:levels", "5"), ("height", "17.5 m")]);
        elements.relation(1, &members(&[10, 11], &[12]), &levels, &mut reading);
        elements.finish(&mut reading);
        assert_eq!(reading.found.len(), 1);
        let found = &reading.found[0];
        assert!((found.polygon.unsigned_area() - 15e-8).abs() < 1e-12, "a 4 x 4 square less a 1 x 1 courtyard");
        assert_eq!(found.polygon.interiors().len(), 1);
        assert_eq!((found.heights.height_m, found.heights.levels), (Some(17.5), Some(5.0)));
    }

    #[test]
    fn a_way_that_a_relation_draws_is_not_drawn_twice() {
        let (mut elements, mut reading) = (elements(), Reading::default());
        let nodes = elements.ways[&12].clone();
        elements.way(12, nodes, &tags(&[("building", "yes")]), &mut reading);
        elements.relation(1, &members(&[12], &[]), &tags(&[("type", "multipolygon"), ("building", "yes")]), &mut reading);
        elements.finish(&mut reading);
        assert_eq!(reading.found.len(), 1);
        assert_eq!(reading.found[0].feature.id.as_deref(), Some("relation/1"));
    }

    #[test]
    fn open_and_cut_ways_are_named() {
        let (mut elements, mut reading) = (elements(), Reading::default());
        for way in [10, 13] {
            let nodes = elements.ways[&way].clone();
            elements.way(way, nodes, &tags(&[("building", "yes")]), &mut reading);
        }
        elements.finish(&mut reading);
        assert!(reading.found.is_empty());
        assert_eq!((reading.report.findings[0].kind, reading.report.findings[0].count), (FindingKind::Cut, 2));
    }
}
