//! Whole lists of tensors in a few kernels, where tch has one call a tensor: on a GPU the calls of a small network take longer than its
//! computing. libtorch refuses lists without a tensor; here they are left as they are.

use super::failure::{ShimError, succeed};
use tch::Tensor;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn trainer_fused_adamw(
        parameters: *const *const C_tensor,
        gradients: *const *const C_tensor,
        first: *const *const C_tensor,
        second: *const *const C_tensor,
        count: usize,
        step: *const C_tensor,
        gradient_divisor: *const C_tensor,
        rate: f64,
        beta1: f64,
        beta2: f64,
        weight_decay: f64,
        epsilon: f64,
    ) -> ShimError;
    fn trainer_scale(tensors: *const *const C_tensor, count: usize, factor: f64) -> ShimError;
    fn trainer_lerp(tensors: *const *const C_tensor, targets: *const *const C_tensor, count: usize, weight: f64) -> ShimError;
    fn trainer_copy(tensors: *const *const C_tensor, sources: *const *const C_tensor, count: usize) -> ShimError;
    fn trainer_norms(tensors: *const *const C_tensor, count: usize, norms: *mut *mut C_tensor) -> ShimError;
}

fn pointers(tensors: &[&Tensor]) -> Vec<*const C_tensor> {
    tensors.iter().map(|tensor| tensor.as_ptr()).collect()
}

/// The settings of a step of [`fused_adamw`].
pub struct FusedStep {
    /// Number of this step from 1, one float32 element on the parameters' device.
    pub step: Tensor,
    /// What gradients are divided by first, one float32 element there too.
    pub gradient_divisor: Tensor,
    pub rate: f64,
    pub betas: [f64; 2],
    pub weight_decay: f64,
    pub epsilon: f64,
}

/// libtorch's AdamW over parameters, their gradients, which are overwritten, and their first and second moments, all in lists of one
/// length.
pub fn fused_adamw([parameters, gradients, first, second]: [&[&Tensor]; 4], settings: &FusedStep) {
    let count = parameters.len();
    assert!([gradients, first, second].iter().all(|list| list.len() == count), "one gradient and two moments a parameter");
    let lists = [parameters, gradients, first, second].map(pointers);
    let [beta1, beta2] = settings.betas;
    // SAFETY: the pointers are of living tensors, `count` of them in each list.
    succeed(unsafe {
        trainer_fused_adamw(
            lists[0].as_ptr(),
            lists[1].as_ptr(),
            lists[2].as_ptr(),
            lists[3].as_ptr(),
            count,
            settings.step.as_ptr(),
            settings.gradient_divisor.as_ptr(),
            settings.rate,
            beta1,
            beta2,
            settings.weight_decay,
            settings.epsilon,
        )
    });
}

/// Multiplies the tensors by a number, in place.
pub fn scale(tensors: &[&Tensor], factor: f64) {
    if tensors.is_empty() {
        return;
    }
    // SAFETY: the pointers are of living tensors.
    succeed(unsafe { trainer_scale(pointers(tensors).as_ptr(), tensors.len(), factor) });
}

/// tensors += weight (targets - tensors), in place.
pub fn lerp(tensors: &[&Tensor], targets: &[&Tensor], weight: f64) {
    assert_eq!(tensors.len(), targets.len(), "one target a tensor");
    if tensors.is_empty() {
        return;
    }
    // SAFETY: the pointers are of living tensors, as many in both lists.
    succeed(unsafe { trainer_lerp(pointers(tensors).as_ptr(), pointers(targets).as_ptr(), tensors.len(), weight) });
}

/// Overwrites tensors by sources of their shapes. A copy to a GPU from page-locked memory is only begun: what follows on the GPU waits for
/// it, the caller keeps the source as it is until then.
pub fn copy(tensors: &[&Tensor], sources: &[&Tensor]) {
    assert_eq!(tensors.len(), sources.len(), "one source a tensor");
    if tensors.is_empty() {
        return;
    }
    // SAFETY: the pointers are of living tensors, as many in both lists.
    succeed(unsafe { trainer_copy(pointers(tensors).as_ptr(), pointers(sources).as_ptr(), tensors.len()) });
}

/// The Euclidean norm of each tensor, one element each.
pub fn norms(tensors: &[&Tensor]) -> Vec<Tensor> {
    if tensors.is_empty() {
        return Vec::new();
    }
    let mut norms = vec![std::ptr::null_mut(); tensors.len()];
    // SAFETY: the pointers are of living tensors, and there is a place for each norm.
    succeed(unsafe { trainer_norms(pointers(tensors).as_ptr(), tensors.len(), norms.as_mut_ptr()) });
    // SAFETY: each is a new tensor that is now owned here.
    norms.into_iter().map(|norm| unsafe { Tensor::from_ptr(norm) }).collect()
}
