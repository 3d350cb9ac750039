//! Normalisation over the channels of each pixel, in one kernel.

use super::recorder::{Kernel, Recorder, grid, groups};
use super::tensor::GpuTensor;

const SOURCE: &[&str] = &[include_str!("common.wgsl"), include_str!("channel_norm.wgsl")];

static LANES: Kernel = Kernel { source: SOURCE, entry: "channel_norm_lanes", inputs: 2 };
static PIXELS: Kernel = Kernel { source: SOURCE, entry: "channel_norm_pixels", inputs: 2 };

/// Pixels of a workgroup of `channel_norm_lanes`.
const PIXELS_OF_GROUP: usize = 8;

/// [`radiodiff_core::engine::Engine::channel_norm`].
pub(super) fn channel_norm(recorder: &Recorder, x: &GpuTensor, gain: &GpuTensor, epsilon: f32) -> GpuTensor {
    let &[batch, channels, height, width] = x.shape() else { panic!("channel_norm takes (N, C, H, W), found {:?}", x.shape()) };
    assert!(gain.count() == channels, "channel_norm of {:?} with a gain of {:?}", x.shape(), gain.shape());
    let (plane, pixels) = (height * width, batch * height * width);
    let out = recorder.empty(x.shape());
    let mut parameters = [channels, plane, pixels].map(|n| n as u32).to_vec();
    parameters.push(epsilon.to_bits());
    let (kernel, size) =
        if recorder.without_barriers.get() { (&PIXELS, grid(pixels)) } else { (&LANES, groups(pixels.div_ceil(PIXELS_OF_GROUP))) };
    recorder.dispatch(kernel, &parameters, &[x, gain], &out, size);
    out
}
