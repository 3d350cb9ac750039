//! Loops over the values of images whose channels lie side by side, compiled for the vectors that the processor has.
//!
//! A coefficient a channel comes as a pattern: a pixel's coefficients repeated over several pixels. Values and pattern are walked
//! along together, so that a loop has one stride and no remainder at every pixel. NaN stays NaN throughout.

use multiversion::multiversion;

/// e^x, to 2 units in the last place; 0 and infinity are not reached.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first of which times a whole number is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    // x = k ln 2 + r: adding 1.5 * 2^23 rounds to a whole number and leaves it in the lowest bits.
    let shifted = x * std::f32::consts::LOG2_E + MAGIC;
    let k = shifted - MAGIC;
    let r = (x - k * LN_2[0]) - k * LN_2[1];
    let tail = (((((1.0 / 5040.0 * r + 1.0 / 720.0) * r + 1.0 / 120.0) * r + 1.0 / 24.0) * r + 1.0 / 6.0) * r + 0.5) * r * r;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    (tail + r + 1.0) * power
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Adds what a pattern has gathered to the channels.
fn fold(pattern: &mut [f32], channels: usize, sums: &mut [[f64; 2]], which: usize) {
    for pixel in pattern.chunks_exact_mut(channels) {
        for (value, sum) in pixel.iter_mut().zip(sums.iter_mut()) {
            sum[which] += f64::from(std::mem::take(value));
        }
    }
}

/// Sum of every channel, and of the squares about the channel's mean; x has whole pixels.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma"))]
pub fn moments(x: &[f32], channels: usize, pattern: usize) -> Vec<[f64; 2]> {
    let length = pattern.div_ceil(channels) * channels;
    let mut sums = vec![[0.0; 2]; channels];
    let mut gathered = vec![0.0f32; length];
    for x in x.chunks(length) {
        for (sum, x) in gathered.iter_mut().zip(x) {
            *sum += *x;
        }
    }
    fold(&mut gathered, channels, &mut sums, 0);
    let pixels = (x.len() / channels) as f64;
    let means: Vec<f32> = sums.iter().map(|[sum, _]| (sum / pixels) as f32).collect::<Vec<_>>().repeat(length / channels);
    for x in x.chunks(length) {
        for ((sum, x), mean) in gathered.iter_mut().zip(x).zip(&means) {
            *sum += (x - mean) * (x - mean);
        }
    }
    fold(&mut gathered, channels, &mut sums, 1);
    sums
}

/// output = z, or SiLU(z), with z = scale x + shift.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma"))]
pub fn scale_and_shift(x: &[f32], [scale, shift]: &[Vec<f32>; 2], silu: bool, output: &mut [f32]) {
    let length = scale.len();
    for (x, output) in x.chunks(length).zip(output.chunks_mut(length)) {
        let coefficients = scale.iter().zip(shift);
        if silu {
            for ((x, output), (scale, shift)) in x.iter().zip(output).zip(coefficients) {
                let z = scale * x + shift;
                *output = z * sigmoid(z);
            }
        } else {
            for ((x, output), (scale, shift)) in x.iter().zip(output).zip(coefficients) {
                *output = scale * x + shift;
            }
        }
    }
}

/// Writes the gradient of z = scale x + shift, from that of z or of SiLU(z); its sum over every channel, and its sum times x - mean.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma"))]
pub fn activation_gradient(
    x: &[f32],
    gradient: &[f32],
    [scale, shift]: &[Vec<f32>; 2],
    mean: &[f32],
    silu: bool,
    of_z: &mut [f32],
    channels: usize,
) -> Vec<[f64; 2]> {
    let length = scale.len();
    if silu {
        for ((x, gradient), of_z) in x.chunks(length).zip(gradient.chunks(length)).zip(of_z.chunks_mut(length)) {
            let coefficients = scale.iter().zip(shift);
            for (((x, gradient), of_z), (scale, shift)) in x.iter().zip(gradient).zip(of_z).zip(coefficients) {
                let z = scale * x + shift;
                let s = sigmoid(z);
                *of_z = gradient * s * (1.0 + z * (1.0 - s));
            }
        }
    } else {
        of_z.copy_from_slice(gradient);
    }
    let (mut first, mut second) = (vec![0.0f32; length], vec![0.0f32; length]);
    for (x, of_z) in x.chunks(length).zip(of_z.chunks(length)) {
        for ((first, second), ((x, of_z), mean)) in first.iter_mut().zip(&mut second).zip(x.iter().zip(of_z).zip(mean)) {
            *first += of_z;
            *second += of_z * (x - mean);
        }
    }
    let mut sums = vec![[0.0; 2]; channels];
    fold(&mut first, channels, &mut sums, 0);
    fold(&mut second, channels, &mut sums, 1);
    sums
}

/// values = a values + b x + c.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma"))]
pub fn combine(values: &mut [f32], x: &[f32], [a, b, c]: &[Vec<f32>; 3]) {
    let length = a.len();
    for (values, x) in values.chunks_mut(length).zip(x.chunks(length)) {
        for ((value, x), ((a, b), c)) in values.iter_mut().zip(x).zip(a.iter().zip(b).zip(c)) {
            *value = a * *value + b * x + c;
        }
    }
}

/// The numbers of an AdamW step. The second moment is kept without its factor 1 - beta2.
#[derive(Clone, Copy)]
pub struct AdamUpdate {
    /// 1 - beta1.
    pub first_share: f32,
    /// beta2.
    pub second_kept: f32,
    /// 1 - beta2.
    pub second_scale: f32,
    /// Corrects the deviation for the moment's beginning at 0.
    pub deviation_scale: f32,
    pub epsilon: f32,
    /// Minus the rate, corrected for the first moment's beginning.
    pub length: f32,
    /// What the decay leaves of the parameter.
    pub kept: f32,
}

/// A step of AdamW.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2+fma"))]
pub fn adam(update: &AdamUpdate, gradient: &[f32], parameter: &mut [f32], first: &mut [f32], second: &mut [f32]) {
    for ((gradient, parameter), (first, second)) in gradient.iter().zip(parameter).zip(first.iter_mut().zip(second)) {
        *first += update.first_share * (gradient - *first);
        *second = update.second_kept * *second + gradient * gradient;
        let deviation = (*second * update.second_scale).sqrt() * update.deviation_scale + update.epsilon;
        *parameter = update.kept * *parameter + update.length * *first / deviation;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_good_to_two_units_in_the_last_place() {
        for i in -8_700..=8_800 {
            let x = i as f32 / 100.0;
            let relative = f64::from(exp(x)) / f64::from(x).exp() - 1.0;
            assert!(relative.abs() < 2.4e-7, "exp({x}) is {relative:e} off");
        }
        assert!(exp(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan());
        assert_eq!((sigmoid(-1e9), sigmoid(1e9)), (sigmoid(-88.0), 1.0));
    }
}
