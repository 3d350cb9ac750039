//! The matrix product C = A B + bias behind linear layers, attention and most convolutions, in tiles of 4 rows x 16 columns.
//!
//! A tile's sixteen vectors of sums exceed the registers. In V8 that is still faster than twelve, because each element of A that is
//! broadcast to a vector serves four products. A is packed in blocks of four rows and B in panels of sixteen columns, so the inner loop
//! reads both from front to back. The caller fills the panels of B, so a transposed matrix or the windows of a convolution need no copy
//! of their own.
//!
//! The terms are summed in runs, and the runs' sums are added up. Each addition rounds in proportion to the sum so far, so thousands
//! of terms added one after another would lose a digit.

use super::simd::LANES;
use super::tensor::BufferPool;
use std::ops::Range;
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
const RUN: usize = 64;

/// Elements of the panels that are multiplied together, so that results are stored in long stretches of a row: 64 KiB.
const GROUP: usize = 16 << 10;

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

    /// Fills panels (`inner` x 16 each) with a range of columns. What is left of the last panel keeps what it held: its products are not
    /// stored.
    #[inline(never)]
    pub(super) fn pack_panels(self, columns: Range<usize>, inner: usize, panels: &mut [f32]) {
        let (rows, _) = panels.as_chunks_mut::<COLUMNS>();
        if self.column_stride == 1 {
            // Row by row: rows whose distance is a power of two share a few lines of the cache, so each is read in one stretch.
            for k in 0..inner {
                let row = &self.values[k * self.row_stride..][columns.clone()];
                let (whole, rest) = row.as_chunks::<COLUMNS>();
                let mut targets = rows[k..].iter_mut().step_by(inner);
                whole.iter().zip(&mut targets).for_each(|(source, target)| *target = *source);
                if let Some(target) = targets.next() {
                    target[..rest.len()].copy_from_slice(rest);
                }
            }
        } else {
            for (j, column) in columns.enumerate() {
                let column = &self.values[column * self.column_stride..];
                let panel = &mut rows[j / COLUMNS * inner..][..inner];
                for (row, value) in panel.iter_mut().zip(column.iter().step_by(self.row_stride)) {
                    row[j % COLUMNS] = *value;
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

/// Computes out (rows x columns, row-major) = A B + bias. `a` comes from [`pack_rows`]. `pack(range, panels)` fills
/// panels of B (`inner` x 16 each) with a range of columns.
pub(super) fn product(
    pool: &Rc<BufferPool>,
    a: &[f32],
    inner: usize,
    bias: Bias,
    out: &mut [f32],
    columns: usize,
    mut pack: impl FnMut(Range<usize>, &mut [f32]),
) {
    let width = COLUMNS * (GROUP / (inner * COLUMNS).max(1)).clamp(1, columns.div_ceil(COLUMNS).max(1));
    let mut panels = pool.take(inner * width);
    for first in (0..columns).step_by(width) {
        let range = first..columns.min(first + width);
        pack(range.clone(), &mut panels);
        panels_product(a, &panels, inner, bias, out, columns, range);
    }
}

/// Computes a range of a product's columns from packed panels.
pub(super) fn panels_product(a: &[f32], panels: &[f32], inner: usize, bias: Bias, out: &mut [f32], columns: usize, range: Range<usize>) {
    let rows = out.len() / columns;
    let mut tile: Tile = [[[0.0; LANES]; VECTORS]; ROWS];
    let (panels, _) = panels.as_chunks::<LANES>().0.as_chunks::<VECTORS>();
    for top in (0..rows).step_by(ROWS) {
        let height = ROWS.min(rows - top);
        let (block, _) = a[top * inner..][..ROWS * inner].as_chunks::<ROWS>();
        let mut start = [0.0; ROWS];
        if let Bias::Row(bias) = bias {
            start[..height].copy_from_slice(&bias[top..top + height]);
        }
        for (index, first) in range.clone().step_by(COLUMNS).enumerate() {
            let count = COLUMNS.min(columns - first);
            multiply(&mut tile, start, block, &panels[index * inner..][..inner], |row| row);
            for (i, row) in tile[..height].iter().enumerate() {
                let (out, row) = (&mut out[(top + i) * columns + first..][..count], row.as_flattened());
                match (bias, out.first_chunk_mut::<COLUMNS>()) {
                    (Bias::Column(bias), _) => {
                        out.iter_mut().zip(row).zip(&bias[first..]).for_each(|((out, value), bias)| *out = value + bias)
                    }
                    (_, Some(out)) => out.copy_from_slice(row),
                    (_, None) => out.copy_from_slice(&row[..count]),
                }
            }
        }
    }
}

/// A B of one tile, each row of which begins with its `start`: `block` is a block of A, and `row` finds each row of B in `panel`.
pub(super) fn multiply<T>(
    tile: &mut Tile,
    start: [f32; ROWS],
    block: &[[f32; ROWS]],
    panel: &[T],
    row: impl Fn(&T) -> &[[f32; LANES]; VECTORS],
) {
    let (first, rest) = block.split_at(block.len().min(RUN));
    let (first_panel, rest_panel) = panel.split_at(panel.len().min(RUN));
    multiply_run(tile, start, first, first_panel, &row);
    for (block, panel) in rest.chunks(RUN).zip(rest_panel.chunks(RUN)) {
        let mut sums: Tile = [[[0.0; LANES]; VECTORS]; ROWS];
        multiply_run(&mut sums, [0.0; ROWS], block, panel, &row);
        for (total, sum) in tile.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
            *total = (f32x4::from(*total) + f32x4::from(*sum)).to_array();
        }
    }
}

#[inline(never)]
fn multiply_run<T>(tile: &mut Tile, start: [f32; ROWS], block: &[[f32; ROWS]], panel: &[T], row: impl Fn(&T) -> &[[f32; LANES]; VECTORS]) {
    let mut sums = start.map(|start| [f32x4::splat(start); VECTORS]);
    for (a, b) in block.iter().zip(panel) {
        let b = row(b).map(f32x4::from);
        // The compiler leaves a loop over the rows as it is, and then the sums stay in memory.
        add_products(&mut sums[0], a[0], &b);
        add_products(&mut sums[1], a[1], &b);
        add_products(&mut sums[2], a[2], &b);
        add_products(&mut sums[3], a[3], &b);
    }
    tile.as_flattened_mut().iter_mut().zip(sums.as_flattened()).for_each(|(tile, sum)| *tile = sum.to_array());
}

#[inline(always)]
fn add_products(sums: &mut [f32x4; VECTORS], a: f32, b: &[f32x4; VECTORS]) {
    let a = f32x4::splat(a);
    sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * *b);
}
