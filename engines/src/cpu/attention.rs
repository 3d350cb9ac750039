//! softmax(scale * q k^T) v without storing the M x N matrix of scores: sixteen queries at a time, whose scores stay in the cache.
//!
//! Both products have the queries as columns: scores = k q^T and out^T = v^T scores. The keys and values are therefore packed once
//! for all queries, and a block of scores already has the layout of the panel that the second product reads.

use super::gemm::{self, Bias, COLUMNS, Matrix, VECTORS};
use super::simd::{self, LANES};
use super::tensor::{BufferPool, CpuTensor};
use std::rc::Rc;
use wide::f32x4;

pub(super) fn attention(pool: &Rc<BufferPool>, q: &CpuTensor, k: &CpuTensor, v: &CpuTensor, scale: f32) -> CpuTensor {
    let shapes = (q.shape(), k.shape(), v.shape());
    let (&[batch, queries, depth], &[kb, keys, kd], &[vb, vn, width]) = shapes else {
        panic!("attention takes (B, M, D), (B, N, D) and (B, N, E), found {shapes:?}");
    };
    assert!((kb, kd, vb, vn) == (batch, depth, batch, keys), "attention of {shapes:?}");
    let mut out = pool.take(batch * queries * width);
    let mut panel = pool.take(depth * COLUMNS);
    let mut scores = pool.take(keys * COLUMNS);
    let mut columns = pool.take(width * COLUMNS);
    for b in 0..batch {
        let q = Matrix::row_major(&q.values()[b * queries * depth..][..queries * depth], depth).transposed();
        let k = gemm::pack_rows(Matrix::row_major(&k.values()[b * keys * depth..][..keys * depth], depth), keys, depth);
        let v = Matrix::row_major(&v.values()[b * keys * width..][..keys * width], width).transposed();
        let v = gemm::pack_rows(v, width, keys);
        let out = &mut out[b * queries * width..][..queries * width];
        panel.fill(0.0);
        for first in (0..queries).step_by(COLUMNS) {
            q.pack_panels(first..queries.min(first + COLUMNS), depth, &mut panel);
            panel.iter_mut().for_each(|q| *q *= scale);
            gemm::panels_product(&k, &panel, depth, Bias::None, &mut scores, COLUMNS, 0..COLUMNS);
            let totals = exp_of_columns(&mut scores);
            gemm::panels_product(&v, &scores, keys, Bias::None, &mut columns, COLUMNS, 0..COLUMNS);
            columns.as_chunks_mut::<COLUMNS>().0.iter_mut().for_each(|row| row.iter_mut().zip(&totals).for_each(|(v, total)| *v /= total));
            for (j, row) in out[first * width..].chunks_exact_mut(width.max(1)).take(COLUMNS).enumerate() {
                row.iter_mut().zip(columns.as_chunks::<COLUMNS>().0).for_each(|(out, column)| *out = column[j]);
            }
        }
    }
    CpuTensor::new(out, &[batch, queries, width])
}

/// Replaces each of the sixteen columns x by e^(x - its largest) and returns their sums: a softmax without its division.
fn exp_of_columns(scores: &mut [f32]) -> [f32; COLUMNS] {
    let (vectors, _) = scores.as_chunks_mut::<LANES>();
    let (rows, _) = vectors.as_chunks_mut::<VECTORS>();
    let mut largest = [f32x4::splat(f32::NEG_INFINITY); VECTORS];
    for row in rows.iter() {
        largest.iter_mut().zip(row).for_each(|(largest, score)| *largest = largest.fast_max(f32x4::from(*score)));
    }
    let mut totals = [f32x4::ZERO; VECTORS];
    for row in rows {
        for ((score, total), largest) in row.iter_mut().zip(&mut totals).zip(&largest) {
            let e = simd::exp(f32x4::from(*score) - *largest);
            *total += e;
            *score = e.to_array();
        }
    }
    let mut sums = [0.0; COLUMNS];
    sums.as_chunks_mut::<LANES>().0.iter_mut().zip(totals).for_each(|(sums, total)| *sums = total.to_array());
    sums
}
