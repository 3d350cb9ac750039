//! Convolutions of 3 x 3 and stride 1 by fewer products (Winograd, 1980; Lavin and Gray, 2016). They take most of the time of a map.
//!
//! The output is cut into tiles. Each channel of the pixels that a tile depends on becomes N x N terms; each filter becomes as many;
//! corresponding terms are multiplied and summed over the channels; and the tile's pixels are sums of these products. A [`Scheme`] says
//! how, for one dimension: lines are turned into terms first, then columns of these terms.
//!
//! - [`Plain`], F(4 x 4, 3 x 3), makes 36 products for 16 pixels, instead of 144.
//! - [`Doubled`] makes 9 products for 4 pixels of an image whose pixels were doubled, instead of 36.
//!
//! Each line is turned into terms once and kept while tiles need it. Sixteen tiles are then computed together, as four vectors of
//! neighbours in a line, so that the products of one term are a product of matrices: filters (outputs x channels) times tiles
//! (channels x 16).

use super::gemm::{self, COLUMNS, ROWS, Tile, VECTORS};
use super::simd::LANES;
use super::tensor::{Buffer, BufferPool};
use radiodiff_core::engine::Padding;
use std::rc::Rc;
use wide::f32x4;

/// Side of the kernel.
pub(super) const KERNEL: usize = 3;

/// Channels that [`convolve`] sums with an error below 1e-6. None of the networks that ship has more.
pub(super) const MOST_CHANNELS: usize = 256;

type Vector = [f32; LANES];

/// One dimension of tiles of `OUT` pixels, which depend on `N` pixels and are sums of `N` products. Vectors hold four neighbouring tiles.
trait Scheme<const N: usize, const OUT: usize> {
    /// Pixels from the beginning of a tile's input to that of the next.
    const STEP: usize;

    /// The terms of a line of a filter.
    fn filter(weights: [f64; KERNEL]) -> [f64; N];

    /// The columns of the input of the four tiles that begin where `line` does.
    fn columns(line: &[f32]) -> [f32x4; N];

    /// The terms of the input.
    fn terms(pixels: [f32x4; N]) -> [f32x4; N];

    /// The pixels of the output.
    fn pixels(products: [f32x4; N]) -> [f32x4; OUT];

    /// The pixels of four tiles, from left to right.
    fn line(columns: [f32x4; OUT]) -> [f32x4; OUT];
}

/// The polynomials that a line and a filter are the coefficients of, taken at 0, +-5/8, +-3/2 and infinity. The usual points 0, +-1, +-2
/// cost twice the digits. Products of the points are exact in float32.
struct Plain;

const A: f32 = 0.625;
const B: f32 = 1.5;

impl Scheme<6, 4> for Plain {
    const STEP: usize = 4;

    fn filter([w_0, w_1, w_2]: [f64; KERNEL]) -> [f64; 6] {
        let (a, b) = (f64::from(A), f64::from(B));
        let at = |point: f64, scale: f64| (w_0 + point * (w_1 + point * w_2)) / scale;
        let (scale_a, scale_b) = (2.0 * a * a * (a * a - b * b), 2.0 * b * b * (b * b - a * a));
        [at(0.0, a * a * b * b), at(a, scale_a), at(-a, scale_a), at(b, scale_b), at(-b, scale_b), w_2]
    }

    #[inline(always)]
    fn columns(line: &[f32]) -> [f32x4; 6] {
        let line: &[f32; 5 * LANES] = line.first_chunk().expect("a line is followed by the pixels of another tile");
        let [v_0, v_1, v_2, v_3, v_4] = std::array::from_fn(|i| f32x4::from(line.as_chunks().0[i]));
        let [x_0, x_1, x_2, x_3] = f32x4::transpose([v_0, v_1, v_2, v_3]);
        let [x_4, x_5, _, _] = f32x4::transpose([v_1, v_2, v_3, v_4]);
        [x_0, x_1, x_2, x_3, x_4, x_5]
    }

    #[inline(always)]
    fn terms([x_0, x_1, x_2, x_3, x_4, x_5]: [f32x4; 6]) -> [f32x4; 6] {
        let [a, b, aa, bb] = [A, B, A * A, B * B].map(f32x4::splat);
        let [sum, product] = [A * A + B * B, A * A * B * B].map(f32x4::splat);
        let aa_2 = aa * x_2;
        let (even_a, odd_a) = (x_4 - bb * x_2, a * (x_3 - bb * x_1));
        let (even_b, odd_b) = (x_4 - aa_2, b * (x_3 - aa * x_1));
        let (zero, infinity) = (even_a - aa_2 + product * x_0, x_5 - sum * x_3 + product * x_1);
        [zero, even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, infinity]
    }

    #[inline(always)]
    fn pixels([m_0, m_1, m_2, m_3, m_4, m_5]: [f32x4; 6]) -> [f32x4; 4] {
        let [a, b, aa, bb, aaa, bbb] = [A, B, A * A, B * B, A * A * A, B * B * B].map(f32x4::splat);
        let (even_a, odd_a, even_b, odd_b) = (m_1 + m_2, m_1 - m_2, m_3 + m_4, m_3 - m_4);
        [m_0 + (even_a + even_b), a * odd_a + b * odd_b, aa * even_a + bb * even_b, aaa * odd_a + bbb * odd_b + m_5]
    }

    #[inline(always)]
    fn line(columns: [f32x4; 4]) -> [f32x4; 4] {
        f32x4::transpose(columns)
    }
}

/// A pixel x_0 of the image before it was doubled and its neighbours make two pixels: y_0 = w_0 x_-1 + (w_1 + w_2) x_0 =
/// w_0 (x_-1 - x_0) + (w_0 + w_1 + w_2) x_0, and likewise y_1 from x_0 and x_1.
struct Doubled;

impl Scheme<3, 2> for Doubled {
    const STEP: usize = 1;

    fn filter([w_0, w_1, w_2]: [f64; KERNEL]) -> [f64; 3] {
        [w_0, w_0 + w_1 + w_2, w_2]
    }

    #[inline(always)]
    fn columns(line: &[f32]) -> [f32x4; 3] {
        let window: &[f32; LANES + 2] = line.first_chunk().expect("a line is followed by two pixels");
        std::array::from_fn(|i| f32x4::from(<Vector>::try_from(&window[i..i + LANES]).expect("four values")))
    }

    #[inline(always)]
    fn terms([before, pixel, after]: [f32x4; 3]) -> [f32x4; 3] {
        [before - pixel, pixel, after - pixel]
    }

    #[inline(always)]
    fn pixels([before, pixel, after]: [f32x4; 3]) -> [f32x4; 2] {
        [before + pixel, pixel + after]
    }

    #[inline(always)]
    fn line([even, odd]: [f32x4; 2]) -> [f32x4; 2] {
        [even.unpack_lo(odd), even.unpack_hi(odd)]
    }
}

/// Filters (outputs, channels, 3, 3) as terms for [`convolve`].
pub(super) fn pack(weight: &[f32], channels: usize) -> Vec<f32> {
    pack_terms(weight, channels, Plain::filter)
}

/// Filters (outputs, channels, 3, 3) as terms for [`convolve_doubled`].
pub(super) fn pack_doubled(weight: &[f32], channels: usize) -> Vec<f32> {
    pack_terms(weight, channels, Doubled::filter)
}

/// Terms in the order of the products: (outputs / 4, N, N, channels, 4). Zeros fill up the last four outputs.
fn pack_terms<const N: usize>(weight: &[f32], channels: usize, terms: impl Fn([f64; KERNEL]) -> [f64; N]) -> Vec<f32> {
    let filters = weight.as_chunks::<KERNEL>().0.as_chunks::<KERNEL>().0;
    let outputs = filters.len() / channels;
    let mut packed = vec![0.0; outputs.next_multiple_of(ROWS) * N * N * channels];
    for (index, filter) in filters.iter().enumerate() {
        let (output, channel) = (index / channels, index % channels);
        let lines = filter.map(|line| terms(line.map(f64::from)));
        for j in 0..N {
            for (i, value) in terms(lines.map(|line| line[j])).into_iter().enumerate() {
                packed[(((output / ROWS * N + i) * N + j) * channels + channel) * ROWS + output % ROWS] = value as f32;
            }
        }
    }
    packed
}

/// Where a convolution's result goes: (outputs, height, width).
pub(super) struct Target<'a> {
    pub values: &'a mut [f32],
    pub height: usize,
    pub width: usize,
    pub bias: Option<&'a [f32]>,
}

/// Convolves an image (channels, height, width). `filters` come from [`pack`].
pub(super) fn convolve(pool: &Rc<BufferPool>, image: &[f32], shape: [usize; 3], padding: Padding, filters: &[f32], target: &mut Target) {
    multiply::<6, 4, Plain>(pool, image, shape, padding, filters, target);
}

/// Convolves an image (channels, height, width) whose pixels are doubled in both directions, with the padding that keeps the doubled
/// size. `filters` come from [`pack_doubled`].
pub(super) fn convolve_doubled(pool: &Rc<BufferPool>, image: &[f32], shape: [usize; 3], filters: &[f32], target: &mut Target) {
    multiply::<3, 2, Doubled>(pool, image, shape, Padding::all(1), filters, target);
}

/// The lines of an image as terms. As many are kept as the tiles under way need, which fit the cache.
struct Lines<'a> {
    image: &'a [f32],
    shape: [usize; 3],
    padding: Padding,
    /// Vectors of a line.
    vectors: usize,
    /// (channels, kept, vectors, N, 4); line y of the padded image is at y % kept.
    terms: Buffer,
    kept: usize,
    /// A line and zeros around it.
    padded: Buffer,
    /// The first line that is not there yet.
    next: usize,
}

impl Lines<'_> {
    /// Makes lines ready up to `end`. They are asked for from the top.
    fn reach<const N: usize, const OUT: usize, S: Scheme<N, OUT>>(&mut self, end: usize) {
        let [channels, height, width] = self.shape;
        let (terms, _) = self.terms.as_chunks_mut::<LANES>().0.as_chunks_mut::<N>();
        let padded: &mut [f32] = &mut self.padded;
        for y in self.next..end {
            let inside = (self.padding.top..self.padding.top + height).contains(&y);
            for channel in 0..channels {
                let line = &mut terms[(channel * self.kept + y % self.kept) * self.vectors..][..self.vectors];
                if !inside {
                    line.fill([[0.0; LANES]; N]);
                    continue;
                }
                let pixels = &self.image[(channel * height + y - self.padding.top) * width..][..width];
                padded[self.padding.left..][..width].copy_from_slice(pixels);
                for (vector, terms) in line.iter_mut().enumerate() {
                    let columns = S::columns(&padded[vector * S::STEP * LANES..]);
                    *terms = S::terms(columns).map(|term| term.to_array());
                }
            }
        }
        self.next = self.next.max(end);
    }
}

/// Four neighbouring tiles.
#[derive(Clone, Copy)]
struct Place<const N: usize> {
    line: usize,
    vector: usize,
    /// Where the terms of their lines are in a channel.
    rows: [usize; N],
}

/// The convolution, block by block of sixteen tiles.
fn multiply<const N: usize, const OUT: usize, S: Scheme<N, OUT>>(
    pool: &Rc<BufferPool>,
    image: &[f32],
    shape: [usize; 3],
    padding: Padding,
    filters: &[f32],
    target: &mut Target,
) {
    let [channels, ..] = shape;
    let (outputs, plane) = (target.values.len() / (target.height * target.width), target.height * target.width);
    let in_line = target.width.div_ceil(OUT * LANES);
    let vectors = in_line * target.height.div_ceil(OUT);
    // Vectors that do not divide the lines of tiles span several.
    let spanned = if in_line.is_multiple_of(VECTORS) { 1 } else { VECTORS.div_ceil(in_line) + 1 };
    let kept = S::STEP * (spanned - 1) + N;
    let terms = pool.take(channels * kept * in_line * N * LANES);
    let mut padded = pool.take((in_line * S::STEP + 1) * LANES);
    padded.fill(0.0);
    let mut lines = Lines { image, shape, padding, vectors: in_line, terms, kept, padded, next: 0 };
    let mut tiles = pool.take(channels * N * N * COLUMNS);
    tiles.fill(0.0);
    let (tiles, _) = tiles.as_chunks_mut::<LANES>().0.as_chunks_mut::<VECTORS>().0.as_chunks_mut::<N>().0.as_chunks_mut::<N>();
    let mut products: [[Tile; N]; N] = [[[[[0.0; LANES]; VECTORS]; ROWS]; N]; N];
    for first in (0..vectors).step_by(VECTORS) {
        // A division costs as much as the terms of a channel.
        let places: [Place<N>; VECTORS] = std::array::from_fn(|i| {
            let (line, vector) = ((first + i) / in_line, (first + i) % in_line);
            Place { line, vector, rows: std::array::from_fn(|row| (S::STEP * line + row) % kept * in_line + vector) }
        });
        let places = &places[..VECTORS.min(vectors - first)];
        lines.reach::<N, OUT, S>(S::STEP * places[places.len() - 1].line + N);
        let (terms, _) = lines.terms.as_chunks::<LANES>().0.as_chunks::<N>();
        for (tiles, lines) in tiles.iter_mut().zip(terms.chunks_exact(kept * in_line)) {
            for (i, place) in (0..VECTORS).zip(places) {
                let rows = place.rows.map(|row| &lines[row]);
                for j in 0..N {
                    let column = S::terms(rows.map(|row| f32x4::from(row[j])));
                    tiles.iter_mut().zip(column).for_each(|(row, term)| row[j][i] = term.to_array());
                }
            }
        }
        for (block, filters) in filters.chunks_exact(N * N * channels * ROWS).enumerate() {
            let filters = filters.as_chunks::<ROWS>().0.chunks_exact(channels);
            for (term, (products, filters)) in products.as_flattened_mut().iter_mut().zip(filters).enumerate() {
                gemm::multiply(products, [0.0; ROWS], filters, tiles, |tiles| &tiles.as_flattened()[term]);
            }
            for (row, output) in (0..ROWS).zip(block * ROWS..outputs) {
                let bias = f32x4::splat(target.bias.map_or(0.0, |bias| bias[output]));
                for (i, place) in (0..VECTORS).zip(places) {
                    let columns: [[f32x4; OUT]; N] =
                        std::array::from_fn(|j| S::pixels(std::array::from_fn(|i_| f32x4::from(products[i_][j][row][i]))));
                    let left = place.vector * OUT * LANES;
                    for (k, y) in (0..OUT).zip(OUT * place.line..target.height) {
                        let pixels = S::line(S::pixels(columns.map(|column| column[k]))).map(|pixels| (pixels + bias).to_array());
                        let start = output * plane + y * target.width;
                        let (line, pixels) = (&mut target.values[start + left..start + target.width], pixels.as_flattened());
                        match line.get_mut(..pixels.len()) {
                            Some(whole) => whole.copy_from_slice(pixels),
                            None => line.copy_from_slice(&pixels[..line.len()]),
                        }
                    }
                }
            }
        }
    }
}
