// PyTorch's wheels carry Gloo within libtorch_cpu and c10d's header for it, but not the headers of Gloo that this header includes.
// The files in this folder declare what it names. The program holds such objects by pointer only and calls nothing of them, so their
// layout does not matter here.
#pragma once

namespace gloo {
namespace transport {
class Device;

class UnboundBuffer {
 public:
  virtual ~UnboundBuffer();
};
} // namespace transport
} // namespace gloo
