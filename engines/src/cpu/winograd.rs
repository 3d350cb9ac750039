//! Convolutions of 3 x 3 and stride 1 by fewer products (Winograd, 1980; Lavin and Gray, 2016). They take most of the time of a map.
//!
//! The output is cut into tiles of 2 x 2 pixels. Each channel of a tile's input becomes a few terms, sums of its pixels; each filter
//! becomes as many; corresponding terms are multiplied and summed over the channels; and the tile's pixels are sums of these products:
//!
//! - F(2 x 2, 3 x 3) makes 16 products of the 4 x 4 pixels that a tile depends on, instead of 36.
//! - In an image whose pixels were doubled a tile depends on 3 x 3 pixels of the image before, and 9 products do:
//!   y_0 = w_0 x_-1 + (w_1 + w_2) x_0 = w_0 (x_-1 - x_0) + (w_0 + w_1 + w_2) x_0 in a line, and likewise y_1 from x_0 and x_1.
//!
//! All factors are 1 or 1/2, so the terms cost hardly any digit. Sixteen tiles are computed together, as four vectors of neighbours in
//! a line, so that the products of one term are a product of matrices: filters (outputs x channels) times tiles (channels x 16).

use super::gemm::{self, COLUMNS, ROWS, Tile, VECTORS};
use super::layout;
use super::simd::LANES;
use super::tensor::{Buffer, BufferPool};
use radiodiff_core::engine::Padding;
use std::rc::Rc;
use wide::f32x4;

/// Side of the kernel.
pub(super) const KERNEL: usize = 3;

type Filter = [[f32; KERNEL]; KERNEL];
/// The pixels of four tiles: lines of the even and the odd columns.
type Pixels = [[f32x4; 2]; 2];

/// Filters (outputs, channels, 3, 3) as terms for [`convolve`].
pub(super) fn pack(weight: &[f32], channels: usize) -> Vec<f32> {
    // Lines of the matrix that makes four terms of three weights.
    let line = |[a, b, c]: [f32; KERNEL]| [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c];
    pack_terms(weight, channels, |filter| {
        let lines = filter.map(line);
        let columns: [[f32; 4]; 4] = std::array::from_fn(|j| line(std::array::from_fn(|i| lines[i][j])));
        std::array::from_fn::<_, 16, _>(|term| columns[term % 4][term / 4])
    })
}

/// Filters (outputs, channels, 3, 3) as terms for [`convolve_doubled`].
pub(super) fn pack_doubled(weight: &[f32], channels: usize) -> Vec<f32> {
    let line = |[a, b, c]: [f32; KERNEL]| [a, a + b + c, c];
    pack_terms(weight, channels, |filter| {
        let lines = filter.map(line);
        let columns: [[f32; 3]; 3] = std::array::from_fn(|j| line(std::array::from_fn(|i| lines[i][j])));
        std::array::from_fn::<_, 9, _>(|term| columns[term % 3][term / 3])
    })
}

/// Terms in the order of the products: (outputs / 4, TERMS, channels, 4). Zeros fill up the last four outputs.
fn pack_terms<const TERMS: usize>(weight: &[f32], channels: usize, terms: impl Fn(&Filter) -> [f32; TERMS]) -> Vec<f32> {
    let filters = weight.as_chunks::<KERNEL>().0.as_chunks::<KERNEL>().0;
    let outputs = filters.len() / channels;
    let mut packed = vec![0.0; outputs.next_multiple_of(ROWS) * TERMS * channels];
    for (index, filter) in filters.iter().enumerate() {
        let (output, channel) = (index / channels, index % channels);
        for (term, value) in terms(filter).into_iter().enumerate() {
            packed[((output / ROWS * TERMS + term) * channels + channel) * ROWS + output % ROWS] = value;
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

impl Target<'_> {
    /// Vectors of four tiles in a line of tiles.
    fn vectors(&self) -> usize {
        self.width.div_ceil(2 * LANES)
    }

    fn tile_lines(&self) -> usize {
        self.height.div_ceil(2)
    }

    /// Stores the pixels of four tiles. `(line, vector)` is the tiles' place.
    #[inline(always)]
    fn store(&mut self, output: usize, (line, vector): (usize, usize), pixels: Pixels) {
        let left = vector * 2 * LANES;
        for (y, [even, odd]) in (2 * line..self.height).zip(pixels) {
            let run = [even.unpack_lo(odd).to_array(), even.unpack_hi(odd).to_array()];
            let start = (output * self.height + y) * self.width;
            let line = &mut self.values[start + left..start + self.width];
            match line.first_chunk_mut::<{ 2 * LANES }>() {
                Some(whole) => whole.copy_from_slice(run.as_flattened()),
                None => line.copy_from_slice(&run.as_flattened()[..line.len()]),
            }
        }
    }
}

/// What the convolutions differ by.
trait Scheme<const TERMS: usize> {
    /// The term that counts once in every pixel of a tile, so that it takes the bias.
    const MIDDLE: usize;

    /// Makes lines of tiles ready up to `line`. They are asked for from the top.
    fn reach(&mut self, line: usize);

    /// A channel's terms of the four tiles at the place (line, vector).
    fn terms(&self, channel: usize, place: (usize, usize)) -> [f32x4; TERMS];

    /// The pixels of four tiles of one output's products.
    fn pixels(products: [f32x4; TERMS]) -> Pixels;
}

/// An image whose padded lines are stored as their even pixels and then their odd ones: a tile's columns are even, odd, even and odd
/// ones, so a load then has the same column of four tiles. It keeps as many lines as the tiles under way need, which fit the cache.
struct SplitLines<'a> {
    image: &'a [f32],
    shape: [usize; 3],
    padding: Padding,
    /// (channels, kept, line_len); line y of the padded image is at y % kept.
    lines: Buffer,
    /// A power of two.
    kept: usize,
    line_len: usize,
    /// The first line that is not there yet.
    next: usize,
}

impl Scheme<16> for SplitLines<'_> {
    const MIDDLE: usize = 5;

    fn reach(&mut self, line: usize) {
        let [channels, height, width] = self.shape;
        for y in self.next..2 * line + 4 {
            for channel in 0..channels {
                let slot = (channel * self.kept + y % self.kept) * self.line_len;
                let slot = &mut self.lines[slot..slot + self.line_len];
                if (self.padding.top..self.padding.top + height).contains(&y) {
                    let line = &self.image[(channel * height + y - self.padding.top) * width..][..width];
                    split_line(line, self.padding.left, slot.split_at_mut(self.line_len / 2));
                } else {
                    slot.fill(0.0);
                }
            }
        }
        self.next = self.next.max(2 * line + 4);
    }

    #[inline(always)]
    fn terms(&self, channel: usize, (line, vector): (usize, usize)) -> [f32x4; 16] {
        let rows: [[f32x4; 4]; 4] = std::array::from_fn(|i| {
            let at = (channel * self.kept + ((2 * line + i) & (self.kept - 1))) * self.line_len + vector * LANES;
            let [[a, c], [b, d]] = [at, at + self.line_len / 2].map(|at| neighbours(&self.lines, at));
            [a - c, b + c, c - b, b - d]
        });
        let columns: [[f32x4; 4]; 4] = std::array::from_fn(|j| {
            let [a, b, c, d] = rows.map(|row| row[j]);
            [a - c, b + c, c - b, b - d]
        });
        std::array::from_fn(|term| columns[term % 4][term / 4])
    }

    #[inline(always)]
    fn pixels(products: [f32x4; 16]) -> Pixels {
        let lines: [[f32x4; 2]; 4] = std::array::from_fn(|i| {
            let [a, b, c, d] = std::array::from_fn(|j| products[4 * i + j]);
            [a + (b + c), (b - c) - d]
        });
        let [[left_0, left_1], [right_0, right_1]] = [0, 1].map(|j| {
            let [a, b, c, d] = lines.map(|line| line[j]);
            [a + (b + c), (b - c) - d]
        });
        [[left_0, right_0], [left_1, right_1]]
    }
}

/// Convolves an image (channels, height, width). `filters` come from [`pack`].
pub(super) fn convolve(pool: &Rc<BufferPool>, image: &[f32], shape: [usize; 3], padding: Padding, filters: &[f32], target: &mut Target) {
    let line_len = 2 * (target.vectors() * LANES + 2);
    // Four lines a line of tiles, of which the next shares two. Vectors that do not divide the lines of tiles span several.
    let spanned = if target.vectors().is_multiple_of(VECTORS) { 1 } else { VECTORS.div_ceil(target.vectors()) + 1 };
    let kept = (2 * spanned + 2).next_power_of_two();
    let mut lines = pool.take(shape[0] * kept * line_len);
    lines.fill(0.0);
    let source = SplitLines { image, shape, padding, lines, kept, line_len, next: 0 };
    multiply(pool, shape[0], filters, target, source);
}

/// An image whose pixels are doubled afterwards, padded by a pixel.
struct Doubled {
    padded: Buffer,
    height: usize,
    line_len: usize,
}

impl Scheme<9> for Doubled {
    const MIDDLE: usize = 4;

    fn reach(&mut self, _line: usize) {}

    #[inline(always)]
    fn terms(&self, channel: usize, (line, vector): (usize, usize)) -> [f32x4; 9] {
        let corner = (channel * (self.height + 2) + line) * self.line_len + vector * LANES;
        let rows: [[f32x4; 3]; 3] = std::array::from_fn(|i| {
            let [a, b, c] = neighbours(&self.padded, corner + i * self.line_len);
            [a - b, b, c - b]
        });
        let columns: [[f32x4; 3]; 3] = std::array::from_fn(|j| {
            let [a, b, c] = rows.map(|row| row[j]);
            [a - b, b, c - b]
        });
        std::array::from_fn(|term| columns[term % 3][term / 3])
    }

    #[inline(always)]
    fn pixels(products: [f32x4; 9]) -> Pixels {
        let lines: [[f32x4; 2]; 3] = std::array::from_fn(|i| {
            let [a, b, c] = std::array::from_fn(|j| products[3 * i + j]);
            [a + b, b + c]
        });
        [0, 1].map(|i: usize| [0, 1].map(|j: usize| lines[i][j] + lines[i + 1][j]))
    }
}

/// Convolves an image (channels, height, width) whose pixels are doubled in both directions, with the padding that keeps the doubled
/// size. `filters` come from [`pack_doubled`].
pub(super) fn convolve_doubled(pool: &Rc<BufferPool>, image: &[f32], shape: [usize; 3], filters: &[f32], target: &mut Target) {
    let [channels, height, width] = shape;
    let right = 1 + width.next_multiple_of(LANES) - width;
    let padded = layout::pad_planes(pool, image, shape, Padding { top: 1, bottom: 1, left: 1, right });
    multiply(pool, channels, filters, target, Doubled { padded, height, line_len: width + 1 + right });
}

/// The products of the terms, block by block of sixteen tiles.
fn multiply<const TERMS: usize, S: Scheme<TERMS>>(
    pool: &Rc<BufferPool>,
    channels: usize,
    filters: &[f32],
    target: &mut Target,
    mut source: S,
) {
    let outputs = target.values.len() / (target.height * target.width);
    let (in_line, vectors) = (target.vectors(), target.vectors() * target.tile_lines());
    let mut tiles = pool.take(TERMS * channels * COLUMNS);
    let mut products: [Tile; TERMS] = [[[[0.0; LANES]; VECTORS]; ROWS]; TERMS];
    for first in (0..vectors).step_by(VECTORS) {
        // A division costs as much as the terms of a channel.
        let places: [_; VECTORS] = std::array::from_fn(|i| ((first + i) / in_line, (first + i) % in_line));
        let places = &places[..VECTORS.min(vectors - first)];
        source.reach(places[places.len() - 1].0);
        for channel in 0..channels {
            let (vectors, _) = tiles.as_chunks_mut::<LANES>();
            for (i, place) in places.iter().enumerate() {
                let terms = source.terms(channel, *place);
                for (row, value) in vectors.chunks_exact_mut(channels * VECTORS).zip(terms) {
                    row[channel * VECTORS + i] = value.to_array();
                }
            }
        }
        for (block, filters) in filters.chunks_exact(TERMS * channels * ROWS).enumerate() {
            let bias: [f32; ROWS] =
                std::array::from_fn(|i| target.bias.and_then(|bias| bias.get(block * ROWS + i)).copied().unwrap_or(0.0));
            let factors = filters.chunks_exact(channels * ROWS).zip(tiles.chunks_exact(channels * COLUMNS));
            for (term, (products, (filters, tiles))) in products.iter_mut().zip(factors).enumerate() {
                gemm::multiply(products, if term == S::MIDDLE { bias } else { [0.0; ROWS] }, filters, tiles);
            }
            #[expect(clippy::needless_range_loop, reason = "the row is the second of three indices")]
            for row in 0..ROWS.min(outputs - block * ROWS) {
                for (i, place) in places.iter().enumerate() {
                    let vectors = std::array::from_fn(|term| f32x4::from(products[term][row][i]));
                    target.store(block * ROWS + row, *place, S::pixels(vectors));
                }
            }
        }
    }
}

/// Stores a line that is moved `left` pixels to the right as its even pixels and its odd ones; the pixels beyond stay.
fn split_line(line: &[f32], left: usize, (even, odd): (&mut [f32], &mut [f32])) {
    let (line, at) = match line {
        [first, rest @ ..] if left % 2 == 1 => {
            odd[left / 2] = *first;
            (rest, left / 2 + 1)
        }
        _ => (line, left / 2),
    };
    let (pairs, rest) = line.as_chunks::<2>();
    for ((even, odd), pair) in even[at..].iter_mut().zip(&mut odd[at..]).zip(pairs) {
        (*even, *odd) = (pair[0], pair[1]);
    }
    if let [last] = rest {
        even[at + pairs.len()] = *last;
    }
}

/// The vectors that begin at `at` and at the pixels after it.
#[inline(always)]
fn neighbours<const COUNT: usize>(values: &[f32], at: usize) -> [f32x4; COUNT] {
    let window: &[f32; LANES + 2] = values[at..].first_chunk().expect("lines are followed by two pixels");
    std::array::from_fn(|i| f32x4::from(<[f32; LANES]>::try_from(&window[i..i + LANES]).expect("four values")))
}
