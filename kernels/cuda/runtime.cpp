// The module's door, and CUDA's side of core's Runtime.

#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "kernels/cuda/allocator.h"
#include "kernels/cuda/queue.h"
#include "kernels/cuda/register.h"

namespace facula::cuda {
namespace {

// Made with the runtime and never destroyed: tensors in static objects and in the host outlive every order of
// destruction.
struct DeviceState {
  explicit DeviceState(int index) : allocator(index) {}

  Allocator allocator;
  std::once_flag made;
  cudaStream_t stream = nullptr;
  std::atomic<const char*> last_slot{"nothing"};
};

std::vector<std::unique_ptr<DeviceState>>& devices() {
  static auto* all = new std::vector<std::unique_ptr<DeviceState>>;
  return *all;
}

DeviceState& state_of(int index) {
  auto& all = devices();
  check(index >= 0 && index < static_cast<int>(all.size()), "cuda: there is no device cuda:", index,
        ", this machine has ", all.size());
  return *all[static_cast<size_t>(index)];
}

// FACULA_SYNC=1: every launch waits for its kernel, so that errors name the slot that caused them.
bool synchronous() {
  static const bool yes = [] {
    const char* value = std::getenv("FACULA_SYNC");
    return value && std::string_view(value) == "1";
  }();
  return yes;
}

thread_local int current_device = 0;

class CudaRuntime final : public Runtime {
 public:
  int count() override { return static_cast<int>(devices().size()); }

  std::string device_name(int index) override {
    state_of(index);
    cudaDeviceProp properties;
    check_cuda(cudaGetDeviceProperties(&properties, index), "device_name");
    return properties.name;
  }

  int current_device() override { return cuda::current_device; }
  void set_current_device(int index) override {
    state_of(index);
    cuda::current_device = index;
  }

  void* allocate(size_t bytes, int index) override { return state_of(index).allocator.allocate(bytes); }
  void free(void* p, size_t, int index) override { state_of(index).allocator.free(p); }

  void copy(void* to, Device to_device, const void* from, Device from_device, size_t bytes) override {
    if (bytes == 0) return;
    if (to_device.is_cuda() && from_device.is_cuda() && to_device != from_device)
      return copy_across(to, to_device, from, from_device, bytes);
    const Queue queue("copy", to_device.is_cuda() ? to_device : from_device);
    if (from_device.is_cpu() && bytes <= kNumberBytes) return put(queue, to, from, bytes);
    check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, queue.stream()), "copy");
    if (to_device.is_cpu() || from_device.is_cpu()) queue.wait();
  }

  void synchronize(int index) override { Queue("synchronize", Device(DeviceType::CUDA, index)).wait(); }
  MemoryStats memory_stats(int index) override { return state_of(index).allocator.stats(); }
  void reset_peak(int index) override { state_of(index).allocator.reset_peak(); }
  void set_memory_limit(size_t bytes, int index) override { state_of(index).allocator.set_limit(bytes); }
  void empty_cache() override {
    for (auto& device : devices()) device->allocator.empty_cache();
  }

 private:
  // The source must be finished before, and must not be reused before the copy has ended.
  static void copy_across(void* to, Device to_device, const void* from, Device from_device, size_t bytes) {
    Queue("copy", from_device).wait();
    const Queue queue("copy", to_device);
    check_cuda(cudaMemcpyPeerAsync(to, to_device.index, from, from_device.index, bytes, queue.stream()), "copy");
    queue.wait();
  }
};

}  // namespace

void check_cuda(cudaError_t error, const char* slot) {
  if (error != cudaSuccess) [[unlikely]]
    fail(slot, ": CUDA reports '", cudaGetErrorString(error), "'");
}

Queue::Queue(const char* slot, Device device) : slot_(slot), device_(device.index) {
  DeviceState& state = state_of(device_);
  check_cuda(cudaSetDevice(device_), slot);
  std::call_once(state.made,
                 [&] { check_cuda(cudaStreamCreateWithFlags(&state.stream, cudaStreamNonBlocking), slot); });
  stream_ = state.stream;
}

void Queue::launched() const {
  check_cuda(cudaGetLastError(), slot_);
  state_of(device_).last_slot.store(slot_, std::memory_order_relaxed);
  if (synchronous()) [[unlikely]]
    check_cuda(cudaStreamSynchronize(stream_), slot_);
}

void Queue::wait() const {
  const cudaError_t error = cudaStreamSynchronize(stream_);
  if (error != cudaSuccess) [[unlikely]]
    fail(slot_, ": CUDA reports '", cudaGetErrorString(error), "' from an earlier kernel; the last one started was ",
         state_of(device_).last_slot.load(), "; FACULA_SYNC=1 finds the one");
}

static void fill_slots() {
  fill_memory_slots();
  fill_pointwise_slots();
  fill_unary_slots();
  fill_exponential_slots();
  fill_trigonometric_slots();
  fill_special_slots();
  fill_reduce_slots();
  fill_moment_slots();
  fill_scan_slots();
  fill_softmax_slots();
  fill_linalg_slots();
  fill_index_slots();
  fill_order_slots();
  fill_random_slots();
  fill_conv_slots();
  fill_pool_slots();
}

static Runtime* attach(const char** reason) {
  int count = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess || count == 0) {
    int driver = 0;
    cudaDriverGetVersion(&driver);
    *reason = driver == 0            ? "there is no CUDA driver"
              : error != cudaSuccess ? cudaGetErrorString(error)
                                     : "the driver finds none";
    return nullptr;
  }
  for (int i = 0; i < count; ++i) devices().push_back(std::make_unique<DeviceState>(i));
  fill_slots();
  return new CudaRuntime;
}

}  // namespace facula::cuda

/// Fills core's slots and returns the runtime; or returns null and says why there is none. Core calls it once.
extern "C" facula::Runtime* facula_cuda_attach(const char** reason) {
  try {
    return facula::cuda::attach(reason);
  } catch (...) {
    *reason = "there is no memory to start it";
    return nullptr;
  }
}
