// What tch lacks of libtorch: an operation whose gradient is given by the caller, and libtorch's own threads.
//
// The Rust side is mod.rs. Tensors cross as tch's pointers to at::Tensor. An error of the callback is a C++ exception from its node on,
// as for libtorch's own operations. A function that can fail returns the error's text, which the caller frees, or null.

#include "failure.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

namespace {

// The gradient of the output in, those of the inputs out: new tensors, or null for an input that needs none. False on failure.
using Backward = bool (*)(void* operation, const at::Tensor* gradient, at::Tensor** input_gradients);
using Release = void (*)(void* operation);

struct CustomNode final : torch::autograd::Node {
    CustomNode(void* operation, Backward backward, Release release) : operation(operation), backward(backward), release(release) {}
    ~CustomNode() override { release_variables(); }

    torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
        TORCH_CHECK(operation, "the graph has been freed: a second backward pass through it needs keep_graph");
        TORCH_CHECK(!c10::GradMode::is_enabled(), "an operation with a gradient of our own has no second derivative");
        torch::autograd::variable_list inputs(num_outputs());
        if (!gradients[0].defined()) return inputs;
        std::vector<at::Tensor*> raw(num_outputs(), nullptr);
        bool done = backward(operation, &gradients[0], raw.data());
        for (size_t i = 0; i < raw.size(); ++i) {
            if (raw[i]) inputs[i] = std::move(*raw[i]);
            delete raw[i];
        }
        TORCH_CHECK(done, "the gradient of ", name(), " failed");
        return inputs;
    }

    // Called as soon as the pass is over, long before the node dies with the loss.
    void release_variables() override {
        if (operation) release(operation);
        operation = nullptr;
    }

    std::string name() const override { return "an operation of the trainer"; }

    void* operation;
    Backward backward;
    Release release;
};

}  // namespace

extern "C" {

// Makes `output`, which was computed without gradients, a function of `inputs`. The node owns the operation from here on; where no
// input needs a gradient, the operation is released at once.
char* trainer_attach(at::Tensor* output, at::Tensor* const* inputs, size_t count, void* operation, Backward backward, Release release) {
    return guarded([&] {
        auto node = std::shared_ptr<CustomNode>(new CustomNode(operation, backward, release), torch::autograd::deleteNode);
        torch::autograd::variable_list list;
        for (size_t i = 0; i < count; ++i) list.push_back(*inputs[i]);
        if (!torch::autograd::compute_requires_grad(list)) return;
        node->set_next_edges(torch::autograd::collect_next_edges(list));
        torch::autograd::set_history(*output, node);
    });
}

// Calls work(context, begin, end) for parts of 0..count on libtorch's threads.
void trainer_parallel(int64_t count, void* context, void (*work)(void*, int64_t, int64_t)) {
    at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) { work(context, begin, end); });
}
}
