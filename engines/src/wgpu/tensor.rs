//! Tensors of the GPU engine: shared storage buffers with a shape, drawn from a pool.
//!
//! A reshape shares the buffer. A buffer that nobody holds any more goes back to its pool: making one costs more than running a
//! small kernel, and the second run of a network asks for the same sizes again. Of several that fit the oldest is taken, so that a
//! second run also gets the same buffers in the same places, and finds its bind groups made.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Free memory the pool keeps, in bytes.
const MOST_KEPT: u64 = 256 << 20;

/// The smallest buffer, in bytes.
const SMALLEST: u64 = 256;

/// What a buffer will be filled by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Filler {
    /// A kernel, which runs after everything recorded so far.
    Kernel,
    /// The host, which writes before anything recorded and not yet submitted.
    Host,
}

/// Freed buffers by size.
pub(super) struct Pool {
    device: wgpu::Device,
    /// Counts submissions: what was freed in an earlier epoch is in use by submitted commands at most.
    epoch: Cell<u64>,
    /// Buffers made so far, which is the number of the newest.
    made: Cell<u64>,
    free: RefCell<Free>,
}

/// By a buffer's number: the buffer and the epoch in which it was freed.
type Shelf = BTreeMap<u64, (wgpu::Buffer, u64)>;

#[derive(Default)]
struct Free {
    by_size: BTreeMap<u64, Shelf>,
    kept: u64,
    /// Too many to keep; commands that are not submitted yet may still use them.
    doomed: Vec<wgpu::Buffer>,
}

impl Pool {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        Self { device: device.clone(), epoch: Cell::default(), made: Cell::default(), free: RefCell::default() }
    }

    /// A buffer of at least `bytes`, with unspecified values.
    pub(super) fn take(self: &Rc<Self>, bytes: u64, filler: Filler) -> Storage {
        let size = size_class(bytes);
        if let Some((number, buffer)) = self.free.borrow_mut().recycle(size, self.epoch.get(), filler) {
            return Storage { number, buffer, pool: Some(self.clone()), packed: RefCell::default() };
        }
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.made.set(self.made.get() + 1);
        Storage { number: self.made.get(), buffer, pool: Some(self.clone()), packed: RefCell::default() }
    }

    fn give_back(&self, number: u64, buffer: &wgpu::Buffer) {
        let mut free = self.free.borrow_mut();
        let (buffer, size) = (buffer.clone(), buffer.size());
        if free.kept + size <= MOST_KEPT {
            free.kept += size;
            free.by_size.entry(size).or_default().insert(number, (buffer, self.epoch.get()));
        } else {
            free.doomed.push(buffer);
        }
    }

    /// Everything recorded so far has been submitted. Returns whether buffers were destroyed.
    pub(super) fn submitted(&self) -> bool {
        self.epoch.set(self.epoch.get() + 1);
        let doomed = std::mem::take(&mut self.free.borrow_mut().doomed);
        // Without this, a browser would wait for its garbage collector to free the memory.
        doomed.iter().for_each(wgpu::Buffer::destroy);
        !doomed.is_empty()
    }
}

impl Free {
    /// The oldest buffer of a size that `filler` may write in this epoch.
    fn recycle(&mut self, size: u64, epoch: u64, filler: Filler) -> Option<(u64, wgpu::Buffer)> {
        let shelf = self.by_size.get_mut(&size)?;
        let (&number, _) = shelf.iter().find(|&(_, &(_, freed_in))| filler == Filler::Kernel || freed_in < epoch)?;
        let (buffer, _) = shelf.remove(&number)?;
        self.kept -= size;
        Some((number, buffer))
    }
}

/// Eight sizes an octave, so that at most an eighth is wasted and different shapes share buffers. Multiples of 256 bytes: kernels
/// that work on four values at a time may run over the end.
fn size_class(bytes: u64) -> u64 {
    let step = (bytes.next_power_of_two() / 8).max(SMALLEST);
    bytes.next_multiple_of(step).max(SMALLEST)
}

/// Memory on loan from a [`Pool`].
pub(super) struct Storage {
    /// Which buffer of the pool this is, from 1.
    number: u64,
    buffer: wgpu::Buffer,
    /// None for the stand-in of an engine that has failed.
    pool: Option<Rc<Pool>>,
    /// These values in the order that convolutions read them, and the shape they were packed for; made by the first convolution
    /// with this weight, as a network runs many times with the same weights.
    packed: RefCell<Option<(Rc<[usize]>, GpuTensor)>>,
}

impl Storage {
    /// Stands in where no memory can be had any more.
    pub(super) fn stand_in(buffer: &wgpu::Buffer) -> Self {
        Self { number: 0, buffer: buffer.clone(), pool: None, packed: RefCell::default() }
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        if let Some(pool) = &self.pool {
            pool.give_back(self.number, &self.buffer);
        }
    }
}

/// A dense, row-major f32 tensor on the GPU. Cloning and reshaping share the values.
#[derive(Clone)]
pub struct GpuTensor {
    storage: Rc<Storage>,
    shape: Rc<[usize]>,
}

impl GpuTensor {
    pub(super) fn new(storage: Storage, shape: &[usize]) -> Self {
        Self { storage: Rc::new(storage), shape: shape.into() }
    }

    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of elements.
    pub(super) fn count(&self) -> usize {
        self.shape.iter().product()
    }

    pub(super) fn buffer(&self) -> &wgpu::Buffer {
        &self.storage.buffer
    }

    /// Which buffer of the engine this is.
    pub(super) fn buffer_number(&self) -> u64 {
        self.storage.number
    }

    pub(super) fn reshaped(&self, shape: &[usize]) -> Self {
        assert_eq!(self.count(), shape.iter().product::<usize>(), "reshape of {:?} to {shape:?}", self.shape);
        Self { storage: self.storage.clone(), shape: shape.into() }
    }

    /// This weight as `pack` orders it, kept with the values.
    pub(super) fn packed(&self, pack: impl Fn() -> GpuTensor) -> GpuTensor {
        let mut packed = self.storage.packed.borrow_mut();
        match &*packed {
            Some((shape, tensor)) if *shape == self.shape => tensor.clone(),
            _ => packed.insert((self.shape.clone(), pack())).1.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::size_class;

    #[test]
    fn size_classes_hold_what_they_are_for_and_waste_little() {
        for bytes in (0..5000).chain([1 << 20, (1 << 20) + 4, 100 << 20]) {
            let size = size_class(bytes);
            assert!(size >= bytes && size.is_multiple_of(256) && size_class(size) == size, "{bytes} bytes in {size}");
            assert!(size <= (bytes + bytes / 4).max(bytes + 256), "{bytes} bytes in {size}");
        }
    }
}
