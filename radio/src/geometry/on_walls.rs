//! Pixels whose centre lies on a wall, and what they see through their own building.
//!
//! Footprints in whole pixels, such as RadioMapSeer's, have walls through pixels' centres. WinProp's sight ends at a wall that is crossed
//! between two points, not at one on which a point lies. So a corner whose pixel is outdoors sees the pixels on the far walls of its
//! building as if the building were not there, and streets behind it are lit from them (docs/measurements/dominant-path.md). In flow walls
//! and the pixels that are built; out flows which pixels on walls see each other.

use super::inset::{Segment, Tile, center, center_at, tiles, walls_near};
use super::pixel_set::PixelSet;
use super::walls::Walls;
use crate::arithmetic;
use crate::scene::{BuildingMask, Grid, ON_WALL_PIXELS, pixels_on_walls};
use geo::{Coord, Vector2DOps};

/// A point so near to a pixel's centre is there, in pixels: a turning point stands a hair outside its corner.
const AT_CENTER_PIXELS: f64 = 0.03;

/// The outdoor pixels on walls between two pixels' centres, and all walls, in pixels.
pub struct OnWalls {
    size: usize,
    pixels: PixelSet,
    tiles: Vec<Tile>,
}

impl OnWalls {
    /// From walls in metres and the mask of what is built.
    pub fn new(walls: &Walls, mask: &BuildingMask, grid: Grid) -> Self {
        let is_whole = |at: f64| (at - 0.5 - (at - 0.5).round()).abs() <= ON_WALL_PIXELS;
        let are_whole = |ends: &[Coord<f64>; 2]| {
            ends.iter().all(|&end| {
                let Coord { x, y } = end / grid.meters_per_pixel;
                is_whole(x) && is_whole(y)
            })
        };
        let found = pixels_on_walls(grid, walls.walls.iter().map(|wall| wall.ends).filter(are_whole));
        if found.is_empty() {
            return Self::none(mask);
        }
        let pixels = PixelSet::of(mask.pixels.len(), found.into_iter().filter(|&pixel| mask.pixels[pixel] == 0));
        let segment = |[from, to]: [Coord<f64>; 2]| Segment { from: from / grid.meters_per_pixel, to: to / grid.meters_per_pixel };
        let segments: Vec<Segment> = walls.walls.iter().map(|wall| segment(wall.ends)).collect();
        Self { size: mask.size, pixels, tiles: tiles(&segments) }
    }

    /// Of a scene of which nobody knows on which pixels its walls stand.
    pub fn none(mask: &BuildingMask) -> Self {
        Self { size: mask.size, pixels: PixelSet::of(mask.pixels.len(), []), tiles: Vec::new() }
    }

    /// Whether a point at the centre of a pixel on a wall, in pixels, sees another pixel on a wall.
    pub fn see_each_other(&self, from: Coord<f64>, pixel: usize) -> bool {
        let sees = |start: usize| self.pixels.contains(start) && self.crosses_no_other(center(start, self.size), center(pixel, self.size));
        self.pixels.contains(pixel) && self.pixel_at(from).is_some_and(sees)
    }

    /// The pixel at whose centre a point stands.
    fn pixel_at(&self, point: Coord<f64>) -> Option<usize> {
        let (row, column) = Grid { size: self.size, meters_per_pixel: 1.0 }.pixel_of(point)?;
        let off = center_at((row, column), self.size) - point;
        (off.x.abs() <= AT_CENTER_PIXELS && off.y.abs() <= AT_CENTER_PIXELS).then_some(row * self.size + column)
    }

    /// Whether no wall is crossed between two points but those that one of them is on.
    fn crosses_no_other(&self, a: Coord<f64>, b: Coord<f64>) -> bool {
        let way = b - a;
        let between = |at: f64| (0.0..=1.0).contains(&at);
        let crosses = |wall: &&Segment| {
            let (along, start) = (wall.to - wall.from, wall.from - a);
            let cross = way.wedge_product(along);
            cross != 0.0 && between(start.wedge_product(along) / cross) && between(start.wedge_product(way) / cross)
        };
        walls_near(&self.tiles, a, b).filter(crosses).all(|wall| is_on(wall, a) || is_on(wall, b))
    }
}

/// Whether a point lies on a wall of some length.
fn is_on(wall: &Segment, point: Coord<f64>) -> bool {
    let (along, step) = (wall.to - wall.from, point - wall.from);
    let share = (step.dot_product(along) / along.magnitude_squared()).clamp(0.0, 1.0);
    let off = step - along * share;
    arithmetic::length(off.x, off.y) <= ON_WALL_PIXELS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::PreparedScene;
    use crate::geometry::test_scenes::building;
    use crate::scene::{Building, Scene};

    const GRID: Grid = Grid { size: 64, meters_per_pixel: 1.0 };

    /// A box from south-west to north-east, a hair aside as readers of data in whole metres have it, so that pixels on its northern and
    /// eastern walls are outdoors.
    fn boxed(corners: [f64; 4]) -> Building {
        let [west, south, east, north] = corners.map(|at| at - 1e-3);
        building(&[(west, south), (east, south), (east, north), (west, north)], None)
    }

    /// Whether the north-western corner of a box 20 m wide and 15 m deep sees a pixel (row, column), among others.
    fn corner_sees(others: &[[f64; 4]], pixel: (usize, usize)) -> bool {
        let buildings: Vec<Building> = others.iter().copied().chain([[20.5, 25.5, 40.5, 40.5]]).map(boxed).collect();
        let prepared = PreparedScene::new(&Scene::from_polygons(GRID, buildings));
        prepared.turning_points(0.0).on_walls.see_each_other(Coord { x: 20.49, y: 40.51 }, pixel.0 * 64 + pixel.1)
    }

    #[test]
    fn a_corner_sees_the_far_wall_through_its_own_building_alone() {
        assert!(corner_sees(&[], (30, 40)), "on the eastern wall");
        assert!(!corner_sees(&[], (30, 41)), "behind it, on no wall");
        assert!(!corner_sees(&[[50.5, 20.5, 55.5, 45.5]], (30, 55)), "on another building's far wall");
        assert!(!corner_sees(&[[30.5, 20.5, 33.5, 50.5], [40.5, 20.5, 55.5, 45.5]], (20, 55)), "with two more in the way");
    }

    #[test]
    fn buildings_off_the_lattice_change_nothing_for_those_on_it() {
        let others = [[2.2, 2.2, 8.3, 8.3], [50.2, 2.2, 58.3, 8.3], [2.2, 50.2, 8.3, 58.3], [50.2, 50.2, 58.3, 58.3]];
        assert!((0..=others.len()).all(|count| corner_sees(&others[..count], (30, 40))));
    }

    #[test]
    fn two_pixels_on_walls_see_each_other_or_neither_does() {
        let mut random = fastrand::Rng::with_seed(4);
        let mut seen = 0;
        for _ in 0..20 {
            let buildings: Vec<Building> = (0..12)
                .map(|_| {
                    let [west, south] = [random.u8(2..50), random.u8(2..50)].map(|at| f64::from(at) + 0.5);
                    boxed([west, south, west + f64::from(random.u8(3..11)), south + f64::from(random.u8(3..11))])
                })
                .collect();
            let prepared = PreparedScene::new(&Scene::from_polygons(GRID, buildings));
            let turning_points = prepared.turning_points(0.0);
            let on_walls = &turning_points.on_walls;
            let pixels: Vec<usize> = (0..GRID.pixels()).filter(|&pixel| on_walls.pixels.contains(pixel)).collect();
            for &a in &pixels {
                for &b in pixels.iter().step_by(7) {
                    let sees = on_walls.see_each_other(center(a, 64), b);
                    assert_eq!(sees, on_walls.see_each_other(center(b, 64), a), "{a} and {b}");
                    seen += usize::from(sees);
                }
            }
        }
        assert!(seen > 10_000, "{seen}");
    }

    #[test]
    fn walls_between_other_places_have_no_pixels() {
        // Its eastern wall runs through pixels' centres, but ends elsewhere.
        let house = building(&[(20.3, 25.2), (40.5, 25.2), (40.5, 40.3), (20.3, 40.3)], None);
        let prepared = PreparedScene::new(&Scene::from_polygons(GRID, vec![house]));
        assert!((0..GRID.pixels()).all(|pixel| !prepared.turning_points(0.0).on_walls.pixels.contains(pixel)));
    }
}
