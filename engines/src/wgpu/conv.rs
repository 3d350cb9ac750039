//! Convolutions: the weight is packed once, then the kernel runs that `conv_method` chooses.
//!
//! Each `.wgsl` file says how its kernel divides the work; all read weights packed in one order.

use super::conv_method::{ConvMethod, ConvMethods};
use super::elementwise;
use super::profile::{Convolution, Work};
use super::recorder::{Kernel, Recorder, grid};
use super::tensor::GpuTensor;
use radiodiff_core::engine::{Binary, ConvGeometry, shape};

const ROWS_SOURCE: &[&str] = &[include_str!("common.wgsl"), include_str!("conv_common.wgsl"), include_str!("conv.wgsl")];

static PACK_WEIGHT: Kernel = Kernel { source: ROWS_SOURCE, entry: "pack_weight", inputs: 1 };
static CONV_ANY: Kernel = Kernel { source: ROWS_SOURCE, entry: "conv_any", inputs: 3 };
static CONV_1X1: Kernel = Kernel { source: ROWS_SOURCE, entry: "conv_1x1", inputs: 3 };
static CONV_3X3: Kernel = Kernel { source: ROWS_SOURCE, entry: "conv_3x3", inputs: 3 };
static CONV_COLUMNS: Kernel = Kernel {
    source: &[include_str!("common.wgsl"), include_str!("conv_common.wgsl"), include_str!("conv_columns.wgsl")],
    entry: "conv_columns",
    inputs: 4,
};

/// A kernel of an implicit GEMM: its name, its file, the file's constants, threads, and the taps of a channel and of a row.
macro_rules! gemm {
    ($name:literal, $file:literal, [$($constants:literal),*], $threads:literal, $taps:literal, $row:literal) => {
        Kernel {
            source: &[
                include_str!("common.wgsl"),
                include_str!("conv_common.wgsl"),
                include_str!("conv_gemm.wgsl"),
                include_str!($file),
                concat!(
                    $($constants,)*
                    "fn taps_of_channel() -> u32 { return ",
                    $taps,
                    "; }\nfn taps_of_row() -> u32 { return ",
                    $row,
                    "; }\n@compute @workgroup_size(",
                    $threads,
                    ") fn ",
                    $name,
                    "(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) { convolve(group, local); }"
                ),
            ],
            entry: $name,
            inputs: 4,
        }
    };
}

/// The kernels of an implicit GEMM for 1 x 1, for 3 x 3 and for all others.
macro_rules! gemms {
    ([$one:literal, $three:literal, $any:literal], $file:literal, $constants:tt, $threads:literal) => {
        [
            gemm!($one, $file, $constants, $threads, "1u", "1u"),
            gemm!($three, $file, $constants, $threads, "9u", "3u"),
            gemm!($any, $file, $constants, $threads, "p.kernel_height * p.kernel_width", "p.kernel_width"),
        ]
    };
}

macro_rules! split {
    ($names:tt, $channels:literal, $pixels:literal, $parts:literal, $depth:literal, $eight:literal) => {
        gemms!(
            $names,
            "conv_split.wgsl",
            [
                "const CHANNELS = ",
                $channels,
                "u;\nconst PIXELS = ",
                $pixels,
                "u;\nconst PARTS = ",
                $parts,
                "u;\n",
                "const DEPTH = ",
                $depth,
                "u;\nconst EIGHT = ",
                $eight,
                ";\n"
            ],
            256
        )
    };
}

static SPLIT_16X32: [Kernel; 3] = split!(["split_16x32_1x1", "split_16x32_3x3", "split_16x32"], 16, 32, 8, 8, true);
static SPLIT_32X32: [Kernel; 3] = split!(["split_32x32_1x1", "split_32x32_3x3", "split_32x32"], 32, 32, 4, 8, false);
static SPLIT_32X64: [Kernel; 3] = split!(["split_32x64_1x1", "split_32x64_3x3", "split_32x64"], 32, 64, 2, 16, true);
static SPLIT_64X64: [Kernel; 3] = split!(["split_64x64_1x1", "split_64x64_3x3", "split_64x64"], 64, 64, 1, 16, false);
static TILES: [Kernel; 3] = gemms!(["tiles_1x1", "tiles_3x3", "tiles"], "conv_tiles.wgsl", [], 128);

/// Output channels whose weights are packed together, and that a thread of the rows kernels computes.
const BLOCK: usize = 8;

/// Neighbouring pixels that a thread of `conv_any` computes.
const PIXELS: usize = 4;

/// Pixels that a thread of `conv_1x1` and of `conv_3x3` computes.
const EIGHT: usize = 8;

/// About how many terms one dispatch of the rows kernels sums, here those of 32 channels of 3 x 3. Shorter sums round less (conv.wgsl).
const RUN: usize = 288;

/// Most images of one dispatch: the number of workgroups along a dimension that WebGPU guarantees.
const MOST_IMAGES: usize = 65535;

pub(super) fn conv2d(
    recorder: &Recorder,
    methods: &ConvMethods,
    x: &GpuTensor,
    weight: &GpuTensor,
    [bias, plus]: [Option<&GpuTensor>; 2],
    geometry: ConvGeometry,
) -> GpuTensor {
    let out_shape = shape::conv2d(x.shape(), weight.shape(), geometry);
    assert!(plus.is_none_or(|plus| plus.shape() == out_shape), "conv2d to {out_shape:?} plus {:?}", plus.map(GpuTensor::shape));
    let [n, out_channels, out_height, out_width] = out_shape;
    let &[_, channels, height, width] = x.shape() else { unreachable!("shape::conv2d takes images") };
    let &[.., kernel_height, kernel_width] = weight.shape() else { unreachable!("shape::conv2d takes a kernel's weight") };
    let bias_shape = bias.map(GpuTensor::shape);
    assert!(
        bias_shape.is_none_or(|shape| shape == [out_channels]),
        "conv2d with a weight of {:?} and a bias of {bias_shape:?}",
        weight.shape()
    );
    assert!(n <= MOST_IMAGES, "conv2d of {n} images, at most {MOST_IMAGES}");
    let convolution =
        Convolution { input: [n, channels, height, width], weight: [out_channels, channels, kernel_height, kernel_width], geometry };
    let method = methods.of(&convolution);
    if let (ConvMethod::Rows, Some(plus)) = (method, plus) {
        // A branch at every value that these kernels store costs software adapters, which take them, more than a run.
        let sums = conv2d(recorder, methods, x, weight, [bias, None], geometry);
        return elementwise::binary(recorder, Binary::Add, &sums, plus);
    }

    let parameters = |[height, width, out_height, out_width]: [usize; 4]| {
        let (p, [has_bias, has_plus]) = (geometry.padding, [bias, plus].map(|added| usize::from(added.is_some())));
        let image = [channels, height, width, out_channels, out_height, out_width];
        [&image[..], &[kernel_height, kernel_width, geometry.stride, p.top, p.left, has_bias, has_plus]]
            .concat()
            .iter()
            .map(|&n| n as u32)
            .collect::<Vec<_>>()
    };
    let sizes = [height, width, out_height, out_width];
    let taps = channels * kernel_height * kernel_width;
    let packed = weight.packed(|| {
        let vectors = out_channels.div_ceil(BLOCK) * taps * 2;
        let packed = recorder.empty(&[vectors / 2, recorder.precision.elements_of_eight_weights()]);
        recorder.dispatch(&PACK_WEIGHT, &parameters(sizes), &[weight], &packed, grid(vectors));
        packed
    });
    let out = recorder.empty(&out_shape);
    // All bindings must be filled.
    let inputs = [x, &packed, bias.unwrap_or(x), plus.unwrap_or(x)];
    let work = |taps: usize| Work { macs: (n * out_channels * out_height * out_width * taps) as u64, convolution: Some(convolution) };
    let [tile_channels, tile_pixels] = method.tile();
    let gemm = |kernels: &'static [Kernel; 3]| {
        let kernel = match (kernel_height, kernel_width) {
            (1, 1) => &kernels[0],
            (3, 3) => &kernels[1],
            _ => &kernels[2],
        };
        let groups = [(out_height * out_width).div_ceil(tile_pixels), out_channels.div_ceil(tile_channels), n];
        recorder.dispatch_work(kernel, &parameters(sizes), &inputs, &out, groups, work(taps));
    };
    match method {
        ConvMethod::Rows => {
            // A 1 x 1 kernel does not see rows, and one long row leaves fewer remainders.
            let pointwise = (kernel_height, kernel_width) == (1, 1) && geometry == ConvGeometry::same(1);
            let sizes = if pointwise { [1, height * width, 1, out_height * out_width] } else { sizes };
            let (kernel, threads) = match (kernel_height, kernel_width, geometry.stride) {
                _ if pointwise => (&CONV_1X1, sizes[3].div_ceil(4 * EIGHT) * 4),
                (3, 3, 1) => (&CONV_3X3, sizes[2].div_ceil(EIGHT) * sizes[3]),
                _ => (&CONV_ANY, sizes[2] * sizes[3].div_ceil(PIXELS)),
            };
            let [pixel_groups, ..] = grid(threads);
            let groups = [pixel_groups, out_channels.div_ceil(BLOCK), n];
            let run = (RUN / (kernel_height * kernel_width)).max(1);
            let parameters = parameters(sizes);
            for first in (0..channels).step_by(run) {
                let end = (first + run).min(channels);
                let parameters = [&parameters[..], &[first as u32, end as u32]].concat();
                recorder.dispatch_work(kernel, &parameters, &inputs[..3], &out, groups, work((end - first) * kernel_height * kernel_width));
            }
        }
        ConvMethod::Columns => {
            let groups = [(out_height.next_multiple_of(8) * out_width).div_ceil(tile_pixels), out_channels.div_ceil(tile_channels), n];
            recorder.dispatch_work(&CONV_COLUMNS, &parameters(sizes), &inputs, &out, groups, work(taps));
        }
        ConvMethod::Split16x32 => gemm(&SPLIT_16X32),
        ConvMethod::Split32x32 => gemm(&SPLIT_32X32),
        ConvMethod::Split32x64 => gemm(&SPLIT_32X64),
        ConvMethod::Split64x64 => gemm(&SPLIT_64X64),
        ConvMethod::Tiles => gemm(&TILES),
    }
    out
}
