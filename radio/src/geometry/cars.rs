//! The cars of a scene as convex outlines, how many of them a straight leg crosses, and the scene with walls in their place.
//!
//! Cars weaken a signal but do not block it: [`crate::propagation::WithCars`] turns the count and the walls into decibels. A car counts
//! once, however much of it is crossed, and also when the leg begins or ends inside it, so the count is the same both ways.

use super::footprints::{footprints_agree, nested};
use super::outline::outlines;
use crate::arithmetic;
use crate::scene::{BUILDING_HEIGHT_M, Building, BuildingMask, Grid, RoofHeights, Scene, pixels_of_cars, rasterize_outlines};
use geo::{Area, ConvexHull, Coord, Polygon, Scale, Vector2DOps};
use std::f64::consts::{PI, TAU};

/// A shorter way through a car is a touch of its edge, metres.
const LEAST_CROSSING_M: f64 = 1e-6;
/// Sectors around a point in which its cars are looked up.
const SECTORS: usize = 512;
/// Widens a car's range of angles on both sides against rounding, in sectors.
const MARGIN: f64 = 1e-6;

/// A wall in a car's place is smaller than the car by this factor: RadioMapSeer's cars have their sides on pixels' centres, which are
/// outdoors, and do not see each other through the car ([`super::on_walls`]).
const WALLED: f64 = 0.99;

/// Convex, anticlockwise outlines in metres.
#[derive(Clone, Debug, Default)]
pub struct CarOutlines {
    outlines: Vec<Polygon<f64>>,
}

/// Cars by their direction from one end of many legs.
pub struct CarsFrom<'a> {
    cars: &'a CarOutlines,
    from: Coord<f64>,
    /// Per sector of directions, the cars in it.
    sectors: Vec<Vec<u32>>,
}

impl CarOutlines {
    /// Each car becomes its convex hull. A car without an area or with a coordinate that is not finite is left out.
    pub fn new(cars: &[Polygon<f64>]) -> Self {
        let finite = |car: &&Polygon<f64>| car.exterior().coords().all(|c| c.is_finite());
        let hulls = cars.iter().filter(finite).map(ConvexHull::convex_hull).filter(|hull| hull.unsigned_area() > 0.0);
        Self { outlines: hulls.collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.outlines.is_empty()
    }

    /// Whether a point lies inside one of the cars or on its side.
    pub fn contain(&self, point: Coord<f64>) -> bool {
        self.outlines.iter().any(|outline| inside(point, outline))
    }

    /// The scene with a building in the place of each of these cars, and without cars. Its raster of roofs is at [`BUILDING_HEIGHT_M`].
    pub fn as_walls(&self, scene: &Scene) -> Scene {
        let Scene { grid, mask, .. } = scene;
        let mut buildings = if !scene.buildings.is_empty() && footprints_agree(scene) {
            scene.buildings.clone()
        } else {
            nested(outlines(mask, *grid)).into_iter().map(Building::from).collect()
        };
        let walls: Vec<Polygon<f64>> = self.outlines.iter().map(|outline| outline.scale(WALLED)).collect();
        let mut pixels = rasterize_outlines(*grid, &walls).pixels;
        pixels.iter_mut().zip(&mask.pixels).for_each(|(pixel, &built)| *pixel |= built);
        buildings.extend(walls.into_iter().map(Building::from));
        let mask = BuildingMask { pixels, ..*mask };
        Scene { roofs: RoofHeights::level(&mask, BUILDING_HEIGHT_M), grid: *grid, buildings, mask, cars: Vec::new(), bounds: scene.bounds }
    }

    /// Row-major (N, N): 1 at the pixels that RadioMapSeer's image of the cars would have lit, half a pixel to the north-east of the cars.
    /// So a turned scene has other pixels than the turned raster.
    pub fn pixels(&self, grid: Grid) -> Vec<u8> {
        pixels_of_cars(grid, &self.outlines)
    }

    /// Looks the cars up by direction, for many legs that begin at `from`.
    pub fn seen_from(&self, from: Coord<f64>) -> CarsFrom<'_> {
        let mut sectors = if self.outlines.is_empty() { Vec::new() } else { vec![Vec::new(); SECTORS] };
        for (index, outline) in self.outlines.iter().enumerate() {
            let (low, high) = angles(from, outline);
            let first = (low / TAU * SECTORS as f64 - MARGIN).floor() as i64;
            let last = ((high / TAU * SECTORS as f64 + MARGIN).floor() as i64).min(first + SECTORS as i64 - 1);
            for sector in first..=last {
                sectors[sector.rem_euclid(SECTORS as i64) as usize].push(index as u32);
            }
        }
        CarsFrom { cars: self, from, sectors }
    }

    /// The number of cars that a single leg crosses. For many legs from one point, [`CarOutlines::seen_from`] is cheaper.
    pub fn crossed(&self, from: Coord<f64>, to: Coord<f64>) -> usize {
        self.outlines.iter().filter_map(|outline| crossing(from, to, outline)).count()
    }
}

impl CarsFrom<'_> {
    /// Where the leg to a point enters and leaves each car that it crosses, as shares of the leg.
    pub fn crossings(&self, to: Coord<f64>) -> impl Iterator<Item = [f64; 2]> {
        let angle = libm::atan2(to.y - self.from.y, to.x - self.from.x);
        let sector = ((angle / TAU * SECTORS as f64).floor() as i64).rem_euclid(SECTORS as i64) as usize;
        let cars = self.sectors.get(sector).map_or(&[][..], Vec::as_slice);
        cars.iter().filter_map(move |&car| crossing(self.from, to, &self.cars.outlines[car as usize]))
    }
}

/// The range of angles at which a convex outline is seen from a point, radians; a whole turn from inside.
fn angles(from: Coord<f64>, outline: &Polygon<f64>) -> (f64, f64) {
    if inside(from, outline) {
        return (-PI, PI);
    }
    let direction = |corner: &Coord<f64>| libm::atan2(corner.y - from.y, corner.x - from.x);
    let corners = &outline.exterior().0;
    let first = direction(&corners[0]);
    // From outside a convex outline spans at most half a turn, so angles relative to any of its corners do not wrap.
    let relative = corners.iter().map(|corner| (direction(corner) - first + PI).rem_euclid(TAU) - PI);
    relative.fold((first, first), |(low, high), angle| (low.min(first + angle), high.max(first + angle)))
}

fn inside(point: Coord<f64>, outline: &Polygon<f64>) -> bool {
    outline.exterior().lines().all(|edge| edge.delta().wedge_product(point - edge.start) >= 0.0)
}

/// Where a leg enters and leaves a convex outline, if it runs through it (clipping by Cyrus and Beck, 1978).
fn crossing(from: Coord<f64>, to: Coord<f64>, outline: &Polygon<f64>) -> Option<[f64; 2]> {
    let leg = to - from;
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for line in outline.exterior().lines() {
        let (edge, start) = (line.delta(), from - line.start);
        // Left of the edge is inside.
        let (height, climb) = (edge.wedge_product(start), edge.wedge_product(leg));
        if climb > 0.0 {
            enter = enter.max(-height / climb);
        } else if climb < 0.0 {
            leave = leave.min(-height / climb);
        } else if height < 0.0 {
            return None;
        }
    }
    ((leave - enter) * arithmetic::length(leg.x, leg.y) > LEAST_CROSSING_M).then_some([enter, leave])
}
