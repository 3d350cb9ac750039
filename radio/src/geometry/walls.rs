//! Walls and corners: the model of what is built that every propagation model uses.
//!
//! In flow closed rings in metres, from [`super::outline`] or [`super::footprints`]; out flow straight walls with the building on
//! their left and the convex corners between them. The ray tracer uses them as they are. The dominant path moves them by a hair
//! ([`super::inset`]).

use geo::{Coord, LineString, Vector2DOps};
use std::f64::consts::PI;

/// Stands for "no corner".
pub const NONE: u32 = u32::MAX;
/// The least turn of a wall that makes a corner, in radians.
const LEAST_TURN: f64 = 0.02;
/// Directions of shorter walls, metres, are not defined.
const SHORTEST_M: f64 = 1e-12;

/// A straight wall.
#[derive(Clone, Copy, Debug)]
pub struct Wall {
    /// Metres; the building is on the left of the way from the first to the second.
    pub ends: [Coord<f64>; 2],
    /// Unit vector out of the building.
    pub normal: Coord<f64>,
    /// The convex corners at its ends, indices of [`Walls::corners`] or [`NONE`].
    pub corners: [u32; 2],
}

/// A convex corner of a building.
#[derive(Clone, Copy, Debug)]
pub struct Corner {
    /// Metres.
    pub position: Coord<f64>,
    /// Unit vector along face 0, the wall that begins at the corner. The outside is clockwise from there.
    pub face: Coord<f64>,
    /// The wall's change of direction at the corner, radians in (0, PI].
    pub turn: f64,
    /// Face 0, the wall that begins at the corner, and face n, the wall that ends there: indices of [`Walls::walls`].
    pub walls: [u32; 2],
}

impl Corner {
    /// Exterior angle over pi, in (1, 2].
    pub fn n(&self) -> f64 {
        1.0 + self.turn / PI
    }
}

/// The walls of a scene.
#[derive(Clone, Debug, Default)]
pub struct Walls {
    /// In the order of the rings.
    pub walls: Vec<Wall>,
    pub corners: Vec<Corner>,
    /// For every wall, the wall before it and the wall after it in its ring.
    pub neighbours: Vec<[u32; 2]>,
}

impl Walls {
    /// From closed rings (first point = last point) in metres with the building on their left.
    pub fn new(rings: &[LineString<f64>]) -> Self {
        let mut walls = Self::default();
        walls.add(rings);
        walls
    }

    /// Adds closed rings as [`Walls::new`] takes them.
    pub fn add(&mut self, rings: &[LineString<f64>]) {
        for ring in rings {
            self.add_ring(&ring.0[..ring.0.len().saturating_sub(1)]);
        }
    }

    fn add_ring(&mut self, points: &[Coord<f64>]) {
        let (count, first) = (points.len(), self.walls.len());
        let directions: Vec<Coord<f64>> = (0..count).map(|i| direction(points[i], points[(i + 1) % count])).collect();
        for (i, &from) in points.iter().enumerate() {
            let normal = directions[i].right();
            self.walls.push(Wall { ends: [from, points[(i + 1) % count]], normal, corners: [NONE; 2] });
            self.neighbours.push([(i + count - 1) % count, (i + 1) % count].map(|wall| (first + wall) as u32));
        }
        for (i, &position) in points.iter().enumerate() {
            let before = (i + count - 1) % count;
            let (incoming, outgoing) = (directions[before], directions[i]);
            let turn = libm::atan2(incoming.wedge_product(outgoing), incoming.dot_product(outgoing));
            if turn > LEAST_TURN {
                let corner = self.corners.len() as u32;
                self.walls[first + before].corners[1] = corner;
                self.walls[first + i].corners[0] = corner;
                self.corners.push(Corner { position, face: outgoing, turn, walls: [first + i, first + before].map(|wall| wall as u32) });
            }
        }
    }
}

/// Unit vector from one point to another.
fn direction(from: Coord<f64>, to: Coord<f64>) -> Coord<f64> {
    let step = to - from;
    step / step.magnitude_squared().sqrt().max(SHORTEST_M)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_l_has_six_walls_and_five_convex_corners() {
        let ring: LineString<f64> = vec![(0.0, 0.0), (4.0, 0.0), (4.0, 2.0), (2.0, 2.0), (2.0, 6.0), (0.0, 6.0), (0.0, 0.0)].into();
        let Walls { walls, corners, neighbours } = Walls::new(&[ring]);
        assert_eq!((walls.len(), corners.len(), neighbours.len()), (6, 5, 6));
        assert!(corners.iter().all(|corner| corner.position != Coord { x: 2.0, y: 2.0 } && (corner.n() - 1.5).abs() < 1e-12));
        // Face 0 of the corner (4, 0) leads north; its wall looks east.
        let corner = corners.iter().find(|corner| corner.position == Coord { x: 4.0, y: 0.0 }).expect("it is convex");
        let wall = walls[corner.walls[0] as usize];
        assert_eq!((corner.face, wall.normal), (Coord { x: 0.0, y: 1.0 }, Coord { x: 1.0, y: 0.0 }));
        assert_eq!((walls[2].corners[1], walls[3].corners[0]), (NONE, NONE));
        assert_eq!(neighbours[0], [5, 1]);
    }
}
