//! Convolutions of 3 x 3 and stride 1, which take nearly all the time of a map. They read the padded image directly, without
//! gathering its windows, in tiles of four output channels x sixteen pixels of a line.
//!
//! A tile's sixteen vector sums exceed the registers. In V8 a whole map still takes 10 % less time than with eight sums and 6 % less
//! than with twelve, because each weight that is broadcast to a vector serves four products.

use super::gemm::ROWS;
use super::simd::LANES;
use wide::f32x4;

/// Side of the kernel.
pub(super) const KERNEL: usize = 3;
/// Vectors in a line of a tile.
const VECTORS: usize = 4;
/// Pixels in a line of a tile.
pub(super) const PIXELS: usize = VECTORS * LANES;

/// Channels of a run: rounding is kept small by summing runs first (see [`super::gemm`]).
const RUN: usize = 32;

/// Padded planes, row-major. Each line extends `KERNEL - 1` pixels past its last tile.
pub(super) struct Planes<'a> {
    pub values: &'a [f32],
    pub height: usize,
    pub width: usize,
}

/// Convolves padded planes (Cin, height, width) into `out` (Cout, height - 2, out_width). `weights` comes from
/// [`super::gemm::pack_rows`].
pub(super) fn convolve(planes: &Planes, weights: &[f32], bias: Option<&[f32]>, out: &mut [f32], out_width: usize) {
    let plane = planes.height * planes.width;
    let block_len = planes.values.len() / plane * KERNEL * KERNEL * ROWS;
    let out_height = planes.height + 1 - KERNEL;
    let out_plane = out_height * out_width;
    for y in 0..out_height {
        for (block, weights) in weights.chunks_exact(block_len).enumerate() {
            let start = std::array::from_fn(|i| bias.and_then(|bias| bias.get(block * ROWS + i)).copied().unwrap_or(0.0));
            for x in (0..out_width).step_by(PIXELS) {
                let tile = tile(start, weights, &planes.values[y * planes.width + x..], plane, planes.width);
                let outputs = out[block * ROWS * out_plane..].chunks_mut(out_plane);
                for (out, row) in outputs.zip(tile) {
                    let line = &mut out[y * out_width + x..(y + 1) * out_width];
                    match line.first_chunk_mut::<PIXELS>() {
                        Some(pixels) => *pixels = row,
                        None => line.copy_from_slice(&row[..line.len()]),
                    }
                }
            }
        }
    }
}

/// Computes one tile; its first window begins at `corner[0]`.
#[inline(always)]
fn tile(start: [f32; ROWS], weights: &[f32], corner: &[f32], plane: usize, line: usize) -> [[f32; PIXELS]; ROWS] {
    let mut totals = start.map(|bias| [f32x4::splat(bias); VECTORS]);
    let (taps, _) = weights.as_chunks::<ROWS>();
    let (lines, _) = taps.as_chunks::<KERNEL>();
    for (channels, lines) in corner.chunks(RUN * plane).zip(lines.chunks(RUN * KERNEL)) {
        let mut sums = [[f32x4::ZERO; VECTORS]; ROWS];
        for (channel, lines) in channels.chunks(plane).zip(lines.chunks_exact(KERNEL)) {
            for (ky, taps) in lines.iter().enumerate() {
                let window = &channel[ky * line..][..PIXELS + KERNEL - 1];
                for (kx, tap) in taps.iter().enumerate() {
                    let pixels: [f32x4; VECTORS] = std::array::from_fn(|i| load(window, kx + i * LANES));
                    for (sums, weight) in sums.iter_mut().zip(tap) {
                        let weight = f32x4::splat(*weight);
                        for (sum, pixels) in sums.iter_mut().zip(pixels) {
                            *sum += weight * pixels;
                        }
                    }
                }
            }
        }
        totals.as_flattened_mut().iter_mut().zip(sums.as_flattened()).for_each(|(total, sum)| *total += *sum);
    }
    totals.map(|sums| {
        let mut row = [0.0; PIXELS];
        row.as_chunks_mut::<LANES>().0.iter_mut().zip(sums).for_each(|(row, sum)| *row = sum.to_array());
        row
    })
}

#[inline(always)]
fn load(values: &[f32], at: usize) -> f32x4 {
    f32x4::from(<[f32; LANES]>::try_from(&values[at..at + LANES]).expect("four values"))
}
