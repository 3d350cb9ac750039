//! Matrix products, and the linear layers built on them.

use super::recorder::{Kernel, Recorder};
use super::tensor::GpuTensor;
use radiodiff_core::engine::shape;

static MATMUL: Kernel = Kernel { source: &[include_str!("matmul.wgsl")], entry: "matmul", inputs: 3 };

/// Rows and columns of the result that a workgroup computes: 8 x 8 threads of 4 x 4 elements.
const TILE: usize = 32;

/// Most batches of one dispatch: the number of workgroups along a dimension that WebGPU guarantees.
const MOST_BATCHES: usize = 65535;

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

/// scale a b^T for a (B, M, K) and b (B, N, K) -> (B, M, N).
pub(super) fn scaled_product_with_transposed(recorder: &Recorder, a: &GpuTensor, b: &GpuTensor, scale: f32) -> GpuTensor {
    let (&[batch, m, k], &[_, n, _]) = (a.shape(), b.shape()) else { panic!("a product of {:?} and {:?}", a.shape(), b.shape()) };
    let right = Right { values: b, row: 1, column: k, batch: n * k };
    product(recorder, a, &right, [batch, m, k, n], scale, None, &[batch, m, n])
}
