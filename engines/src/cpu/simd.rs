//! Mathematics on four lanes: the exponential and the activations that need it.
//!
//! The functions have no branches, so loops over them stay in registers. Errors are relative.

use wide::{f32x4, i32x4};

/// Lanes of a vector.
pub(super) const LANES: usize = 4;

/// e^x with an error of 2e-7 for x in [-87, 88]. Smaller x give e^-87 (1.6e-38), larger x give e^88 (1.7e38).
#[inline(always)]
pub(super) fn exp(x: f32x4) -> f32x4 {
    // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits of the mantissa.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts. The first has few bits, so that n * LN2_HIGH is exact (Cody and Waite, 1980).
    const LN2_HIGH: f32 = 355.0 / 512.0;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.fast_max(f32x4::splat(-87.0)).fast_min(f32x4::splat(88.0));
    let shifted = x * f32x4::splat(std::f32::consts::LOG2_E) + f32x4::splat(ROUND);
    let n = shifted - f32x4::splat(ROUND);
    let r = x - n * f32x4::splat(LN2_HIGH) - n * f32x4::splat(LN2_LOW);
    // The polynomial of degree 6 whose greatest relative error for |r| <= ln(2) / 2 is least: 2e-9, by Remez exchange.
    let mut p = f32x4::splat(1.383_679_4e-3);
    for coefficient in [8.374_857e-3, 4.166_823e-2, 0.166_664_2, 0.499_999_9, 1.0, 1.0] {
        p = p * r + f32x4::splat(coefficient);
    }
    let bits: i32x4 = bytes(shifted);
    let p_bits: i32x4 = bytes(p);
    from_bytes(p_bits + (bits << 23))
}

#[inline(always)]
fn bytes(x: f32x4) -> i32x4 {
    i32x4::from(x.to_array().map(|lane| lane.to_bits() as i32))
}

#[inline(always)]
fn from_bytes(x: i32x4) -> f32x4 {
    f32x4::from(x.to_array().map(|lane| f32::from_bits(lane as u32)))
}

/// x * sigmoid(x).
#[inline(always)]
pub(super) fn silu(x: f32x4) -> f32x4 {
    x / (f32x4::ONE + exp(-x))
}

/// log(1 + e^x) = max(x, 0) + log(1 + y) for y = e^-|x|, and log(1 + y) = 2 artanh(z) for z = y / (2 + y), of which seven terms of
/// Taylor's series have an error of 2e-8 at the largest z, 1/3.
#[inline(always)]
pub(super) fn softplus(x: f32x4) -> f32x4 {
    let y = exp(-x.abs());
    let z = y / (f32x4::splat(2.0) + y);
    let zz = z * z;
    let mut p = f32x4::splat(1.0 / 13.0);
    for coefficient in [1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0] {
        p = p * zz + f32x4::splat(coefficient);
    }
    f32x4::splat(0.5) * (x + x.abs()) + f32x4::splat(2.0) * z * p
}

/// x * Phi(x). Phi comes from the rational Chebyshev fit of erfc (Press et al., Numerical Recipes, 6.2), with an error of 1.2e-7
/// even far in the tail.
#[inline(always)]
pub(super) fn gelu(x: f32x4) -> f32x4 {
    let z = x.abs() * f32x4::splat(std::f32::consts::FRAC_1_SQRT_2);
    let t = f32x4::ONE / (f32x4::ONE + f32x4::splat(0.5) * z);
    let mut p = f32x4::splat(0.170_872_77);
    for coefficient in
        [-0.822_152_2, 1.488_515_9, -1.135_204, 0.278_868_07, -0.186_288_06, 0.096_784_18, 0.374_091_96, 1.000_023_7, -1.265_512_2]
    {
        p = p * t + f32x4::splat(coefficient);
    }
    let upper_tail = f32x4::splat(0.5) * t * exp(p - z * z);
    let phi = x.simd_lt(f32x4::ZERO).select(upper_tail, f32x4::ONE - upper_tail);
    x * phi
}

/// Elements that [`map`] takes at a time: each function is a chain of operations that wait for one another, so two run side by side.
const PAIR: usize = 2 * LANES;

/// Stores `vector(x[i])` in `out[i]`. The last vectors are padded with x = 0.
#[inline(always)]
pub(super) fn map(x: &[f32], out: &mut [f32], vector: impl Fn(f32x4) -> f32x4) {
    let pair = |x: &[f32; PAIR]| [0, 1].map(|i| vector(f32x4::from(x.as_chunks().0[i])).to_array());
    let (x, x_rest) = x.as_chunks::<PAIR>();
    let (out, out_rest) = out.as_chunks_mut::<PAIR>();
    for (out, x) in out.iter_mut().zip(x) {
        out.copy_from_slice(pair(x).as_flattened());
    }
    let mut last = [0.0; PAIR];
    last[..x_rest.len()].copy_from_slice(x_rest);
    let last = pair(&last);
    out_rest.copy_from_slice(&last.as_flattened()[..out_rest.len()]);
}
