//! Tensors of the GPU engine: a shape over a shared storage buffer from a pool.
//!
//! A reshape shares the buffer. A buffer without a holder goes back to its pool, because creating a buffer costs more than running a
//! small kernel and the second run of a network asks for the same sizes. Among several that fit, the pool hands out the oldest, so
//! that a second run gets the same buffers in the same order and reuses its bind groups.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Most free memory that the pool keeps, in bytes.
const MOST_KEPT: u64 = 256 << 20;

/// Size of the smallest buffer, in bytes.
const SMALLEST: u64 = 256;

/// What writes a new buffer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Filler {
    /// A kernel, which runs after all recorded commands.
    Kernel,
    /// The host, which writes before the commands that are recorded but not submitted.
    Host,
}

/// Freed buffers by size.
pub(super) struct GpuPool {
    device: wgpu::Device,
    /// The number of submissions. A buffer freed in an earlier epoch is used by submitted commands at most.
    epoch: Cell<u64>,
    /// The number of buffers made, which is also the number of the newest.
    made: Cell<u64>,
    free: RefCell<FreeMemory>,
}

/// Free buffers of one size, keyed by number, with the epoch in which each was freed.
type Shelf = BTreeMap<u64, (wgpu::Buffer, u64)>;

#[derive(Default)]
struct FreeMemory {
    by_size: BTreeMap<u64, Shelf>,
    kept: u64,
    /// Buffers to destroy after the next submission; commands that are not submitted yet may still use them.
    doomed: Vec<wgpu::Buffer>,
}

impl GpuPool {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        Self { device: device.clone(), epoch: Cell::default(), made: Cell::default(), free: RefCell::default() }
    }

    /// A buffer of at least `bytes`, with unspecified values.
    pub(super) fn take(self: &Rc<Self>, bytes: u64, filler: Filler) -> GpuMemory {
        let size = size_class(bytes);
        let recycled = self.free.borrow_mut().recycle(size, self.epoch.get(), filler);
        let (number, buffer) = recycled.unwrap_or_else(|| self.make(size));
        GpuMemory {
            number,
            buffer,
            pool: Some(self.clone()),
            packed: RefCell::default(),
            from_host: filler == Filler::Host,
            normalized: RefCell::default(),
        }
    }

    /// A new buffer and its number.
    fn make(&self, size: u64) -> (u64, wgpu::Buffer) {
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.made.set(self.made.get() + 1);
        (self.made.get(), buffer)
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

    /// Starts a new epoch after all recorded commands were submitted. Returns whether buffers were destroyed.
    pub(super) fn submitted(&self) -> bool {
        self.epoch.set(self.epoch.get() + 1);
        let doomed = std::mem::take(&mut self.free.borrow_mut().doomed);
        // A browser would otherwise free the memory only when its garbage collector runs.
        doomed.iter().for_each(wgpu::Buffer::destroy);
        !doomed.is_empty()
    }
}

impl FreeMemory {
    /// Takes the oldest buffer of a size that `filler` may write in this epoch.
    fn recycle(&mut self, size: u64, epoch: u64, filler: Filler) -> Option<(u64, wgpu::Buffer)> {
        let shelf = self.by_size.get_mut(&size)?;
        let (&number, _) = shelf.iter().find(|&(_, &(_, freed_in))| filler == Filler::Kernel || freed_in < epoch)?;
        let (buffer, _) = shelf.remove(&number)?;
        self.kept -= size;
        Some((number, buffer))
    }
}

/// Rounds up to one of eight sizes an octave, so that different shapes share buffers and little is wasted. Sizes are multiples of
/// 256 bytes, because kernels that work on four values at a time may run past the end.
fn size_class(bytes: u64) -> u64 {
    let step = (bytes.next_power_of_two() / 8).max(SMALLEST);
    bytes.next_multiple_of(step).max(SMALLEST)
}

/// Memory on loan from a [`GpuPool`].
pub(super) struct GpuMemory {
    /// The number of the buffer in its pool, from 1.
    number: u64,
    buffer: wgpu::Buffer,
    /// `None` for the stand-in of an engine that has failed.
    pool: Option<Rc<GpuPool>>,
    /// The values in the order in which convolutions read them, and the shape they were packed for. The first convolution with this
    /// weight packs them: a network runs many times with the same weights.
    packed: RefCell<Option<(Rc<[usize]>, GpuTensor)>>,
    /// The host's values do not change, so a weight that came from it is normalised once.
    from_host: bool,
    normalized: RefCell<Option<NormalizedRows>>,
}

/// A weight's normalised rows, and what they were normalised as.
struct NormalizedRows {
    shape: Rc<[usize]>,
    epsilon: f32,
    rows: GpuTensor,
}

impl GpuMemory {
    /// Stands in for memory after the engine has failed.
    pub(super) fn stand_in(buffer: &wgpu::Buffer) -> Self {
        let (packed, normalized) = (RefCell::default(), RefCell::default());
        Self { number: 0, buffer: buffer.clone(), pool: None, packed, from_host: false, normalized }
    }
}

impl Drop for GpuMemory {
    fn drop(&mut self) {
        if let Some(pool) = &self.pool {
            pool.give_back(self.number, &self.buffer);
        }
    }
}

/// A dense, row-major f32 tensor on the GPU. Cloning and reshaping share the values.
#[derive(Clone)]
pub struct GpuTensor {
    storage: Rc<GpuMemory>,
    shape: Rc<[usize]>,
}

impl GpuTensor {
    pub(super) fn new(storage: GpuMemory, shape: &[usize]) -> Self {
        Self { storage: Rc::new(storage), shape: shape.into() }
    }

    /// The extents of the dimensions, outermost first.
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

    /// The number of the tensor's buffer, unique in the engine.
    pub(super) fn buffer_number(&self) -> u64 {
        self.storage.number
    }

    pub(super) fn reshaped(&self, shape: &[usize]) -> Self {
        assert_eq!(self.count(), shape.iter().product::<usize>(), "reshape of {:?} to {shape:?}", self.shape);
        Self { storage: self.storage.clone(), shape: shape.into() }
    }

    /// This tensor's rows normalised with `epsilon` by `normalize`. What came from the host is normalised by the first call, and later
    /// calls return what it kept: a network standardises the same weights in every run.
    pub(super) fn normalized(&self, epsilon: f32, normalize: impl Fn() -> GpuTensor) -> GpuTensor {
        if !self.storage.from_host {
            return normalize();
        }
        let mut normalized = self.storage.normalized.borrow_mut();
        match &*normalized {
            Some(kept) if kept.shape == self.shape && kept.epsilon == epsilon => kept.rows.clone(),
            _ => normalized.insert(NormalizedRows { shape: self.shape.clone(), epsilon, rows: normalize() }).rows.clone(),
        }
    }

    /// This weight as `pack` orders it. The first call packs, later calls return what it kept.
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
