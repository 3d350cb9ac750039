//! Cars: boxes of 2 m x 4 m, as RadioMapSeer has them, along the walls of the streets.

use crate::folder::is_coarse;
use crate::random::Random;
use anyhow::Result;
use geo::{Coord, Polygon};
use radiodiff_radio::geometry::wall_distance;
use radiodiff_radio::scene::{Building, BuildingMask, Scene, buildings_from_json, buildings_to_json, cars_from_pixels, pixels_of_cars};

const LENGTH_M: f64 = 4.0;
const WIDTH_M: f64 = 2.0;
/// Distance of a car's middle from the nearest wall: off the pavement, and not on open ground, which is no street.
const FROM_WALL_M: std::ops::RangeInclusive<f64> = 3.0..=12.0;
/// Least distance between the middles of two cars, and of a car and a transmitter.
const APART_M: f64 = 5.5;
/// Places tried for each car. A map with little street gets fewer cars.
const TRIES: u32 = 20;

/// Cars as files have them, and as readers of the files get them.
pub struct PlacedCars {
    pub mask: BuildingMask,
    /// The text of `polygon/buildings_and_cars/{map}.json`.
    pub outlines: String,
    pub read_back: Vec<Polygon<f64>>,
}

/// Places up to `count` cars. `transmitters` are (row, column).
///
/// # Errors
/// A text that cannot be read again; none is expected.
pub fn place(scene: &Scene, transmitters: &[(usize, usize)], count: u32, random: &mut Random) -> Result<PlacedCars> {
    let (grid, distance) = (scene.grid, wall_distance(&scene.mask));
    let inner = 1..grid.size - 1;
    let on_street = |&(row, column): &(usize, usize)| {
        let from_wall = distance[row * grid.size + column] * grid.meters_per_pixel;
        inner.contains(&row) && inner.contains(&column) && FROM_WALL_M.contains(&from_wall)
    };
    let street: Vec<(usize, usize)> = scene.outdoor_pixels().filter(on_street).collect();
    let mut taken: Vec<Coord<f64>> = transmitters.iter().map(|&(row, column)| grid.pixel_center(row, column)).collect();
    let mut cars = Vec::new();
    for _ in 0..count.saturating_mul(TRIES) {
        if cars.len() == count as usize || street.is_empty() {
            break;
        }
        let (row, column) = street[random.below(street.len())];
        let center = grid.pixel_center(row, column);
        let at = |row: usize, column: usize| distance[row * grid.size + column];
        // The gradient of the distance points away from the wall; the street runs across it.
        let away = Coord { x: at(row, column + 1) - at(row, column - 1), y: at(row - 1, column) - at(row + 1, column) };
        let length = away.x.hypot(away.y);
        let free = taken.iter().all(|other| (center.x - other.x).hypot(center.y - other.y) >= APART_M);
        if !free || length < 1e-6 {
            continue;
        }
        let along = Coord { x: -away.y / length, y: away.x / length };
        taken.push(center);
        cars.push(Building::from(outline(center, along)));
    }
    let rounded: Vec<Polygon<f64>> = buildings_from_json(&buildings_to_json(&cars))?.into_iter().map(|car| car.footprint).collect();
    let mask = BuildingMask { size: grid.size, pixels: pixels_of_cars(grid, &rounded) };
    let read_back = if is_coarse(grid) { rounded } else { cars_from_pixels(grid, &mask.pixels) };
    Ok(PlacedCars { mask, outlines: buildings_to_json(&[scene.buildings.as_slice(), &cars].concat()), read_back })
}

fn outline(center: Coord<f64>, along: Coord<f64>) -> Polygon<f64> {
    let corner = |l: f64, w: f64| Coord {
        x: center.x + l * LENGTH_M / 2.0 * along.x - w * WIDTH_M / 2.0 * along.y,
        y: center.y + l * LENGTH_M / 2.0 * along.y + w * WIDTH_M / 2.0 * along.x,
    };
    Polygon::new([corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)].into_iter().collect(), Vec::new())
}
