//! Convolutions: the weight is packed once, then one dispatch for each run of input channels adds its sums to the result.

use super::recorder::{Kernel, Recorder, grid};
use super::tensor::GpuTensor;
use radiodiff_core::engine::{ConvGeometry, shape};

const SOURCE: &str = concat!(include_str!("common.wgsl"), include_str!("conv.wgsl"));

static PACK_WEIGHT: Kernel = Kernel { source: SOURCE, entry: "pack_weight", inputs: 1 };
static CONV_ANY: Kernel = Kernel { source: SOURCE, entry: "conv_any", inputs: 3 };
static CONV_3X3: Kernel = Kernel { source: SOURCE, entry: "conv_3x3", inputs: 3 };

/// Output channels that a thread computes.
const BLOCK: usize = 8;

/// Neighbouring pixels that a thread computes.
const PIXELS: usize = 4;

/// About how many terms one dispatch sums, here those of 32 channels of 3 x 3. Shorter sums round less (conv.wgsl).
const RUN: usize = 288;

/// Most images of one dispatch: the number of workgroups along a dimension that WebGPU guarantees.
const MOST_IMAGES: usize = 65535;

pub(super) fn conv2d(
    recorder: &Recorder,
    x: &GpuTensor,
    weight: &GpuTensor,
    bias: Option<&GpuTensor>,
    geometry: ConvGeometry,
) -> GpuTensor {
    let out_shape = shape::conv2d(x.shape(), weight.shape(), geometry);
    let [n, out_channels, out_height, out_width] = out_shape;
    let (channels, height, width) = (x.shape()[1], x.shape()[2], x.shape()[3]);
    let kernel = [weight.shape()[2], weight.shape()[3]];
    let bias_shape = bias.map(GpuTensor::shape);
    assert!(
        bias_shape.is_none_or(|shape| shape == [out_channels]),
        "conv2d with a weight of {:?} and a bias of {bias_shape:?}",
        weight.shape()
    );
    assert!(n <= MOST_IMAGES, "conv2d of {n} images, at most {MOST_IMAGES}");

    let parameters = |[height, width, out_height, out_width]: [usize; 4]| {
        let (p, has_bias) = (geometry.padding, usize::from(bias.is_some()));
        let [kernel_height, kernel_width] = kernel;
        let image = [channels, height, width, out_channels, out_height, out_width];
        [&image[..], &[kernel_height, kernel_width, geometry.stride, p.top, p.left, has_bias]]
            .concat()
            .iter()
            .map(|&n| n as u32)
            .collect::<Vec<_>>()
    };
    let mut sizes = [height, width, out_height, out_width];
    let padded = parameters(sizes);
    let taps = channels * kernel[0] * kernel[1];
    let packed = weight.packed(|| {
        let packed = recorder.empty(&[out_channels.div_ceil(BLOCK), taps, BLOCK]);
        recorder.dispatch(&PACK_WEIGHT, &padded, &[weight], &packed, grid(packed.count()));
        packed
    });
    let out = recorder.empty(&out_shape);
    if kernel == [1, 1] && geometry == ConvGeometry::same(1) {
        // A 1 x 1 kernel does not see rows, and one long row leaves fewer remainders.
        sizes = [1, height * width, 1, out_height * out_width];
    }
    let code = if kernel == [3, 3] && geometry.stride == 1 { &CONV_3X3 } else { &CONV_ANY };
    let [pixel_groups, ..] = grid(sizes[2] * sizes[3].div_ceil(PIXELS));
    let inputs = [x, &packed, bias.unwrap_or(x)];
    let run = (RUN / (kernel[0] * kernel[1])).max(1);
    let parameters = parameters(sizes);
    for first in (0..channels).step_by(run) {
        let end = (first + run).min(channels);
        let parameters = [&parameters[..], &[first as u32, end as u32]].concat();
        recorder.dispatch(code, &parameters, &inputs, &out, [pixel_groups, out_channels.div_ceil(BLOCK), n]);
    }
    out
}
