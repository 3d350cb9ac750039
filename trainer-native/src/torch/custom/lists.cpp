// What libtorch does to whole lists of tensors in a few kernels, and settings of its CUDA half, which tch lacks.
//
// The Rust side is lists.rs, staging.rs and modes.rs. Tensors cross as tch's pointers to at::Tensor. A function that can fail returns the
// error's text, which the caller frees, or null.

#include "failure.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <vector>

namespace {

std::vector<at::Tensor> list(at::Tensor* const* tensors, size_t count) {
    std::vector<at::Tensor> result;
    result.reserve(count);
    for (size_t i = 0; i < count; ++i) result.push_back(*tensors[i]);
    return result;
}

template <typename Work>
char* guarded_without_gradients(Work work) {
    return guarded([&] {
        c10::NoGradGuard without_gradients;
        work();
    });
}

}  // namespace

extern "C" {

// One step of AdamW over `count` parameters. `step` is the number of this step, one float32 element on their device. Gradients are divided
// by `gradient_divisor`, one element too, and overwritten.
char* trainer_fused_adamw(at::Tensor* const* parameters, at::Tensor* const* gradients, at::Tensor* const* first, at::Tensor* const* second,
                          size_t count, const at::Tensor* step, const at::Tensor* gradient_divisor, double rate, double beta1, double beta2,
                          double weight_decay, double epsilon) {
    return guarded_without_gradients([&] {
        std::vector<at::Tensor> steps(count, *step);
        at::_fused_adamw_(list(parameters, count), list(gradients, count), list(first, count), list(second, count), {}, steps, rate, beta1,
                          beta2, weight_decay, epsilon, false, false, *gradient_divisor);
    });
}

char* trainer_scale(at::Tensor* const* tensors, size_t count, double factor) {
    return guarded_without_gradients([&] { at::_foreach_mul_(list(tensors, count), at::Scalar(factor)); });
}

// tensors += weight (targets - tensors)
char* trainer_lerp(at::Tensor* const* tensors, at::Tensor* const* targets, size_t count, double weight) {
    return guarded_without_gradients([&] { at::_foreach_lerp_(list(tensors, count), list(targets, count), at::Scalar(weight)); });
}

// So many bytes of the host in page-locked memory.
char* trainer_page_locked(int64_t bytes, at::Tensor** result) {
    return guarded_without_gradients([&] { *result = new at::Tensor(at::empty({bytes}, at::TensorOptions(at::kByte).pinned_memory(true))); });
}

// Copies within a device, or from page-locked memory, without waiting.
char* trainer_copy(at::Tensor* const* tensors, at::Tensor* const* sources, size_t count) {
    return guarded_without_gradients([&] { at::_foreach_copy_(list(tensors, count), list(sources, count), true); });
}

// The Euclidean norm of each tensor, `count` new tensors of one element.
char* trainer_norms(at::Tensor* const* tensors, size_t count, at::Tensor** norms) {
    return guarded_without_gradients([&] {
        auto found = at::_foreach_norm(list(tensors, count));
        for (size_t i = 0; i < count; ++i) norms[i] = new at::Tensor(std::move(found[i]));
    });
}

// Whether CUDA's convolutions and matrix products may round their factors to TF32.
char* trainer_allow_tf32(bool allow) {
    return guarded_without_gradients([&] {
        at::globalContext().setAllowTF32CuDNN(allow);
        at::globalContext().setAllowTF32CuBLAS(allow);
    });
}

// Begins or ends a part of this thread's work on CUDA in bfloat16 where autocast takes it.
char* trainer_autocast(bool begin) {
    return guarded_without_gradients([&] {
        at::autocast::set_autocast_dtype(at::kCUDA, at::kBFloat16);
        at::autocast::set_autocast_enabled(at::kCUDA, begin);
        if (begin) {
            at::autocast::increment_nesting();
        } else if (at::autocast::decrement_nesting() == 0) {
            at::autocast::clear_cache();
        }
    });
}
}
