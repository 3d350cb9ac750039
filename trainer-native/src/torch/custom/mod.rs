//! Operations of our own with their gradients, which tch cannot hand to libtorch: the shim in shim.cpp can.
//!
//! In flow the result of an operation, the tensors it was computed from and a function from the result's gradient to theirs; out
//! flows the result as a node of libtorch's graph. [`parallel`] lends libtorch's threads, so that such an operation starts none
//! beside them. [`recomputable`] is gradient checkpointing. `lists.rs`, `graph.rs`, `staging.rs` and `modes.rs` are what training on a GPU
//! needs beyond tch: [whole lists of tensors](fused_adamw) in a few kernels, [recorded work](SideStream), [page-locked memory](Staged), and
//! the arithmetic's settings.

mod failure;
mod graph;
mod lists;
mod modes;
mod recompute;
mod staging;

pub use failure::{ShimError, outcome};
pub use graph::{RecordedGraph, SideStream};
pub use lists::{FusedStep, copy, fused_adamw, lerp, norms, scale};
pub use modes::{allow_tf32, autocast};
pub use recompute::{is_repeating, recomputable};
pub use staging::{Staged, staging};

use failure::succeed;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tch::{Device, Kind, Tensor};
use torch_sys::C_tensor;

/// From the gradient of an operation's output to those of its inputs, `None` for an input that has none.
type Backward = Box<dyn Fn(&Tensor) -> Vec<Option<Tensor>> + Send>;

unsafe extern "C" {
    fn trainer_attach(
        output: *const C_tensor,
        inputs: *const *const C_tensor,
        count: usize,
        operation: *mut c_void,
        backward: unsafe extern "C" fn(*mut c_void, *const C_tensor, *mut *mut C_tensor) -> bool,
        release: unsafe extern "C" fn(*mut c_void),
    ) -> ShimError;
    fn trainer_parallel(count: i64, context: *mut c_void, work: unsafe extern "C" fn(*mut c_void, i64, i64));
}

/// Makes `output`, computed without gradients, a function of `inputs`. `backward` gives one gradient an input, in their order. It
/// runs without recording, so there is no second derivative: asking for one is an error.
pub fn differentiable(output: Tensor, inputs: &[&Tensor], backward: impl Fn(&Tensor) -> Vec<Option<Tensor>> + Send + 'static) -> Tensor {
    let operation: Box<Backward> = Box::new(recompute::kept(Box::new(backward)));
    let inputs: Vec<*const C_tensor> = inputs.iter().map(|input| input.as_ptr()).collect();
    // SAFETY: the pointers are of living tensors; the shim owns the operation and hands it to `release` once.
    unsafe {
        succeed(trainer_attach(output.as_ptr(), inputs.as_ptr(), inputs.len(), Box::into_raw(operation).cast(), run_backward, release));
    }
    output
}

/// Called by autograd.
unsafe extern "C" fn run_backward(operation: *mut c_void, gradient: *const C_tensor, inputs: *mut *mut C_tensor) -> bool {
    // SAFETY: the shim passes the operation it was given, a living tensor, and a place for each input's gradient.
    let (operation, gradient) = unsafe { (&*operation.cast::<Backward>(), Tensor::clone_from_ptr(gradient.cast_mut())) };
    let Ok(gradients) = catch_unwind(AssertUnwindSafe(|| operation(&gradient))) else { return false };
    for (i, gradient) in gradients.into_iter().enumerate() {
        if let Some(gradient) = gradient {
            // SAFETY: there is one place an input; the shim owns what is put there.
            unsafe { *inputs.add(i) = gradient.as_ptr().cast_mut() };
            std::mem::forget(gradient);
        }
    }
    true
}

unsafe extern "C" fn release(operation: *mut c_void) {
    // SAFETY: the pointer is of `Box::into_raw` and comes back once.
    drop(unsafe { Box::from_raw(operation.cast::<Backward>()) });
}

/// Calls `work` for ranges that together are 0..count, on libtorch's threads.
pub fn parallel<F: Fn(Range<usize>) + Sync>(count: usize, work: F) {
    unsafe extern "C" fn call<F: Fn(Range<usize>)>(context: *mut c_void, begin: i64, end: i64) {
        // SAFETY: the context is the closure below, which outlives the call.
        let work = unsafe { &*context.cast::<F>() };
        work(begin as usize..end as usize);
    }
    // SAFETY: libtorch's threads share the closure, which is Sync, and are done when the call returns.
    unsafe { trainer_parallel(count as i64, (&raw const work).cast_mut().cast(), call::<F>) };
}

/// Values that several threads write, each to parts of its own.
pub struct Shared<'a, T> {
    start: *mut T,
    len: usize,
    borrowed: PhantomData<&'a mut [T]>,
}

// SAFETY: threads get at the values through `part` alone, whose callers ask for disjoint ranges.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub fn new(values: &'a mut [T]) -> Self {
        Self { start: values.as_mut_ptr(), len: values.len(), borrowed: PhantomData }
    }

    /// The values of a range.
    ///
    /// # Safety
    /// While the part lives, no other part that overlaps it is asked for.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn part(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.len, "a part {range:?} of {} values", self.len);
        // SAFETY: the range is within the values, and the caller keeps parts apart.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}

/// The values of a contiguous float32 tensor on the CPU, row-major.
///
/// # Panics
/// When it is another tensor.
pub fn values(tensor: &Tensor) -> &[f32] {
    check(tensor);
    // SAFETY: the tensor has so many float32 values from there on, and lives as long as the slice.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast(), tensor.numel()) }
}

/// As [`values`], of a tensor that nothing else reads or writes for now: one that was just made.
pub fn values_mut(tensor: &mut Tensor) -> &mut [f32] {
    check(tensor);
    // SAFETY: as above; the caller owns the tensor and has not shared it.
    unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast(), tensor.numel()) }
}

fn check(tensor: &Tensor) {
    let found = (tensor.device(), tensor.kind(), tensor.is_contiguous());
    assert!(found == (Device::Cpu, Kind::Float, true), "expected a contiguous float32 tensor on the CPU, found {found:?}");
}
