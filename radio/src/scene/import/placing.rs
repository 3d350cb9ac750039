//! Where the map stands, and which buildings are on it.
//!
//! Bounds that the caller gives decide. Without them, buildings are grouped: two belong together where they stand in the same or in
//! neighbouring squares of half a map's side. The map is centred on the bounding box of the largest group, so that one stray outline does
//! not lead it astray; for a single group that is the bounding box of everything. In flow outlines in degrees; out flow the centre, the
//! outlines that reach the map, and notes on what lies outside and where.

use super::error::SceneError;
use super::reading::{Found, MAX_LATITUDE, union};
use super::report::{BuildingCluster, FindingKind, ImportReport};
use crate::scene::frame::normal_longitude;
use crate::scene::{GeoBounds, Grid, LocalFrame};
use geo::{BoundingRect, Coord, MapCoordsInPlace, Rect};
use std::collections::HashMap;

/// Side of the squares by which buildings are grouped, as a share of the map's side.
const GROUPING_SHARE: f64 = 0.5;
/// The map moves to the densest square where its own square has less than this share of the buildings there.
const EMPTY_SHARE: f64 = 0.1;
/// The map is told to reach beyond the file where its buildings' box, grown by a street, has less than this share of the map's area.
const MAPPED_SHARE: f64 = 0.5;
const STREET_M: f64 = 50.0;
/// Fewer buildings than these say nothing of where a file ends: they may be all there are.
const FEWEST_OF_A_TOWN: usize = 10;
/// So many groups are described in words, and so many listed in the report.
const DESCRIBED: usize = 3;
const LISTED: usize = 20;

/// An outline with its bounding box in degrees.
struct Boxed {
    found: Found,
    rect: Rect<f64>,
}

/// Centres the map and keeps the outlines that reach it, in degrees beside the centre.
pub(super) fn place(
    found: Vec<Found>,
    grid: Grid,
    bounds: Option<GeoBounds>,
    report: &mut ImportReport,
) -> Result<(LocalFrame, Vec<Found>), SceneError> {
    let boxed = found.into_iter().filter_map(|found| found.polygon.bounding_rect().map(|rect| Boxed { found, rect }));
    let mut boxed: Vec<Boxed> = boxed.collect();
    let center = match bounds {
        Some(bounds) => center_of(bounds)?,
        None => match choose(&mut boxed, grid, report) {
            Some(center) => center,
            None => return Err(SceneError::NoBuilding { report: Box::new(report.clone()) }),
        },
    };
    let center = Coord { x: normal_longitude(center.x), ..center };
    boxed.iter_mut().for_each(|building| turn_beside(building, center.x));
    let frame = LocalFrame::centered(center, grid);
    let map = frame.bounds();
    let Some(extent) = boxed.iter().map(|building| building.rect).reduce(union) else {
        return Err(SceneError::NoBuilding { report: Box::new(report.clone()) });
    };
    let (inside, outside): (Vec<Boxed>, Vec<Boxed>) = boxed.into_iter().partition(|building| reaches(building.rect, map));
    if inside.is_empty() {
        let GeoBounds { west, south, east, north } = map;
        let (min, max) = (extent.min(), extent.max());
        let exchanged = GeoBounds { west: south, south: west, east: north, north: east };
        let advice = if reaches(extent, exchanged) {
            "longitude and latitude have been exchanged, in the bounds or in the buildings"
        } else {
            "choose bounds that hold them"
        };
        return Err(SceneError::OutsideBounds {
            buildings: format!("{:.5}, {:.5}, {:.5}, {:.5}", min.x, min.y, max.x, max.y),
            map: format!("{west:.5}, {south:.5}, {east:.5}, {north:.5}"),
            advice,
        });
    }
    note_outside(&outside, inside.len() + outside.len(), report);
    note_open_ground(&inside, &frame, grid, report);
    Ok((frame, inside.into_iter().map(|building| building.found).collect()))
}

fn reaches(rect: Rect<f64>, map: GeoBounds) -> bool {
    rect.min().x < map.east && rect.max().x > map.west && rect.min().y < map.north && rect.max().y > map.south
}

/// The middle of bounds; west may be east of east where they run across the antimeridian, as RFC 7946 has it.
fn center_of(GeoBounds { west, south, east, north }: GeoBounds) -> Result<Coord<f64>, SceneError> {
    let valid = [west, east].iter().all(|v| v.abs() <= 180.0) && [south, north].iter().all(|v| v.abs() <= MAX_LATITUDE);
    let width = if west < east { east - west } else { east + 360.0 - west };
    if valid && south < north && (west < east || (west > east && width < 180.0)) {
        let x = if west < east { (west + east) / 2.0 } else { west + width / 2.0 };
        Ok(Coord { x, y: (south + north) / 2.0 })
    } else {
        Err(SceneError::Bounds { west, south, east, north })
    }
}

/// Shifts a building by full turns so that it lies beside a longitude.
fn turn_beside(building: &mut Boxed, longitude: f64) {
    let turns = ((building.rect.center().x - longitude) / 360.0).round();
    if turns != 0.0 {
        let back = |c: Coord<f64>| Coord { x: c.x - turns * 360.0, ..c };
        building.found.polygon.map_coords_in_place(back);
        building.rect = Rect::new(back(building.rect.min()), back(building.rect.max()));
    }
}

/// The centre of the map, from the buildings alone; `None` without buildings.
fn choose(boxed: &mut [Boxed], grid: Grid, report: &mut ImportReport) -> Option<Coord<f64>> {
    let median = |axis: fn(Coord<f64>) -> f64| {
        let mut values: Vec<f64> = boxed.iter().map(|building| axis(building.rect.center())).collect();
        let middle = values.len() / 2;
        (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f64::total_cmp).1)
    };
    let middle = Coord { x: median(|c| c.x)?, y: median(|c| c.y)? };
    boxed.iter_mut().for_each(|building| turn_beside(building, middle.x));
    // Far from the middle this frame distorts, but whoever is there is far away in any frame.
    let frame = LocalFrame::about(middle);
    let clusters = clusters(boxed, &frame, GROUPING_SHARE * grid.extent_m());
    let extent = |members: &[usize]| members.iter().map(|&i| boxed[i].rect).reduce(union);
    let mut center = extent(clusters.first()?)?.center();
    let dense = densest(boxed, clusters.first()?, &frame, grid.extent_m());
    let map = LocalFrame::centered(center, grid).bounds();
    let on_map = boxed.iter().filter(|building| reaches(building.rect, map)).count();
    if (on_map as f64) < EMPTY_SHARE * dense.len() as f64 {
        center = extent(&dense)?.center();
        let sentence =
            format!("the middle of the buildings has {on_map} of them on a map; the map stands where {} are near each other", dense.len());
        report.note_file(FindingKind::Placed, sentence);
    }
    if clusters.len() > 1 {
        let described = clusters.iter().take(LISTED).filter_map(|members| {
            let Coord { x: lng, y: lat } = extent(members)?.center();
            Some(BuildingCluster { buildings: members.len(), lng: normal_longitude(lng), lat })
        });
        report.clusters = described.collect();
        let around = LocalFrame::about(center);
        let others: Vec<String> = report.clusters.iter().skip(1).take(DESCRIBED).map(|cluster| describe(cluster, &around)).collect();
        let more = clusters.len() - 1 - others.len();
        let more = if more > 0 { format!(" and {more} more groups") } else { String::new() };
        let sentence = format!(
            "the buildings stand in {} groups; the map is centred on the largest ({} of {}) and leaves out {}{more}; give bounds to choose another place",
            clusters.len(),
            clusters[0].len(),
            boxed.len(),
            others.join(", "),
        );
        report.note_file(FindingKind::Placed, sentence);
    }
    Some(center)
}

/// Where a group lies, seen from the map: `24 buildings 2.1 km east (10.03000, 50.00000)`.
fn describe(cluster: &BuildingCluster, around: &LocalFrame) -> String {
    const DIRECTIONS: [&str; 8] = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];
    let Coord { x, y } = around.to_meters(Coord { x: cluster.lng, y: cluster.lat });
    let eighth = (x.atan2(y).to_degrees() / 45.0).round().rem_euclid(8.0) as usize;
    let noun = if cluster.buildings == 1 { "building" } else { "buildings" };
    let direction = DIRECTIONS[eighth % DIRECTIONS.len()];
    format!("{} {noun} {:.1} km {direction} ({:.5}, {:.5})", cluster.buildings, x.hypot(y) / 1000.0, cluster.lng, cluster.lat)
}

/// The square of a raster that a building's middle lies in.
fn square(building: &Boxed, frame: &LocalFrame, side_m: f64) -> (i64, i64) {
    let middle = frame.to_meters(building.rect.center());
    ((middle.x / side_m).floor() as i64, (middle.y / side_m).floor() as i64)
}

/// Groups of buildings in the same or in neighbouring squares, the largest first, equal ones in the order of the file.
fn clusters(boxed: &[Boxed], frame: &LocalFrame, side_m: f64) -> Vec<Vec<usize>> {
    let mut squares: HashMap<(i64, i64), Vec<usize>> = HashMap::new();
    for (index, building) in boxed.iter().enumerate() {
        squares.entry(square(building, frame, side_m)).or_default().push(index);
    }
    let mut clusters = Vec::new();
    for building in boxed {
        let mut open = vec![square(building, frame, side_m)];
        let mut members = Vec::new();
        while let Some((column, row)) = open.pop() {
            if let Some(here) = squares.remove(&(column, row)) {
                members.extend(here);
                open.extend((-1..=1).flat_map(|x| (-1..=1).map(move |y| (column + x, row + y))));
            }
        }
        if !members.is_empty() {
            members.sort_unstable();
            clusters.push(members);
        }
    }
    clusters.sort_by_key(|members| std::cmp::Reverse(members.len()));
    clusters
}

/// The buildings of the square of a map's side that has most, of those given.
fn densest(boxed: &[Boxed], members: &[usize], frame: &LocalFrame, side_m: f64) -> Vec<usize> {
    let mut squares: HashMap<(i64, i64), Vec<usize>> = HashMap::new();
    for &index in members {
        squares.entry(square(&boxed[index], frame, side_m)).or_default().push(index);
    }
    let most = squares.into_values().max_by_key(|inside| (inside.len(), std::cmp::Reverse(inside.first().copied())));
    most.unwrap_or_default()
}

/// Notes that the map reaches far beyond the buildings: where the file ends, ground counts as open.
fn note_open_ground(inside: &[Boxed], frame: &LocalFrame, grid: Grid, report: &mut ImportReport) {
    let Some(rect) = inside.iter().map(|building| building.rect).reduce(union) else { return };
    let (low, high, side_m) = (frame.to_meters(rect.min()), frame.to_meters(rect.max()), grid.extent_m());
    let within = |low: f64, high: f64, more_m: f64| (high + more_m).min(side_m) - (low - more_m).max(0.0);
    let mapped_m2 = within(low.x, high.x, STREET_M) * within(low.y, high.y, STREET_M);
    if inside.len() < FEWEST_OF_A_TOWN || mapped_m2 >= MAPPED_SHARE * side_m * side_m {
        return;
    }
    let sentence = format!(
        "all buildings stand within {:.0} x {:.0} m of a map of {side_m:.0} x {side_m:.0} m; if the file ends there, the ground beyond is not \
         open as drawn, and coverage is overstated: give smaller bounds, or a file of the whole map",
        within(low.x, high.x, 0.0),
        within(low.y, high.y, 0.0),
    );
    report.note_file(FindingKind::OpenGround, sentence);
}

fn note_outside(outside: &[Boxed], total: usize, report: &mut ImportReport) {
    if let [one] = outside {
        return report.note(FindingKind::Outside, &one.found.feature, "");
    }
    if !outside.is_empty() {
        report.note_file(FindingKind::Outside, format!("{} of {total} buildings lie outside the map and are not used", outside.len()));
    }
}
