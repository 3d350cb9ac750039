//! Matrix products, and the linear layers and attention built on them.

use super::layout;
use super::recorder::{Kernel, Recorder};
use super::rows;
use super::tensor::GpuTensor;
use radiodiff_core::engine::shape;

static MATMUL: Kernel = Kernel { source: &[include_str!("matmul.wgsl")], entry: "matmul", inputs: 3 };

/// Rows and columns of the result that a workgroup computes: 8 x 8 threads of 4 x 4 elements.
const TILE: usize = 32;

/// Most batches of one dispatch: the number of workgroups along a dimension that WebGPU guarantees.
const MOST_BATCHES: usize = 65535;

/// Most elements of the matrix of logits that exist at a time (64 MiB; WebGPU guarantees buffers of 128 MiB).
const MOST_LOGITS: usize = 1 << 24;

/// The right factor of a product, (batch, k, n), with its strides.
struct Right<'a> {
    values: &'a GpuTensor,
    row: usize,
    column: usize,
    /// 0 when all batches share one matrix.
    batch: usize,
}

/// Computes alpha a b + bias (batch, m, n) into a tensor of `shape`.
fn product(
    recorder: &Recorder,
    a: &GpuTensor,
    b: &Right<'_>,
    [batch, m, k, n]: [usize; 4],
    alpha: f32,
    bias: Option<&GpuTensor>,
    shape: &[usize],
) -> GpuTensor {
    assert!(batch <= MOST_BATCHES, "a product of {batch} matrices, at most {MOST_BATCHES}");
    let out = recorder.empty(shape);
    let mut parameters = [m, n, k, b.row, b.column, b.batch, usize::from(bias.is_some())].map(|n| n as u32).to_vec();
    parameters.push(alpha.to_bits());
    // The binding of the bias must be filled even when there is none.
    let inputs = [a, b.values, bias.unwrap_or(a)];
    recorder.dispatch(&MATMUL, &parameters, &inputs, &out, [n.div_ceil(TILE), m.div_ceil(TILE), batch]);
    out
}

pub(super) fn matmul(recorder: &Recorder, a: &GpuTensor, b: &GpuTensor) -> GpuTensor {
    let out_shape = shape::matmul(a.shape(), b.shape());
    let &[ref outer @ .., m, n] = &out_shape[..] else { unreachable!("a product has two dimensions") };
    let k = a.shape()[a.shape().len() - 1];
    let batch = outer.iter().product::<usize>();
    if b.shape().len() == 2 {
        let right = Right { values: b, row: n, column: 1, batch: 0 };
        return product(recorder, a, &right, [1, batch * m, k, n], 1.0, None, &out_shape);
    }
    let right = Right { values: b, row: n, column: 1, batch: k * n };
    product(recorder, a, &right, [batch, m, k, n], 1.0, None, &out_shape)
}

/// x (.., In), weight (Out, In), bias (Out) -> (.., Out).
pub(super) fn linear(recorder: &Recorder, x: &GpuTensor, weight: &GpuTensor, bias: Option<&GpuTensor>) -> GpuTensor {
    let shapes = (x.shape(), weight.shape(), bias.map(GpuTensor::shape));
    let (&[ref outer @ .., inner], &[columns, weight_inner]) = (x.shape(), weight.shape()) else {
        panic!("linear takes (.., In), (Out, In) and (Out), found {shapes:?}");
    };
    assert!(inner == weight_inner && bias.is_none_or(|bias| bias.shape() == [columns]), "linear of {shapes:?}");
    let right = Right { values: weight, row: 1, column: inner, batch: 0 };
    let size = [1, outer.iter().product(), inner, columns];
    product(recorder, x, &right, size, 1.0, bias, &[outer, &[columns]].concat())
}

/// softmax(scale * q k^T) v for q (B, M, D), k (B, N, D), v (B, N, E) -> (B, M, E).
pub(super) fn attention(recorder: &Recorder, q: &GpuTensor, k: &GpuTensor, v: &GpuTensor, scale: f32) -> GpuTensor {
    let shapes = (q.shape(), k.shape(), v.shape());
    let (&[batch, queries, width], &[k_batch, keys, k_width], &[v_batch, v_keys, _]) = (q.shape(), k.shape(), v.shape()) else {
        panic!("attention takes (B, M, D), (B, N, D) and (B, N, E), found {shapes:?}");
    };
    assert!(batch == k_batch && batch == v_batch && width == k_width && keys == v_keys, "attention of {shapes:?}");
    let most = (MOST_LOGITS / (batch * keys).max(1)).max(1);
    if queries > most {
        let part = |first| attention(recorder, &layout::narrow(recorder, q, 1, first, most.min(queries - first)), k, v, scale);
        let parts: Vec<GpuTensor> = (0..queries).step_by(most).map(part).collect();
        return layout::concat(recorder, &parts.iter().collect::<Vec<_>>(), 1);
    }
    let transposed = Right { values: k, row: 1, column: width, batch: keys * width };
    let logits = product(recorder, q, &transposed, [batch, queries, width, keys], scale, None, &[batch, queries, keys]);
    matmul(recorder, &rows::softmax(recorder, &logits, 2), v)
}
