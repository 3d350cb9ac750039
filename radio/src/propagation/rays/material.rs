//! Reflection by walls: the constants of Recommendation ITU-R P.2040 and Fresnel's coefficients.
//!
//! A wall is a half space, whose inside is lost, or a slab with air behind, whose two faces reflect. What passes through is lost either
//! way.

use crate::scene::WallMaterial;
use num_complex::Complex64;
use std::f64::consts::PI;

/// A wall's material by its constants in ITU-R P.2040-3, table 3: relative permittivity `a * f^b` and conductivity
/// `c * f^d` S/m, f in GHz. The recommendation has them from 1 GHz on: brick up to 40 GHz, ground up to 10 GHz, the others up to 60 or
/// 100 GHz. Beyond that they are continued.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Material {
    pub a: f64,
    pub b: f64,
    pub c: f64,
    pub d: f64,
}

impl Material {
    pub const BRICK: Self = Self { a: 3.91, b: 0.0, c: 0.0238, d: 0.16 };
    pub const CONCRETE: Self = Self { a: 5.24, b: 0.0, c: 0.0462, d: 0.7822 };
    pub const GLASS: Self = Self { a: 6.31, b: 0.0, c: 0.0036, d: 1.3394 };
    pub const MARBLE: Self = Self { a: 7.074, b: 0.0, c: 0.0055, d: 0.9262 };
    pub const WOOD: Self = Self { a: 1.99, b: 0.0, c: 0.0047, d: 1.0718 };
    pub const MEDIUM_DRY_GROUND: Self = Self { a: 15.0, b: -0.1, c: 0.035, d: 1.63 };
    /// Practically a perfect conductor, which reflects everything; for checks.
    pub const METAL: Self = Self { a: 1.0, b: 0.0, c: 1e12, d: 0.0 };

    /// The constants of a building's walls.
    pub fn of_wall(material: WallMaterial) -> Self {
        match material {
            WallMaterial::Brick => Self::BRICK,
            WallMaterial::Concrete => Self::CONCRETE,
            WallMaterial::Glass => Self::GLASS,
            WallMaterial::Stone => Self::MARBLE,
            WallMaterial::Wood => Self::WOOD,
            WallMaterial::Metal => Self::METAL,
        }
    }

    /// Complex64 relative permittivity for the time convention e^(+j omega t) (P.2040-3, equations 9 and 59: 17.98 sigma / f).
    pub(super) fn permittivity(&self, frequency_ghz: f64) -> Complex64 {
        let conductivity = self.c * libm::pow(frequency_ghz, self.d);
        Complex64::new(self.a * libm::pow(frequency_ghz, self.b), -17.98 * conductivity / frequency_ghz)
    }
}

/// The direction of the electric field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polarisation {
    /// Along the walls' edges, as a vertical antenna's: transverse electric.
    Vertical,
    /// In the plane of the map: transverse magnetic.
    Horizontal,
}

impl Polarisation {
    /// The same field as the level ground meets it.
    pub fn on_ground(self) -> Self {
        match self {
            Self::Vertical => Self::Horizontal,
            Self::Horizontal => Self::Vertical,
        }
    }
}

/// Intervals of the table of coefficients. Interpolating between them errs by less than 1e-6 for half spaces, and by 1e-3 at most for
/// slabs, whose coefficients turn fast with the angle where they are thick.
const STEPS: usize = 4096;

/// Reflection coefficients by the cosine of the angle of incidence.
pub struct Reflection {
    table: Vec<Complex64>,
}

impl Reflection {
    /// Of a half space, or of a slab so many wavelengths in air thick.
    pub fn new(permittivity: Complex64, polarisation: Polarisation, wavelengths: Option<f64>) -> Self {
        let coefficient = |i: usize| {
            let cosine = i as f64 / STEPS as f64;
            let face = fresnel(permittivity, polarisation, cosine);
            wavelengths.map_or(face, |wavelengths| of_slab(face, permittivity, wavelengths, cosine))
        };
        Self { table: (0..=STEPS).map(coefficient).collect() }
    }

    /// The coefficient at a cosine of the angle between ray and wall's normal, in [0, 1].
    pub fn at(&self, cosine: f64) -> Complex64 {
        let position = cosine.clamp(0.0, 1.0) * STEPS as f64;
        let below = (position as usize).min(STEPS - 1);
        let (from, to) = (self.table[below], self.table[below + 1]);
        from + (to - from).scale(position - below as f64)
    }
}

/// P.2040-3, equations 37: the sign of the horizontal coefficient is the field's, so that both are -1 at grazing incidence.
pub fn fresnel(permittivity: Complex64, polarisation: Polarisation, cosine: f64) -> Complex64 {
    let root = (permittivity - Complex64::new(1.0 - cosine * cosine, 0.0)).sqrt();
    let incident = match polarisation {
        Polarisation::Vertical => Complex64::new(cosine, 0.0),
        Polarisation::Horizontal => permittivity.scale(cosine),
    };
    (incident - root) * (incident + root).inv()
}

/// P.2040-3, equations 43a and 44: a slab's coefficient by its first face's.
fn of_slab(face: Complex64, permittivity: Complex64, wavelengths: f64, cosine: f64) -> Complex64 {
    let through = (permittivity - Complex64::new(1.0 - cosine * cosine, 0.0)).sqrt().scale(2.0 * PI * wavelengths);
    let twice = (Complex64::new(0.0, -2.0) * through).exp();
    let one = Complex64::new(1.0, 0.0);
    face * (one - twice) * (one - face * face * twice).inv()
}
