//! Ray tracing in the plane of the map: every path of a few reflections on walls and diffractions at corners, exactly.
//!
//! In flow footprints and a transmitter, out flows path gain. It is what RadioMapSeer calls IRT2 and IRT4 (2 and 4
//! interactions), from first principles: nothing here is fitted to its maps.
//!
//! - **Paths** come from [`beam`]s: what the transmitter lights, the mirror images of that, what each lit corner lights, and so
//!   on. Walls are found exactly, so there is no number of rays to converge in.
//! - **Distance**: a path's gain falls as a spherical wave's, (lambda / 4 pi d)^2 by its whole length when it is reflected only;
//!   a diffracted one's as 1 / (s1 s2 (s1 + s2)) and so on, as from a point source at an edge's height.
//! - **Reflection** by Fresnel's coefficients of a half space of an ITU-R P.2040 [`Material`].
//! - **Diffraction** by the uniform theory ([`wedge`]). Along a building's own wall, from one corner to the next, the field of a
//!   non-conductor vanishes and its slope goes on: both corners are taken a little off the wall and the product is scaled as
//!   slope diffraction asks. (A conductor's horizontal field would not vanish: there this is too little.)
//! - **Sum** of powers, as IRT gives (the mean over phases), or of fields.
//!
//! What the plane leaves out: roofs (buildings are infinitely tall, as RadioMapSeer's 25 m almost are for antennas at 1.5 m),
//! the ground, and what passes through buildings or is scattered by rough walls.

mod beam;
mod complex;
mod material;
mod walls;
mod wedge;

pub use beam::MAX_INTERACTIONS;
pub use material::{Material, Polarisation};

use super::law::MIN_DISTANCE_M;
use super::{PreparedScene, PropagationError};
use crate::geometry::outline::outlines;
use crate::map::RadioMap;
use crate::scene::{Grid, Scene};
use beam::{Beam, Scratch, Visitor};
use complex::Complex;
use geo::{Area, Contains, Coord, Polygon};
use material::Reflection;
use std::f64::consts::{FRAC_PI_2, PI};
pub use walls::Walls;
use walls::{Corner, NONE, cross, dot, length};
use wedge::{Direction, OFF_FACE, Transition, Wedge};

const SPEED_OF_LIGHT_M_S: f64 = 299_792_458.0;
/// A pixel's centre or a corner is not nearer to a diffracting corner than this.
const MIN_LEG_M: f64 = 1e-3;
/// The transmitter's beams start at this angle: no wall is likely to end in the direction where two beams meet.
const FIRST_ANGLE: f64 = 0.123_456_7;
/// Where a corner's outside is cut into beams, for the same reason not evenly.
const FAN: [f64; 5] = [0.0, 0.237_1, 0.513_9, 0.761_3, 1.0];

/// How the paths of a pixel are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// Powers: the mean over a few wavelengths, as in RadioMapSeer's IRT maps.
    Power,
    /// Fields with their phases: fading as at the pixel's very centre.
    Field,
}

/// What is traced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RayOptions {
    /// Most reflections and diffractions together, up to [`MAX_INTERACTIONS`]: 2 for IRT2, 4 for IRT4.
    pub interactions: usize,
    /// Most diffractions among them.
    pub diffractions: usize,
    pub frequency_mhz: f64,
    pub material: Material,
    pub polarisation: Polarisation,
    pub sum: Sum,
    /// Paths that cannot reach this gain (dB) are not followed; a pixel without a path has it.
    pub floor_db: f64,
}

impl Default for RayOptions {
    /// IRT2 at 5.9 GHz between brick walls.
    fn default() -> Self {
        Self {
            interactions: 2,
            diffractions: 2,
            frequency_mhz: 5900.0,
            material: Material::BRICK,
            polarisation: Polarisation::Vertical,
            sum: Sum::Power,
            floor_db: -160.0,
        }
    }
}

impl PreparedScene {
    /// Path gain in dB (isotropic antennas, gain 0 dBi) of every path of at most `options.interactions` reflections and
    /// diffractions; NaN inside buildings, `options.floor_db` where no path leads.
    ///
    /// # Errors
    /// A transmitter indoors or off the map; more interactions than [`MAX_INTERACTIONS`], a frequency outside 1 to 40 GHz or a
    /// floor that is no number.
    pub fn ray_traced(&self, position: Coord<f64>, options: &RayOptions) -> Result<RadioMap, PropagationError> {
        self.outdoor_pixel(position)?;
        options.check()?;
        let walls = self.ray_walls.get_or_init(|| Walls::new(&self.ray_outlines(), self.scene.grid.extent_m()));
        let sums = Tracing::new(walls, self.scene.grid, &self.scene.mask.pixels, options).run(position);
        let wavelength = SPEED_OF_LIGHT_M_S / (options.frequency_mhz * 1e6);
        let reference_db = 20.0 * libm::log10(wavelength / (4.0 * PI));
        Ok(self.outdoor_map(|i, _| {
            let power = match options.sum {
                Sum::Power => sums[i].re,
                Sum::Field => sums[i].norm_squared(),
            };
            (reference_db + 10.0 * libm::log10(power)).max(options.floor_db)
        }))
    }

    /// The buildings' footprints; where there is only a raster, its outlines with their courtyards.
    fn ray_outlines(&self) -> Vec<Polygon<f64>> {
        let Scene { buildings, mask, grid, .. } = &self.scene;
        if !buildings.is_empty() {
            return buildings.iter().map(|building| building.footprint.clone()).collect();
        }
        let rings = outlines(mask, *grid, &[]).into_iter().map(|ring| Polygon::new(ring, Vec::new()));
        let (mut polygons, courtyards): (Vec<_>, Vec<_>) = rings.partition(|ring| ring.signed_area() > 0.0);
        for courtyard in courtyards {
            let inside = |polygon: &&mut Polygon<f64>| courtyard.exterior().coords().next().is_some_and(|corner| polygon.contains(corner));
            // The smallest building around it is the one it is in.
            let around = polygons.iter_mut().filter(inside).min_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area()));
            if let Some(building) = around {
                building.interiors_push(courtyard.exterior().clone());
            }
        }
        polygons
    }
}

impl RayOptions {
    fn check(&self) -> Result<(), PropagationError> {
        let reason = if self.interactions > MAX_INTERACTIONS {
            "at most 4 interactions can be traced"
        } else if !(1000.0..=40_000.0).contains(&self.frequency_mhz) {
            "the walls' material is known from 1 to 40 GHz"
        } else if !self.floor_db.is_finite() {
            "the lowest gain is not a number"
        } else {
            return Ok(());
        };
        Err(PropagationError::RayOptions { reason })
    }
}

/// A wave that arrives at a corner.
#[derive(Clone, Copy)]
struct Wave {
    /// Reflection and diffraction coefficients of the way so far.
    amplitude: Complex,
    /// Length since the last corner or the transmitter, and of the whole way.
    leg_m: f64,
    length_m: f64,
    /// Product of the legs: the field's spreading is 1 / sqrt(product * length).
    legs_product: f64,
    /// Interactions so far, the diffraction to come included, and the diffractions among them.
    interactions: usize,
    diffractions: usize,
}

impl Wave {
    /// The wave after a diffraction with `coefficient` and another leg.
    fn diffracted(&self, coefficient: Complex, leg_m: f64) -> Self {
        Self {
            amplitude: self.amplitude * coefficient,
            leg_m,
            length_m: self.length_m + leg_m,
            legs_product: self.legs_product * leg_m,
            ..*self
        }
    }

    fn field(&self) -> Complex {
        self.amplitude.scale(1.0 / (self.legs_product * self.length_m).sqrt())
    }
}

struct Tracing<'a> {
    walls: &'a Walls,
    grid: Grid,
    indoors: &'a [u8],
    options: &'a RayOptions,
    wavenumber: f64,
    /// Smallest |field|^2 (1 at a metre in free space) that is followed.
    weakest: f64,
    reflection: Reflection,
    transition: Transition,
    /// A pixel's powers (real part) or fields.
    sums: Vec<Complex>,
    /// Waves at corners whose diffraction is still to be followed.
    arrivals: Vec<Vec<(Direction, Wave)>>,
}

impl<'a> Tracing<'a> {
    fn new(walls: &'a Walls, grid: Grid, indoors: &'a [u8], options: &'a RayOptions) -> Self {
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
            sums: vec![Complex::default(); grid.pixels()],
            arrivals: walls.corners.iter().map(|_| Vec::new()).collect(),
        }
    }

    fn run(mut self, position: Coord<f64>) -> Vec<Complex> {
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
                let wedge = Wedge::new(corner.n, self.wavenumber);
                for share in FAN.windows(2) {
                    let (from, to) = (share[0] * corner.n * PI, share[1] * corner.n * PI);
                    let mut fan = Fan { tracing: &mut self, wedge, arrived, middle: (from + to) / 2.0 };
                    let beam = Beam::new(corner.position, corner.face, from, to);
                    beam.trace(walls, grid, interactions - fewest, &mut scratch, &mut fan);
                }
                self.run_along_walls(corner, &wedge, arrived);
            }
        }
        self.sums
    }

    fn add(&mut self, pixel: usize, field: Complex, length_m: f64) {
        self.sums[pixel] += match self.options.sum {
            Sum::Power => Complex::new(field.norm_squared(), 0.0),
            Sum::Field => field * Complex::from_phase(-self.wavenumber * length_m),
        };
    }

    /// The product of the reflection coefficients on the way to a point.
    fn reflected(&self, beam: &Beam, offset: Coord<f64>, distance_m: f64) -> Complex {
        beam.normals[..beam.reflections]
            .iter()
            .fold(Complex::ONE, |product, &normal| product * self.reflection.at(dot(offset, normal).abs() / distance_m))
    }

    /// Notes a wave that arrives at a corner, if it is worth following.
    fn arrive(&mut self, corner: u32, wave: Wave, direction: impl Fn(&Wedge, &Reflection) -> Direction) {
        let spent = wave.interactions > self.options.interactions || wave.diffractions > self.options.diffractions;
        // Behind a shadow's edge there is at most half the field.
        if spent || wave.field().norm_squared() < 4.0 * self.weakest {
            return;
        }
        let wedge = Wedge::new(self.walls.corners[corner as usize].n, self.wavenumber);
        self.arrivals[corner as usize].push((direction(&wedge, &self.reflection), wave));
    }

    /// What goes from a corner along its own two walls to their other ends.
    fn run_along_walls(&mut self, corner: &Corner, wedge: &Wedge, arrived: &[(Direction, Wave)]) {
        let walls = self.walls;
        for (face, wall) in corner.walls.iter().enumerate() {
            let wall = &walls.walls[*wall as usize];
            // Face 0 is the wall that begins at the corner; at its other end it is that corner's face n.
            let other = wall.corners[1 - face];
            if other == NONE {
                continue;
            }
            let leg_m = length(wall.ends[1] - wall.ends[0]).max(MIN_LEG_M);
            let leaving = wedge.along(face, &self.reflection);
            // Slope diffraction: half, as the wave off the wall is counted in, of 1 / (j k) times the field's slope.
            let slope = Complex::new(0.0, -0.5 / (self.wavenumber * leg_m * OFF_FACE * OFF_FACE));
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
    let clockwise = libm::atan2(-cross(corner.face, direction), dot(corner.face, direction));
    let phi = if clockwise < -ALONG { clockwise + 2.0 * PI } else { clockwise };
    (phi < corner.n * PI + ALONG).then_some(phi.clamp(0.0, corner.n * PI))
}

/// What the transmitter and its mirror images light.
struct Direct<'a, 'b>(&'a mut Tracing<'b>);

impl Visitor for Direct<'_, '_> {
    fn pixel(&mut self, beam: &Beam, pixel: usize, offset: Coord<f64>) {
        if self.0.indoors[pixel] != 0 {
            return;
        }
        let distance_m = length(offset).max(MIN_LEG_M);
        let field = self.0.reflected(beam, offset, distance_m).scale(1.0 / distance_m.max(MIN_DISTANCE_M));
        self.0.add(pixel, field, distance_m);
    }

    fn corner(&mut self, beam: &Beam, corner: u32, offset: Coord<f64>) {
        let Some(phi) = angle_at(&self.0.walls.corners[corner as usize], offset * -1.0) else { return };
        let leg_m = length(offset).max(MIN_LEG_M);
        let amplitude = self.0.reflected(beam, offset, leg_m);
        let interactions = beam.reflections + 1;
        let wave = Wave { amplitude, leg_m, length_m: leg_m, legs_product: leg_m, interactions, diffractions: 1 };
        self.0.arrive(corner, wave, |wedge, reflection| wedge.direction(phi, reflection));
    }
}

/// What a corner lights by the waves that arrived there.
struct Fan<'a, 'b> {
    tracing: &'a mut Tracing<'b>,
    wedge: Wedge,
    arrived: &'a [(Direction, Wave)],
    /// The angle at the corner that its beam's middle has.
    middle: f64,
}

impl Fan<'_, '_> {
    fn leaving(&self, beam: &Beam, offset: Coord<f64>) -> Direction {
        let phi = self.middle + libm::atan(dot(offset, beam.aside) / dot(offset, beam.ahead));
        self.wedge.direction(phi, &self.tracing.reflection)
    }

    fn leave(&self, arriving: &Direction, leaving: &Direction, wave: &Wave, leg_m: f64) -> Wave {
        let length_m = parallel(wave.leg_m, leg_m);
        wave.diffracted(self.wedge.coefficient(&self.tracing.transition, arriving, leaving, length_m), leg_m)
    }
}

impl Visitor for Fan<'_, '_> {
    fn pixel(&mut self, beam: &Beam, pixel: usize, offset: Coord<f64>) {
        if self.tracing.indoors[pixel] != 0 {
            return;
        }
        let leg_m = length(offset).max(MIN_LEG_M);
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
        let leg_m = length(offset).max(MIN_LEG_M);
        let (leaving, reflected) = (self.leaving(beam, offset), self.tracing.reflected(beam, offset, leg_m));
        for (arriving, wave) in self.arrived {
            let mut wave = self.leave(arriving, &leaving, wave, leg_m);
            wave.amplitude = wave.amplitude * reflected;
            wave.interactions += beam.reflections + 1;
            wave.diffractions += 1;
            self.tracing.arrive(corner, wave, |wedge, reflection| wedge.direction(phi, reflection));
        }
    }
}
