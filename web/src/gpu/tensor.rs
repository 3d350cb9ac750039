//! Tensors of the GPU engine: shared storage buffers with a shape, drawn from a pool.
//!
//! A reshape shares the buffer. A buffer that nobody holds any more goes back to its pool: making one costs more than running a
//! small kernel, and the second run of a network asks for the same sizes again.

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
    free: RefCell<Free>,
}

#[derive(Default)]
struct Free {
    by_size: BTreeMap<u64, Vec<(wgpu::Buffer, u64)>>,
    kept: u64,
    /// Too many to keep; commands that are not submitted yet may still use them.
    doomed: Vec<wgpu::Buffer>,
}

impl Pool {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        Self { device: device.clone(), epoch: Cell::default(), free: RefCell::default() }
    }

    /// A buffer of at least `bytes`, with unspecified values.
    pub(super) fn take(self: &Rc<Self>, bytes: u64, filler: Filler) -> Storage {
        let size = size_class(bytes);
        let recycled = {
            let mut free = self.free.borrow_mut();
            let recycled = free.by_size.get_mut(&size).and_then(|buffers| match filler {
                Filler::Kernel => buffers.pop(),
                Filler::Host => {
                    let at = buffers.iter().position(|&(_, freed_in)| freed_in < self.epoch.get())?;
                    Some(buffers.swap_remove(at))
                }
            });
            free.kept -= if recycled.is_some() { size } else { 0 };
            recycled
        };
        let buffer = match recycled {
            Some((buffer, _)) => buffer,
            None => self.device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size,
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }),
        };
        Storage { buffer, pool: Some(self.clone()), packed: RefCell::default() }
    }

    fn give_back(&self, buffer: &wgpu::Buffer) {
        let mut free = self.free.borrow_mut();
        let (buffer, size) = (buffer.clone(), buffer.size());
        if free.kept + size <= MOST_KEPT {
            free.kept += size;
            free.by_size.entry(size).or_default().push((buffer, self.epoch.get()));
        } else {
            free.doomed.push(buffer);
        }
    }

    /// Everything recorded so far has been submitted.
    pub(super) fn submitted(&self) {
        self.epoch.set(self.epoch.get() + 1);
        // Without this, a browser would wait for its garbage collector to free the memory.
        self.free.borrow_mut().doomed.drain(..).for_each(|buffer| buffer.destroy());
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
    pub buffer: wgpu::Buffer,
    /// None for the stand-in of an engine that has failed.
    pool: Option<Rc<Pool>>,
    /// These values in the order that convolutions read them, and the shape they were packed for; made by the first convolution
    /// with this weight, as a network runs many times with the same weights.
    packed: RefCell<Option<(Rc<[usize]>, GpuTensor)>>,
}

impl Storage {
    /// Stands in where no memory can be had any more.
    pub(super) fn stand_in(buffer: &wgpu::Buffer) -> Self {
        Self { buffer: buffer.clone(), pool: None, packed: RefCell::default() }
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        if let Some(pool) = &self.pool {
            pool.give_back(&self.buffer);
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
