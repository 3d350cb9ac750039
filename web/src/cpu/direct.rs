//! Square convolutions of stride 1, where nearly all the time of a map goes: straight from the padded image, without gathering
//! its windows, in tiles of four output channels x eight pixels of a line.
//!
//! A tile's eight sums, two pixel vectors, a weight and a product stay within the fifteen vector registers that a browser's
//! compiler gives to wasm; twelve sums, as the matrix product has them, would not.

use super::gemm::ROWS;
use super::simd::LANES;
use wide::f32x4;

/// Pixels of a tile.
pub(super) const PIXELS: usize = 2 * LANES;

/// Padded planes, row-major; each line reaches `K - 1` pixels beyond the last whole tile.
pub(super) struct Planes<'a> {
    pub values: &'a [f32],
    pub height: usize,
    pub width: usize,
}

/// (Cin, height, width) padded -> `out` (Cout, .., out_width). `weights` is from [`super::gemm::pack_rows`].
pub(super) fn convolve<const K: usize>(planes: &Planes, weights: &[f32], bias: Option<&[f32]>, out: &mut [f32], out_width: usize) {
    let plane = planes.height * planes.width;
    let block_len = planes.values.len() / plane * K * K * ROWS;
    let out_height = planes.height + 1 - K;
    let out_plane = out_height * out_width;
    for y in 0..out_height {
        for (block, weights) in weights.chunks_exact(block_len).enumerate() {
            let start = std::array::from_fn(|i| bias.and_then(|bias| bias.get(block * ROWS + i)).copied().unwrap_or(0.0));
            for x in (0..out_width).step_by(PIXELS) {
                let tile = tile::<K>(start, weights, &planes.values[y * planes.width + x..], plane, planes.width);
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

/// The sums of one tile, whose first window begins at `corner[0]`.
#[inline(always)]
fn tile<const K: usize>(start: [f32; ROWS], weights: &[f32], corner: &[f32], plane: usize, line: usize) -> [[f32; PIXELS]; ROWS] {
    let mut sums = start.map(|bias| [f32x4::splat(bias); 2]);
    let (taps, _) = weights.as_chunks::<ROWS>();
    let (lines, _) = taps.as_chunks::<K>();
    for (channel, lines) in corner.chunks(plane).zip(lines.chunks_exact(K)) {
        for (ky, taps) in lines.iter().enumerate() {
            let window = &channel[ky * line..][..PIXELS + K - 1];
            for (kx, tap) in taps.iter().enumerate() {
                let pixels = [load(window, kx), load(window, kx + LANES)];
                for (sums, weight) in sums.iter_mut().zip(tap) {
                    let weight = f32x4::splat(*weight);
                    for (sum, pixels) in sums.iter_mut().zip(pixels) {
                        *sum += weight * pixels;
                    }
                }
            }
        }
    }
    sums.map(|[first, second]| {
        let mut row = [0.0; PIXELS];
        row[..LANES].copy_from_slice(&first.to_array());
        row[LANES..].copy_from_slice(&second.to_array());
        row
    })
}

#[inline(always)]
fn load(values: &[f32], at: usize) -> f32x4 {
    f32x4::from(<[f32; LANES]>::try_from(&values[at..at + LANES]).expect("four values"))
}
