//! Operations that move values without changing them, and resampling of images.

use super::recorder::{Kernel, Recorder, grid};
use super::tensor::GpuTensor;
use radiodiff_core::engine::Padding;
use radiodiff_core::engine::shape::{self, MAX_DIMS, strides};

const SOURCE: &[&str] = &[include_str!("common.wgsl"), include_str!("layout.wgsl")];

static GATHER: Kernel = Kernel { source: SOURCE, entry: "gather", inputs: 1 };
static GATHER_VECTORS: Kernel = Kernel { source: SOURCE, entry: "gather_vectors", inputs: 1 };
static GATHER_ROWS: Kernel = Kernel { source: SOURCE, entry: "gather_rows", inputs: 2 };
static PAD: Kernel = Kernel { source: SOURCE, entry: "pad", inputs: 1 };
static BILINEAR: Kernel = Kernel { source: SOURCE, entry: "bilinear", inputs: 1 };
static UPSAMPLE: Kernel = Kernel { source: SOURCE, entry: "upsample", inputs: 1 };
static AVERAGE_POOL: Kernel = Kernel { source: SOURCE, entry: "average_pool", inputs: 1 };

/// Two strided views of `extents` in the kernels' format: innermost dimension first, (extent, stride, stride, 0) each. Dimensions of
/// extent 1 are left out, and dimensions that are contiguous in both views are merged.
///
/// # Panics
/// When more than six dimensions remain.
pub(super) fn merged(extents: &[usize], strides: &[Vec<usize>; 2]) -> Vec<[u32; 4]> {
    let mut dims: Vec<[usize; 3]> = Vec::new();
    for (i, &extent) in extents.iter().enumerate().rev().filter(|&(_, &extent)| extent != 1) {
        let [a, b] = [strides[0][i], strides[1][i]];
        match dims.last_mut() {
            Some([inner, inner_a, inner_b]) if a == *inner_a * *inner && b == *inner_b * *inner => *inner *= extent,
            _ => dims.push([extent, a, b]),
        }
    }
    assert!(dims.len() <= MAX_DIMS, "a tensor of {extents:?} has more than {MAX_DIMS} dimensions");
    dims.iter().map(|&[extent, a, b]| [extent as u32, a as u32, b as u32, 0]).collect()
}

/// What a copy takes and gives: dimensions as [`merged`] returns them, and the first element's places.
struct View {
    dims: Vec<[u32; 4]>,
    offsets: [u32; 2],
}

impl View {
    /// The same counted in groups of four elements; `None` where these are not neighbours on both sides.
    fn in_fours(&self) -> Option<Self> {
        let (&[extent, 1, 1, _], outer) = self.dims.split_first()? else { return None };
        let whole = |n: &u32| n.is_multiple_of(4);
        let fits = whole(&extent) && self.offsets.iter().all(whole) && outer.iter().all(|dim| whole(&dim[1]) && whole(&dim[2]));
        let mut dims = vec![[extent / 4, 1, 1, 0]];
        dims.extend(outer.iter().map(|&[extent, a, b, _]| [extent, a / 4, b / 4, 0]));
        fits.then(|| Self { dims, offsets: self.offsets.map(|offset| offset / 4) })
    }
}

/// Copies `extents` elements from `x` to `out`. The first strides and offset are those in `x`, the second those in `out`.
fn gather(recorder: &Recorder, x: &GpuTensor, out: &GpuTensor, extents: &[usize], strides: &[Vec<usize>; 2], offsets: [usize; 2]) {
    let count = extents.iter().product::<usize>();
    let mut view = View { dims: merged(extents, strides), offsets: offsets.map(|offset| offset as u32) };
    let fours = view.in_fours();
    let (kernel, threads) = if fours.is_some() { (&GATHER_VECTORS, count / 4) } else { (&GATHER, count) };
    view = fours.unwrap_or(view);
    let mut parameters = vec![threads as u32, view.dims.len() as u32, view.offsets[0], view.offsets[1]];
    parameters.extend(view.dims.iter().flatten());
    recorder.dispatch(kernel, &parameters, &[x], out, grid(threads));
}

pub(super) fn permute(recorder: &Recorder, x: &GpuTensor, order: &[usize]) -> GpuTensor {
    let mut seen = vec![false; x.shape().len()];
    let valid = order.len() == seen.len() && order.iter().all(|&i| i < seen.len() && !std::mem::replace(&mut seen[i], true));
    assert!(valid, "permute of {:?} by {order:?}", x.shape());
    let out_shape: Vec<usize> = order.iter().map(|&i| x.shape()[i]).collect();
    let source = strides(x.shape());
    let both = [order.iter().map(|&i| source[i]).collect(), strides(&out_shape)];
    if let [] | [[_, 1, 1, _]] = merged(&out_shape, &both)[..] {
        return x.reshaped(&out_shape);
    }
    let out = recorder.empty(&out_shape);
    gather(recorder, x, &out, &out_shape, &both, [0, 0]);
    out
}

pub(super) fn concat(recorder: &Recorder, parts: &[&GpuTensor], dim: usize) -> GpuTensor {
    let shapes: Vec<&[usize]> = parts.iter().map(|part| part.shape()).collect();
    let fits = shapes.first().is_some_and(|first| {
        dim < first.len() && shapes.iter().all(|s| s.len() == first.len() && s[..dim] == first[..dim] && s[dim + 1..] == first[dim + 1..])
    });
    assert!(fits, "concat of {shapes:?} along {dim}");
    let mut out_shape = shapes[0].to_vec();
    out_shape[dim] = shapes.iter().map(|s| s[dim]).sum();
    let out = recorder.empty(&out_shape);
    let target = strides(&out_shape);
    let mut first = 0;
    for part in parts {
        gather(recorder, part, &out, part.shape(), &[strides(part.shape()), target.clone()], [0, first * target[dim]]);
        first += part.shape()[dim];
    }
    out
}

pub(super) fn narrow(recorder: &Recorder, x: &GpuTensor, dim: usize, start: usize, len: usize) -> GpuTensor {
    let fits = dim < x.shape().len() && start + len <= x.shape()[dim];
    assert!(fits, "narrow of {:?} along {dim} to {start}..{}", x.shape(), start + len);
    let mut out_shape = x.shape().to_vec();
    out_shape[dim] = len;
    let out = recorder.empty(&out_shape);
    let source = strides(x.shape());
    let first = start * source[dim];
    gather(recorder, x, &out, &out_shape, &[source, strides(&out_shape)], [first, 0]);
    out
}

pub(super) fn gather_rows(recorder: &Recorder, x: &GpuTensor, rows: &[usize]) -> GpuTensor {
    let shape = shape::gather_rows(x.shape(), rows);
    let out = recorder.empty(&shape);
    // Row numbers are exact as floats below 2^24, and only tensors of f32 can be uploaded.
    let rows = recorder.upload(&rows.iter().map(|&row| row as f32).collect::<Vec<_>>(), &[rows.len()]);
    let run: usize = shape[1..].iter().product();
    recorder.dispatch(&GATHER_ROWS, &[out.count() as u32, run as u32], &[x, &rows], &out, grid(out.count()));
    out
}

pub(super) fn upsample_nearest_2x(recorder: &Recorder, x: &GpuTensor) -> GpuTensor {
    let (_, height, width) = planes(x);
    let out = recorder.empty(&resized(x, 2 * height, 2 * width));
    let parameters = [x.count(), height, width, 2 * height, 2 * width, 0, 0, 0].map(|n| n as u32);
    recorder.dispatch(&UPSAMPLE, &parameters, &[x], &out, grid(x.count()));
    out
}

/// The number of planes, the product of all dimensions before the last two; and the last two dimensions.
fn planes(x: &GpuTensor) -> (usize, usize, usize) {
    let &[ref outer @ .., height, width] = x.shape() else { panic!("{:?} has no two last dimensions", x.shape()) };
    (outer.iter().product(), height, width)
}

fn resized(x: &GpuTensor, height: usize, width: usize) -> Vec<usize> {
    let outer = x.shape().len() - 2;
    [&x.shape()[..outer], &[height, width]].concat()
}

/// Runs a kernel that computes each pixel of (.., height, width) from the pixel's plane.
fn by_pixel(recorder: &Recorder, kernel: &'static Kernel, x: &GpuTensor, size: [usize; 2], corner: [usize; 2], window: usize) -> GpuTensor {
    let (_, height, width) = planes(x);
    let [out_height, out_width] = size;
    let out = recorder.empty(&resized(x, out_height, out_width));
    let parameters = [out.count(), height, width, out_height, out_width, corner[0], corner[1], window].map(|n| n as u32);
    recorder.dispatch(kernel, &parameters, &[x], &out, grid(out.count()));
    out
}

pub(super) fn pad(recorder: &Recorder, x: &GpuTensor, p: Padding) -> GpuTensor {
    let (_, height, width) = planes(x);
    by_pixel(recorder, &PAD, x, [height + p.top + p.bottom, width + p.left + p.right], [p.top, p.left], 0)
}

pub(super) fn resize_bilinear(recorder: &Recorder, x: &GpuTensor, height: usize, width: usize) -> GpuTensor {
    by_pixel(recorder, &BILINEAR, x, [height, width], [0, 0], 0)
}

pub(super) fn average_pool(recorder: &Recorder, x: &GpuTensor, window: usize) -> GpuTensor {
    let (_, height, width) = planes(x);
    let fits = window > 0 && height.is_multiple_of(window) && width.is_multiple_of(window);
    assert!(fits, "average_pool of {:?} by {window}", x.shape());
    by_pixel(recorder, &AVERAGE_POOL, x, [height / window, width / window], [0, 0], window)
}

#[cfg(test)]
mod tests {
    use super::{View, merged};
    use radiodiff_core::engine::shape;

    #[test]
    fn dimensions_that_run_on_are_merged_and_those_of_one_left_out() {
        let contiguous = shape::strides(&[2, 1, 3, 4]);
        assert_eq!(merged(&[2, 1, 3, 4], &[contiguous.clone(), contiguous.clone()]), [[24, 1, 1, 0]]);
        let by_channel = shape::broadcast_strides(&[3, 1], &[2, 1, 3, 4]);
        assert_eq!(merged(&[2, 1, 3, 4], &[contiguous, by_channel]), [[4, 1, 0, 0], [3, 4, 1, 0], [2, 12, 0, 0]]);
        assert_eq!(merged(&[1, 1], &[vec![1, 1], vec![1, 1]]), [[0; 4]; 0]);
    }

    #[test]
    fn copies_go_by_fours_where_all_parts_divide() {
        let fours = |dims: &[[u32; 4]], offsets| View { dims: dims.to_vec(), offsets }.in_fours().map(|view| (view.dims, view.offsets));
        let dims = [[8, 1, 1, 0], [3, 8, 12, 0]];
        assert_eq!(fours(&dims, [4, 0]), Some((vec![[2, 1, 1, 0], [3, 2, 3, 0]], [1, 0])));
        assert_eq!(fours(&dims, [4, 2]), None);
        for dims in
            [[[6, 1, 1, 0], [3, 8, 12, 0]], [[8, 1, 2, 0], [3, 8, 16, 0]], [[8, 1, 1, 0], [3, 9, 12, 0]], [[8, 1, 1, 0], [3, 8, 13, 0]]]
        {
            assert_eq!(fours(&dims, [0, 0]), None, "{dims:?}");
        }
        assert_eq!(fours(&[], [0, 0]), None);
    }
}
