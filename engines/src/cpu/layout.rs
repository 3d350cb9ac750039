//! Operations that move values without changing them: permute, concat, narrow, gather_rows, pad.

use super::tensor::{Buffer, BufferPool, CpuTensor};
use radiodiff_core::engine::{Padding, shape};
use std::rc::Rc;

/// Side of the squares in which a matrix is transposed: 16 values are one cache line.
const SQUARE: usize = 16;

pub(super) fn permute(pool: &Rc<BufferPool>, x: &CpuTensor, order: &[usize]) -> CpuTensor {
    let mut seen = vec![false; x.shape().len()];
    let valid = order.len() == seen.len() && order.iter().all(|&i| i < seen.len() && !std::mem::replace(&mut seen[i], true));
    assert!(valid, "permute of {:?} by {order:?}", x.shape());
    let out_shape: Vec<usize> = order.iter().map(|&i| x.shape()[i]).collect();
    let (runs, strides) = merged(x.shape(), order);
    if runs.len() <= 1 {
        return x.reshaped(&out_shape);
    }
    let mut out = pool.take(x.values().len());
    if !out.is_empty() {
        gather(x.values(), &mut out, &runs, &strides);
    }
    CpuTensor::new(out, &out_shape)
}

/// Extents and source strides of the permuted dimensions. Dimensions that stay neighbours are merged, and those of extent 1 are
/// left out.
fn merged(shape: &[usize], order: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let source = shape::strides(shape);
    let (mut extents, mut strides): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    for &dim in order.iter().filter(|&&dim| shape[dim] != 1) {
        match (extents.last_mut(), strides.last_mut()) {
            (Some(extent), Some(stride)) if *stride == source[dim] * shape[dim] => {
                *extent *= shape[dim];
                *stride = source[dim];
            }
            _ => {
                extents.push(shape[dim]);
                strides.push(source[dim]);
            }
        }
    }
    (extents, strides)
}

/// Fills `out` (row-major over `extents`) from the strided `x`. There are at least two extents.
fn gather(x: &[f32], out: &mut [f32], extents: &[usize], strides: &[usize]) {
    let plane = extents.len() - 2;
    if extents.len() > 2 {
        let part = out.len() / extents[0];
        for (i, out) in out.chunks_exact_mut(part).enumerate() {
            gather(&x[i * strides[0]..], out, &extents[1..], &strides[1..]);
        }
        return;
    }
    let (rows, columns, row_stride, column_stride) = (extents[plane], extents[plane + 1], strides[plane], strides[plane + 1]);
    if column_stride == 1 {
        for (i, out) in out.chunks_exact_mut(columns).enumerate() {
            out.copy_from_slice(&x[i * row_stride..][..columns]);
        }
        return;
    }
    for top in (0..rows).step_by(SQUARE) {
        for left in (0..columns).step_by(SQUARE) {
            for i in top..(top + SQUARE).min(rows) {
                let line = &mut out[i * columns + left..(i * columns + left + SQUARE).min((i + 1) * columns)];
                let source = &x[i * row_stride + left * column_stride..];
                line.iter_mut().zip(source.iter().step_by(column_stride)).for_each(|(out, x)| *out = *x);
            }
        }
    }
}

pub(super) fn concat(pool: &Rc<BufferPool>, parts: &[&CpuTensor], dim: usize) -> CpuTensor {
    let shapes: Vec<&[usize]> = parts.iter().map(|part| part.shape()).collect();
    let fits = shapes.first().is_some_and(|first| {
        dim < first.len() && shapes.iter().all(|s| s.len() == first.len() && s[..dim] == first[..dim] && s[dim + 1..] == first[dim + 1..])
    });
    assert!(fits, "concat of {shapes:?} along {dim}");
    let mut shape = shapes[0].to_vec();
    shape[dim] = shapes.iter().map(|s| s[dim]).sum();
    let inner: usize = shape[dim + 1..].iter().product();
    let mut out = pool.take(shape.iter().product());
    if !out.is_empty() {
        for (i, mut out) in out.chunks_exact_mut(shape[dim] * inner).enumerate() {
            for part in parts {
                let run = part.shape()[dim] * inner;
                let (here, rest) = out.split_at_mut(run);
                here.copy_from_slice(&part.values()[i * run..][..run]);
                out = rest;
            }
        }
    }
    CpuTensor::new(out, &shape)
}

pub(super) fn narrow(pool: &Rc<BufferPool>, x: &CpuTensor, dim: usize, start: usize, len: usize) -> CpuTensor {
    let fits = dim < x.shape().len() && start + len <= x.shape()[dim];
    assert!(fits, "narrow of {:?} along {dim} to {start}..{}", x.shape(), start + len);
    let mut shape = x.shape().to_vec();
    shape[dim] = len;
    let inner: usize = shape[dim + 1..].iter().product();
    let mut out = pool.take(shape.iter().product());
    if !out.is_empty() {
        let (run, stride) = (len * inner, x.shape()[dim] * inner);
        for (i, out) in out.chunks_exact_mut(run).enumerate() {
            out.copy_from_slice(&x.values()[i * stride + start * inner..][..run]);
        }
    }
    CpuTensor::new(out, &shape)
}

pub(super) fn gather_rows(pool: &Rc<BufferPool>, x: &CpuTensor, rows: &[usize]) -> CpuTensor {
    let shape = shape::gather_rows(x.shape(), rows);
    let mut out = pool.take(shape.iter().product());
    if !out.is_empty() {
        let run = shape[1..].iter().product();
        out.chunks_exact_mut(run).zip(rows).for_each(|(out, row)| out.copy_from_slice(&x.values()[row * run..][..run]));
    }
    CpuTensor::new(out, &shape)
}

pub(super) fn pad(pool: &Rc<BufferPool>, x: &CpuTensor, padding: Padding) -> CpuTensor {
    let &[ref outer @ .., height, width] = x.shape() else { panic!("pad of {:?}: it has no two last dimensions", x.shape()) };
    let out = pad_planes(pool, x.values(), [outer.iter().product(), height, width], padding);
    let mut shape = outer.to_vec();
    shape.extend([height + padding.top + padding.bottom, width + padding.left + padding.right]);
    CpuTensor::new(out, &shape)
}

/// Adds zeros around each of the `planes` images of `height` x `width`.
pub(super) fn pad_planes(pool: &Rc<BufferPool>, x: &[f32], [planes, height, width]: [usize; 3], p: Padding) -> Buffer {
    let padded_width = width + p.left + p.right;
    let padded_len = (height + p.top + p.bottom) * padded_width;
    let mut padded = pool.take(planes * padded_len);
    if padded.is_empty() {
        return padded;
    }
    for (c, plane) in padded.chunks_exact_mut(padded_len).enumerate() {
        for (y, line) in plane.chunks_exact_mut(padded_width).enumerate() {
            if y < p.top || y >= p.top + height {
                line.fill(0.0);
            } else {
                line[..p.left].fill(0.0);
                line[p.left..p.left + width].copy_from_slice(&x[(c * height + y - p.top) * width..][..width]);
                line[p.left + width..].fill(0.0);
            }
        }
    }
    padded
}

/// Orders the pixels of each line by their column's remainder by `stride`, which divides the lines.
pub(super) fn split_phases(pool: &Rc<BufferPool>, x: &[f32], line_len: usize, stride: usize) -> Buffer {
    let mut split = pool.take(x.len());
    for (line, phases) in x.chunks_exact(line_len.max(1)).zip(split.chunks_exact_mut(line_len.max(1))) {
        for (phase, out) in phases.chunks_exact_mut(line_len / stride).enumerate() {
            out.iter_mut().zip(line[phase..].iter().step_by(stride)).for_each(|(out, x)| *out = *x);
        }
    }
    split
}
