//! Gradient checkpointing (Chen et al., 2016): blocks of a network whose inner values are forgotten and computed again.
//!
//! An operation keeps tensors for its gradient, and those of all operations are most of the memory of a step. In flows a block, a
//! function of tensors that it holds; out flows its result, as a node of libtorch's graph like any other. What its operations would
//! keep is only counted. When the first of them takes its gradient, the block is computed once more, this time everything is kept, and
//! each operation takes its own back by its number. The graph is that of a block that keeps all, so gradients are the same to the bit
//! where sums are (on the CPU), and may be taken more than once.
//!
//! The second computing draws the random numbers of the first, is in its precision, and must not move running statistics:
//! [`is_repeating`] tells.

use super::failure::{ShimError, succeed};
use super::modes::autocast;
use super::{Backward, C_tensor};
use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::{Arc, Once};
use tch::{Device, Tensor};

#[repr(C)]
struct Callbacks {
    share: unsafe extern "C" fn() -> *mut c_void,
    keep: unsafe extern "C" fn(*mut c_void, *const C_tensor) -> usize,
    recall: unsafe extern "C" fn(*mut c_void, usize) -> *mut C_tensor,
    release: unsafe extern "C" fn(*mut c_void),
}

unsafe extern "C" {
    fn trainer_recompute_install(callbacks: Callbacks) -> ShimError;
    fn trainer_generator_state(cuda_device: c_int, state: *mut *mut C_tensor) -> ShimError;
    fn trainer_set_generator_state(cuda_device: c_int, state: *const C_tensor) -> ShimError;
    fn trainer_autocast_is_on() -> bool;
}

/// What an operation keeps.
enum Kept {
    Tensor(Tensor),
    /// Of an operation of our own.
    Operation(Backward),
}

struct RecomputedBlock {
    compute: Box<dyn Fn() -> Tensor>,
    device: Device,
    generator: Tensor,
    autocast: bool,
    /// What was kept by number in the second computing and has not been taken yet.
    kept: RefCell<Vec<Option<Kept>>>,
    /// Numbers given in this computing, and in the first.
    given: Cell<usize>,
    count: Cell<usize>,
}

// SAFETY: a block is used by one thread at a time. libtorch takes the gradients of one device's operations on one thread, and the
// thread that asked for them waits.
unsafe impl Send for RecomputedBlock {}
// SAFETY: as above.
unsafe impl Sync for RecomputedBlock {}

thread_local! {
    /// The block that is being computed.
    static CURRENT: RefCell<Option<Arc<RecomputedBlock>>> = const { RefCell::new(None) };
    static REPEATING: Cell<bool> = const { Cell::new(false) };
}

/// Whether a block is being computed for the second time.
pub fn is_repeating() -> bool {
    REPEATING.get()
}

/// Computes a block on a device and forgets what its gradient needs. A block within a block is part of it.
pub fn recomputable(device: Device, block: impl Fn() -> Tensor + 'static) -> Tensor {
    static INSTALLED: Once = Once::new();
    // SAFETY: the callbacks are functions, which live as long as the process.
    INSTALLED.call_once(|| succeed(unsafe { trainer_recompute_install(Callbacks { share, keep, recall, release }) }));
    if CURRENT.with_borrow(Option::is_some) {
        return block();
    }
    // SAFETY: it reads a flag of this thread.
    let autocast = unsafe { trainer_autocast_is_on() };
    let block = Arc::new(RecomputedBlock {
        compute: Box::new(block),
        device,
        generator: generator_state(device),
        autocast,
        kept: RefCell::default(),
        given: Cell::new(0),
        count: Cell::new(0),
    });
    let result = block.pass(false);
    block.count.set(block.given.get());
    result
}

/// An operation's backward pass as its node keeps it: itself, or within a block what takes it from the block.
pub(super) fn kept(backward: Backward) -> Backward {
    let Some(block) = CURRENT.with_borrow(Clone::clone) else { return backward };
    let number = block.keep(Kept::Operation(backward));
    Box::new(move |gradient: &Tensor| match block.take(number) {
        Kept::Operation(backward) => backward(gradient),
        Kept::Tensor(_) => panic!("value {number} of a block is an operation the first time and a tensor the second"),
    })
}

impl RecomputedBlock {
    fn pass(self: &Arc<Self>, repeating: bool) -> Tensor {
        /// Leaves the block, also by a panic.
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                CURRENT.set(None);
                REPEATING.set(false);
            }
        }
        self.given.set(0);
        CURRENT.set(Some(Arc::clone(self)));
        REPEATING.set(repeating);
        let _leave = Leave;
        (self.compute)()
    }

    fn keep(&self, value: Kept) -> usize {
        let number = self.given.get();
        self.given.set(number + 1);
        if is_repeating() {
            self.kept.borrow_mut().push(Some(value));
        }
        number
    }

    /// The value of a number, for which the block is computed again where that has not been done, or the value has been taken before.
    fn take(self: &Arc<Self>, number: usize) -> Kept {
        let there = self.kept.borrow_mut().get_mut(number).and_then(Option::take);
        there.unwrap_or_else(|| {
            self.compute_again();
            let found = self.kept.borrow_mut().get_mut(number).and_then(Option::take);
            found.expect("as many values as the first time")
        })
    }

    fn compute_again(self: &Arc<Self>) {
        self.kept.borrow_mut().clear();
        let now = generator_state(self.device);
        set_generator_state(self.device, &self.generator);
        let autocast = self.autocast.then(autocast);
        drop(tch::with_grad(|| self.pass(true)));
        drop(autocast);
        set_generator_state(self.device, &now);
        let (first, second) = (self.count.get(), self.given.get());
        assert_eq!(first, second, "a block keeps other values the second time it is computed");
    }
}

fn cuda_number(device: Device) -> c_int {
    match device {
        Device::Cuda(number) => number as c_int,
        _ => -1,
    }
}

fn generator_state(device: Device) -> Tensor {
    let mut state = null_mut();
    // SAFETY: the shim puts a new tensor into the place, which is this function's from then on.
    unsafe {
        succeed(trainer_generator_state(cuda_number(device), &raw mut state));
        Tensor::from_ptr(state)
    }
}

fn set_generator_state(device: Device, state: &Tensor) {
    // SAFETY: the pointer is of a living tensor.
    succeed(unsafe { trainer_set_generator_state(cuda_number(device), state.as_ptr()) });
}

unsafe extern "C" fn share() -> *mut c_void {
    let block = CURRENT.with_borrow(Clone::clone);
    block.map_or(null_mut(), |block| Arc::into_raw(block).cast_mut().cast())
}

unsafe extern "C" fn keep(block: *mut c_void, tensor: *const C_tensor) -> usize {
    // SAFETY: the shim holds a share of the block, and the tensor lives through the call.
    let (block, tensor) = unsafe { (&*block.cast::<RecomputedBlock>(), Tensor::clone_from_ptr(tensor.cast_mut())) };
    block.keep(Kept::Tensor(tensor.detach()))
}

unsafe extern "C" fn recall(block: *mut c_void, number: usize) -> *mut C_tensor {
    // SAFETY: the pointer is of `share`. The shim keeps its share, so another one is counted for this call.
    let block = unsafe {
        Arc::increment_strong_count(block.cast::<RecomputedBlock>());
        Arc::from_raw(block.cast::<RecomputedBlock>())
    };
    match catch_unwind(AssertUnwindSafe(|| block.take(number))) {
        Ok(Kept::Tensor(tensor)) => {
            let pointer = tensor.as_ptr().cast_mut();
            // The shim owns it now.
            std::mem::forget(tensor);
            pointer
        }
        Ok(Kept::Operation(_)) | Err(_) => null_mut(),
    }
}

unsafe extern "C" fn release(block: *mut c_void) {
    // SAFETY: the pointer is of `share` and comes back once.
    drop(unsafe { Arc::from_raw(block.cast::<RecomputedBlock>()) });
}
