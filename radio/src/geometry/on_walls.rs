//! Pixels whose centre lies on a wall, and what they see through their own building.
//!
//! Footprints in whole pixels, such as RadioMapSeer's, have walls through pixels' centres. WinProp's sight ends at a wall that is crossed
//! between two points, not at one on which a point lies. So a corner sees the pixels on the far walls of its building, as if it were not
//! there, and streets behind a building are lit from them (docs/measurements/dominant-path.md). In flow walls and the pixels above which
//! they stand; out flows which pixels on walls see each other.

use super::inset::{center, center_at};
use super::pixel_set::PixelSet;
use super::walls::Walls;
use crate::arithmetic;
use crate::scene::{BuildingMask, Grid, ON_WALL, pixels_on_walls};
use geo::{Coord, Vector2DOps};

/// A point so near to a pixel's centre is there, in pixels: a turning point stands a hair outside its corner.
const AT_CENTER: f64 = 0.03;
/// The least share of a scene's corners that are at pixels' centres where its footprints are in whole pixels.
const WHOLE: f64 = 0.5;

/// The outdoor pixels on walls; none where footprints are not in whole pixels.
pub struct OnWalls {
    size: usize,
    pixels: PixelSet,
    /// Ends of all walls, in pixels.
    walls: Vec<[Coord<f64>; 2]>,
}

impl OnWalls {
    /// Of walls in metres round the built pixels of `mask`.
    pub fn new(walls: &Walls, mask: &BuildingMask, grid: Grid) -> Self {
        let ends = || walls.walls.iter().map(|wall| wall.ends);
        let scaled: Vec<[Coord<f64>; 2]> = ends().map(|ends| ends.map(|end| end / grid.meters_per_pixel)).collect();
        let is_whole = |ends: &&[Coord<f64>; 2]| [ends[0].x, ends[0].y].iter().all(|at| (at - 0.5 - (at - 0.5).round()).abs() <= ON_WALL);
        let whole = scaled.iter().filter(is_whole).count();
        let outdoors = |&pixel: &usize| mask.pixels[pixel] == 0;
        let on_walls = if whole as f64 >= WHOLE * scaled.len() as f64 { pixels_on_walls(grid, ends()) } else { Vec::new() };
        Self { size: mask.size, pixels: PixelSet::of(mask.pixels.len(), on_walls.into_iter().filter(outdoors)), walls: scaled }
    }

    /// Whether a point at the centre of a pixel on a wall, in pixels, sees another pixel on a wall.
    pub fn see_each_other(&self, from: Coord<f64>, pixel: usize) -> bool {
        self.pixels.contains(pixel)
            && self
                .pixel_at(from)
                .is_some_and(|start| self.pixels.contains(start) && self.clear(center(start, self.size), center(pixel, self.size)))
    }

    /// The pixel at whose centre a point stands.
    fn pixel_at(&self, point: Coord<f64>) -> Option<usize> {
        let (column, row) = (point.x.floor(), self.size as f64 - 1.0 - point.y.floor());
        let on_map = |at: f64| (0.0..self.size as f64).contains(&at);
        let pixel = (on_map(column) && on_map(row)).then_some((row as usize, column as usize))?;
        let off = center_at(pixel, self.size) - point;
        (off.x.abs() <= AT_CENTER && off.y.abs() <= AT_CENTER).then_some(pixel.0 * self.size + pixel.1)
    }

    /// Whether no wall is crossed between two points but those that a point is on.
    fn clear(&self, a: Coord<f64>, b: Coord<f64>) -> bool {
        let way = b - a;
        let between = |at: f64| (0.0..=1.0).contains(&at);
        let crosses = |wall: &&[Coord<f64>; 2]| {
            let (along, start) = (wall[1] - wall[0], wall[0] - a);
            let cross = way.wedge_product(along);
            cross != 0.0 && between(start.wedge_product(along) / cross) && between(start.wedge_product(way) / cross)
        };
        self.walls.iter().filter(crosses).all(|wall| is_on(wall, a) || is_on(wall, b))
    }
}

/// Whether a point lies on a wall.
fn is_on(wall: &[Coord<f64>; 2], point: Coord<f64>) -> bool {
    let (along, step) = (wall[1] - wall[0], point - wall[0]);
    let share = (step.dot_product(along) / along.magnitude_squared()).clamp(0.0, 1.0);
    let off = step - along * share;
    arithmetic::length(off.x, off.y) <= ON_WALL
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::PreparedScene;
    use crate::geometry::test_scenes::building;
    use crate::scene::Scene;

    const GRID: Grid = Grid { size: 64, meters_per_pixel: 1.0 };

    /// Whether the corner (20.5, 40.5) of a box 20 m wide and 15 m deep sees a pixel (row, column), when the box is moved east.
    fn corner_sees(moved: f64, others: &[[f64; 4]], pixel: (usize, usize)) -> bool {
        let boxed = |&[west, south, east, north]: &[f64; 4]| building(&[(west, south), (east, south), (east, north), (west, north)], None);
        // A hair to the south-west, as readers have it, so that pixels on the northern and eastern walls are outdoors.
        let hair = |at: f64| at - 1e-3;
        let house = [20.5 + moved, 25.5, 40.5 + moved, 40.5].map(hair);
        let buildings: Vec<_> = others.iter().chain([&house]).map(boxed).collect();
        let prepared = PreparedScene::new(&Scene::from_polygons(GRID, buildings));
        prepared.turning_points(0.0).on_walls.see_each_other(Coord { x: 20.49, y: 40.51 }, pixel.0 * 64 + pixel.1)
    }

    #[test]
    fn a_corner_sees_the_far_wall_through_its_own_building_and_nothing_behind_it() {
        assert!(corner_sees(0.0, &[], (30, 40)), "on the eastern wall");
        assert!(!corner_sees(0.0, &[], (30, 41)), "behind it");
        assert!(!corner_sees(0.0, &[[50.499, 20.499, 55.499, 45.499]], (30, 55)), "on another building's far wall");
    }

    #[test]
    fn walls_that_are_not_in_whole_pixels_hide_what_is_behind_them() {
        assert!(!corner_sees(0.3, &[], (30, 40)) && !corner_sees(0.3, &[], (30, 41)));
    }
}
