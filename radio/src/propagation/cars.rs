//! What cars take from a signal that passes over them.
//!
//! Antennas stand at 1.5 m and a car's roof is about as high, so a roof in the way is a knife edge at grazing incidence: it halves
//! the field, 6 dB, at any distance and frequency (ITU-R P.526-15, equation 31: J(0) = 6.03 dB). Of n edges of one height, evenly
//! spaced, the field keeps 1/(n + 1) (Lee, 1978, "Path integrals for solving some electromagnetic edge diffraction problems"), so a
//! leg that crosses n cars loses 20 log10(n + 1) dB: 6.0, 9.5, 12.0, ... A car counts once, however much of it is crossed, and also
//! when the leg begins or ends inside it, so the loss is the same both ways.
//!
//! This is an **assumption**: no map of RadioMapSeer's `cars*` variants was at hand to fit it. One car lies between the means that
//! 3GPP TR 37.885 (section 6.2.1) adds for a vehicle in the way: 5 dB where one antenna is above its roof, 9 dB where none is.

use super::{PreparedScene, PropagationError};
use crate::map::RadioMap;
use crate::scene::{Grid, rasterize_outlines};
use geo::{Area, ConvexHull, Coord, Polygon};
use std::f64::consts::{PI, TAU};

/// Shorter ways through a car are touches of its edge, metres.
const LEAST_CROSSING_M: f64 = 1e-6;
/// Sectors around a point in which its cars are looked up.
const SECTORS: usize = 512;
/// Added on both sides of a car's angle against rounding, in sectors.
const MARGIN: f64 = 1e-6;

/// The cars of a scene as convex outlines.
#[derive(Clone, Debug, Default)]
pub struct Cars {
    /// Anticlockwise.
    outlines: Vec<Polygon<f64>>,
}

/// The cars as seen from one end of many legs.
pub struct CarsFrom<'a> {
    cars: &'a Cars,
    from: Coord<f64>,
    /// Per sector of directions, the cars in it.
    sectors: Vec<Vec<u32>>,
}

impl Cars {
    /// Each car is taken as its convex hull; one without an area, or with a corner that is no number, is none.
    pub fn new(cars: &[Polygon<f64>]) -> Self {
        let finite = |car: &&Polygon<f64>| car.exterior().coords().all(|c| c.x.is_finite() && c.y.is_finite());
        let hulls = cars.iter().filter(finite).map(ConvexHull::convex_hull).filter(|hull| hull.unsigned_area() > 0.0);
        Self { outlines: hulls.collect() }
    }

    /// Row-major, 1 at the pixels whose centre lies inside a car.
    pub(crate) fn pixels(&self, grid: Grid) -> Vec<u8> {
        rasterize_outlines(grid, &self.outlines).pixels
    }

    /// Looks the cars up by direction, for legs that begin at `from`.
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

    /// Loss of a single leg in dB; for many from one point, [`Cars::seen_from`] is cheaper.
    pub fn leg_loss_db(&self, from: Coord<f64>, to: Coord<f64>) -> f64 {
        loss_db(self.outlines.iter().filter(|outline| crosses(from, to, outline)).count())
    }
}

impl CarsFrom<'_> {
    /// Loss of the leg to a point in dB, 0 where no car is crossed.
    pub fn loss_db(&self, to: Coord<f64>) -> f64 {
        if self.sectors.is_empty() {
            return 0.0;
        }
        let angle = libm::atan2(to.y - self.from.y, to.x - self.from.x);
        let sector = ((angle / TAU * SECTORS as f64).floor() as i64).rem_euclid(SECTORS as i64) as usize;
        let crossed = |&&car: &&u32| crosses(self.from, to, &self.cars.outlines[car as usize]);
        loss_db(self.sectors[sector].iter().filter(crossed).count())
    }
}

impl PreparedScene {
    /// The cars, for legs of paths.
    pub fn cars(&self) -> &Cars {
        &self.cars
    }

    /// A map of a transmitter at `position`, weakened in line of sight by the cars that the straight line crosses; pixels out of
    /// sight stay as they are. Without cars it is the same map.
    pub fn weakened_by_cars(&self, mut map: RadioMap, position: Coord<f64>) -> Result<RadioMap, PropagationError> {
        let (cars, size) = (self.cars.seen_from(position), self.scene.grid.size);
        for (i, &seen) in self.line_of_sight(position)?.iter().enumerate() {
            if seen != 0 {
                map.values[i] -= cars.loss_db(self.scene.grid.pixel_center(i / size, i % size)) as f32;
            }
        }
        Ok(map)
    }
}

fn loss_db(crossed: usize) -> f64 {
    20.0 * libm::log10(crossed as f64 + 1.0)
}

/// The range of angles under which a convex outline is seen from a point, radians; a whole turn from inside.
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
    outline.exterior().lines().all(|edge| edge.dx() * (point.y - edge.start.y) - edge.dy() * (point.x - edge.start.x) >= 0.0)
}

/// Whether a leg runs through a convex outline (clipping by Cyrus and Beck, 1978).
fn crosses(from: Coord<f64>, to: Coord<f64>, outline: &Polygon<f64>) -> bool {
    let leg = to - from;
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for line in outline.exterior().lines() {
        let (edge, start) = (line.delta(), from - line.start);
        // Left of the edge is inside.
        let (height, climb) = (edge.x * start.y - edge.y * start.x, edge.x * leg.y - edge.y * leg.x);
        if climb > 0.0 {
            enter = enter.max(-height / climb);
        } else if climb < 0.0 {
            leave = leave.min(-height / climb);
        } else if height < 0.0 {
            return false;
        }
    }
    (leave - enter) * libm::hypot(leg.x, leg.y) > LEAST_CROSSING_M
}
