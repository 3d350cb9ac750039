//! Walls and corners: polygons united, so that walls meet at their ends only, with the building on one known side.

use geo::orient::Direction;
use geo::{Coord, LineString, Orient, Polygon, Rect, unary_union};
use std::f64::consts::PI;

/// Points nearer to each other, or to the line between their neighbours, are one.
const SAME_POINT_M: f64 = 1e-6;
/// A corner that turns by less (radians) does not diffract: what its two faces reflect almost meets.
const SMALLEST_TURN: f64 = 0.05;
/// How far around the map and the buildings the world ends.
const MARGIN_M: f64 = 1.0;
/// No corner, no wall.
pub const NONE: u32 = u32::MAX;

/// A straight wall, seen from outdoors along minus `normal`.
#[derive(Clone, Copy, Debug)]
pub struct Wall {
    pub ends: [Coord<f64>; 2],
    /// Unit vector out of the building.
    pub normal: Coord<f64>,
    /// The convex corners at its ends, or [`NONE`].
    pub corners: [u32; 2],
    /// False at the end of the world.
    pub reflects: bool,
}

/// A convex corner of a building.
#[derive(Clone, Copy, Debug)]
pub struct Corner {
    pub position: Coord<f64>,
    /// Unit vector along face 0; the outside is clockwise from there.
    pub face: Coord<f64>,
    /// Exterior angle over pi.
    pub n: f64,
    /// The wall that is face 0 and the wall that is face n.
    pub walls: [u32; 2],
}

pub struct Walls {
    pub walls: Vec<Wall>,
    pub corners: Vec<Corner>,
}

pub fn dot(a: Coord<f64>, b: Coord<f64>) -> f64 {
    a.x * b.x + a.y * b.y
}

/// Positive when `b` is counter-clockwise from `a`.
pub fn cross(a: Coord<f64>, b: Coord<f64>) -> f64 {
    a.x * b.y - a.y * b.x
}

pub fn length(a: Coord<f64>) -> f64 {
    dot(a, a).sqrt()
}

impl Walls {
    /// From footprints in metres, whatever they are: overlapping ones are united, what has no area is left out. `extent_m` is
    /// the map's side.
    pub fn new(polygons: &[Polygon<f64>], extent_m: f64) -> Self {
        let usable = |p: &&Polygon<f64>| p.exterior().coords().chain(p.interiors().iter().flat_map(LineString::coords)).all(is_finite);
        let outlines = unary_union(polygons.iter().filter(usable)).orient(Direction::Default);
        let mut found = Self { walls: Vec::new(), corners: Vec::new() };
        for polygon in &outlines {
            for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
                found.add_ring(&tidy(ring));
            }
        }
        found.enclose(extent_m);
        found
    }

    /// Adds a ring with the building on the left.
    fn add_ring(&mut self, ring: &[Coord<f64>]) {
        let (count, first) = (ring.len(), self.walls.len());
        if count < 3 {
            return;
        }
        for (i, &from) in ring.iter().enumerate() {
            let to = ring[(i + 1) % count];
            let along = unit(to - from);
            self.walls.push(Wall { ends: [from, to], normal: Coord { x: along.y, y: -along.x }, corners: [NONE; 2], reflects: true });
        }
        for (i, &position) in ring.iter().enumerate() {
            let (before, after) = ((i + count - 1) % count, i);
            let (incoming, outgoing) = (unit(position - ring[before]), unit(ring[(i + 1) % count] - position));
            let turn = libm::atan2(cross(incoming, outgoing), dot(incoming, outgoing));
            if turn < SMALLEST_TURN {
                continue;
            }
            let corner = self.corners.len() as u32;
            self.walls[first + before].corners[1] = corner;
            self.walls[first + after].corners[0] = corner;
            let walls = [(first + after) as u32, (first + before) as u32];
            self.corners.push(Corner { position, face: outgoing, n: 1.0 + turn / PI, walls });
        }
    }

    /// Four walls around everything that swallow what reaches them.
    fn enclose(&mut self, extent_m: f64) {
        let (mut low, mut high) = (Coord::<f64>::default(), Coord { x: extent_m, y: extent_m });
        for point in self.walls.iter().flat_map(|wall| wall.ends) {
            low = Coord { x: low.x.min(point.x), y: low.y.min(point.y) };
            high = Coord { x: high.x.max(point.x), y: high.y.max(point.y) };
        }
        let margin = Coord { x: MARGIN_M, y: MARGIN_M };
        // Counter-clockwise, so that the outside of the wall is turned to the inside of the world by swapping ends.
        let around = Rect::new(low - margin, high + margin).to_polygon();
        for line in around.exterior().lines() {
            let along = unit(line.end - line.start);
            let inward = Coord { x: -along.y, y: along.x };
            let center = (low + high) / 2.0;
            let normal = if dot(center - line.start, inward) > 0.0 { inward } else { inward * -1.0 };
            self.walls.push(Wall { ends: [line.start, line.end], normal, corners: [NONE; 2], reflects: false });
        }
    }
}

fn is_finite(c: &Coord<f64>) -> bool {
    c.x.is_finite() && c.y.is_finite()
}

fn unit(v: Coord<f64>) -> Coord<f64> {
    v / length(v)
}

/// A ring's points without the closing one, repeated ones and those on a straight wall.
fn tidy(ring: &LineString<f64>) -> Vec<Coord<f64>> {
    let mut points: Vec<Coord<f64>> = ring.coords().copied().collect();
    points.pop();
    loop {
        let count = points.len();
        let redundant = |i: usize| {
            let (before, here, after) = (points[(i + count - 1) % count], points[i], points[(i + 1) % count]);
            let (along, reach) = (after - before, here - before);
            length(reach) < SAME_POINT_M || length(along) < SAME_POINT_M || {
                cross(along, reach).abs() < SAME_POINT_M * length(along) && dot(along, reach) > 0.0 && dot(along, after - here) > 0.0
            }
        };
        match (0..count).find(|&i| redundant(i)) {
            Some(i) if count > 3 => points.remove(i),
            Some(_) => return Vec::new(),
            None => return points,
        };
    }
}
