//! What every reader fills: outlines in degrees, each with the feature it came from, and the report.
//!
//! A reader hands over rings and tags; here the rule of what a building is and the checks that every format needs are applied, so
//! that the same data give the same outlines in every format. Nothing is validated yet: most outlines of a large file never reach the map.

use super::report::{FeatureRef, FindingKind, ImportReport};
use crate::scene::WallMaterial;
use crate::scene::building_rule::{Verdict, judge};
use crate::scene::tags::{TaggedHeights, Tags};
use geo::{BoundingRect, Coord, LineString, Polygon, Rect};

/// Beyond these latitudes a local frame in degrees makes no sense.
pub(super) const MAX_LATITUDE: f64 = 89.0;
/// Longitudes beyond 180 degrees occur where data run across the antimeridian; beyond a full turn they are no longitudes.
const MAX_LONGITUDE: f64 = 360.0;
/// The widest buildings of the world measure about a kilometre and a half. An outline this wide, in degrees of latitude (about 10 km), is
/// something else, or has a corner far away.
const MAX_EXTENT_DEG: f64 = 0.09;

/// An outline in degrees that the rule takes for a building.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub polygon: Polygon<f64>,
    pub heights: TaggedHeights,
    /// The tag's word where it is no known material.
    pub material: Option<Result<WallMaterial, String>>,
    /// A `building:part`, which lies within a building's outline.
    pub is_part: bool,
    pub feature: FeatureRef,
}

/// Everything a reader found.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Every outline is taken, whatever its tags: the file is not of buildings.
    pub ignores_tags: bool,
    pub found: Vec<Found>,
    /// What the file says of its coordinates, where that is not longitude and latitude.
    pub reference_system: Option<String>,
    pub report: ImportReport,
}

/// A feature that is a building: its rings go to [`Reading::polygon`].
#[derive(Clone)]
pub(super) struct BuildingFeature {
    feature: FeatureRef,
    heights: TaggedHeights,
    material: Option<Result<WallMaterial, String>>,
    is_part: bool,
}

/// Why a ring is none.
#[derive(Debug)]
pub(super) struct RingError {
    pub kind: FindingKind,
    pub detail: String,
}

impl Reading {
    /// Applies the rule to a feature; what is no building is noted. `untagged_counts` where plain outlines are buildings.
    pub fn admit(&mut self, feature: &FeatureRef, tags: &Tags, untagged_counts: bool) -> Option<BuildingFeature> {
        let verdict = if self.ignores_tags { Verdict::Untagged } else { judge(tags) };
        let (kind, detail) = match verdict {
            Verdict::Building | Verdict::Part => (None, ""),
            Verdict::Untagged if untagged_counts => (None, ""),
            Verdict::Untagged => return None,
            Verdict::Underground => (Some(FindingKind::Underground), ""),
            Verdict::Open => (Some(FindingKind::Open), ""),
            Verdict::NotStanding => (Some(FindingKind::NotStanding), ""),
            Verdict::Other(key) => (Some(FindingKind::NotABuilding), key),
        };
        if let Some(kind) = kind {
            self.report.note(kind, feature, detail);
            return None;
        }
        self.report.elevations |= tags.get("ele").is_some();
        let is_part = verdict == Verdict::Part;
        let material = tags.get("building:material").map(|word| WallMaterial::from_tag(word).ok_or_else(|| word.to_owned()));
        Some(BuildingFeature { feature: feature.clone(), heights: tags.heights(), material, is_part })
    }

    /// Takes a building's polygon: the outer ring, then the holes. Empty rings are nothing; a hole that is none is noted.
    pub fn polygon(&mut self, building: &BuildingFeature, rings: Vec<Result<LineString<f64>, RingError>>) {
        let feature = &building.feature;
        let mut rings = rings.into_iter();
        let mut exterior = match rings.next() {
            Some(Ok(exterior)) => exterior,
            Some(Err(RingError { kind, detail })) => return self.report.note(kind, feature, detail),
            None => return,
        };
        let mut holes = Vec::new();
        for (index, hole) in rings.enumerate() {
            match hole {
                Ok(hole) => holes.push(hole),
                Err(RingError { kind: FindingKind::EmptyGeometry, .. }) => {}
                Err(RingError { detail, .. }) => {
                    self.report.note(FindingKind::HoleLeftOut, feature, format!("hole {}: {detail}", index + 1))
                }
            }
        }
        let origin = exterior.0.first().map_or(0.0, |corner| corner.x);
        unwrap(&mut exterior, origin);
        holes.iter_mut().for_each(|hole| unwrap(hole, origin));
        let Some(rect) = exterior.bounding_rect() else { return };
        if let Some(detail) = too_wide(rect) {
            return self.report.note(FindingKind::TooLarge, feature, detail);
        }
        // A polygon's bounding box is its exterior's alone; a hole may have a corner far away too.
        holes.retain(|hole| {
            let with_hole = hole.bounding_rect().map(|hole| union(rect, hole));
            let detail = with_hole.and_then(too_wide);
            if let Some(detail) = &detail {
                self.report.note(FindingKind::HoleLeftOut, feature, format!("with the hole {detail}, wider than any building"));
            }
            detail.is_none()
        });
        let polygon = Polygon::new(exterior, holes);
        let BuildingFeature { feature, heights, material, is_part } = building.clone();
        self.found.push(Found { polygon, heights, material, is_part, feature });
    }
}

/// What a box spans, where that is more than a building does.
fn too_wide(rect: Rect<f64>) -> Option<String> {
    let shrink = rect.center().y.to_radians().cos();
    let (min, max) = (rect.min(), rect.max());
    let wide = rect.height() > MAX_EXTENT_DEG || rect.width() * shrink > MAX_EXTENT_DEG;
    wide.then(|| format!("it spans {:.4}, {:.4} to {:.4}, {:.4}", min.x, min.y, max.x, max.y))
}

/// The smallest box that holds both.
pub(super) fn union(a: Rect<f64>, b: Rect<f64>) -> Rect<f64> {
    Rect::new(
        Coord { x: a.min().x.min(b.min().x), y: a.min().y.min(b.min().y) },
        Coord { x: a.max().x.max(b.max().x), y: a.max().y.max(b.max().y) },
    )
}

/// Makes a ring that runs across the antimeridian one piece, beside the longitude `origin`.
fn unwrap(ring: &mut LineString<f64>, origin: f64) {
    for corner in &mut ring.0 {
        if (corner.x - origin).abs() > 180.0 {
            corner.x += 360.0_f64.copysign(origin - corner.x);
        }
    }
}

/// Checks a ring's corners; `corner` of the error counts from 0.
pub(super) fn ring(corners: Vec<Coord<f64>>) -> Result<LineString<f64>, RingError> {
    if corners.is_empty() {
        return Err(RingError { kind: FindingKind::EmptyGeometry, detail: String::new() });
    }
    let on_globe = |c: &Coord<f64>| c.x.abs() <= MAX_LONGITUDE && c.y.abs() <= MAX_LATITUDE;
    if let Some((index, Coord { x, y })) = corners.iter().enumerate().find(|(_, corner)| !on_globe(corner)) {
        let detail = format!("point {index} ({x}, {y}) is not a longitude and latitude in degrees");
        return Err(RingError { kind: FindingKind::BadCoordinates, detail });
    }
    let mut distinct = 0;
    let mut last = corners.last().copied();
    for corner in &corners {
        distinct += usize::from(Some(*corner) != last);
        last = Some(*corner);
    }
    if distinct < 3 {
        let detail = format!("an outline needs at least 3 different points, found {}", distinct.max(1));
        return Err(RingError { kind: FindingKind::NoArea, detail });
    }
    Ok(LineString::new(corners))
}
