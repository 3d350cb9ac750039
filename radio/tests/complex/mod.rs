//! Complex numbers for the tests' closed forms, apart from the tracer's own arithmetic.

pub type C = (f64, f64);

pub fn mul(a: C, b: C) -> C {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

pub fn add(a: C, b: C) -> C {
    (a.0 + b.0, a.1 + b.1)
}

pub fn polar(radius: f64, angle: f64) -> C {
    (radius * angle.cos(), radius * angle.sin())
}

pub fn divide(a: C, b: C) -> C {
    let norm = power(b);
    mul(a, (b.0 / norm, -b.1 / norm))
}

/// The square of the modulus.
pub fn power(a: C) -> f64 {
    a.0 * a.0 + a.1 * a.1
}
