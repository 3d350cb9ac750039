//! Cars: boxes of about 2 m x 4 m that weaken a signal but do not block it.
//!
//! RadioMapSeer has them in two files: `polygon/buildings_and_cars/{map}.json` lists the outlines of buildings and cars without saying
//! which is which, and `png/cars/{map}.png` has the cars' pixels. In flows either file; out flow outlines in metres in the grid's
//! frame. [`super::import_cars`] reads a planner's own. [`crate::propagation::WithCars`] says how much they weaken.

use super::radiomapseer::rings_from_json;
use super::rasterize::rasterize_outlines;
use super::{Grid, Scene};
use geo::{Area, BoundingRect, ConvexHull, Coord, LineString, MultiPoint, Point, Polygon, Translate};

/// Coordinates of outlines minus this offset are metres in the grid's frame. The offset fits the building outlines of map 0 to its gains:
/// 94 of 16,340 building pixels differ; with half a metre more or less along either axis, at least 687.
const OUTLINE_OFFSET_M: f64 = 0.5;
/// The image has a car half a pixel further to the east and the north than the gains, in pixels. Of map 419's pixels in sight of their
/// transmitters 1.2 % lose by a car where the image, moved back, has none or the other way round; 5.2 % where it is not moved back
/// (docs/measurements/irt.md).
const IMAGE_OFFSET: f64 = 0.5;
/// A car of 2 m x 4 m covers 8 m2, and more once its corners are rounded to whole metres.
const LARGEST_CAR_M2: f64 = 16.0;
const LONGEST_CAR_M: f64 = 6.0;
/// The most corners of an outline that its length is measured between; of more, as many that are evenly spaced.
const MEASURED_CORNERS: usize = 1000;

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

/// Whether an outline in metres is as small as a car.
pub(super) fn has_a_cars_size(outline: &Polygon<f64>) -> bool {
    length_m(outline) <= LONGEST_CAR_M && (f64::MIN_POSITIVE..=LARGEST_CAR_M2).contains(&outline.unsigned_area())
}

/// What is wrong with the size of an outline that is no car's.
pub(super) fn size_in_words(outline: &Polygon<f64>) -> String {
    let (length_m, area_m2) = (length_m(outline), outline.unsigned_area());
    format!(
        "it is {length_m:.1} m long and covers {area_m2:.1} m2; cars are up to {LONGEST_CAR_M} m long and cover up to {LARGEST_CAR_M2} m2"
    )
}

/// Between the two corners that are farthest apart.
fn length_m(outline: &Polygon<f64>) -> f64 {
    let corners = &outline.exterior().0;
    let measured = || corners.iter().step_by(corners.len().div_ceil(MEASURED_CORNERS).max(1));
    measured().flat_map(|a| measured().map(|b| (a.x - b.x).hypot(a.y - b.y))).fold(0.0, f64::max)
}

/// Cars as `png/cars/{map}.png` has them, row-major, 1 inside a car: what [`cars_from_pixels`] reads.
pub fn pixels_of_cars(grid: Grid, cars: &[Polygon<f64>]) -> Vec<u8> {
    let offset = IMAGE_OFFSET * grid.meters_per_pixel;
    let drawn: Vec<Polygon<f64>> = cars.iter().map(|car| car.translate(offset, offset)).collect();
    rasterize_outlines(grid, &drawn).pixels
}

/// The cars of `png/cars/{map}.png` (row-major, not 0 inside a car), where the gains have them. Each connected patch of pixels is one
/// car; cars that touch count as one.
///
/// # Panics
/// When `pixels` is not one value a pixel of the grid.
pub fn cars_from_pixels(grid: Grid, pixels: &[u8]) -> Vec<Polygon<f64>> {
    assert_eq!(pixels.len(), grid.pixels(), "one value a pixel");
    let size = grid.size;
    let offset = Coord { x: IMAGE_OFFSET, y: IMAGE_OFFSET } * grid.meters_per_pixel;
    let mut seen: Vec<bool> = pixels.iter().map(|&inside| inside == 0).collect();
    let mut cars = Vec::new();
    for first in 0..pixels.len() {
        let mut open = if std::mem::replace(&mut seen[first], true) { Vec::new() } else { vec![first] };
        let mut centers: Vec<Coord<f64>> = Vec::new();
        while let Some(pixel) = open.pop() {
            let (row, column) = (pixel / size, pixel % size);
            centers.push(grid.pixel_center(row, column) - offset);
            for near_row in row.saturating_sub(1)..(row + 2).min(size) {
                for near_column in column.saturating_sub(1)..(column + 2).min(size) {
                    let near = near_row * size + near_column;
                    if !std::mem::replace(&mut seen[near], true) {
                        open.push(near);
                    }
                }
            }
        }
        cars.extend(outline_of(&centers, grid.meters_per_pixel));
    }
    cars
}

/// The outline of a car that covers the pixels of these centres: the box that they fill, else the convex hull of the middles of their
/// sides. (The hull of their corners would make a slanted car a third larger.) `None` without a pixel.
fn outline_of(centers: &[Coord<f64>], meters_per_pixel: f64) -> Option<Polygon<f64>> {
    let half = meters_per_pixel / 2.0;
    let sides = [(-half, 0.0), (half, 0.0), (0.0, -half), (0.0, half)].map(|(x, y)| Coord { x, y });
    let sides: MultiPoint<f64> = centers.iter().flat_map(|&center| sides.map(|side| Point(center + side))).collect();
    let around = sides.bounding_rect()?;
    let is_filled = (around.unsigned_area() / meters_per_pixel.powi(2)).round() as usize == centers.len();
    Some(if is_filled { around.to_polygon() } else { sides.convex_hull() })
}

impl Scene {
    /// Replaces the scene's cars: outlines in metres in the grid's frame.
    pub fn with_cars(self, cars: Vec<Polygon<f64>>) -> Self {
        Self { cars, ..self }
    }
}
