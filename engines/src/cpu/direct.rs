//! Convolutions of 3 x 3 and stride 1 to fewer outputs than the tiles of [`super::winograd`] have rows. They read the padded image
//! directly, 32 pixels of a line at a time, of which each weight makes eight vectors of products.

use super::simd::LANES;
use super::winograd::KERNEL;
use wide::f32x4;

/// Vectors that are summed together.
const VECTORS: usize = 8;
/// Pixels that are summed together.
pub(super) const PIXELS: usize = VECTORS * LANES;

/// Channels of a run: rounding is kept small by summing runs first (see [`super::gemm`]).
const RUN: usize = 32;

/// Padded planes, row-major. Each line extends `KERNEL - 1` pixels past its last tile.
pub(super) struct Planes<'a> {
    pub values: &'a [f32],
    pub height: usize,
    pub width: usize,
}

/// Convolves padded planes (channels, height, width) to one output (height - 2, out_width). `filters` is (channels, 3, 3).
pub(super) fn convolve(planes: &Planes, filters: &[f32], bias: f32, out: &mut [f32], out_width: usize) {
    let plane = planes.height * planes.width;
    let (lines, _) = filters.as_chunks::<KERNEL>();
    for (y, out) in out.chunks_exact_mut(out_width).enumerate() {
        for (x, out) in out.chunks_mut(PIXELS).enumerate() {
            let corner = &planes.values[y * planes.width + x * PIXELS..];
            let mut totals = [f32x4::splat(bias); VECTORS];
            for (channels, lines) in corner.chunks(RUN * plane).zip(lines.chunks(RUN * KERNEL)) {
                let mut sums = [f32x4::ZERO; VECTORS];
                for (channel, lines) in channels.chunks(plane).zip(lines.chunks_exact(KERNEL)) {
                    for (ky, taps) in lines.iter().enumerate() {
                        let window = &channel[ky * planes.width..][..PIXELS + KERNEL - 1];
                        for (kx, tap) in taps.iter().enumerate() {
                            let (pixels, _) = window[kx..].as_chunks::<LANES>();
                            sums.iter_mut().zip(pixels).for_each(|(sum, pixels)| *sum += f32x4::splat(*tap) * f32x4::from(*pixels));
                        }
                    }
                }
                totals.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
            }
            let totals = totals.map(|total| total.to_array());
            out.copy_from_slice(&totals.as_flattened()[..out.len()]);
        }
    }
}
