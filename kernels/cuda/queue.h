// The order in which a device works: one stream per device, on which every kernel and copy of facula runs.
#pragma once

#include <cuda_runtime_api.h>

#include "core/device.h"
#include "core/tensor.h"

namespace facula::cuda {

/// Fails with CUDA's words unless `error` is none. `slot` is what was being done.
void check_cuda(cudaError_t error, const char* slot);

/// What a slot needs to start its kernels: the stream of a tensor's device, which becomes the thread's current one, and
/// the slot's name. Kernels run asynchronously: what goes wrong in them is an Error at the next launch or
/// synchronisation, which names the slot that was started last (with FACULA_SYNC=1 in the environment, the very one).
class Queue {
 public:
  Queue(const char* slot, Device device);
  Queue(const char* slot, const Tensor& x) : Queue(slot, x.device()) {}

  const char* slot() const { return slot_; }
  int device() const { return device_; }
  cudaStream_t stream() const { return stream_; }
  /// To be called after each launch.
  void launched() const;
  /// Returns when the device has done all that was queued.
  void wait() const;

 private:
  const char* slot_;
  int device_;
  cudaStream_t stream_;
};

/// Copies up to 16 bytes from the host without waiting for the device.
inline constexpr size_t kNumberBytes = 16;
void put(const Queue& queue, void* to, const void* from, size_t bytes);

}  // namespace facula::cuda
