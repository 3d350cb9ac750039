// libtorch's c10d for Rust: a group of processes that sum and copy tensors among them. src/parallel/c10d.rs says what for.
//
// Every function returns what it made, or true; on an error null or false, and `error` is then a text that the caller frees by free().

#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef TRAINER_HAS_NCCL
#define USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <cstring>
#include <exception>
#include <string>
#include <vector>

namespace {

struct Group {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::Backend> backend;
};

template <typename Action>
auto guarded(char** error, Action action) -> decltype(action()) {
  try {
    return action();
  } catch (const std::exception& exception) {
    *error = strdup(exception.what());
  } catch (...) {
    *error = strdup("an exception that is no std::exception");
  }
  return {};
}

c10::intrusive_ptr<c10d::Backend> backend(
    const c10::intrusive_ptr<c10d::Store>& store,
    int rank,
    int world,
    bool cuda,
    std::chrono::milliseconds timeout) {
  if (!cuda) {
    auto options = c10d::ProcessGroupGloo::Options::create_default(timeout);
    return c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, world, options);
  }
#ifdef TRAINER_HAS_NCCL
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, world, options);
#else
  throw std::runtime_error("this program was built without NCCL");
#endif
}

} // namespace

extern "C" {

// Meets the other processes at `host`:`port`, where process 0 listens if `serves`. `prefix` keeps the keys of one start from those of
// another.
void* trainer_c10d_open(
    const char* host,
    uint16_t port,
    bool serves,
    const char* prefix,
    int rank,
    int world,
    bool cuda,
    int64_t timeout_s,
    char** error) {
  return guarded(error, [&]() -> void* {
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = serves;
    options.timeout = std::chrono::seconds(timeout_s);
    auto tcp = c10::make_intrusive<c10d::TCPStore>(host, options);
    auto store = c10::make_intrusive<c10d::PrefixStore>(prefix, tcp);
    auto group = std::make_unique<Group>();
    group->store = store;
    group->backend = backend(store, rank, world, cuda, std::chrono::seconds(timeout_s));
    return group.release();
  });
}

bool trainer_c10d_sum(void* group, void* tensor, char** error) {
  return guarded(error, [&] {
    std::vector<at::Tensor> tensors{*static_cast<at::Tensor*>(tensor)};
    return static_cast<Group*>(group)->backend->allreduce(tensors)->wait();
  });
}

// Every process's tensor becomes that of process 0.
bool trainer_c10d_broadcast(void* group, void* tensor, char** error) {
  return guarded(error, [&] {
    std::vector<at::Tensor> tensors{*static_cast<at::Tensor*>(tensor)};
    return static_cast<Group*>(group)->backend->broadcast(tensors)->wait();
  });
}

void trainer_c10d_close(void* group) {
  delete static_cast<Group*>(group);
}
}
