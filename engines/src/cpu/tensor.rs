//! Tensors of the CPU engine: a shape over a shared buffer from a pool.
//!
//! A reshape shares the buffer. A buffer without a holder goes back to its pool, so the second run of a network finds its memory
//! mapped and needs no zeroing. In wasm, fresh memory costs a growth of the heap and a page fault for every 4 KiB.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Most free memory that the pool keeps, in elements (64 MiB). Further buffers go back to the allocator.
const MOST_KEPT: usize = 16 << 20;

/// Freed buffers by length.
#[derive(Default)]
pub(super) struct BufferPool {
    free: RefCell<FreeBuffers>,
}

#[derive(Default)]
struct FreeBuffers {
    by_len: BTreeMap<usize, Vec<Vec<f32>>>,
    kept: usize,
}

impl BufferPool {
    /// A buffer of `len` elements with unspecified values, which the caller overwrites.
    pub(super) fn take(self: &Rc<Self>, len: usize) -> Buffer {
        let mut free = self.free.borrow_mut();
        // A much larger buffer is kept for a larger tensor.
        let fitting = free.by_len.range(len..=len + len / 4).find(|(_, buffers)| !buffers.is_empty()).map(|(&len, _)| len);
        let recycled = fitting.and_then(|len| free.by_len.get_mut(&len)?.pop());
        let values = match recycled {
            Some(values) => {
                free.kept -= values.len();
                values
            }
            None => vec![0.0; len],
        };
        Buffer { values, len, pool: self.clone() }
    }

    fn give_back(&self, values: Vec<f32>) {
        let mut free = self.free.borrow_mut();
        if free.kept + values.len() <= MOST_KEPT {
            free.kept += values.len();
            free.by_len.entry(values.len()).or_default().push(values);
        }
    }
}

/// Memory on loan from a [`BufferPool`].
pub(super) struct Buffer {
    /// At least `len` elements.
    values: Vec<f32>,
    len: usize,
    pool: Rc<BufferPool>,
}

impl std::ops::Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.values[..self.len]
    }
}

impl std::ops::DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[..self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.pool.give_back(std::mem::take(&mut self.values));
    }
}

/// The kernel that reads a packed weight.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// Blocks of four rows ([`super::gemm::pack_rows`]).
    Rows,
    Winograd,
    WinogradDoubled,
}

/// A weight in the order in which a kernel reads it.
struct Packed {
    packing: Packing,
    shape: Rc<[usize]>,
    values: Vec<f32>,
}

struct SharedBuffer {
    buffer: Buffer,
    /// Packed by the first convolution with this weight: a network runs many times with the same weights.
    packed: OnceCell<Packed>,
    /// The values as standardised filters, for the same reason, and the number and shape that they were made with.
    standardized: OnceCell<(f32, CpuTensor)>,
}

/// A dense, row-major f32 tensor. Cloning and reshaping share the values.
#[derive(Clone)]
pub struct CpuTensor {
    storage: Rc<SharedBuffer>,
    shape: Rc<[usize]>,
}

impl CpuTensor {
    pub(super) fn new(buffer: Buffer, shape: &[usize]) -> Self {
        debug_assert_eq!(buffer.len(), shape.iter().product::<usize>());
        Self { storage: Rc::new(SharedBuffer { buffer, packed: OnceCell::new(), standardized: OnceCell::new() }), shape: shape.into() }
    }

    /// The values, row-major.
    pub fn values(&self) -> &[f32] {
        &self.storage.buffer
    }

    /// The extents of the dimensions, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub(crate) fn reshaped(&self, shape: &[usize]) -> Self {
        assert_eq!(self.values().len(), shape.iter().product::<usize>(), "reshape of {:?} to {shape:?}", self.shape);
        Self { storage: self.storage.clone(), shape: shape.into() }
    }

    /// Calls `then` with this weight as `pack` orders it. The first call's weight is kept. Values that are shared under another shape,
    /// or read by another kernel, are packed anew each time.
    pub(super) fn with_packed<T>(&self, packing: Packing, pack: impl Fn() -> Vec<f32>, then: impl FnOnce(&[f32]) -> T) -> T {
        let packed = self.storage.packed.get_or_init(|| Packed { packing, shape: self.shape.clone(), values: pack() });
        if packed.packing == packing && packed.shape == self.shape { then(&packed.values) } else { then(&pack()) }
    }

    /// This weight as `standardize` makes it. What the first call makes is kept; with another epsilon or shape it is made anew each time.
    pub(super) fn standardized(&self, epsilon: f32, standardize: impl Fn() -> Self) -> Self {
        let (kept, filters) = self.storage.standardized.get_or_init(|| (epsilon, standardize()));
        if *kept == epsilon && filters.shape == self.shape { filters.clone() } else { standardize() }
    }
}
