//! The walls that rays meet: the scene's, and four that swallow what leaves the map.

use crate::geometry::walls::NONE;
use crate::geometry::{Corner, Prisms, Wall, Walls};
use crate::scene::WallMaterial;
use geo::{Coord, Rect, Vector2DOps};

/// A corner that turns by less (radians) does not diffract: the reflections of its two faces almost meet.
const SMALLEST_TURN: f64 = 0.05;
/// Distance from the map and the buildings to the border, metres.
const MARGIN_M: f64 = 1.0;

/// Walls for rays. Indices of corners and walls are those of the scene's [`Walls`].
pub struct RayWalls<'a> {
    /// The scene's walls, then the border's. Walls of equal height meet at their ends only.
    pub walls: Vec<Wall>,
    /// Heights of the walls, metres; infinite for the border's.
    pub tops_m: Vec<f64>,
    /// No two points within the border are farther apart, metres.
    pub diameter_m: f64,
    /// Walls before this index reflect, walls from here on swallow.
    pub border: usize,
    pub corners: &'a [Corner],
    /// Where the walls are prisms.
    prisms: Option<&'a Prisms>,
}

impl<'a> RayWalls<'a> {
    /// Walls without a top. `extent_m` is the map's side.
    pub fn endless(scene: &'a Walls, extent_m: f64) -> Self {
        Self::new(scene, None, extent_m)
    }

    pub fn of_prisms(prisms: &'a Prisms, extent_m: f64) -> Self {
        Self::new(&prisms.walls, Some(prisms), extent_m)
    }

    fn new(scene: &'a Walls, prisms: Option<&'a Prisms>, extent_m: f64) -> Self {
        let corners = scene.corners.as_slice();
        let shows = |corner: u32| prisms.is_none_or(|prisms| prisms.bottoms_m[corner as usize].is_finite());
        let diffracting = |corner: u32| corners.get(corner as usize).is_some_and(|found| found.turn >= SMALLEST_TURN && shows(corner));
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
        let diameter_m = (high - low + margin * 2.0).magnitude_squared().sqrt();
        let mut tops_m = prisms.map_or_else(|| vec![f64::INFINITY; border], |prisms| prisms.tops_m.clone());
        tops_m.resize(walls.len(), f64::INFINITY);
        Self { walls, tops_m, diameter_m, border, corners, prisms }
    }

    pub fn reflects(&self, wall: u32) -> bool {
        (wall as usize) < self.border
    }

    /// What a reflecting wall is made of, where the scene says so.
    pub fn material(&self, wall: u32) -> Option<WallMaterial> {
        self.prisms.and_then(|prisms| prisms.materials[wall as usize])
    }

    /// Heights between which a corner diffracts.
    pub fn corner_heights_m(&self, corner: u32) -> [f64; 2] {
        let bottom_m = self.prisms.map_or(0.0, |prisms| prisms.bottoms_m[corner as usize]);
        [bottom_m, self.tops_m[self.corners[corner as usize].walls[0] as usize]]
    }
}
