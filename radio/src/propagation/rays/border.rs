//! The walls that rays meet: the scene's, and four that swallow what leaves the map.

use crate::geometry::walls::NONE;
use crate::geometry::{Corner, Wall, Walls};
use geo::{Coord, Rect, Vector2DOps};

/// A corner that turns by less (radians) does not diffract: the reflections of its two faces almost meet.
const SMALLEST_TURN: f64 = 0.05;
/// Distance from the map and the buildings to the border, metres.
const MARGIN_M: f64 = 1.0;

/// Walls for rays. Indices of corners and walls are those of the scene's [`Walls`].
pub struct RayWalls<'a> {
    /// The scene's walls, then the border's. Walls meet at their ends only.
    pub walls: Vec<Wall>,
    /// Walls before this index reflect, walls from here on swallow.
    pub border: usize,
    pub corners: &'a [Corner],
}

impl<'a> RayWalls<'a> {
    /// `extent_m` is the map's side.
    pub fn new(scene: &'a Walls, extent_m: f64) -> Self {
        let corners = scene.corners.as_slice();
        let diffracting = |corner: u32| corners.get(corner as usize).is_some_and(|corner| corner.turn >= SMALLEST_TURN);
        let kept = |corner: u32| if diffracting(corner) { corner } else { NONE };
        let mut walls: Vec<Wall> = scene.walls.iter().map(|wall| Wall { corners: wall.corners.map(kept), ..*wall }).collect();
        let border = walls.len();
        let (mut low, mut high) = (Coord::<f64>::default(), Coord { x: extent_m, y: extent_m });
        for point in walls.iter().flat_map(|wall| wall.ends) {
            low = Coord { x: low.x.min(point.x), y: low.y.min(point.y) };
            high = Coord { x: high.x.max(point.x), y: high.y.max(point.y) };
        }
        let margin = Coord { x: MARGIN_M, y: MARGIN_M };
        let center = (low + high) / 2.0;
        for side in Rect::new(low - margin, high + margin).to_polygon().exterior().lines() {
            let (along, to_center) = (side.delta() / side.delta().magnitude_squared().sqrt(), center - side.start);
            // The border is seen from within.
            let normal = if to_center.dot_product(along.left()) > 0.0 { along.left() } else { along.right() };
            walls.push(Wall { ends: [side.start, side.end], normal, corners: [NONE; 2] });
        }
        Self { walls, border, corners }
    }

    pub fn reflects(&self, wall: u32) -> bool {
        (wall as usize) < self.border
    }
}
