//! Convolutions. Those of 3 x 3 and stride 1 go to [`winograd`], or to [`direct`] where they have few outputs; those of very many channels
//! and all others are a matrix product of the weight with the image's windows, which are gathered panel by panel and never stored as a
//! whole (implicit im2col).

use super::direct;
use super::gemm::{self, Bias, COLUMNS, Matrix, ROWS};
use super::layout;
use super::tensor::{BufferPool, CpuTensor, Packing};
use super::winograd::{self, Target};
use radiodiff_core::engine::{ConvGeometry, Padding, shape};
use std::rc::Rc;

pub(super) fn conv2d(
    pool: &Rc<BufferPool>,
    x: &CpuTensor,
    weight: &CpuTensor,
    bias: Option<&CpuTensor>,
    geometry: ConvGeometry,
) -> CpuTensor {
    let out_shape = shape::conv2d(x.shape(), weight.shape(), geometry);
    if let Some(bias) = bias {
        assert_eq!(bias.shape(), [out_shape[1]], "conv2d with a weight of {:?} and a bias of {:?}", weight.shape(), bias.shape());
    }
    let bias = bias.map(CpuTensor::values);
    let mut out = pool.take(out_shape.iter().product());
    if out.is_empty() {
        return CpuTensor::new(out, &out_shape);
    }
    let (image_len, out_len) = (x.shape()[1..].iter().product::<usize>(), out_shape[1..].iter().product::<usize>());
    for (n, out) in out.chunks_exact_mut(out_len).enumerate() {
        let image = &x.values()[n * image_len..][..image_len];
        windows(pool, image, x.shape(), weight, bias, geometry, out, out_shape);
    }
    CpuTensor::new(out, &out_shape)
}

/// Convolves one image (C, H, W) -> (Cout, H', W').
#[expect(clippy::too_many_arguments, reason = "the geometry of a convolution")]
fn windows(
    pool: &Rc<BufferPool>,
    image: &[f32],
    shape: &[usize],
    weight: &CpuTensor,
    bias: Option<&[f32]>,
    geometry: ConvGeometry,
    out: &mut [f32],
    out_shape: [usize; 4],
) {
    let (channels, height, width) = (shape[1], shape[2], shape[3]);
    let (kernel_height, kernel_width) = (weight.shape()[2], weight.shape()[3]);
    let inner = channels * kernel_height * kernel_width;
    let (out_width, columns) = (out_shape[3], out_shape[2] * out_shape[3]);
    let channel_shape = [channels, height, width];
    let plain = (kernel_height, kernel_width, geometry.stride) == (winograd::KERNEL, winograd::KERNEL, 1);
    if plain && channels <= winograd::MOST_CHANNELS {
        if out_shape[1] < ROWS {
            let mut padding = geometry.padding;
            padding.right += out_width.next_multiple_of(direct::PIXELS) - out_width;
            let values = layout::pad_planes(pool, image, channel_shape, padding);
            let (height, width) = (height + padding.top + padding.bottom, width + padding.left + padding.right);
            let planes = direct::Planes { values: &values, height, width };
            for (output, (filters, out)) in weight.values().chunks_exact(inner).zip(out.chunks_exact_mut(columns)).enumerate() {
                direct::convolve(&planes, filters, bias.map_or(0.0, |bias| bias[output]), out, out_width);
            }
            return;
        }
        let pack = || winograd::pack(weight.values(), channels);
        let mut target = Target { values: out, height: out_shape[2], width: out_width, bias };
        return weight.with_packed(Packing::Winograd, pack, |filters| {
            winograd::convolve(pool, image, channel_shape, geometry.padding, filters, &mut target);
        });
    }
    let pack = || gemm::pack_rows(Matrix::row_major(weight.values(), inner), out_shape[1], inner);
    let row_bias = bias.map_or(Bias::None, Bias::Row);
    weight.with_packed(Packing::Rows, pack, |a| {
        if (kernel_height, kernel_width, geometry.stride, geometry.padding) == (1, 1, 1, Padding::default()) {
            let b = Matrix::row_major(image, columns);
            return gemm::product(pool, a, inner, row_bias, out, columns, |range, panels| b.pack_panels(range, inner, panels));
        }
        // Padded to whole strides: pixel x of a line is at x / stride of its phase x % stride.
        let stride = geometry.stride;
        let mut padding = geometry.padding;
        let (padded_height, padded_width) = (height + padding.top + padding.bottom, width + padding.left + padding.right);
        padding.right += padded_width.next_multiple_of(stride) - padded_width;
        let padded = layout::pad_planes(pool, image, channel_shape, padding);
        let phase_len = padded_width.div_ceil(stride);
        let line_len = phase_len * stride;
        let padded = if stride == 1 { padded } else { layout::split_phases(pool, &padded, line_len, stride) };
        gemm::product(pool, a, inner, row_bias, out, columns, |range, panels| {
            for (first, panel) in range.step_by(COLUMNS).zip(panels.chunks_exact_mut(inner * COLUMNS)) {
                // Where the sixteen windows begin in a channel. Columns past the last repeat the last window.
                let corners: [usize; COLUMNS] = std::array::from_fn(|j| {
                    let pixel = (first + j).min(columns - 1);
                    pixel / out_width * stride * line_len + pixel % out_width
                });
                // Of one line of the output.
                let neighbours = first % out_width + COLUMNS <= out_width;
                let mut rows = panel.as_chunks_mut::<COLUMNS>().0.iter_mut();
                for channel in padded.chunks_exact(padded_height * line_len) {
                    for ky in 0..kernel_height {
                        for (kx, row) in (0..kernel_width).zip(&mut rows) {
                            let line = &channel[ky * line_len + kx % stride * phase_len + kx / stride..];
                            match line[corners[0]..].first_chunk() {
                                Some(windows) if neighbours => *row = *windows,
                                _ => *row = corners.map(|corner| line[corner]),
                            }
                        }
                    }
                }
            }
        });
    });
}

/// [`radiodiff_core::engine::Engine::conv2d_of_doubled`].
pub(super) fn conv2d_of_doubled(pool: &Rc<BufferPool>, x: &CpuTensor, weight: &CpuTensor, bias: Option<&CpuTensor>) -> CpuTensor {
    let (&[batch, channels, height, width], &[outputs, inputs, kernel_height, kernel_width]) = (x.shape(), weight.shape()) else {
        panic!("conv2d_of_doubled takes (N, Cin, H, W) and (Cout, Cin, 3, 3), found {:?} and {:?}", x.shape(), weight.shape());
    };
    let fits = (inputs, kernel_height, kernel_width) == (channels, winograd::KERNEL, winograd::KERNEL);
    assert!(fits && bias.is_none_or(|bias| bias.shape() == [outputs]), "conv2d_of_doubled of {:?} with {:?}", x.shape(), weight.shape());
    let out_shape = [batch, outputs, 2 * height, 2 * width];
    let mut out = pool.take(out_shape.iter().product());
    let bias = bias.map(CpuTensor::values);
    if !out.is_empty() {
        let pack = || winograd::pack_doubled(weight.values(), channels);
        weight.with_packed(Packing::WinogradDoubled, pack, |filters| {
            let image_len = channels * height * width;
            for (image, values) in x.values().chunks_exact(image_len).zip(out.chunks_exact_mut(4 * outputs * height * width)) {
                let mut target = Target { values, height: 2 * height, width: 2 * width, bias };
                winograd::convolve_doubled(pool, image, [channels, height, width], filters, &mut target);
            }
        });
    }
    CpuTensor::new(out, &out_shape)
}
