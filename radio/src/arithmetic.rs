//! Lengths, rounding and comparisons that have the same bits natively and in the browser, and take an instruction or two there.
//!
//! The crate libm has the other functions. It computes roots, and all that needs them, by integers in WebAssembly. `f64::sqrt` is an
//! instruction there, and exact by its definition.

/// The length of the vector (x, y), as exact as a root is: the squares count with their rounding errors (Dekker, 1971). For lengths
/// between 1e-140 and 1e140.
#[inline]
pub fn length(x: f64, y: f64) -> f64 {
    let (x, y) = (x.abs(), y.abs());
    let (long, short) = if x < y { (y, x) } else { (x, y) };
    let ((long, long_error), (short, short_error)) = (square(long), square(short));
    (short_error + long_error + short + long).sqrt()
}

/// A square and its rounding error, which add up to the exact one.
#[inline]
fn square(x: f64) -> (f64, f64) {
    // Cuts a number's 53 bits in two.
    const CUT: f64 = 134_217_729.0;
    let cut = x * CUT;
    let high = cut - (cut - x);
    let low = x - high;
    let square = x * x;
    (square, high * high - square + 2.0 * high * low + low * low)
}

/// The larger of two; the second where either is NaN or both are equal, as 0 and -0 are. `f64::max` is a call in WebAssembly, and this a
/// comparison.
#[inline]
pub fn larger<T: PartialOrd>(a: T, b: T) -> T {
    if a > b { a } else { b }
}

/// The smaller of two; the second where either is NaN or both are equal.
#[inline]
pub fn smaller<T: PartialOrd>(a: T, b: T) -> T {
    if a < b { a } else { b }
}

/// The nearest integer; of two, that away from 0.
#[inline]
pub fn round(x: f64) -> f64 {
    let whole = x.trunc();
    if (x - whole).abs() < 0.5 { whole } else { whole + 1.0_f64.copysign(x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of a linear congruential generator, -1 to 1.
    fn numbers() -> impl FnMut() -> f64 {
        let mut state = 1_u64;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
        }
    }

    #[test]
    fn lengths_are_those_of_libm_bit_for_bit() {
        let mut number = numbers();
        for _ in 0..200_000 {
            let scale = libm::exp2((8.0 * number()).trunc());
            let (x, y) = (1000.0 * number(), 1000.0 * number() * scale);
            assert_eq!(length(x, y).to_bits(), libm::hypot(x, y).to_bits(), "{x} and {y}");
        }
        for (x, y, expected) in [(3.0, 4.0, 5.0), (0.0, 0.0, 0.0), (0.0, -2.5, 2.5), (1e-9, 0.0, 1e-9), (0.5, 1e9, 1e9)] {
            assert_eq!((length(x, y), length(y, x)), (expected, expected));
        }
        assert!(length(f64::NAN, 1.0).is_nan() && length(1.0, f64::NAN).is_nan());
    }

    #[test]
    fn of_equals_and_beside_nan_the_second_is_taken() {
        for compare in [larger::<f64>, smaller::<f64>] {
            assert_eq!((compare(-0.0, 0.0).to_bits(), compare(0.0, -0.0).to_bits()), (0.0_f64.to_bits(), (-0.0_f64).to_bits()));
            assert!(compare(1.0, f64::NAN).is_nan() && compare(f64::NAN, 1.0) == 1.0);
        }
        assert_eq!((larger(1.0, 2.0), larger(2.0, 1.0), smaller(1.0, 2.0), smaller(2.0, 1.0)), (2.0, 2.0, 1.0, 1.0));
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        let mut number = numbers();
        for _ in 0..100_000 {
            let x = 1e7 * number();
            assert_eq!((round(x), round(x.trunc() + 0.5)), (libm::round(x), libm::round(x.trunc() + 0.5)), "{x}");
        }
        for (x, expected) in [(0.5, 1.0), (-0.5, -1.0), (2.5, 3.0), (0.49999999999999994, 0.0), (-0.0, 0.0), (1e300, 1e300)] {
            assert_eq!(round(x), expected);
        }
        assert!(round(f64::NAN).is_nan() && round(f64::INFINITY) == f64::INFINITY);
    }
}
