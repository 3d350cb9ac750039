//! Convolutions. Those of 3 x 3 and stride 1 go to [`direct`]; the others are a matrix product of the weight with the image's
//! windows, which are gathered panel by panel and never stored as a whole (implicit im2col).

use super::direct;
use super::gemm::{self, Bias, COLUMNS, Matrix};
use super::layout;
use super::tensor::{BufferPool, CpuTensor};
use radiodiff_core::engine::{ConvGeometry, Padding, shape};
use std::rc::Rc;

/// Calls `then` with the packed weight. The packing depends on the weight's shape, so values shared under two shapes are packed
/// anew for the second shape.
fn packed_weight<T>(weight: &CpuTensor, pack: impl Fn() -> Vec<f32>, then: impl FnOnce(&[f32]) -> T) -> T {
    let packed = weight.packed(&pack);
    if packed.shape == weight.shape() { then(&packed.values) } else { then(&pack()) }
}

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
    let pack = || gemm::pack_rows(Matrix::row_major(weight.values(), inner), out_shape[1], inner);
    let row_bias = bias.map_or(Bias::None, Bias::Row);
    packed_weight(weight, pack, |a| {
        if (kernel_height, kernel_width, geometry.stride, geometry.padding) == (1, 1, 1, Padding::default()) {
            let b = Matrix::row_major(image, columns);
            return gemm::product(pool, a, inner, row_bias, out, columns, |first, panel| b.pack_panel(first, columns, panel));
        }
        if (kernel_height, kernel_width, geometry.stride) == (direct::KERNEL, direct::KERNEL, 1) {
            let mut padding = geometry.padding;
            padding.right += out_width.next_multiple_of(direct::PIXELS) - out_width;
            let padded = layout::pad_planes(pool, image, [channels, height, width], padding);
            let (height, width) = (height + padding.top + padding.bottom, width + padding.left + padding.right);
            return direct::convolve(&direct::Planes { values: &padded, height, width }, a, bias, out, out_width);
        }
        let padded = layout::pad_planes(pool, image, [channels, height, width], geometry.padding);
        let (padded_height, padded_width) =
            (height + geometry.padding.top + geometry.padding.bottom, width + geometry.padding.left + geometry.padding.right);
        gemm::product(pool, a, inner, row_bias, out, columns, |first, panel| {
            // Offsets in a padded channel at which the twelve windows begin. Columns past the last repeat the last window.
            let corners: [usize; COLUMNS] = std::array::from_fn(|j| {
                let pixel = (first + j).min(columns - 1);
                pixel / out_width * geometry.stride * padded_width + pixel % out_width * geometry.stride
            });
            let mut rows = panel.as_chunks_mut::<COLUMNS>().0.iter_mut();
            for channel in padded.chunks_exact(padded_height * padded_width) {
                for ky in 0..kernel_height {
                    let line = &channel[ky * padded_width..];
                    for (kx, row) in (0..kernel_width).zip(&mut rows) {
                        for (value, corner) in row.iter_mut().zip(corners) {
                            *value = line[corner + kx];
                        }
                    }
                }
            }
        })
    });
}
