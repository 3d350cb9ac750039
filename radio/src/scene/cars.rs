//! Cars: boxes of about 2 m x 4 m that weaken a signal but do not block it.
//!
//! RadioMapSeer has them in two files: `polygon/buildings_and_cars/{map}.json` lists the outlines of buildings and cars without saying
//! which is which, and `png/cars/{map}.png` has the cars' pixels. In flows either file; out flow outlines in metres in the grid's
//! frame. [`crate::propagation::Cars`] says how much they weaken.

use super::radiomapseer::rings_from_json;
use super::{Grid, Scene};
use geo::{Area, ConvexHull, Coord, LineString, MultiPoint, Point, Polygon};

/// Coordinates of outlines minus this offset are metres in the grid's frame. The offset fits the building outlines of map 0 to its PNG:
/// 94 of 16,340 building pixels differ; with half a metre more or less along either axis, at least 687.
const OUTLINE_OFFSET_M: f64 = 0.5;
/// A car of 2 m x 4 m covers 8 m2, and more once its corners are rounded to whole metres.
const LARGEST_CAR_M2: f64 = 16.0;
const LONGEST_CAR_M: f64 = 6.0;

/// The cars of `polygon/buildings_and_cars/{map}.json`: the outlines of a car's size that `polygon/buildings/{map}.json` does not have
/// (a shed can be as small as a car). Both texts are lists of rings of [x, y].
///
/// # Errors
/// A text that is no such list.
pub fn cars_from_json(buildings_and_cars: &str, buildings: &str) -> Result<Vec<Polygon<f64>>, serde_json::Error> {
    let (all, buildings) = (rings_from_json(buildings_and_cars)?, rings_from_json(buildings)?);
    let outline = |ring: &Vec<[f64; 2]>| {
        let corners: LineString<f64> = ring.iter().map(|&[x, y]| [x - OUTLINE_OFFSET_M, y - OUTLINE_OFFSET_M]).collect();
        Polygon::new(corners, Vec::new())
    };
    Ok(all.iter().filter(|ring| !buildings.contains(ring)).map(outline).filter(has_a_cars_size).collect())
}

fn has_a_cars_size(outline: &Polygon<f64>) -> bool {
    let corners = &outline.exterior().0;
    let longest = corners.iter().flat_map(|a| corners.iter().map(|b| (a.x - b.x).hypot(a.y - b.y))).fold(0.0, f64::max);
    longest <= LONGEST_CAR_M && (f64::MIN_POSITIVE..=LARGEST_CAR_M2).contains(&outline.unsigned_area())
}

/// The cars of a raster (row-major, not 0 inside a car). Each connected patch of pixels is one car: the convex hull of the middles of
/// its pixels' sides. (The hull of the pixels' corners would make a slanted car a third larger.) Cars that touch count as one.
///
/// # Panics
/// When `pixels` is not one value a pixel of the grid.
pub fn cars_from_pixels(grid: Grid, pixels: &[u8]) -> Vec<Polygon<f64>> {
    assert_eq!(pixels.len(), grid.pixels(), "one value a pixel");
    let size = grid.size;
    let half = grid.meters_per_pixel / 2.0;
    let mut seen: Vec<bool> = pixels.iter().map(|&inside| inside == 0).collect();
    let mut cars = Vec::new();
    for first in 0..pixels.len() {
        let mut open = if std::mem::replace(&mut seen[first], true) { Vec::new() } else { vec![first] };
        let mut sides: Vec<Point<f64>> = Vec::new();
        while let Some(pixel) = open.pop() {
            let (row, column) = (pixel / size, pixel % size);
            let center = grid.pixel_center(row, column);
            sides.extend([(-half, 0.0), (half, 0.0), (0.0, -half), (0.0, half)].map(|(x, y)| Point(center + Coord { x, y })));
            for near_row in row.saturating_sub(1)..(row + 2).min(size) {
                for near_column in column.saturating_sub(1)..(column + 2).min(size) {
                    let near = near_row * size + near_column;
                    if !std::mem::replace(&mut seen[near], true) {
                        open.push(near);
                    }
                }
            }
        }
        if !sides.is_empty() {
            cars.push(MultiPoint::new(sides).convex_hull());
        }
    }
    cars
}

impl Scene {
    /// Replaces the scene's cars: outlines in metres in the grid's frame.
    pub fn with_cars(self, cars: Vec<Polygon<f64>>) -> Self {
        Self { cars, ..self }
    }
}
