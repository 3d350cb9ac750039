//! The matrix product C = A B + bias behind linear layers, attention and most convolutions, in tiles of 4 rows x 16 columns.
//!
//! A tile's sixteen vectors of sums exceed the registers. In V8 that is still faster than twelve, because each element of A that is
//! broadcast to a vector serves four products. A is packed in blocks of four
//! rows and B in panels of sixteen columns, so the inner loop reads both from front to back. The caller fills the panels of B, so a
//! transposed matrix or the windows of a convolution need no copy of their own.
//!
//! The terms are summed in runs, and the runs' sums are added up. Each addition rounds in proportion to the sum so far, so thousands
//! of terms added one after another would lose a digit.

use super::simd::LANES;
use super::tensor::BufferPool;
use std::rc::Rc;
use wide::f32x4;

/// Rows of a tile.
pub(super) const ROWS: usize = 4;
/// Columns of a tile.
pub(super) const COLUMNS: usize = 16;

/// Vectors in a row of a tile.
pub(super) const VECTORS: usize = COLUMNS / LANES;

/// Four rows of sixteen columns.
pub(super) type Tile = [[[f32; LANES]; VECTORS]; ROWS];

/// Terms of a run.
const RUN: usize = 256;

/// A matrix inside a slice: element (i, j) is `values[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub values: &'a [f32],
    pub row_stride: usize,
    pub column_stride: usize,
}

impl<'a> Matrix<'a> {
    pub(super) fn row_major(values: &'a [f32], columns: usize) -> Self {
        Self { values, row_stride: columns, column_stride: 1 }
    }

    pub(super) fn transposed(self) -> Self {
        Self { row_stride: self.column_stride, column_stride: self.row_stride, ..self }
    }

    /// Fills `panel` (`inner` x 16) with the columns from `first` on. Columns past `columns` keep what they held: their products are
    /// not stored.
    #[inline(never)]
    pub(super) fn pack_panel(self, first: usize, columns: usize, panel: &mut [f32]) {
        let count = COLUMNS.min(columns - first);
        let (rows, _) = panel.as_chunks_mut::<COLUMNS>();
        if self.column_stride == 1 {
            for (k, row) in rows.iter_mut().enumerate() {
                let start = k * self.row_stride + first;
                match self.values[start..].first_chunk::<COLUMNS>() {
                    Some(source) if count == COLUMNS => *row = *source,
                    _ => row[..count].copy_from_slice(&self.values[start..start + count]),
                }
            }
        } else {
            for j in 0..count {
                let column = &self.values[(first + j) * self.column_stride..];
                for (row, value) in rows.iter_mut().zip(column.iter().step_by(self.row_stride)) {
                    row[j] = *value;
                }
            }
        }
    }
}

/// Packs the rows of A in blocks of four, each block `inner` x 4. Zeros fill up the last block.
#[inline(never)]
pub(super) fn pack_rows(a: Matrix, rows: usize, inner: usize) -> Vec<f32> {
    let mut packed = vec![0.0; rows.div_ceil(ROWS) * ROWS * inner];
    for i in 0..rows {
        let block = &mut packed[i / ROWS * ROWS * inner..][..ROWS * inner];
        for k in 0..inner {
            block[k * ROWS + i % ROWS] = a.values[i * a.row_stride + k * a.column_stride];
        }
    }
    packed
}

/// What is added to a product.
#[derive(Clone, Copy)]
pub(super) enum Bias<'a> {
    None,
    /// One value per row of C.
    Row(&'a [f32]),
    /// One value per column of C.
    Column(&'a [f32]),
}

/// Computes out (rows x columns, row-major) = A B + bias. `a` comes from [`pack_rows`]. `pack(first, panel)` fills a panel of B
/// (`inner` x 16) with the columns from `first` on.
pub(super) fn product(
    pool: &Rc<BufferPool>,
    a: &[f32],
    inner: usize,
    bias: Bias,
    out: &mut [f32],
    columns: usize,
    mut pack: impl FnMut(usize, &mut [f32]),
) {
    if columns == 0 {
        return;
    }
    let mut panel = pool.take(inner * COLUMNS);
    for first in (0..columns).step_by(COLUMNS) {
        pack(first, &mut panel);
        panel_product(a, &panel, inner, bias, out, columns, first);
    }
}

/// Computes columns `first..first + 16` of a product from a packed panel.
pub(super) fn panel_product(a: &[f32], panel: &[f32], inner: usize, bias: Bias, out: &mut [f32], columns: usize, first: usize) {
    let rows = out.len() / columns;
    let count = COLUMNS.min(columns - first);
    let mut tile: Tile = [[[0.0; LANES]; VECTORS]; ROWS];
    for top in (0..rows).step_by(ROWS) {
        let height = ROWS.min(rows - top);
        let block = &a[top * inner..][..ROWS * inner];
        let mut start = [0.0; ROWS];
        if let Bias::Row(bias) = bias {
            start[..height].copy_from_slice(&bias[top..top + height]);
        }
        multiply(&mut tile, start, block, panel);
        for (i, row) in tile[..height].iter().enumerate() {
            let (out, row) = (&mut out[(top + i) * columns + first..][..count], row.as_flattened());
            match (bias, out.first_chunk_mut::<COLUMNS>()) {
                (Bias::Column(bias), _) => out.iter_mut().zip(row).zip(&bias[first..]).for_each(|((out, value), bias)| *out = value + bias),
                (_, Some(out)) => out.copy_from_slice(row),
                (_, None) => out.copy_from_slice(&row[..count]),
            }
        }
    }
}

/// A B of one tile, each row of which begins with its `start`: `block` (inner x 4) is a block of A, `panel` (inner x 16) one of B.
pub(super) fn multiply(tile: &mut Tile, start: [f32; ROWS], block: &[f32], panel: &[f32]) {
    let (first, rest) = block.split_at(block.len().min(RUN * ROWS));
    let (first_panel, rest_panel) = panel.split_at(panel.len().min(RUN * COLUMNS));
    multiply_run(tile, start, first, first_panel);
    for (block, panel) in rest.chunks(RUN * ROWS).zip(rest_panel.chunks(RUN * COLUMNS)) {
        let mut sums: Tile = [[[0.0; LANES]; VECTORS]; ROWS];
        multiply_run(&mut sums, [0.0; ROWS], block, panel);
        for (total, sum) in tile.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
            *total = (f32x4::from(*total) + f32x4::from(*sum)).to_array();
        }
    }
}

#[inline(never)]
fn multiply_run(tile: &mut Tile, start: [f32; ROWS], block: &[f32], panel: &[f32]) {
    let mut sums = start.map(|start| [f32x4::splat(start); VECTORS]);
    for (a, b) in block.as_chunks::<ROWS>().0.iter().zip(panel.as_chunks::<LANES>().0.as_chunks::<VECTORS>().0) {
        let b = b.map(f32x4::from);
        for (sums, a) in sums.iter_mut().zip(a) {
            let a = f32x4::splat(*a);
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    tile.as_flattened_mut().iter_mut().zip(sums.as_flattened()).for_each(|(tile, sum)| *tile = sum.to_array());
}
