//! Following waves from the transmitter over walls and corners to every pixel.

use super::beam::Beam;
use super::border::RayWalls;
use super::material::{Material, Reflection};
use super::met::Met;
use super::options::{Combining, RayOptions, RoofsOfRays};
use super::over_roofs::direct_lines;
use super::profile::Profile;
use super::sight::{Scratch, Surroundings, Visitor, Way};
use super::wedge::{OFF_FACE, Transition, Wedge, WedgeDirection, unit_phasor};
use crate::geometry::Corner;
use crate::geometry::walls::NONE;
use crate::propagation::law::MIN_DISTANCE_M;
use crate::scene::{Grid, WallMaterial};
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
#[derive(Clone)]
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
    /// The walls that the path must clear or meet.
    met: Met,
}

impl Wave {
    /// The wave after a diffraction with `coefficient` and another leg.
    fn diffracted(&self, coefficient: Complex64, leg_m: f64) -> Self {
        Self {
            amplitude: self.amplitude * coefficient,
            leg_m,
            length_m: self.length_m + leg_m,
            legs_product: self.legs_product * leg_m,
            met: self.met.clone(),
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
    /// Reflection by what walls are made of; `surfaces` has an index for every wall.
    reflections: Vec<Reflection>,
    surfaces: Vec<u8>,
    profile: Profile,
    /// The ground that every path of this run is reflected by.
    ground: Option<Reflection>,
    transition: Transition,
    /// Per pixel, the sum of powers (real part) or of fields, 1 being the field at a metre in free space.
    pub sums: Vec<Complex64>,
    /// Per corner, the waves whose diffraction is still to be followed.
    arrivals: Vec<Vec<(WedgeDirection, Wave)>>,
}

impl<'a> Tracing<'a> {
    pub fn new(walls: &'a RayWalls<'a>, grid: Grid, indoors: &'a [u8], options: &'a RayOptions) -> Self {
        let frequency_ghz = options.frequency_mhz / 1000.0;
        let mut kinds: Vec<Option<WallMaterial>> = vec![None];
        let surfaces = (0..walls.border as u32).map(|wall| index_of(&mut kinds, walls.material(wall))).collect();
        let of = |kind: &Option<WallMaterial>| {
            let material = kind.map_or(options.material, Material::of_wall);
            Reflection::new(material.permittivity(frequency_ghz), options.polarisation, options.thickness_in_wavelengths())
        };
        let wavenumber = 2.0 * PI * frequency_ghz * 1e9 / SPEED_OF_LIGHT_M_S;
        Self {
            walls,
            grid,
            indoors,
            options,
            wavenumber,
            weakest: libm::pow(10.0, options.floor_db / 10.0) * (2.0 * wavenumber) * (2.0 * wavenumber),
            reflections: kinds.iter().map(of).collect(),
            surfaces,
            profile: Profile::LEVEL,
            ground: None,
            transition: Transition::new(),
            sums: vec![Complex64::ZERO; grid.pixels()],
            arrivals: walls.corners.iter().map(|_| Vec::new()).collect(),
        }
    }

    /// Adds the paths from a position at the heights of a profile, all of which the ground reflects where it is given.
    pub fn run(&mut self, position: Coord<f64>, profile: Profile, ground: Option<Material>) {
        let (walls, interactions) = (self.walls, self.options.interactions - usize::from(ground.is_some()));
        let around = Surroundings { walls, grid: self.grid, profile };
        self.profile = profile;
        self.ground = ground.map(|material| {
            let permittivity = material.permittivity(self.options.frequency_mhz / 1000.0);
            Reflection::new(permittivity, self.options.polarisation.on_ground(), self.options.thickness_in_wavelengths())
        });
        let over_roofs = self.diffracts_over_roofs();
        let mut scratch = Scratch::default();
        for quarter in 0..4 {
            let from = FIRST_ANGLE + f64::from(quarter) * FRAC_PI_2;
            let beam = Beam::new(position, Coord { x: 1.0, y: 0.0 }, from, from + FRAC_PI_2);
            let beam = Beam { reach_m: (interactions + 1) as f64 * walls.diameter_m, ..beam };
            beam.trace(&around, interactions, &mut scratch, &mut Direct(self));
            if over_roofs {
                let wavelength_m = 2.0 * PI / self.wavenumber;
                direct_lines(&beam, &around, self.indoors, wavelength_m, &mut scratch, |pixel, plan_m, loss_db| {
                    let spreading = libm::pow(10.0, -loss_db / 20.0) / profile.length_m(plan_m).max(MIN_DISTANCE_M);
                    self.add(pixel, Complex64::new(spreading, 0.0), plan_m, 0);
                });
            }
        }
        for _ in 0..self.options.diffractions {
            let next = walls.corners.iter().map(|_| Vec::new()).collect();
            let arrivals = std::mem::replace(&mut self.arrivals, next);
            for (corner, arrived) in walls.corners.iter().zip(&arrivals) {
                let Some(fewest) = arrived.iter().map(|(_, wave)| wave.interactions).min() else { continue };
                let lengths_m = || arrived.iter().map(|(_, wave)| wave.length_m);
                let before_m = [lengths_m().fold(f64::INFINITY, f64::min), lengths_m().fold(0.0, f64::max)];
                let reach_m = |wave: &Wave| {
                    let legs = interactions.saturating_sub(wave.interactions) + 1;
                    wave.met.reach_m().min(wave.length_m + legs as f64 * walls.diameter_m)
                };
                let reach_m = arrived.iter().map(|(_, wave)| reach_m(wave)).fold(0.0, f64::max);
                let wedge = Wedge::new(corner.n(), self.wavenumber);
                for share in FAN.windows(2) {
                    let (from, to) = (share[0] * corner.n() * PI, share[1] * corner.n() * PI);
                    let mut fan = Fan { tracing: self, wedge, corner, arrived, middle: (from + to) / 2.0 };
                    let beam = Beam { reach_m, before_m, ..Beam::new(corner.position, corner.face, from, to) };
                    beam.trace(&around, interactions - fewest, &mut scratch, &mut fan);
                }
                self.run_along_walls(corner, &wedge, arrived);
            }
        }
        self.arrivals.iter_mut().for_each(Vec::clear);
    }

    /// Whether the direct line counts with the roofs in its way, instead of only where it is free.
    fn diffracts_over_roofs(&self) -> bool {
        let RayOptions { roofs, interactions, diffractions, .. } = *self.options;
        roofs == RoofsOfRays::Scene && self.ground.is_none() && interactions > 0 && diffractions > 0
    }

    /// Adds a path by its field and its length in plan. Fields of diffracted paths are those in plan.
    fn add(&mut self, pixel: usize, field: Complex64, plan_m: f64, diffractions: usize) {
        let length_m = self.profile.length_m(plan_m);
        let mut field = field;
        if diffractions > 0 && length_m > plan_m {
            // Every leg and the whole are longer by 1 / cosine, and every edge, met aslant, diffracts 1 / cosine more.
            field = field.scale(libm::pow(plan_m / length_m, 1.0 - diffractions as f64 / 2.0));
        }
        if let Some(ground) = &self.ground {
            field *= ground.at(self.profile.rise(length_m));
        }
        self.sums[pixel] += match self.options.combining {
            Combining::Incoherent => Complex64::new(field.norm_sqr(), 0.0),
            Combining::Coherent => field * unit_phasor(-self.wavenumber * length_m),
        };
    }

    /// The product of the reflection coefficients on the way to a point.
    fn reflected(&self, beam: &Beam, offset: Coord<f64>, distance_m: f64) -> Complex64 {
        beam.normals[..beam.reflections].iter().zip(&beam.mirrors).fold(Complex64::ONE, |product, (&normal, &wall)| {
            product * self.reflection(wall).at(offset.dot_product(normal).abs() / distance_m)
        })
    }

    /// Reflection by a wall.
    fn reflection(&self, wall: u32) -> &Reflection {
        &self.reflections[self.surfaces[wall as usize] as usize]
    }

    /// Whether a path of `before_m` to a beam's apex and `leg_m` from there clears what is on its way.
    fn is_free(&self, way: &Way, before_m: f64, leg_m: f64) -> bool {
        way.all(|passage| {
            let height_m = self.profile.height_m((before_m + passage.share * leg_m) / (before_m + leg_m));
            (height_m >= passage.top_m) == passage.over
        })
    }

    /// What a wave meets that comes by a way to a corner; `None` where it cannot come.
    fn meets(&self, met: &Met, way: &Way, corner: u32, before_m: f64, leg_m: f64) -> Option<Met> {
        let mut met = met.clone();
        let comes = way.all(|passage| {
            met.add(&self.profile, before_m + passage.share * leg_m, passage.top_m, passage.over);
            true
        });
        self.meets_corner(&mut met, corner, before_m + leg_m);
        comes.then_some(met)
    }

    fn meets_corner(&self, met: &mut Met, corner: u32, distance_m: f64) {
        let [bottom_m, top_m] = self.walls.corner_heights_m(corner);
        met.add(&self.profile, distance_m, bottom_m, true);
        met.add(&self.profile, distance_m, top_m, false);
    }

    /// Keeps a wave that arrives at a corner, if it is strong enough to follow.
    fn arrive(&mut self, corner: u32, wave: Wave, direction: impl Fn(&Wedge, &Reflection) -> WedgeDirection) {
        let used = usize::from(self.ground.is_some());
        let spent = wave.interactions + used > self.options.interactions || wave.diffractions > self.options.diffractions;
        // Behind a shadow boundary there is at most half the field.
        if spent || wave.met.reach_m() <= wave.length_m || wave.field().norm_sqr() < 4.0 * self.weakest {
            return;
        }
        let found = &self.walls.corners[corner as usize];
        let wedge = Wedge::new(found.n(), self.wavenumber);
        let direction = direction(&wedge, self.reflection(found.walls[0]));
        self.arrivals[corner as usize].push((direction, wave));
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
            let leaving = wedge.along(face, self.reflection(corner.walls[0]));
            // Slope diffraction: half, as the wave off the wall is counted in, of 1 / (j k) times the field's slope.
            let slope = Complex64::new(0.0, -0.5 / (self.wavenumber * leg_m * OFF_FACE * OFF_FACE));
            for (arriving, wave) in arrived {
                let coefficient = wedge.coefficient(&self.transition, arriving, &leaving, parallel(wave.leg_m, leg_m));
                let mut wave = wave.diffracted(coefficient * slope, leg_m);
                wave.interactions += 1;
                wave.diffractions += 1;
                self.meets_corner(&mut wave.met, other, wave.length_m);
                self.arrive(other, wave, |wedge, reflection| wedge.along(1 - face, reflection));
            }
        }
    }
}

/// The index of a kind of wall, which is added where it is new.
fn index_of(kinds: &mut Vec<Option<WallMaterial>>, kind: Option<WallMaterial>) -> u8 {
    let index = kinds.iter().position(|&known| known == kind).unwrap_or(kinds.len());
    if index == kinds.len() {
        kinds.push(kind);
    }
    index as u8
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
    fn pixel(&mut self, beam: &Beam, pixel: usize, offset: Coord<f64>, way: &Way) {
        if self.0.indoors[pixel] != 0 || (beam.reflections == 0 && self.0.diffracts_over_roofs()) {
            return;
        }
        let plan_m = offset.magnitude_squared().sqrt().max(MIN_LEG_M);
        if !self.0.is_free(way, 0.0, plan_m) {
            return;
        }
        let length_m = self.0.profile.length_m(plan_m);
        let field = self.0.reflected(beam, offset, length_m).scale(1.0 / length_m.max(MIN_DISTANCE_M));
        self.0.add(pixel, field, plan_m, 0);
    }

    fn corner(&mut self, beam: &Beam, corner: u32, offset: Coord<f64>, way: &Way) {
        let Some(phi) = angle_at(&self.0.walls.corners[corner as usize], offset * -1.0) else { return };
        let leg_m = offset.magnitude_squared().sqrt().max(MIN_LEG_M);
        let Some(met) = self.0.meets(&Met::default(), way, corner, 0.0, leg_m) else { return };
        let amplitude = self.0.reflected(beam, offset, leg_m);
        let interactions = beam.reflections + 1;
        let wave = Wave { amplitude, leg_m, length_m: leg_m, legs_product: leg_m, interactions, diffractions: 1, met };
        self.0.arrive(corner, wave, |wedge, reflection| wedge.direction(phi, reflection));
    }
}

/// Beams of a corner, by the waves that arrived there.
struct Fan<'a, 'b> {
    tracing: &'a mut Tracing<'b>,
    wedge: Wedge,
    corner: &'a Corner,
    arrived: &'a [(WedgeDirection, Wave)],
    /// The angle at the corner of its beam's middle.
    middle: f64,
}

impl Fan<'_, '_> {
    fn leaving(&self, beam: &Beam, offset: Coord<f64>) -> WedgeDirection {
        let phi = self.middle + libm::atan(offset.dot_product(beam.aside) / offset.dot_product(beam.ahead));
        self.wedge.direction(phi, self.tracing.reflection(self.corner.walls[0]))
    }

    fn leave(&self, arriving: &WedgeDirection, leaving: &WedgeDirection, wave: &Wave, leg_m: f64) -> Wave {
        let length_m = parallel(wave.leg_m, leg_m);
        wave.diffracted(self.wedge.coefficient(&self.tracing.transition, arriving, leaving, length_m), leg_m)
    }
}

impl Visitor for Fan<'_, '_> {
    fn pixel(&mut self, beam: &Beam, pixel: usize, offset: Coord<f64>, way: &Way) {
        if self.tracing.indoors[pixel] != 0 {
            return;
        }
        let leg_m = offset.magnitude_squared().sqrt().max(MIN_LEG_M);
        let (leaving, reflected) = (self.leaving(beam, offset), self.tracing.reflected(beam, offset, leg_m));
        for (arriving, wave) in self.arrived {
            let used = wave.interactions + beam.reflections + usize::from(self.tracing.ground.is_some());
            let plan_m = wave.length_m + leg_m;
            let free = |tracing: &Tracing| {
                used <= tracing.options.interactions
                    && wave.met.allows(&tracing.profile, plan_m)
                    && tracing.is_free(way, wave.length_m, leg_m)
            };
            if free(self.tracing) {
                let wave = self.leave(arriving, &leaving, wave, leg_m);
                self.tracing.add(pixel, wave.field() * reflected, wave.length_m, wave.diffractions);
            }
        }
    }

    fn corner(&mut self, beam: &Beam, corner: u32, offset: Coord<f64>, way: &Way) {
        let Some(phi) = angle_at(&self.tracing.walls.corners[corner as usize], offset * -1.0) else { return };
        let leg_m = offset.magnitude_squared().sqrt().max(MIN_LEG_M);
        let (leaving, reflected) = (self.leaving(beam, offset), self.tracing.reflected(beam, offset, leg_m));
        for (arriving, wave) in self.arrived {
            let Some(met) = self.tracing.meets(&wave.met, way, corner, wave.length_m, leg_m) else { continue };
            let mut wave = Wave { met, ..self.leave(arriving, &leaving, wave, leg_m) };
            wave.amplitude *= reflected;
            wave.interactions += beam.reflections + 1;
            wave.diffractions += 1;
            self.tracing.arrive(corner, wave, |wedge, reflection| wedge.direction(phi, reflection));
        }
    }
}
