//! Element-wise operations. Operands of equal shape, and operands that repeat over whole runs (a scalar, one value per channel, one
//! row for all), run in plain loops that the compiler vectorises. Any other broadcast steps by strides.

use super::simd;
use super::tensor::{BufferPool, CpuTensor};
use radiodiff_core::engine::{Binary, Unary, shape};
use std::rc::Rc;
use wide::f32x4;

pub(super) fn unary(pool: &Rc<BufferPool>, op: Unary, x: &CpuTensor) -> CpuTensor {
    match op {
        Unary::Silu => map_vectors(pool, x, simd::silu),
        Unary::Gelu => map_vectors(pool, x, simd::gelu),
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

pub(super) fn map_vectors(pool: &Rc<BufferPool>, x: &CpuTensor, f: impl Fn(f32x4) -> f32x4) -> CpuTensor {
    let mut out = pool.take(x.values().len());
    simd::map(x.values(), &mut out, f);
    CpuTensor::new(out, x.shape())
}

pub(super) fn map(pool: &Rc<BufferPool>, x: &CpuTensor, f: impl Fn(f32) -> f32) -> CpuTensor {
    let mut out = pool.take(x.values().len());
    out.iter_mut().zip(x.values()).for_each(|(out, x)| *out = f(*x));
    CpuTensor::new(out, x.shape())
}

pub(super) fn binary(pool: &Rc<BufferPool>, op: Binary, a: &CpuTensor, b: &CpuTensor) -> CpuTensor {
    let target = shape::broadcast(a.shape(), b.shape());
    let mut out = pool.take(target.iter().product());
    if !out.is_empty() {
        if a.shape() == b.shape() {
            combine(op, &mut out, Operand::Run(a.values()), Operand::Run(b.values()));
        } else {
            broadcast(op, &mut out, &target, a, b);
        }
    }
    CpuTensor::new(out, &target)
}

/// What a run of results takes of a tensor: a value for each, or one for all.
#[derive(Clone, Copy)]
enum Operand<'a> {
    Run(&'a [f32]),
    Value(f32),
}

#[inline(never)]
fn combine(op: Binary, out: &mut [f32], a: Operand, b: Operand) {
    match op {
        Binary::Add => combine_by(out, a, b, |a, b| a + b),
        Binary::Sub => combine_by(out, a, b, |a, b| a - b),
        Binary::Mul => combine_by(out, a, b, |a, b| a * b),
        Binary::Div => combine_by(out, a, b, |a, b| a / b),
    }
}

#[inline(always)]
fn combine_by(out: &mut [f32], a: Operand, b: Operand, f: impl Fn(f32, f32) -> f32) {
    match (a, b) {
        (Operand::Run(a), Operand::Run(b)) => out.iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = f(*a, *b)),
        (Operand::Run(a), Operand::Value(b)) => out.iter_mut().zip(a).for_each(|(out, a)| *out = f(*a, b)),
        (Operand::Value(a), Operand::Run(b)) => out.iter_mut().zip(b).for_each(|(out, b)| *out = f(a, *b)),
        (Operand::Value(a), Operand::Value(b)) => out.fill(f(a, b)),
    }
}

/// Merges the trailing dimensions in which each operand is either contiguous or a single repeated value into one run, and steps
/// through the leading dimensions by strides.
fn broadcast(op: Binary, out: &mut [f32], target: &[usize], a: &CpuTensor, b: &CpuTensor) {
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
        combine(op, out, operand(a, a_at, a_whole, run), operand(b, b_at, b_whole, run));
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

fn operand(x: &CpuTensor, at: usize, whole: bool, run: usize) -> Operand<'_> {
    if whole { Operand::Run(&x.values()[at..][..run]) } else { Operand::Value(x.values()[at]) }
}
