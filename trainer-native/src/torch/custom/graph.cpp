// CUDA graphs of libtorch, which tch lacks: work of a stream that is recorded once and replayed by one call.
//
// The Rust side is graph.rs. The trainer is not linked to libtorch's CUDA half, which a machine without a GPU need not have: the class
// at::cuda::CUDAGraph is found in the loaded library by its symbols, and streams through c10's registry of devices. A function that can
// fail returns the error's text, which the caller frees, or null.

#include "failure.h"

#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

// More than the class takes, which is about 200 bytes; its headers need CUDA's whole toolkit.
constexpr size_t STORAGE = 2048;

using PoolId = std::pair<unsigned long long, unsigned long long>;

template <typename Function>
Function symbol(const char* name) {
    void* found = dlsym(RTLD_DEFAULT, name);
    if (!found) throw std::runtime_error(std::string("libtorch has no ") + name + ": expected libtorch 2.11 with CUDA");
    return reinterpret_cast<Function>(found);
}

// cudaStreamCaptureModeThreadLocal: threads that prepare data may go on using the device.
constexpr int THREAD_LOCAL_CAPTURE = 1;

struct Graph {
    void (*construct)(void*, bool) = symbol<void (*)(void*, bool)>("_ZN2at4cuda9CUDAGraphC1Eb");
    void (*destruct)(void*) = symbol<void (*)(void*)>("_ZN2at4cuda9CUDAGraphD1Ev");
    void (*begin)(void*, PoolId, int) =
        symbol<void (*)(void*, PoolId, int)>("_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode");
    void (*end)(void*) = symbol<void (*)(void*)>("_ZN2at4cuda9CUDAGraph11capture_endEv");
    void (*replay)(void*) = symbol<void (*)(void*)>("_ZN2at4cuda9CUDAGraph6replayEv");
    alignas(std::max_align_t) unsigned char storage[STORAGE];

    Graph() { construct(storage, false); }
    ~Graph() { destruct(storage); }
};

c10::impl::VirtualGuardImpl cuda() { return c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA); }

}  // namespace

extern "C" {

// A stream beside the default one of CUDA device `device`.
char* trainer_stream_new(int device, c10::Stream** stream) {
    return guarded([&] {
        c10::Device place(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(device));
        *stream = new c10::Stream(cuda().getStreamFromGlobalPool(place));
    });
}

void trainer_stream_delete(c10::Stream* stream) { delete stream; }

// Makes `stream` the one that this thread's work goes to; `before` is filled with the one it went to.
char* trainer_stream_enter(const c10::Stream* stream, c10::Stream** before) {
    return guarded([&] { *before = new c10::Stream(cuda().exchangeStream(*stream)); });
}

// Goes back to `before`, which is freed.
char* trainer_stream_leave(c10::Stream* before) {
    return guarded([&] {
        cuda().exchangeStream(*before);
        delete before;
    });
}

// Begins to record what is sent to this thread's stream, which is not the default one.
char* trainer_graph_begin(Graph** graph) {
    return guarded([&] {
        auto* begun = new Graph();
        *graph = begun;
        begun->begin(begun->storage, PoolId(0, 0), THREAD_LOCAL_CAPTURE);
    });
}

char* trainer_graph_end(Graph* graph) {
    return guarded([&] { graph->end(graph->storage); });
}

char* trainer_graph_replay(Graph* graph) {
    return guarded([&] { graph->replay(graph->storage); });
}

char* trainer_graph_delete(Graph* graph) {
    return guarded([&] { delete graph; });
}
}
