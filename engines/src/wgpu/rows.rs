//! Normalisations, softmax and means. A first kernel reduces every row to a few numbers (mean and variance, or maximum and sum); a
//! second kernel computes every element from its row's numbers.
//!
//! A row is the set of elements that are normalised together: the channels of a group, the last dimension, the dimension of a
//! softmax.

use super::recorder::{Kernel, Recorder, grid, groups};
use super::tensor::GpuTensor;

const SOURCE: &[&str] = &[include_str!("common.wgsl"), include_str!("rows.wgsl")];

static REDUCE_SHORT: Kernel = Kernel { source: SOURCE, entry: "reduce_short", inputs: 1 };
static REDUCE_LONG: Kernel = Kernel { source: SOURCE, entry: "reduce_long", inputs: 1 };
static MERGE_CHUNKS: Kernel = Kernel { source: SOURCE, entry: "merge_chunks", inputs: 1 };
static NORMALIZE: Kernel = Kernel { source: SOURCE, entry: "normalize", inputs: 4 };
static NORMALIZE_FILM: Kernel = Kernel { source: SOURCE, entry: "normalize_film", inputs: 6 };
static SOFTMAX: Kernel = Kernel { source: SOURCE, entry: "softmax", inputs: 2 };
static MEAN: Kernel = Kernel { source: SOURCE, entry: "mean", inputs: 1 };

/// Rows of at most this many elements are reduced by one thread each.
const SHORT: usize = 64;

/// Elements of a long row that one workgroup reduces.
const CHUNK: usize = 4096;

/// The scale, shift and activation that follow a normalisation.
#[derive(Clone, Copy)]
pub(super) struct Affine<'a> {
    pub weight: &'a GpuTensor,
    pub bias: &'a GpuTensor,
    /// Scale and shift (N, C, 1, 1) of a modulation.
    pub film: Option<[&'a GpuTensor; 2]>,
    pub silu: bool,
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
    fn chunks(self) -> usize {
        self.n.div_ceil(CHUNK).max(1)
    }

    /// The parameters that all kernels share: the first half of the block.
    fn parameters(self) -> [u32; 6] {
        [self.rows, self.n, self.inner, CHUNK, self.chunks(), usize::from(self.softmax)].map(|n| n as u32)
    }

    /// Reduces every row to four numbers (rows, 1, 4).
    fn reduce(self, recorder: &Recorder, x: &GpuTensor) -> GpuTensor {
        let parameters = self.parameters();
        let numbers = |chunks: usize| recorder.empty(&[self.rows, chunks, 4]);
        let (parts, chunks) = (numbers(self.chunks()), self.chunks());
        if self.n <= SHORT {
            recorder.dispatch(&REDUCE_SHORT, &parameters, &[x], &parts, grid(self.rows));
        } else {
            recorder.dispatch(&REDUCE_LONG, &parameters, &[x], &parts, groups(self.rows * chunks));
        }
        if chunks == 1 {
            return parts;
        }
        let merged = numbers(1);
        recorder.dispatch(&MERGE_CHUNKS, &parameters, &[&parts], &merged, grid(self.rows));
        merged
    }

    fn normalize(self, recorder: &Recorder, x: &GpuTensor, epsilon: f32, affine: Option<(Affine<'_>, usize)>) -> GpuTensor {
        let numbers = self.reduce(recorder, x);
        let out = recorder.empty(x.shape());
        let (channels, pixels) = affine.map_or((1, 1), |(affine, pixels)| (affine.weight.count(), pixels));
        let silu = affine.is_some_and(|(affine, _)| affine.silu);
        let mut parameters = self.parameters().to_vec();
        parameters.extend([x.count(), channels, pixels, usize::from(affine.is_some()), usize::from(silu)].map(|n| n as u32));
        parameters.push(epsilon.to_bits());
        let [weight, bias] = affine.map_or([&numbers; 2], |(affine, _)| [affine.weight, affine.bias]);
        if let Some([scale, shift]) = affine.and_then(|(affine, _)| affine.film) {
            recorder.dispatch(&NORMALIZE_FILM, &parameters, &[x, &numbers, weight, bias, scale, shift], &out, grid(x.count()));
        } else {
            recorder.dispatch(&NORMALIZE, &parameters, &[x, &numbers, weight, bias], &out, grid(x.count()));
        }
        out
    }
}

pub(super) fn group_norm(recorder: &Recorder, x: &GpuTensor, groups: usize, affine: Affine<'_>, epsilon: f32) -> GpuTensor {
    let &[batch, channels, ref rest @ ..] = x.shape() else { panic!("group_norm of {:?}: it has no channels", x.shape()) };
    let fits = groups > 0 && channels.is_multiple_of(groups) && [affine.weight, affine.bias].iter().all(|t| t.shape() == [channels]);
    assert!(fits, "group_norm of {:?} in {groups} groups with {:?} and {:?}", x.shape(), affine.weight.shape(), affine.bias.shape());
    let modulates = affine.film.is_none_or(|film| film.iter().all(|t| t.count() == batch * channels));
    assert!(modulates, "group_norm of {:?} modulated by {:?}", x.shape(), affine.film.map(|film| film.map(GpuTensor::shape)));
    let pixels = rest.iter().product::<usize>();
    let rows = Rows { rows: batch * groups, n: channels / groups * pixels, inner: 1, softmax: false };
    rows.normalize(recorder, x, epsilon, Some((affine, pixels)))
}

pub(super) fn normalize_last(recorder: &Recorder, x: &GpuTensor, epsilon: f32) -> GpuTensor {
    let &[ref outer @ .., n] = x.shape() else { panic!("normalize_last of {:?}: it has no dimension", x.shape()) };
    Rows { rows: outer.iter().product(), n, inner: 1, softmax: false }.normalize(recorder, x, epsilon, None)
}

pub(super) fn softmax(recorder: &Recorder, x: &GpuTensor, dim: usize) -> GpuTensor {
    assert!(dim < x.shape().len(), "softmax of {:?} along {dim}", x.shape());
    let inner = x.shape()[dim + 1..].iter().product::<usize>();
    let outer = x.shape()[..dim].iter().product::<usize>();
    let rows = Rows { rows: outer * inner, n: x.shape()[dim], inner, softmax: true };
    let numbers = rows.reduce(recorder, x);
    let out = recorder.empty(x.shape());
    let mut parameters = rows.parameters().to_vec();
    parameters.push(x.count() as u32);
    recorder.dispatch(&SOFTMAX, &parameters, &[x, &numbers], &out, grid(x.count()));
    out
}

pub(super) fn mean_from(recorder: &Recorder, x: &GpuTensor, first: usize) -> GpuTensor {
    assert!(first < x.shape().len(), "mean_from of {:?} from {first}", x.shape());
    let (outer, inner) = x.shape().split_at(first);
    let rows = Rows { rows: outer.iter().product(), n: inner.iter().product(), inner: 1, softmax: false };
    let numbers = rows.reduce(recorder, x);
    let out = recorder.empty(&[outer, &vec![1; inner.len()]].concat());
    recorder.dispatch(&MEAN, &rows.parameters(), &[&numbers], &out, grid(rows.rows));
    out
}
