//! Normalisations, softmax and means. A first kernel reduces every row to a few numbers (mean and variance, or maximum and sum); a
//! second kernel computes every element from its row's numbers.
//!
//! A row is the set of elements that are normalised together: the channels of a group, the last dimension, the dimension of a
//! softmax.

use super::elementwise;
use super::recorder::{Kernel, Recorder, grid, groups};
use super::tensor::GpuTensor;
use radiodiff_core::engine::Binary;

const SOURCE: &[&str] = &[include_str!("common.wgsl"), include_str!("rows.wgsl")];

static REDUCE_SHORT: Kernel = Kernel { source: SOURCE, entry: "reduce_short", inputs: 1 };
static REDUCE_LONG: Kernel = Kernel { source: SOURCE, entry: "reduce_long", inputs: 1 };
static REDUCE_PARTS: Kernel = Kernel { source: SOURCE, entry: "reduce_parts", inputs: 1 };
static MERGE_CHUNKS: Kernel = Kernel { source: SOURCE, entry: "merge_chunks", inputs: 1 };
static APPLY: Kernel = Kernel { source: SOURCE, entry: "apply", inputs: 6 };
static APPLY_PLUS: Kernel = Kernel { source: SOURCE, entry: "apply_plus", inputs: 6 };
static APPLY_SINGLE: Kernel = Kernel { source: SOURCE, entry: "apply_single", inputs: 6 };
static AT_ONCE: Kernel = Kernel { source: SOURCE, entry: "row_at_once", inputs: 6 };
static MEAN: Kernel = Kernel { source: SOURCE, entry: "mean", inputs: 1 };

/// Rows of at most this many elements are reduced by one thread each.
const SHORT: usize = 64;

/// Rows of at most this many elements, 64 a thread, are one workgroup's from beginning to end where barriers are cheap: a run of a kernel
/// takes a GPU longer than what a row of this length takes.
const MOST_AT_ONCE: usize = 16384;

/// Elements of a long row that one workgroup reduces.
const CHUNK: usize = 4096;

/// Threads of `reduce_parts` that share a chunk.
const PARTS: usize = 16;

/// The scale, shift and activation that follow a normalisation.
#[derive(Clone, Copy)]
pub(super) struct Affine<'a> {
    pub weight: &'a GpuTensor,
    pub bias: &'a GpuTensor,
    /// Scales and shifts (N, 2 C) of a modulation.
    pub film: Option<&'a GpuTensor>,
    pub silu: bool,
    /// Added in the end, as large as x.
    pub plus: Option<&'a GpuTensor>,
}

/// How rows of `n` elements lie in a tensor: `inner` rows are interleaved.
#[derive(Clone, Copy)]
struct Rows {
    rows: usize,
    n: usize,
    inner: usize,
    softmax: bool,
}

impl Rows {
    /// The parameters that all kernels share: the first half of the block.
    fn parameters(self, chunks: usize) -> [u32; 6] {
        [self.rows, self.n, self.inner, CHUNK, chunks, usize::from(self.softmax)].map(|n| n as u32)
    }

    /// Reduces every row to four numbers (rows, 1, 4).
    fn reduce(self, recorder: &Recorder, x: &GpuTensor) -> GpuTensor {
        let numbers = |chunks: usize| recorder.empty(&[self.rows, chunks, 4]);
        if self.n <= SHORT {
            let short = numbers(1);
            recorder.dispatch(&REDUCE_SHORT, &self.parameters(1), &[x], &short, grid(self.rows));
            return short;
        }
        let without_barriers = recorder.without_barriers.get();
        let chunks = self.n.div_ceil(CHUNK) * if without_barriers { PARTS } else { 1 };
        let (parameters, parts) = (self.parameters(chunks), numbers(chunks));
        let (kernel, size) =
            if without_barriers { (&REDUCE_PARTS, grid(self.rows * chunks)) } else { (&REDUCE_LONG, groups(self.rows * chunks)) };
        recorder.dispatch(kernel, &parameters, &[x], &parts, size);
        if chunks == 1 {
            return parts;
        }
        let merged = numbers(1);
        recorder.dispatch(&MERGE_CHUNKS, &parameters, &[&parts], &merged, grid(self.rows));
        merged
    }

    /// Reduces the rows and computes every element from its row's numbers. `affine` comes with the number of a plane's elements.
    fn apply(self, recorder: &Recorder, x: &GpuTensor, epsilon: f32, affine: Option<(Affine<'_>, usize)>) -> GpuTensor {
        let out = recorder.empty(x.shape());
        let (channels, pixels) = affine.map_or((1, self.n), |(affine, pixels)| (affine.weight.count(), pixels));
        let silu = affine.is_some_and(|(affine, _)| affine.silu);
        let [film, plus] = affine.map_or([None; 2], |(affine, _)| [affine.film, affine.plus]);
        let mut parameters = self.parameters(1).to_vec();
        let flags = [affine.is_some(), film.is_some(), silu, plus.is_some()].map(usize::from);
        parameters.extend([&[x.count(), channels, pixels], &flags[..]].concat().iter().map(|&n| n as u32));
        parameters.push(epsilon.to_bits());
        // All bindings must be filled.
        let [weight, bias] = affine.map_or([x; 2], |(affine, _)| [affine.weight, affine.bias]);
        let following = [weight, bias, film.unwrap_or(x), plus.unwrap_or(x)];
        let vectors = self.inner == 1 && pixels.is_multiple_of(4);
        if vectors && !recorder.without_barriers.get() && (SHORT..=MOST_AT_ONCE).contains(&self.n) {
            recorder.dispatch(&AT_ONCE, &parameters, &[&[x, x], &following[..]].concat(), &out, groups(self.rows));
            return out;
        }
        let numbers = self.reduce(recorder, x);
        let (kernel, threads) = match (vectors, plus) {
            (true, None) => (&APPLY, x.count() / 4),
            (true, Some(_)) => (&APPLY_PLUS, x.count() / 4),
            (false, _) => (&APPLY_SINGLE, x.count()),
        };
        recorder.dispatch(kernel, &parameters, &[&[x, &numbers], &following[..]].concat(), &out, grid(threads));
        match plus {
            Some(plus) if !vectors => elementwise::binary(recorder, Binary::Add, &out, plus),
            _ => out,
        }
    }
}

pub(super) fn group_norm(recorder: &Recorder, x: &GpuTensor, groups: usize, affine: Affine<'_>, epsilon: f32) -> GpuTensor {
    let &[batch, channels, ref rest @ ..] = x.shape() else { panic!("group_norm of {:?}: it has no channels", x.shape()) };
    let fits = groups > 0 && channels.is_multiple_of(groups) && [affine.weight, affine.bias].iter().all(|t| t.shape() == [channels]);
    assert!(fits, "group_norm of {:?} in {groups} groups with {:?} and {:?}", x.shape(), affine.weight.shape(), affine.bias.shape());
    let modulates = affine.film.is_none_or(|film| film.count() == 2 * batch * channels);
    assert!(modulates, "group_norm of {:?} modulated by {:?}", x.shape(), affine.film.map(GpuTensor::shape));
    assert!(
        affine.plus.is_none_or(|plus| plus.shape() == x.shape()),
        "group_norm of {:?} plus {:?}",
        x.shape(),
        affine.plus.map(GpuTensor::shape)
    );
    let pixels = rest.iter().product::<usize>();
    let rows = Rows { rows: batch * groups, n: channels / groups * pixels, inner: 1, softmax: false };
    rows.apply(recorder, x, epsilon, Some((affine, pixels)))
}

pub(super) fn normalize_last(recorder: &Recorder, x: &GpuTensor, epsilon: f32) -> GpuTensor {
    let &[ref outer @ .., n] = x.shape() else { panic!("normalize_last of {:?}: it has no dimension", x.shape()) };
    Rows { rows: outer.iter().product(), n, inner: 1, softmax: false }.apply(recorder, x, epsilon, None)
}

pub(super) fn softmax(recorder: &Recorder, x: &GpuTensor, dim: usize) -> GpuTensor {
    assert!(dim < x.shape().len(), "softmax of {:?} along {dim}", x.shape());
    let inner = x.shape()[dim + 1..].iter().product::<usize>();
    let outer = x.shape()[..dim].iter().product::<usize>();
    Rows { rows: outer * inner, n: x.shape()[dim], inner, softmax: true }.apply(recorder, x, 0.0, None)
}

pub(super) fn mean_from(recorder: &Recorder, x: &GpuTensor, first: usize) -> GpuTensor {
    assert!(first < x.shape().len(), "mean_from of {:?} from {first}", x.shape());
    let (outer, inner) = x.shape().split_at(first);
    let rows = Rows { rows: outer.iter().product(), n: inner.iter().product(), inner: 1, softmax: false };
    let numbers = rows.reduce(recorder, x);
    let out = recorder.empty(&[outer, &vec![1; inner.len()]].concat());
    recorder.dispatch(&MEAN, &rows.parameters(1), &[&numbers], &out, grid(rows.rows));
    out
}
