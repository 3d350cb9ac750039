// What libtorch's operations keep for their gradients, where the caller says what becomes of it: gradient checkpointing, which tch lacks
// and which PyTorch writes in Python.
//
// The Rust side is recompute.rs. libtorch asks its autograd engine for hooks whenever an operation keeps a tensor. The engine here, which
// is libtorch's own but for that, gives the tensor to the block that is being computed, and asks the block for it when the gradient is
// taken. A function that can fail returns the error's text, which the caller frees, or null.

#include "failure.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/saved_variable_hooks.h>

#include <memory>
#include <mutex>

namespace {

struct Callbacks {
    // A share of the block that this thread computes, or null where it computes none.
    void* (*share)();
    // Takes a tensor in and returns its number.
    size_t (*keep)(void* block, const at::Tensor* tensor);
    // The tensor of a number, a new pointer, or null on failure.
    at::Tensor* (*recall)(void* block, size_t number);
    void (*release)(void* block);
};

struct BlockHooks final : torch::autograd::SavedVariableHooks {
    BlockHooks(void* block, const Callbacks& callbacks) : block(block), callbacks(callbacks) {}
    ~BlockHooks() override { callbacks.release(block); }

    void call_pack_hook(const at::Tensor& tensor) override { number = callbacks.keep(block, &tensor); }

    at::Tensor call_unpack_hook() override {
        std::unique_ptr<at::Tensor> tensor(callbacks.recall(block, number));
        TORCH_CHECK(tensor, "a block of a network could not be computed again for its gradient");
        return *tensor;
    }

    void* block;
    Callbacks callbacks;
    size_t number = 0;
};

struct BlockEngine final : torch::autograd::Engine {
    explicit BlockEngine(const Callbacks& callbacks) : callbacks(callbacks) {}

    std::unique_ptr<torch::autograd::SavedVariableHooks> get_default_saved_variable_hooks() override {
        void* block = callbacks.share();
        if (!block) return nullptr;
        return std::make_unique<BlockHooks>(block, callbacks);
    }

    Callbacks callbacks;
};

BlockEngine* engine = nullptr;

at::Generator generator(int cuda_device) {
    auto device = cuda_device < 0 ? c10::Device(c10::kCPU) : c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(cuda_device));
    return at::globalContext().defaultGenerator(device);
}

}  // namespace

extern "C" {

// Has libtorch take gradients by an engine that knows blocks, for the rest of the process. The engine is never freed: its threads may
// outlive everything else.
char* trainer_recompute_install(Callbacks callbacks) {
    return guarded([&] {
        engine = new BlockEngine(callbacks);
        torch::autograd::set_default_engine_stub([]() -> torch::autograd::Engine& { return *engine; });
    });
}

// The state of the generator of random numbers of a CUDA device, or of the CPU where the number is negative.
char* trainer_generator_state(int cuda_device, at::Tensor** state) {
    return guarded([&] {
        auto found = generator(cuda_device);
        std::lock_guard<std::mutex> lock(found.mutex());
        *state = new at::Tensor(found.get_state());
    });
}

char* trainer_set_generator_state(int cuda_device, const at::Tensor* state) {
    return guarded([&] {
        auto found = generator(cuda_device);
        std::lock_guard<std::mutex> lock(found.mutex());
        found.set_state(*state);
    });
}

bool trainer_autocast_is_on() { return at::autocast::is_autocast_enabled(at::kCUDA); }
}
