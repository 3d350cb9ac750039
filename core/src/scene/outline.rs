//! The outlines of what is built, read off the building mask: the walls that paths bend round and reflect on.
//!
//! The mask decides what is a building, so overlapping, touching, nested and broken footprints give one clean outline, and a scene
//! that came as a raster has outlines too. Where there are footprints, an outline's corners move to the footprint's own, which are
//! exact where the mask is good to a pixel. In flow the mask and the footprints; out flow closed rings.

use super::{Building, BuildingMask, Grid};
use geo::{Coord, LineString, Simplify};

/// How far, in pixels, an outline may leave the staircase of a slanted wall.
const TOLERANCE_PIXELS: f64 = 0.6;
/// A footprint's corner is an outline's when it is no farther than this, in pixels.
const SNAP_PIXELS: f64 = 1.2;

/// Directions of travel along the pixels' sides: east, north, west, south.
const STEPS: [(i64, i64); 4] = [(0, 1), (-1, 0), (0, -1), (1, 0)];

/// Closed rings in metres, buildings on their left: outer ones counter-clockwise, courtyards clockwise. Buildings that touch at a
/// pixel's corner are one.
pub fn outlines(mask: &BuildingMask, grid: Grid, buildings: &[Building]) -> Vec<LineString<f64>> {
    let corners: Vec<Coord<f64>> = buildings
        .iter()
        .flat_map(|b| std::iter::once(b.footprint.exterior()).chain(b.footprint.interiors()))
        .flat_map(|ring| ring.coords().copied())
        .collect();
    let snap = Snap::new(&corners, SNAP_PIXELS * grid.meters_per_pixel);
    trace(mask)
        .into_iter()
        .filter_map(|ring| {
            let ring = simplified(&ring);
            let meters = |&(row, column): &(i64, i64)| Coord {
                x: column as f64 * grid.meters_per_pixel,
                y: (grid.size as i64 - row) as f64 * grid.meters_per_pixel,
            };
            let mut points: Vec<Coord<f64>> = ring.iter().map(meters).map(|point| snap.nearest(point)).collect();
            points.dedup();
            while points.len() > 1 && points.first() == points.last() {
                points.pop();
            }
            if points.len() < 3 {
                return None;
            }
            points.push(points[0]);
            Some(LineString::new(points))
        })
        .collect()
}

/// Follows the sides between building and open pixels; (row, column) of the pixel corners at which the way turns.
fn trace(mask: &BuildingMask) -> Vec<Vec<(i64, i64)>> {
    let size = mask.size as i64;
    let building = |r: i64, c: i64| (0..size).contains(&r) && (0..size).contains(&c) && mask.is_building(r as usize, c as usize);
    let side = size + 1;
    // Per pixel corner, a bit for each direction in which an untravelled side leaves.
    let mut leaving = vec![0u8; (side * side) as usize];
    for r in 0..size {
        for c in 0..size {
            if building(r, c) {
                for (direction, open, (dr, dc)) in
                    [(0, !building(r + 1, c), (1, 0)), (1, !building(r, c + 1), (1, 1)), (2, !building(r - 1, c), (0, 1)), (3, !building(r, c - 1), (0, 0))]
                {
                    leaving[((r + dr) * side + c + dc) as usize] |= u8::from(open) << direction;
                }
            }
        }
    }
    let mut rings = Vec::new();
    for start in 0..leaving.len() {
        // Every ring has a side that runs east.
        while leaving[start] & 1 != 0 {
            let (mut at, mut direction) = ((start as i64 / side, start as i64 % side), 0);
            let mut ring = Vec::new();
            loop {
                let bits = &mut leaving[(at.0 * side + at.1) as usize];
                // Right first: where two buildings touch at a corner, the way goes over to the other.
                let turns = if ring.is_empty() { [0, 0, 0] } else { [3, 0, 1] };
                let Some(next) = turns.map(|turn| (direction + turn) % 4).into_iter().find(|next| *bits >> next & 1 != 0) else { break };
                *bits &= !(1 << next);
                if ring.is_empty() || next != direction {
                    ring.push(at);
                }
                direction = next;
                at = (at.0 + STEPS[next].0, at.1 + STEPS[next].1);
            }
            rings.push(ring);
        }
    }
    rings
}

/// The ring without the steps of slanted walls (Douglas and Peucker, 1973), begun at the corner farthest from its middle.
fn simplified(ring: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let count = ring.len() as f64;
    let middle = ring.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.0 as f64 / count, sum.1 + p.1 as f64 / count));
    let distance = |p: &(i64, i64)| (p.0 as f64 - middle.0).hypot(p.1 as f64 - middle.1);
    let first = (0..ring.len()).max_by(|&a, &b| distance(&ring[a]).total_cmp(&distance(&ring[b]))).unwrap_or(0);
    let closed = ring[first..].iter().chain(&ring[..=first]).map(|&(r, c)| Coord { x: r as f64, y: c as f64 });
    let mut kept: Vec<_> = LineString::from_iter(closed).simplify(TOLERANCE_PIXELS).coords().map(|p| (p.x as i64, p.y as i64)).collect();
    kept.pop();
    kept
}

/// Footprint corners by the square metres they lie in.
struct Snap {
    reach_m: f64,
    cells: std::collections::HashMap<(i64, i64), Vec<Coord<f64>>>,
}

impl Snap {
    fn new(corners: &[Coord<f64>], reach_m: f64) -> Self {
        let mut cells: std::collections::HashMap<_, Vec<_>> = std::collections::HashMap::new();
        for &corner in corners {
            cells.entry(Self::cell(corner, reach_m)).or_default().push(corner);
        }
        Self { reach_m, cells }
    }

    fn cell(point: Coord<f64>, reach_m: f64) -> (i64, i64) {
        ((point.x / reach_m).floor() as i64, (point.y / reach_m).floor() as i64)
    }

    /// The nearest corner within reach, or the point itself.
    fn nearest(&self, point: Coord<f64>) -> Coord<f64> {
        let (column, row) = Self::cell(point, self.reach_m);
        let around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (column + dx, row + dy)));
        let distance = |corner: &Coord<f64>| (corner.x - point.x).hypot(corner.y - point.y);
        let near = around.filter_map(|cell| self.cells.get(&cell)).flatten().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        near.filter(|corner| distance(corner) <= self.reach_m).copied().unwrap_or(point)
    }
}
