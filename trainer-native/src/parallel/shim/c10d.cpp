// libtorch's c10d for Rust: a group of processes that sum and copy tensors among them. src/parallel/c10d.rs says what for.
//
// A function that can fail returns the error's text, which the caller frees, or null.

#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef TRAINER_HAS_NCCL
#define USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include "failure.h"

#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct Group {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::Backend> backend;
};

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
char* trainer_c10d_open(
    const char* host,
    uint16_t port,
    bool serves,
    const char* prefix,
    int rank,
    int world,
    bool cuda,
    int64_t timeout_s,
    Group** group) {
  return guarded([&] {
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = serves;
    options.timeout = std::chrono::seconds(timeout_s);
    auto tcp = c10::make_intrusive<c10d::TCPStore>(host, options);
    auto store = c10::make_intrusive<c10d::PrefixStore>(prefix, tcp);
    auto opened = std::make_unique<Group>();
    opened->store = store;
    opened->backend = backend(store, rank, world, cuda, std::chrono::seconds(timeout_s));
    *group = opened.release();
  });
}

char* trainer_c10d_sum(Group* group, const at::Tensor* tensor) {
  return guarded([&] {
    std::vector<at::Tensor> tensors{*tensor};
    if (!group->backend->allreduce(tensors)->wait()) throw std::runtime_error("the operation has failed");
  });
}

// Every process's tensor becomes that of process 0.
char* trainer_c10d_broadcast(Group* group, const at::Tensor* tensor) {
  return guarded([&] {
    std::vector<at::Tensor> tensors{*tensor};
    if (!group->backend->broadcast(tensors)->wait()) throw std::runtime_error("the operation has failed");
  });
}

// Leaves a text for the processes that look for it.
char* trainer_c10d_leave(Group* group, const char* key, const char* text) {
  return guarded([&] { group->store->set(key, std::string(text)); });
}

// The text that a process has left, which the caller frees; null where none has.
char* trainer_c10d_look(Group* group, const char* key, char** text) {
  return guarded([&] {
    if (!group->store->check({key})) return;
    auto bytes = group->store->get(key);
    *text = strdup(std::string(bytes.begin(), bytes.end()).c_str());
  });
}

void trainer_c10d_close(Group* group) {
  delete group;
}
}
