//! Resampling of (N, C, H, W): doubling by the nearest pixel, bilinear interpolation, mean pooling.

use super::tensor::{BufferPool, CpuTensor};
use std::rc::Rc;

fn planes(x: &CpuTensor, what: &str) -> [usize; 4] {
    x.shape().try_into().unwrap_or_else(|_| panic!("{what} takes (N, C, H, W), found {:?}", x.shape()))
}

/// Repeats every pixel twice in both directions.
pub(super) fn upsample_nearest_2x(pool: &Rc<BufferPool>, x: &CpuTensor) -> CpuTensor {
    let [n, c, height, width] = planes(x, "upsample_nearest_2x");
    let mut out = pool.take(4 * x.values().len());
    if width > 0 {
        for (line, out) in x.values().chunks_exact(width).zip(out.chunks_exact_mut(4 * width)) {
            let (first, second) = out.split_at_mut(2 * width);
            first.as_chunks_mut::<2>().0.iter_mut().zip(line).for_each(|(pair, v)| *pair = [*v, *v]);
            second.copy_from_slice(first);
        }
    }
    CpuTensor::new(out, &[n, c, 2 * height, 2 * width])
}

/// Maps each of `target` positions to a line of `source` pixels with corners aligned: the pixel before it, the pixel after it, and
/// the weight of the pixel after it.
fn positions(source: usize, target: usize) -> Vec<(usize, usize, f32)> {
    let step = if target > 1 { (source - 1) as f64 / (target - 1) as f64 } else { 0.0 };
    (0..target)
        .map(|i| {
            let at = i as f64 * step;
            let before = (at as usize).min(source - 1);
            (before, (before + 1).min(source - 1), (at - before as f64) as f32)
        })
        .collect()
}

/// Bilinear interpolation with corners aligned.
pub(super) fn resize_bilinear(pool: &Rc<BufferPool>, x: &CpuTensor, height: usize, width: usize) -> CpuTensor {
    let [n, c, source_height, source_width] = planes(x, "resize_bilinear");
    assert!(source_height > 0 && source_width > 0, "resize_bilinear of {:?} to {height} x {width}", x.shape());
    let mut out = pool.take(n * c * height * width);
    if !out.is_empty() {
        let (rows, columns) = (positions(source_height, height), positions(source_width, width));
        let mut line = vec![0.0; source_width];
        let images = x.values().chunks_exact(source_height * source_width);
        for (image, out) in images.zip(out.chunks_exact_mut(height * width)) {
            for (&(above, below, weight), out) in rows.iter().zip(out.chunks_exact_mut(width)) {
                let (above, below) = (&image[above * source_width..][..source_width], &image[below * source_width..][..source_width]);
                line.iter_mut().zip(above).zip(below).for_each(|((v, a), b)| *v = a + (b - a) * weight);
                for (out, &(left, right, weight)) in out.iter_mut().zip(&columns) {
                    *out = line[left] + (line[right] - line[left]) * weight;
                }
            }
        }
    }
    CpuTensor::new(out, &[n, c, height, width])
}

/// Means of `window` x `window` tiles.
pub(super) fn average_pool(pool: &Rc<BufferPool>, x: &CpuTensor, window: usize) -> CpuTensor {
    let [n, c, height, width] = planes(x, "average_pool");
    let fits = window > 0 && height.is_multiple_of(window) && width.is_multiple_of(window);
    assert!(fits, "average_pool of {:?} by {window}", x.shape());
    let (out_height, out_width) = (height / window, width / window);
    let mut out = pool.take(n * c * out_height * out_width);
    if !out.is_empty() {
        let scale = 1.0 / (window * window) as f32;
        for (lines, out) in x.values().chunks_exact(window * width).zip(out.chunks_exact_mut(out_width)) {
            out.fill(0.0);
            for line in lines.chunks_exact(width) {
                out.iter_mut().zip(line.chunks_exact(window)).for_each(|(sum, tile)| *sum += tile.iter().sum::<f32>());
            }
            out.iter_mut().for_each(|sum| *sum *= scale);
        }
    }
    CpuTensor::new(out, &[n, c, out_height, out_width])
}
