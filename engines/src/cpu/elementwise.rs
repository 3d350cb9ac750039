//! Element-wise operations. Operands of equal shape, and operands that repeat over whole runs (a scalar, one value per channel, one
//! row for all), run in plain loops that the compiler vectorises. Any other broadcast steps by strides.

use super::simd;
use super::tensor::{BufferPool, CpuTensor};
use radiodiff_core::engine::{Binary, Unary, shape};
use std::rc::Rc;

pub(super) fn unary(pool: &Rc<BufferPool>, op: Unary, x: &CpuTensor) -> CpuTensor {
    match op {
        Unary::Silu => {
            let mut out = pool.take(x.values().len());
            simd::map(x.values(), &mut out, simd::silu);
            CpuTensor::new(out, x.shape())
        }
        Unary::Gelu => {
            let mut out = pool.take(x.values().len());
            simd::map(x.values(), &mut out, simd::gelu);
            CpuTensor::new(out, x.shape())
        }
        Unary::Relu => map(pool, x, |v| v.max(0.0)),
        Unary::Exp => map(pool, x, f32::exp),
        Unary::Log => map(pool, x, f32::ln),
        Unary::Sqrt => map(pool, x, f32::sqrt),
        Unary::Abs => map(pool, x, f32::abs),
        Unary::Square => map(pool, x, |v| v * v),
        Unary::Sin => map(pool, x, f32::sin),
        Unary::Cos => map(pool, x, f32::cos),
    }
}

pub(super) fn map(pool: &Rc<BufferPool>, x: &CpuTensor, f: impl Fn(f32) -> f32) -> CpuTensor {
    let mut out = pool.take(x.values().len());
    out.iter_mut().zip(x.values()).for_each(|(out, x)| *out = f(*x));
    CpuTensor::new(out, x.shape())
}

pub(super) fn binary(pool: &Rc<BufferPool>, op: Binary, a: &CpuTensor, b: &CpuTensor) -> CpuTensor {
    match op {
        Binary::Add => zip(pool, a, b, |a, b| a + b),
        Binary::Sub => zip(pool, a, b, |a, b| a - b),
        Binary::Mul => zip(pool, a, b, |a, b| a * b),
        Binary::Div => zip(pool, a, b, |a, b| a / b),
    }
}

fn zip(pool: &Rc<BufferPool>, a: &CpuTensor, b: &CpuTensor, f: impl Fn(f32, f32) -> f32 + Copy) -> CpuTensor {
    let target = shape::broadcast(a.shape(), b.shape());
    let mut out = pool.take(target.iter().product());
    if !out.is_empty() {
        if a.shape() == b.shape() {
            zip_run(&mut out, a.values(), b.values(), f);
        } else {
            zip_broadcast(&mut out, &target, a, b, f);
        }
    }
    CpuTensor::new(out, &target)
}

fn zip_run(out: &mut [f32], a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) {
    out.iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = f(*a, *b));
}

/// Merges the trailing dimensions in which each operand is either contiguous or a single repeated value into one run, and steps
/// through the leading dimensions by strides.
fn zip_broadcast(out: &mut [f32], target: &[usize], a: &CpuTensor, b: &CpuTensor, f: impl Fn(f32, f32) -> f32) {
    let a_strides = shape::broadcast_strides(a.shape(), target);
    let b_strides = shape::broadcast_strides(b.shape(), target);
    let (mut split, mut run) = (target.len(), 1);
    let (mut a_whole, mut b_whole) = (None, None);
    while split > 0 {
        let dim = split - 1;
        if target[dim] > 1 {
            let (a_moves, b_moves) = (a_strides[dim] != 0, b_strides[dim] != 0);
            if *a_whole.get_or_insert(a_moves) != a_moves || *b_whole.get_or_insert(b_moves) != b_moves {
                break;
            }
        }
        run *= target[dim];
        split = dim;
    }
    let (a_whole, b_whole) = (a_whole.unwrap_or(true), b_whole.unwrap_or(true));
    let mut index = vec![0; split];
    let (mut a_at, mut b_at) = (0, 0);
    for out in out.chunks_exact_mut(run) {
        match (a_whole, b_whole) {
            (true, true) => zip_run(out, &a.values()[a_at..][..run], &b.values()[b_at..][..run], &f),
            (true, false) => {
                let b = b.values()[b_at];
                out.iter_mut().zip(&a.values()[a_at..][..run]).for_each(|(out, a)| *out = f(*a, b));
            }
            (false, true) => {
                let a = a.values()[a_at];
                out.iter_mut().zip(&b.values()[b_at..][..run]).for_each(|(out, b)| *out = f(a, *b));
            }
            (false, false) => out.fill(f(a.values()[a_at], b.values()[b_at])),
        }
        for dim in (0..split).rev() {
            index[dim] += 1;
            a_at += a_strides[dim];
            b_at += b_strides[dim];
            if index[dim] < target[dim] {
                break;
            }
            a_at -= a_strides[dim] * target[dim];
            b_at -= b_strides[dim] * target[dim];
            index[dim] = 0;
        }
    }
}
