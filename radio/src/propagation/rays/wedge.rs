//! Diffraction at a building's corner: the uniform theory of diffraction for a wedge whose faces are not perfect conductors.
//!
//! Kouyoumjian and Pathak (Proc. IEEE 62, 1974) give the coefficient as four terms, two for the shadow boundary and two for the
//! reflections off the faces; Luebbers (IEEE TAP 32, 1984) weighs the latter by the faces' reflection coefficients. The angle
//! these are taken at is the smaller one of the two angles to the face, which at a reflection boundary is the angle of incidence
//! and, unlike Luebbers' choice, is the same when transmitter and receiver are swapped.
//!
//! Angles `phi` are measured in the outside of the wedge, from face 0 to face n at `n * PI`.

use super::material::Reflection;
use num_complex::Complex64;
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

/// Where the table of the transition function ends and its asymptotic series begins, and intervals of the table in 1.
const TABLE_END: f64 = 8.0;
const PER_UNIT: f64 = 64.0;
/// Below this a cotangent's argument is taken as this: exactly on a boundary the field is the limit from one side.
const ON_BOUNDARY: f64 = 1e-12;
/// How far off a face (radians) a direction along it is taken.
pub const OFF_FACE: f64 = 1e-4;

/// e^(j angle), from `libm` so that every platform gives the same bits.
pub fn unit_phasor(angle: f64) -> Complex64 {
    let (im, re) = libm::sincos(angle);
    Complex64::new(re, im)
}

/// The transition function F(t^2) = 2j t e^(j t^2) * integral from t to infinity of e^(-j u^2) du.
pub struct Transition {
    /// G = F / (2j t), at steps of 1 / PER_UNIT.
    table: Vec<Complex64>,
}

impl Transition {
    /// G obeys G' = 2j t G - 1 with G(0) = sqrt(pi) / 2 e^(-j pi / 4); a step is a Taylor series.
    pub fn new() -> Self {
        let step = 1.0 / PER_UNIT;
        let mut value = unit_phasor(-FRAC_PI_4).scale(PI.sqrt() / 2.0);
        let mut table = vec![value];
        for i in 0..(TABLE_END * PER_UNIT) as usize {
            let t = i as f64 * step;
            let (mut previous, mut derivative) = (value, slope(t, value));
            let mut factor = step;
            value += derivative.scale(factor);
            for order in 1..12 {
                let next = Complex64::new(0.0, 2.0) * (derivative.scale(t) + previous.scale(f64::from(order)));
                (previous, derivative) = (derivative, next);
                factor *= step / f64::from(order + 1);
                value += derivative.scale(factor);
            }
            table.push(value);
        }
        Self { table }
    }

    /// F(t^2) for t >= 0.
    pub fn at(&self, t: f64) -> Complex64 {
        if t >= TABLE_END {
            let inverse = 1.0 / (t * t);
            // 1 + j/(2X) - 3/(4X^2) - 15j/(8X^3) + 105/(16X^4)
            let re = 1.0 - inverse * inverse * (0.75 - 6.5625 * inverse * inverse);
            return Complex64::new(re, inverse * (0.5 - 1.875 * inverse * inverse));
        }
        // Cubic Hermite interpolation: the slopes are known.
        let position = t * PER_UNIT;
        let below = (position as usize).min(self.table.len() - 2);
        let u = position - below as f64;
        let (g0, g1) = (self.table[below], self.table[below + 1]);
        let step = 1.0 / PER_UNIT;
        let (s0, s1) = (slope(below as f64 * step, g0).scale(step), slope((below + 1) as f64 * step, g1).scale(step));
        let v = 1.0 - u;
        let g = g0.scale(v * v * (1.0 + 2.0 * u)) + g1.scale(u * u * (3.0 - 2.0 * u)) + s0.scale(u * v * v) - s1.scale(u * u * v);
        Complex64::new(0.0, 2.0 * t) * g
    }
}

fn slope(t: f64, g: Complex64) -> Complex64 {
    Complex64::new(-2.0 * t * g.im - 1.0, 2.0 * t * g.re)
}

/// A wedge's constants at a frequency.
#[derive(Clone, Copy, Debug)]
pub struct Wedge {
    /// Exterior angle over pi, in (1, 2].
    pub n: f64,
    wavenumber: f64,
    /// -e^(-j pi / 4) / (2 n sqrt(2 pi k))
    factor: Complex64,
    /// Sine and cosine of pi / (2 n) and of pi n.
    quarter: (f64, f64),
    turn: (f64, f64),
}

/// A direction at a wedge, with everything that a coefficient needs of it.
#[derive(Clone, Copy, Debug)]
pub struct WedgeDirection {
    phi: f64,
    half: (f64, f64),
    share: (f64, f64),
    /// Reflection coefficients of face 0 and face n at the angle to the face.
    reflection: [Complex64; 2],
    /// Along a face: both faces reflect by -1, whatever the other direction.
    along: bool,
}

impl Wedge {
    pub fn new(n: f64, wavenumber: f64) -> Self {
        let factor = unit_phasor(PI - FRAC_PI_4).scale(1.0 / (2.0 * n * (2.0 * PI * wavenumber).sqrt()));
        Self { n, wavenumber, factor, quarter: libm::sincos(FRAC_PI_2 / n), turn: libm::sincos(PI * n) }
    }

    pub fn direction(&self, phi: f64, reflection: &Reflection) -> WedgeDirection {
        let half = libm::sincos(phi / 2.0);
        // sin(phi) and sin(n pi - phi) from the half angle's.
        let (sine, cosine) = (2.0 * half.0 * half.1, 1.0 - 2.0 * half.0 * half.0);
        let to_face_n = self.turn.0 * cosine - self.turn.1 * sine;
        WedgeDirection {
            phi,
            half,
            share: libm::sincos(phi / (2.0 * self.n)),
            reflection: [reflection.at(sine.abs()), reflection.at(to_face_n.abs())],
            along: false,
        }
    }

    /// A direction a little off a face, at which no field is left on either face: only so does the coefficient grow with the
    /// angle from nothing.
    pub fn along(&self, face: usize, reflection: &Reflection) -> WedgeDirection {
        let phi = if face == 0 { OFF_FACE } else { self.n * PI - OFF_FACE };
        WedgeDirection { along: true, ..self.direction(phi, reflection) }
    }

    /// The diffraction coefficient, in sqrt(m), between two directions; `length_m` is the distance parameter L. The same when
    /// the directions are swapped.
    pub fn coefficient(&self, transition: &Transition, a: &WedgeDirection, b: &WedgeDirection, length_m: f64) -> Complex64 {
        let root = (2.0 * self.wavenumber * length_m).sqrt();
        let difference = |x: (f64, f64), y: (f64, f64)| (x.0 * y.1 - x.1 * y.0, x.1 * y.1 + x.0 * y.0);
        let sum = |x: (f64, f64), y: (f64, f64)| (x.0 * y.1 + x.1 * y.0, x.1 * y.1 - x.0 * y.0);
        let full = self.n * PI;
        // cot((PI + sign beta) / 2n) F(2 k L cos^2((2 PI n N - sign beta) / 2)), given sine and cosine of beta / 2n and beta / 2.
        let term = |sign: f64, beta: f64, share: (f64, f64), half: (f64, f64)| {
            let (s, c) = (sign * share.0, share.1);
            let denominator = self.quarter.0 * c + self.quarter.1 * s;
            let small = if denominator.abs() < ON_BOUNDARY { ON_BOUNDARY.copysign(denominator) } else { denominator };
            let cotangent = (self.quarter.1 * c - self.quarter.0 * s) / small;
            let reach = PI + sign * beta;
            let sine = if reach > full {
                half.1 * self.turn.1 + sign * half.0 * self.turn.0
            } else if reach < -full {
                half.1 * self.turn.1 - sign * half.0 * self.turn.0
            } else {
                half.1
            };
            transition.at(root * sine.abs().max(self.n * ON_BOUNDARY)).scale(cotangent)
        };
        let (beta, share, half) = (a.phi - b.phi, difference(a.share, b.share), difference(a.half, b.half));
        let mut total = term(1.0, beta, share, half) + term(-1.0, beta, share, half);
        let (beta, share, half) = (a.phi + b.phi, sum(a.share, b.share), sum(a.half, b.half));
        let faces = if a.along || b.along {
            [Complex64::new(-1.0, 0.0); 2]
        } else {
            let (nearer_0, nearer_n) = if a.phi < b.phi { (a, b) } else { (b, a) };
            [nearer_0.reflection[0], nearer_n.reflection[1]]
        };
        total += faces[0] * term(-1.0, beta, share, half);
        total += faces[1] * term(1.0, beta, share, half);
        self.factor * total
    }
}
