//! Exact outlines: the union of the buildings' footprints, for geometry that is not bound to pixels.
//!
//! The ray tracer follows specular paths, whose images move by metres when a wall turns by a degree, so it takes walls from here.
//! The dominant path walks the mask's pixels and needs walls that agree with them, so it takes [`super::outline`]. Both become the
//! same [`super::walls::Walls`]. A scene that came as a raster has the mask's outlines here too.

use super::outline::outlines_for_rays;
use crate::scene::Scene;
use geo::orient::Direction;
use geo::{Area, Contains, Coord, LineString, Orient, Polygon, Vector2DOps, unary_union};

/// Points nearer to each other than this, metres, or to the line between their neighbours, are one.
const SAME_POINT_M: f64 = 1e-6;

/// Closed rings in metres with the buildings on their left, which meet at their ends only. Overlapping footprints are united;
/// footprints with a coordinate that is not finite, and those without an area, are left out.
pub fn exact_outlines(scene: &Scene) -> Vec<LineString<f64>> {
    let rasterised;
    let polygons: Vec<&Polygon<f64>> = if scene.buildings.is_empty() {
        rasterised = nested(outlines_for_rays(&scene.mask, scene.grid));
        rasterised.iter().collect()
    } else {
        scene.buildings.iter().map(|building| &building.footprint).collect()
    };
    let finite = |p: &&Polygon<f64>| rings(p).flat_map(LineString::coords).all(|c| c.is_finite());
    let united = unary_union(polygons.into_iter().filter(finite)).orient(Direction::Default);
    united.iter().flat_map(rings).map(tidy).filter(|ring| !ring.0.is_empty()).collect()
}

pub fn rings(polygon: &Polygon<f64>) -> impl Iterator<Item = &LineString<f64>> {
    std::iter::once(polygon.exterior()).chain(polygon.interiors())
}

/// Polygons of rings: clockwise rings are courtyards of the smallest polygon around them.
fn nested(rings: Vec<LineString<f64>>) -> Vec<Polygon<f64>> {
    let rings = rings.into_iter().map(|ring| Polygon::new(ring, Vec::new()));
    let (mut polygons, courtyards): (Vec<_>, Vec<_>) = rings.partition(|ring| ring.signed_area() > 0.0);
    for courtyard in courtyards {
        let inside = |polygon: &&mut Polygon<f64>| courtyard.exterior().coords().next().is_some_and(|corner| polygon.contains(corner));
        let around = polygons.iter_mut().filter(inside).min_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area()));
        if let Some(building) = around {
            building.interiors_push(courtyard.exterior().clone());
        }
    }
    polygons
}

/// The ring without repeated points and without points on a straight wall; empty where nothing is left.
pub fn tidy(ring: &LineString<f64>) -> LineString<f64> {
    let mut points: Vec<Coord<f64>> = ring.0[..ring.0.len().saturating_sub(1)].to_vec();
    loop {
        let count = points.len();
        let redundant = |i: usize| {
            let (before, here, after) = (points[(i + count - 1) % count], points[i], points[(i + 1) % count]);
            let (along, reach) = (after - before, here - before);
            let (length, reached) = (along.magnitude_squared().sqrt(), reach.magnitude_squared().sqrt());
            reached < SAME_POINT_M || length < SAME_POINT_M || {
                let beside = along.wedge_product(reach).abs() < SAME_POINT_M * length;
                beside && along.dot_product(reach) > 0.0 && along.dot_product(after - here) > 0.0
            }
        };
        match (0..count).find(|&i| redundant(i)) {
            Some(i) if count > 3 => points.remove(i),
            Some(_) => return LineString::new(Vec::new()),
            None => break,
        };
    }
    if points.len() < 3 {
        return LineString::new(Vec::new());
    }
    points.extend(points.first().copied());
    LineString::new(points)
}
