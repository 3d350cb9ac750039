//! Following waves from the transmitter over walls and corners to every pixel.

use super::beam::{Beam, Scratch, Visitor};
use super::border::RayWalls;
use super::material::Reflection;
use super::options::{Combining, RayOptions};
use super::wedge::{OFF_FACE, Transition, Wedge, WedgeDirection, unit_phasor};
use crate::geometry::Corner;
use crate::geometry::walls::NONE;
use crate::propagation::law::MIN_DISTANCE_M;
use crate::scene::Grid;
use geo::{Coord, Vector2DOps};
use num_complex::Complex64;
use std::f64::consts::{FRAC_PI_2, PI};

pub const SPEED_OF_LIGHT_M_S: f64 = 299_792_458.0;
/// A pixel's centre or a corner counts as at least this far from a diffracting corner.
const MIN_LEG_M: f64 = 1e-3;
/// The transmitter's beams start at this angle: no wall is likely to end in the direction where two beams meet.
const FIRST_ANGLE: f64 = 0.123_456_7;
/// Shares of a corner's outside where its beams meet; uneven for the same reason.
const FAN: [f64; 5] = [0.0, 0.237_1, 0.513_9, 0.761_3, 1.0];

/// A wave that arrives at a corner.
#[derive(Clone, Copy)]
struct Wave {
    /// Product of the reflection and diffraction coefficients so far.
    amplitude: Complex64,
    /// Length since the last corner or the transmitter, and of the whole path.
    leg_m: f64,
    length_m: f64,
    /// Product of the legs: the field's spreading is 1 / sqrt(product * length).
    legs_product: f64,
    /// Interactions so far, including the diffraction at this corner, and the diffractions among them.
    interactions: usize,
    diffractions: usize,
}

impl Wave {
    /// The wave after a diffraction with `coefficient` and another leg.
    fn diffracted(&self, coefficient: Complex64, leg_m: f64) -> Self {
        Self {
            amplitude: self.amplitude * coefficient,
            leg_m,
            length_m: self.length_m + leg_m,
            legs_product: self.legs_product * leg_m,
            ..*self
        }
    }

    fn field(&self) -> Complex64 {
        self.amplitude.scale(1.0 / (self.legs_product * self.length_m).sqrt())
    }
}

/// A map being traced.
pub struct Tracing<'a> {
    walls: &'a RayWalls<'a>,
    grid: Grid,
    indoors: &'a [u8],
    options: &'a RayOptions,
    wavenumber: f64,
    /// The smallest |field|^2 that is followed; 1 is the field at a metre in free space.
    weakest: f64,
    reflection: Reflection,
    transition: Transition,
    /// Per pixel, the sum of powers (real part) or of fields.
    sums: Vec<Complex64>,
    /// Per corner, the waves whose diffraction is still to be followed.
    arrivals: Vec<Vec<(WedgeDirection, Wave)>>,
}

impl<'a> Tracing<'a> {
    pub fn new(walls: &'a RayWalls<'a>, grid: Grid, indoors: &'a [u8], options: &'a RayOptions) -> Self {
        let frequency_ghz = options.frequency_mhz / 1000.0;
        let wavenumber = 2.0 * PI * frequency_ghz * 1e9 / SPEED_OF_LIGHT_M_S;
        Self {
            walls,
            grid,
            indoors,
            options,
            wavenumber,
            weakest: libm::pow(10.0, options.floor_db / 10.0) * (2.0 * wavenumber) * (2.0 * wavenumber),
            reflection: Reflection::new(options.material.permittivity(frequency_ghz), options.polarisation),
            transition: Transition::new(),
            sums: vec![Complex64::ZERO; grid.pixels()],
            arrivals: walls.corners.iter().map(|_| Vec::new()).collect(),
        }
    }

    /// Per pixel, the sum of powers (real part) or of fields, 1 being the field at a metre in free space.
    pub fn run(mut self, position: Coord<f64>) -> Vec<Complex64> {
        let (walls, grid, interactions) = (self.walls, self.grid, self.options.interactions);
        let mut scratch = Scratch::default();
        for quarter in 0..4 {
            let from = FIRST_ANGLE + f64::from(quarter) * FRAC_PI_2;
            let beam = Beam::new(position, Coord { x: 1.0, y: 0.0 }, from, from + FRAC_PI_2);
            beam.trace(walls, grid, interactions, &mut scratch, &mut Direct(&mut self));
        }
        for _ in 0..self.options.diffractions {
            let next = walls.corners.iter().map(|_| Vec::new()).collect();
            let arrivals = std::mem::replace(&mut self.arrivals, next);
            for (corner, arrived) in walls.corners.iter().zip(&arrivals) {
                let Some(fewest) = arrived.iter().map(|(_, wave)| wave.interactions).min() else { continue };
                let wedge = Wedge::new(corner.n(), self.wavenumber);
                for share in FAN.windows(2) {
                    let (from, to) = (share[0] * corner.n() * PI, share[1] * corner.n() * PI);
                    let mut fan = Fan { tracing: &mut self, wedge, arrived, middle: (from + to) / 2.0 };
                    let beam = Beam::new(corner.position, corner.face, from, to);
                    beam.trace(walls, grid, interactions - fewest, &mut scratch, &mut fan);
                }
                self.run_along_walls(corner, &wedge, arrived);
            }
        }
        self.sums
    }

    fn add(&mut self, pixel: usize, field: Complex64, length_m: f64) {
        self.sums[pixel] += match self.options.combining {
            Combining::Incoherent => Complex64::new(field.norm_sqr(), 0.0),
            Combining::Coherent => field * unit_phasor(-self.wavenumber * length_m),
        };
    }

    /// The product of the reflection coefficients on the way to a point.
    fn reflected(&self, beam: &Beam, offset: Coord<f64>, distance_m: f64) -> Complex64 {
        beam.normals[..beam.reflections]
            .iter()
            .fold(Complex64::ONE, |product, &normal| product * self.reflection.at(offset.dot_product(normal).abs() / distance_m))
    }

    /// Keeps a wave that arrives at a corner, if it is strong enough to follow.
    fn arrive(&mut self, corner: u32, wave: Wave, direction: impl Fn(&Wedge, &Reflection) -> WedgeDirection) {
        let spent = wave.interactions > self.options.interactions || wave.diffractions > self.options.diffractions;
        // Behind a shadow boundary there is at most half the field.
        if spent || wave.field().norm_sqr() < 4.0 * self.weakest {
            return;
        }
        let wedge = Wedge::new(self.walls.corners[corner as usize].n(), self.wavenumber);
        self.arrivals[corner as usize].push((direction(&wedge, &self.reflection), wave));
    }

    /// Follows the waves from a corner along its own two walls to their other ends.
    fn run_along_walls(&mut self, corner: &Corner, wedge: &Wedge, arrived: &[(WedgeDirection, Wave)]) {
        let walls = self.walls;
        for (face, wall) in corner.walls.iter().enumerate() {
            let wall = &walls.walls[*wall as usize];
            // Face 0 is the wall that begins at the corner; at its other end it is that corner's face n.
            let other = wall.corners[1 - face];
            if other == NONE {
                continue;
            }
            let leg_m = (wall.ends[1] - wall.ends[0]).magnitude_squared().sqrt().max(MIN_LEG_M);
            let leaving = wedge.along(face, &self.reflection);
            // Slope diffraction: half, as the wave off the wall is counted in, of 1 / (j k) times the field's slope.
            let slope = Complex64::new(0.0, -0.5 / (self.wavenumber * leg_m * OFF_FACE * OFF_FACE));
            for (arriving, wave) in arrived {
                let coefficient = wedge.coefficient(&self.transition, arriving, &leaving, parallel(wave.leg_m, leg_m));
                let mut wave = wave.diffracted(coefficient * slope, leg_m);
                wave.interactions += 1;
                wave.diffractions += 1;
                self.arrive(other, wave, |wedge, reflection| wedge.along(1 - face, reflection));
            }
        }
    }
}

/// The distance parameter of a diffraction between two legs.
fn parallel(a: f64, b: f64) -> f64 {
    a * b / (a + b)
}

/// The angle of a direction at a corner, `None` for one into the building.
fn angle_at(corner: &Corner, direction: Coord<f64>) -> Option<f64> {
    const ALONG: f64 = 1e-6;
    let clockwise = libm::atan2(-corner.face.wedge_product(direction), corner.face.dot_product(direction));
    let phi = if clockwise < -ALONG { clockwise + 2.0 * PI } else { clockwise };
    (phi < corner.n() * PI + ALONG).then_some(phi.clamp(0.0, corner.n() * PI))
}

/// Beams of the transmitter and its mirror images.
struct Direct<'a, 'b>(&'a mut Tracing<'b>);

impl Visitor for Direct<'_, '_> {
    fn pixel(&mut self, beam: &Beam, pixel: usize, offset: Coord<f64>) {
        if self.0.indoors[pixel] != 0 {
            return;
        }
        let distance_m = offset.magnitude_squared().sqrt().max(MIN_LEG_M);
        let field = self.0.reflected(beam, offset, distance_m).scale(1.0 / distance_m.max(MIN_DISTANCE_M));
        self.0.add(pixel, field, distance_m);
    }

    fn corner(&mut self, beam: &Beam, corner: u32, offset: Coord<f64>) {
        let Some(phi) = angle_at(&self.0.walls.corners[corner as usize], offset * -1.0) else { return };
        let leg_m = offset.magnitude_squared().sqrt().max(MIN_LEG_M);
        let amplitude = self.0.reflected(beam, offset, leg_m);
        let interactions = beam.reflections + 1;
        let wave = Wave { amplitude, leg_m, length_m: leg_m, legs_product: leg_m, interactions, diffractions: 1 };
        self.0.arrive(corner, wave, |wedge, reflection| wedge.direction(phi, reflection));
    }
}

/// Beams of a corner, by the waves that arrived there.
struct Fan<'a, 'b> {
    tracing: &'a mut Tracing<'b>,
    wedge: Wedge,
    arrived: &'a [(WedgeDirection, Wave)],
    /// The angle at the corner of its beam's middle.
    middle: f64,
}

impl Fan<'_, '_> {
    fn leaving(&self, beam: &Beam, offset: Coord<f64>) -> WedgeDirection {
        let phi = self.middle + libm::atan(offset.dot_product(beam.aside) / offset.dot_product(beam.ahead));
        self.wedge.direction(phi, &self.tracing.reflection)
    }

    fn leave(&self, arriving: &WedgeDirection, leaving: &WedgeDirection, wave: &Wave, leg_m: f64) -> Wave {
        let length_m = parallel(wave.leg_m, leg_m);
        wave.diffracted(self.wedge.coefficient(&self.tracing.transition, arriving, leaving, length_m), leg_m)
    }
}

impl Visitor for Fan<'_, '_> {
    fn pixel(&mut self, beam: &Beam, pixel: usize, offset: Coord<f64>) {
        if self.tracing.indoors[pixel] != 0 {
            return;
        }
        let leg_m = offset.magnitude_squared().sqrt().max(MIN_LEG_M);
        let (leaving, reflected) = (self.leaving(beam, offset), self.tracing.reflected(beam, offset, leg_m));
        for (arriving, wave) in self.arrived {
            if wave.interactions + beam.reflections <= self.tracing.options.interactions {
                let wave = self.leave(arriving, &leaving, wave, leg_m);
                self.tracing.add(pixel, wave.field() * reflected, wave.length_m);
            }
        }
    }

    fn corner(&mut self, beam: &Beam, corner: u32, offset: Coord<f64>) {
        let Some(phi) = angle_at(&self.tracing.walls.corners[corner as usize], offset * -1.0) else { return };
        let leg_m = offset.magnitude_squared().sqrt().max(MIN_LEG_M);
        let (leaving, reflected) = (self.leaving(beam, offset), self.tracing.reflected(beam, offset, leg_m));
        for (arriving, wave) in self.arrived {
            let mut wave = self.leave(arriving, &leaving, wave, leg_m);
            wave.amplitude *= reflected;
            wave.interactions += beam.reflections + 1;
            wave.diffractions += 1;
            self.tracing.arrive(corner, wave, |wedge, reflection| wedge.direction(phi, reflection));
        }
    }
}
