//! softmax(scale * q k^T) v without storing the M x N matrix of scores: twelve queries at a time, whose scores stay in the cache.
//!
//! Both products have the queries as columns: scores = k q^T and out^T = v^T scores. The keys and values are therefore packed once
//! for all queries, and a block of scores already has the layout of the panel that the second product reads.

use super::gemm::{self, Bias, COLUMNS, Matrix};
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
            q.pack_panel(first, queries, &mut panel);
            gemm::panel_product(&k, &panel, depth, Bias::None, &mut scores, COLUMNS, 0);
            softmax_columns(&mut scores, scale);
            gemm::panel_product(&v, &scores, keys, Bias::None, &mut columns, COLUMNS, 0);
            for (j, row) in out[first * width..].chunks_exact_mut(width.max(1)).take(COLUMNS).enumerate() {
                row.iter_mut().zip(columns.as_chunks::<COLUMNS>().0).for_each(|(out, column)| *out = column[j]);
            }
        }
    }
    CpuTensor::new(out, &[batch, queries, width])
}

/// Replaces each of the twelve columns x by softmax(scale * x).
fn softmax_columns(scores: &mut [f32], scale: f32) {
    const VECTORS: usize = COLUMNS / LANES;
    let rows = scores.as_chunks_mut::<COLUMNS>().0;
    let scale = f32x4::splat(scale);
    let vector = |row: &[f32; COLUMNS], i: usize| f32x4::from(row.as_chunks::<LANES>().0[i]);
    let mut largest = [f32x4::splat(f32::NEG_INFINITY); VECTORS];
    for row in rows.iter() {
        for (i, largest) in largest.iter_mut().enumerate() {
            *largest = largest.fast_max(vector(row, i) * scale);
        }
    }
    let mut total = [f32x4::ZERO; VECTORS];
    for row in rows.iter_mut() {
        for i in 0..VECTORS {
            let e = simd::exp(vector(row, i) * scale - largest[i]);
            total[i] += e;
            row.as_chunks_mut::<LANES>().0[i] = e.to_array();
        }
    }
    let inverse = total.map(|total| f32x4::ONE / total);
    for row in rows {
        for (i, inverse) in inverse.iter().enumerate() {
            row.as_chunks_mut::<LANES>().0[i] = (vector(row, i) * *inverse).to_array();
        }
    }
}
