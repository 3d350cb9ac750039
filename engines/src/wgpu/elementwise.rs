//! Functions of one tensor and of two, and batch normalisation by running statistics.

use super::layout::merged;
use super::recorder::{Kernel, Recorder, grid};
use super::tensor::GpuTensor;
use radiodiff_core::engine::{BatchNormState, Binary, Unary, shape};

const SOURCE: &[&str] = &[include_str!("common.wgsl"), include_str!("elementwise.wgsl")];

static UNARY: Kernel = Kernel { source: SOURCE, entry: "unary", inputs: 1 };
static BINARY: Kernel = Kernel { source: SOURCE, entry: "binary", inputs: 2 };
static BINARY_BROADCAST: Kernel = Kernel { source: SOURCE, entry: "binary_broadcast", inputs: 2 };
static BATCH_NORM: Kernel =
    Kernel { source: &[include_str!("common.wgsl"), include_str!("batch_norm.wgsl")], entry: "batch_norm", inputs: 5 };

fn one(recorder: &Recorder, x: &GpuTensor, op: u32, a: f32, b: f32) -> GpuTensor {
    let out = recorder.empty(x.shape());
    let vectors = x.count().div_ceil(4);
    recorder.dispatch(&UNARY, &[vectors as u32, op, a.to_bits(), b.to_bits()], &[x], &out, grid(vectors));
    out
}

pub(super) fn unary(recorder: &Recorder, op: Unary, x: &GpuTensor) -> GpuTensor {
    // The cases of `unary` in elementwise.wgsl.
    let code = match op {
        Unary::Silu => 0,
        Unary::Gelu => 1,
        Unary::Relu => 2,
        Unary::Exp => 3,
        Unary::Log => 4,
        Unary::Sqrt => 5,
        Unary::Abs => 6,
        Unary::Square => 7,
        Unary::Sin => 8,
        Unary::Cos => 9,
    };
    one(recorder, x, code, 0.0, 0.0)
}

pub(super) fn affine(recorder: &Recorder, x: &GpuTensor, scale: f32, shift: f32) -> GpuTensor {
    one(recorder, x, 10, scale, shift)
}

pub(super) fn clamp(recorder: &Recorder, x: &GpuTensor, min: f32, max: f32) -> GpuTensor {
    one(recorder, x, 11, min, max)
}

pub(super) fn binary(recorder: &Recorder, op: Binary, a: &GpuTensor, b: &GpuTensor) -> GpuTensor {
    let code = match op {
        Binary::Add => 0,
        Binary::Sub => 1,
        Binary::Mul => 2,
        Binary::Div => 3,
    };
    let out_shape = shape::broadcast(a.shape(), b.shape());
    let out = recorder.empty(&out_shape);
    let strides = [a, b].map(|side| shape::broadcast_strides(side.shape(), &out_shape));
    let dims = merged(&out_shape, &strides);
    if let [] | [[_, 1, 1, _]] = dims[..] {
        let vectors = out.count().div_ceil(4);
        recorder.dispatch(&BINARY, &[vectors as u32, code], &[a, b], &out, grid(vectors));
    } else {
        let mut parameters = vec![out.count() as u32, code, dims.len() as u32, 0];
        parameters.extend(dims.iter().flatten());
        recorder.dispatch(&BINARY_BROADCAST, &parameters, &[a, b], &out, grid(out.count()));
    }
    out
}

pub(super) fn batch_norm(recorder: &Recorder, x: &GpuTensor, state: &BatchNormState<GpuTensor>) -> GpuTensor {
    let statistics = [&state.weight, &state.bias, &state.running_mean, &state.running_var];
    let &[_, channels, height, width] = x.shape() else { panic!("batch_norm takes (N, C, H, W), found {:?}", x.shape()) };
    let shapes = statistics.map(GpuTensor::shape);
    assert!(shapes.iter().all(|shape| *shape == [channels]), "batch_norm of {:?} with {shapes:?}", x.shape());
    let out = recorder.empty(x.shape());
    let parameters = [x.count() as u32, channels as u32, (height * width) as u32, (state.epsilon as f32).to_bits()];
    let [weight, bias, mean, variance] = statistics;
    recorder.dispatch(&BATCH_NORM, &parameters, &[x, weight, bias, mean, variance], &out, grid(x.count()));
    out
}
