//! Following paths in the plane, from the transmitter over walls and corners to every pixel.
//!
//! In flow walls, the model's constants and the transmitter; out flows every pixel's power. The transmitter's beams come first. Then,
//! generation by generation, every corner that a path has reached lights its surroundings, so that the nth generation completes the
//! paths with n diffractions.

use super::IntelligentRayTracing;
use crate::geometry::Corner;
use crate::geometry::walls::NONE;
use crate::propagation::rays::beam::Beam;
use crate::propagation::rays::border::RayWalls;
use crate::propagation::rays::profile::Profile;
use crate::propagation::rays::sight::{Scratch, Surroundings, Visitor, Way};
use crate::scene::Grid;
use geo::{Coord, Vector2DOps};
use std::f64::consts::{FRAC_PI_2, PI};

/// The transmitter's beams start at this angle: no wall is likely to end in the direction where two beams meet.
const FIRST_ANGLE: f64 = 0.123_456_7;
/// Shares of a corner's outside where its beams meet; uneven for the same reason.
const FAN: [f64; 5] = [0.0, 0.237_1, 0.513_9, 0.761_3, 1.0];
/// Paths that cannot add this share to a pixel's power are left out: together they are a small part of a gray level.
const LEAST_SHARE: f64 = 0.003;
/// A path up to a point.
#[derive(Clone, Copy, Default)]
struct Path {
    length_m: f64,
    /// Loss of its interactions.
    loss_db: f64,
    interactions: usize,
    reflections: usize,
}

/// A path that ends at a corner.
#[derive(Clone, Copy)]
struct Arrival {
    path: Path,
    /// The angle that it comes from, radians clockwise from the corner's face 0.
    angle: f64,
    /// No point gets more power from it.
    most_power: f64,
}

/// A map being traced.
pub struct Tracing<'a> {
    model: &'a IntelligentRayTracing,
    walls: &'a RayWalls<'a>,
    grid: Grid,
    indoors: &'a [u8],
    lit: Lit,
    /// Per corner, the paths whose diffraction is still to be followed.
    arrivals: Vec<Vec<Arrival>>,
}

/// What reaches the pixels, row-major.
pub struct Lit {
    /// The sum of a pixel's paths; 1 is the power sent.
    pub powers: Vec<f64>,
    /// Whether the direct path reaches the pixel. Nothing is added to it.
    pub in_sight: Vec<bool>,
}

impl<'a> Tracing<'a> {
    pub fn new(model: &'a IntelligentRayTracing, walls: &'a RayWalls<'a>, grid: Grid, indoors: &'a [u8]) -> Self {
        let lit = Lit { powers: vec![0.0; grid.pixels()], in_sight: vec![false; grid.pixels()] };
        Self { model, walls, grid, indoors, lit, arrivals: walls.corners.iter().map(|_| Vec::new()).collect() }
    }

    /// Follows all paths from a position in metres.
    pub fn run(mut self, position: Coord<f64>) -> Lit {
        let walls = self.walls;
        let around = Surroundings { walls, grid: self.grid, profile: Profile::LEVEL };
        let mut scratch = Scratch::default();
        for quarter in 0..4 {
            let from = FIRST_ANGLE + f64::from(quarter) * FRAC_PI_2;
            let beam = Beam::new(position, Coord { x: 1.0, y: 0.0 }, from, from + FRAC_PI_2);
            let reflections = self.model.reflections_after(&Path::default());
            beam.trace(&around, reflections, &mut scratch, &mut Direct(&mut self));
        }
        // One generation more, for a grazing corner.
        for _ in 0..=self.model.interactions {
            let next = walls.corners.iter().map(|_| Vec::new()).collect();
            let arrivals = std::mem::replace(&mut self.arrivals, next);
            for (corner, arrived) in walls.corners.iter().zip(arrivals) {
                let arrived = strongest(arrived);
                let Some(reflections) = arrived.iter().map(|arrival| self.model.reflections_after(&arrival.turned())).max() else {
                    continue;
                };
                for share in FAN.windows(2) {
                    let (from, to) = (share[0] * corner.n() * PI, share[1] * corner.n() * PI);
                    let mut fan = Fan { tracing: &mut self, arrived: &arrived, middle: (from + to) / 2.0 };
                    Beam::new(corner.position, corner.face, from, to).trace(&around, reflections, &mut scratch, &mut fan);
                }
                self.run_along_walls(corner, &arrived);
            }
        }
        self.lit
    }

    /// The path after a leg with a number of reflections.
    fn along(&self, path: &Path, leg_m: f64, reflections: usize) -> Path {
        Path {
            length_m: path.length_m + leg_m,
            loss_db: path.loss_db + reflections as f64 * self.model.law.reflection_db,
            interactions: path.interactions + reflections,
            reflections: path.reflections + reflections,
        }
    }

    /// The path that leaves a corner at an angle clockwise from its face 0.
    fn diffracted(&self, arrival: &Arrival, angle: f64) -> Path {
        let path = arrival.turned();
        Path { loss_db: path.loss_db + self.model.law.diffraction_db(arrival.turn(angle)), ..path }
    }

    /// The path that leaves a corner for another one.
    fn to_next_corner(&self, arrival: &Arrival, angle: f64) -> Path {
        if arrival.turn(angle).abs() < self.model.grazing { arrival.path } else { self.diffracted(arrival, angle) }
    }

    /// Keeps a path that arrives at a corner in a direction, if it may be diffracted there.
    fn arrive(&mut self, corner: u32, path: Path, direction: Coord<f64>) {
        if path.interactions >= self.model.interactions {
            return;
        }
        let Some(angle) = angle_at(&self.walls.corners[corner as usize], direction * -1.0) else { return };
        let law = &self.model.law;
        let most_power = law.power(path.length_m, path.loss_db + law.diffraction_offset_db);
        if most_power >= self.model.least_power() {
            self.arrivals[corner as usize].push(Arrival { path, angle, most_power });
        }
    }

    /// Follows the paths from a corner along its own two walls to their other ends.
    fn run_along_walls(&mut self, corner: &Corner, arrived: &[Arrival]) {
        let walls = self.walls;
        for (face, &wall) in corner.walls.iter().enumerate() {
            // Face 0 is the wall that begins at the corner; at its other end it is that corner's face n.
            let wall = &walls.walls[wall as usize];
            let other = wall.corners[1 - face];
            if other == NONE {
                continue;
            }
            let along = wall.ends[1 - face] - wall.ends[face];
            let angle = if face == 0 { 0.0 } else { corner.n() * PI };
            for arrival in arrived {
                let path = self.along(&self.to_next_corner(arrival, angle), length(along), 0);
                self.arrive(other, path, along);
            }
        }
    }
}

impl IntelligentRayTracing {
    /// How many reflections a path may still have.
    fn reflections_after(&self, path: &Path) -> usize {
        let left = |most: usize, had: usize| most.saturating_sub(had);
        left(self.reflections, path.reflections).min(left(self.interactions, path.interactions))
    }

    /// Weaker paths cannot be told from none.
    fn least_power(&self) -> f64 {
        libm::pow(10.0, self.floor_db / 10.0)
    }
}

impl Arrival {
    /// The turn of a path that leaves at an angle, radians. One that goes on straight leaves half a turn from where it came.
    fn turn(&self, angle: f64) -> f64 {
        (angle - self.angle).abs() - PI
    }

    /// The path with the corner counted as an interaction, whose loss is still to be added.
    fn turned(&self) -> Path {
        Path { interactions: self.path.interactions + 1, ..self.path }
    }
}

/// The paths worth following of those that reached a corner, the strongest first.
fn strongest(mut arrived: Vec<Arrival>) -> Vec<Arrival> {
    arrived.sort_by(|a, b| b.most_power.total_cmp(&a.most_power));
    let least = arrived.first().map_or(0.0, |best| best.most_power * LEAST_SHARE);
    arrived.retain(|arrival| arrival.most_power >= least);
    arrived
}

fn length(step: Coord<f64>) -> f64 {
    step.magnitude_squared().sqrt()
}

/// The angle of a direction at a corner, radians clockwise from its face 0; `None` for one into the building.
fn angle_at(corner: &Corner, direction: Coord<f64>) -> Option<f64> {
    const ALONG: f64 = 1e-6;
    let clockwise = libm::atan2(-corner.face.wedge_product(direction), corner.face.dot_product(direction));
    let angle = if clockwise < -ALONG { clockwise + 2.0 * PI } else { clockwise };
    (angle < corner.n() * PI + ALONG).then_some(angle.clamp(0.0, corner.n() * PI))
}

/// Beams of the transmitter and its mirror images.
struct Direct<'a, 'b>(&'a mut Tracing<'b>);

impl Visitor for Direct<'_, '_> {
    fn pixel(&mut self, beam: &Beam, pixel: usize, offset: Coord<f64>, _: &Way) {
        let Tracing { model, indoors, lit, .. } = &mut *self.0;
        if indoors[pixel] != 0 || lit.in_sight[pixel] {
            return;
        }
        if beam.reflections == 0 {
            lit.in_sight[pixel] = true;
            lit.powers[pixel] = model.law.direct_power(length(offset));
        } else {
            lit.powers[pixel] += model.law.power(length(offset), beam.reflections as f64 * model.law.reflection_db);
        }
    }

    fn corner(&mut self, beam: &Beam, corner: u32, offset: Coord<f64>, _: &Way) {
        let path = self.0.along(&Path::default(), length(offset), beam.reflections);
        self.0.arrive(corner, path, offset);
    }
}

/// Beams of a corner, by the paths that arrived there.
struct Fan<'a, 'b> {
    tracing: &'a mut Tracing<'b>,
    /// The strongest first.
    arrived: &'a [Arrival],
    /// The angle at the corner of its beam's middle.
    middle: f64,
}

impl Fan<'_, '_> {
    /// The angle at which a point at `offset` from the beam's apex is seen from the corner.
    fn leaving(&self, beam: &Beam, offset: Coord<f64>) -> f64 {
        self.middle + libm::atan(offset.dot_product(beam.aside) / offset.dot_product(beam.ahead))
    }

    /// Whether an arrival may have a beam's reflections.
    fn may(&self, arrival: &Arrival, beam: &Beam) -> bool {
        beam.reflections <= self.tracing.model.reflections_after(&arrival.turned())
    }
}

impl Visitor for Fan<'_, '_> {
    fn pixel(&mut self, beam: &Beam, pixel: usize, offset: Coord<f64>, _: &Way) {
        if self.tracing.indoors[pixel] != 0 || self.tracing.lit.in_sight[pixel] {
            return;
        }
        let (leg_m, angle) = (length(offset), self.leaving(beam, offset));
        for arrival in self.arrived {
            if arrival.most_power < LEAST_SHARE * self.tracing.lit.powers[pixel] {
                break;
            }
            if self.may(arrival, beam) {
                let path = self.tracing.along(&self.tracing.diffracted(arrival, angle), leg_m, beam.reflections);
                self.tracing.lit.powers[pixel] += self.tracing.model.law.power(path.length_m, path.loss_db);
            }
        }
    }

    fn corner(&mut self, beam: &Beam, corner: u32, offset: Coord<f64>, _: &Way) {
        let (leg_m, angle) = (length(offset), self.leaving(beam, offset));
        for arrival in self.arrived {
            if self.may(arrival, beam) {
                let path = self.tracing.along(&self.tracing.to_next_corner(arrival, angle), leg_m, beam.reflections);
                self.tracing.arrive(corner, path, offset);
            }
        }
    }
}
