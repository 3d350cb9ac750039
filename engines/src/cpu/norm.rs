//! Normalisations, softmax and means. Short chunks are summed in f32 and the chunks' sums in f64, so that a mean over a quarter of a
//! million pixels is as exact as one over ten.

use super::simd::{self, LANES};
use super::tensor::{BufferPool, CpuTensor};
use std::rc::Rc;
use wide::f32x4;

/// Elements summed in f32 before they are added in f64.
const CHUNK: usize = 1024;

/// The sums of a chunk's deviations from `center` and of their squares, in one pass.
fn deviations(values: &[f32], center: f32) -> (f32, f32) {
    let (wide16, rest) = values.as_chunks::<{ 4 * LANES }>();
    let (mut sums, mut squares) = ([f32x4::ZERO; 4], [f32x4::ZERO; 4]);
    for chunk in wide16 {
        for ((sum, square), v) in sums.iter_mut().zip(&mut squares).zip(chunk.as_chunks::<LANES>().0) {
            let deviation = f32x4::from(*v) - f32x4::splat(center);
            *sum += deviation;
            *square += deviation * deviation;
        }
    }
    let [sum, square] = [sums, squares].map(|of| (of[0] + of[1] + (of[2] + of[3])).reduce_add());
    rest.iter().map(|v| v - center).fold((sum, square), |(sum, square), v| (sum + v, square + v * v))
}

/// Mean and biased variance. A chunk's deviations are taken from the mean so far, and the first chunk's from the mean of a few values:
/// what these are away from the chunk's own mean counts as variance of the whole, so that it costs no digits. The chunks are merged by
/// the formula of Chan, Golub and LeVeque (1983).
fn mean_and_variance(values: &[f32]) -> (f32, f32) {
    let few = &values[..values.len().min(4 * LANES)];
    let (mut count, mut mean, mut squares) = (0.0_f64, f64::from(few.iter().sum::<f32>()) / few.len() as f64, 0.0_f64);
    for chunk in values.chunks(CHUNK) {
        let center = mean as f32;
        let (deviation, chunk_squares) = deviations(chunk, center);
        let n = chunk.len() as f64;
        let chunk_mean = f64::from(center) + f64::from(deviation) / n;
        let chunk_squares = f64::from(chunk_squares) - f64::from(deviation) * f64::from(deviation) / n;
        let delta = chunk_mean - mean;
        let total = count + n;
        squares += chunk_squares + delta * delta * count * n / total;
        mean += delta * n / total;
        count = total;
    }
    (mean as f32, (squares / count).max(0.0) as f32)
}

/// Mean and biased variance of a group of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moments {
    pub(crate) mean: f32,
    pub(crate) variance: f32,
}

impl Moments {
    /// The moments of values that are cut into parts of equal length.
    pub(crate) fn of_equal_parts(parts: impl Iterator<Item = Self> + Clone) -> Self {
        let count = parts.clone().count() as f64;
        let mean = parts.clone().map(|part| f64::from(part.mean)).sum::<f64>() / count;
        let squares = |part: Self| f64::from(part.variance) + (f64::from(part.mean) - mean).powi(2);
        Self { mean: mean as f32, variance: (parts.map(squares).sum::<f64>() / count) as f32 }
    }
}

/// Values of x (N, C, ..) in a group, after a check that it has such groups.
fn group_len(shape: &[usize], groups: usize) -> usize {
    let fits = shape.len() >= 2 && groups > 0 && shape[1].is_multiple_of(groups);
    assert!(fits, "group_norm of {shape:?} in {groups} groups");
    shape[1] / groups * shape[2..].iter().product::<usize>()
}

/// The moments of each group of x (N, C, ..), sample after sample.
pub(super) fn group_moments(x: &CpuTensor, groups: usize) -> Vec<Moments> {
    let len = group_len(x.shape(), groups);
    let moments = |values: &[f32]| {
        let (mean, variance) = mean_and_variance(values);
        Moments { mean, variance }
    };
    if len == 0 { Vec::new() } else { x.values().chunks_exact(len).map(moments).collect() }
}

/// [`radiodiff_core::engine::Engine::group_norm`] by the groups' moments, with `activate` applied to the result before it is stored.
pub(super) fn group_norm(
    pool: &Rc<BufferPool>,
    x: &CpuTensor,
    moments: &[Moments],
    [weight, bias]: [&CpuTensor; 2],
    epsilon: f32,
    activate: impl Fn(f32x4) -> f32x4,
) -> CpuTensor {
    let shape = x.shape();
    let parameters = (weight.shape(), bias.shape());
    assert!(parameters == (&[shape[1]], &[shape[1]]), "group_norm of {shape:?} with a scale and shift of {parameters:?}");
    let mut out = pool.take(x.values().len());
    if out.is_empty() {
        return CpuTensor::new(out, shape);
    }
    let pixels: usize = shape[2..].iter().product();
    let groups = moments.len() / shape[0];
    let channels = shape[1] / groups;
    let group_len = channels * pixels;
    for (index, (values, out)) in x.values().chunks_exact(group_len).zip(out.chunks_exact_mut(group_len)).enumerate() {
        let Moments { mean, variance } = moments[index];
        let inverse = 1.0 / (variance + epsilon).sqrt();
        for (c, (values, out)) in values.chunks_exact(pixels).zip(out.chunks_exact_mut(pixels)).enumerate() {
            let channel = index % groups * channels + c;
            let scale = weight.values()[channel] * inverse;
            let (mean, scale, shift) = (f32x4::splat(mean), f32x4::splat(scale), f32x4::splat(bias.values()[channel]));
            simd::map(values, out, |v| activate((v - mean) * scale + shift));
        }
    }
    CpuTensor::new(out, shape)
}

/// Normalises the rows of the last dimension to mean 0 and variance 1.
pub(super) fn normalize_last(pool: &Rc<BufferPool>, x: &CpuTensor, epsilon: f32) -> CpuTensor {
    let mut out = pool.take(x.values().len());
    let width = *x.shape().last().unwrap_or(&1);
    if !out.is_empty() {
        for (values, out) in x.values().chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let (mean, variance) = mean_and_variance(values);
            let (mean, scale) = (f32x4::splat(mean), f32x4::splat(1.0 / (variance + epsilon).sqrt()));
            simd::map(values, out, |v| (v - mean) * scale);
        }
    }
    CpuTensor::new(out, x.shape())
}

/// Replaces a row by its softmax.
pub(super) fn softmax_row(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total = exp_and_sum(row, largest);
    let scale = 1.0 / total;
    row.iter_mut().for_each(|v| *v *= scale);
}

/// Replaces each value by e^(value - largest) and returns their sum.
#[inline(never)]
pub(super) fn exp_and_sum(row: &mut [f32], largest: f32) -> f32 {
    let shift = f32x4::splat(largest);
    let (vectors, rest) = row.as_chunks_mut::<LANES>();
    let mut sum = f32x4::ZERO;
    for v in vectors {
        let e = simd::exp(f32x4::from(*v) - shift);
        sum += e;
        *v = e.to_array();
    }
    let mut total = sum.reduce_add();
    for v in rest {
        *v = simd::exp(f32x4::splat(*v) - shift).to_array()[0];
        total += *v;
    }
    total
}

pub(super) fn softmax(pool: &Rc<BufferPool>, x: &CpuTensor, dim: usize) -> CpuTensor {
    let shape = x.shape();
    assert!(dim < shape.len(), "softmax of {shape:?} along {dim}");
    let mut out = pool.take(x.values().len());
    out.copy_from_slice(x.values());
    let (len, inner) = (shape[dim], shape[dim + 1..].iter().product::<usize>());
    if out.is_empty() {
        return CpuTensor::new(out, shape);
    }
    if inner == 1 {
        out.chunks_exact_mut(len).for_each(softmax_row);
        return CpuTensor::new(out, shape);
    }
    // Neighbours in memory belong to different sums, so each step handles a whole line.
    let (mut largest, mut total) = (vec![0.0_f32; inner], vec![0.0_f32; inner]);
    for block in out.chunks_exact_mut(len * inner) {
        largest.fill(f32::NEG_INFINITY);
        for line in block.chunks_exact(inner) {
            largest.iter_mut().zip(line).for_each(|(m, v)| *m = m.max(*v));
        }
        total.fill(0.0);
        for line in block.chunks_exact_mut(inner) {
            line.iter_mut().zip(&largest).for_each(|(v, m)| *v -= m);
            exp_and_sum(line, 0.0);
            total.iter_mut().zip(&*line).for_each(|(t, v)| *t += v);
        }
        for line in block.chunks_exact_mut(inner) {
            line.iter_mut().zip(&total).for_each(|(v, t)| *v /= t);
        }
    }
    CpuTensor::new(out, shape)
}

pub(super) fn mean_from(pool: &Rc<BufferPool>, x: &CpuTensor, first: usize) -> CpuTensor {
    assert!(first <= x.shape().len(), "mean_from of {:?} from dimension {first}", x.shape());
    let len: usize = x.shape()[first..].iter().product();
    let shape: Vec<usize> = x.shape().iter().enumerate().map(|(i, &n)| if i < first { n } else { 1 }).collect();
    let mut out = pool.take(shape.iter().product());
    for (i, mean) in out.iter_mut().enumerate() {
        let total: f64 = x.values()[i * len..][..len].chunks(CHUNK).map(|chunk| f64::from(deviations(chunk, 0.0).0)).sum();
        *mean = (total / len as f64) as f32;
    }
    CpuTensor::new(out, &shape)
}
