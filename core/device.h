// Devices as names, and what each must be able to do with memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

namespace facula {

enum class DeviceType : uint8_t { CPU, Meta, CUDA };
inline constexpr int kDeviceTypes = 3;

/// A place where tensors live. Only cuda has an index; it numbers hardware and counts from 0.
struct Device {
  DeviceType type = DeviceType::CPU;
  int8_t index = 0;

  constexpr Device() = default;
  constexpr Device(DeviceType t, int i = 0) : type(t), index(static_cast<int8_t>(i)) {}
  friend constexpr bool operator==(Device, Device) = default;
  constexpr bool is_cpu() const { return type == DeviceType::CPU; }
  constexpr bool is_meta() const { return type == DeviceType::Meta; }
  constexpr bool is_cuda() const { return type == DeviceType::CUDA; }
};

/// `cpu`, `meta`, `cuda` (the current one) or `cuda:1`; anything else is an error that lists these.
Device parse_device(std::string_view name);
std::ostream& operator<<(std::ostream& out, Device d);

struct MemoryStats {
  int64_t allocated = 0;  ///< bytes in use by storages
  int64_t peak = 0;       ///< the highest `allocated` since the last reset
  int64_t reserved = 0;   ///< bytes held from the system, in use or cached
  int64_t total = 0;      ///< bytes ever handed out; never falls
};

/// The memory of one kind of device. CPU and meta are core's own, CUDA's comes with its module.
class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual int count() = 0;
  virtual std::string device_name(int index) = 0;
  virtual int current_device() { return 0; }
  virtual void set_current_device(int) {}
  /// At least `bytes` bytes, aligned to 64; throws OutOfMemory. `bytes` is at least 1.
  virtual void* allocate(size_t bytes, int index) = 0;
  virtual void free(void* p, size_t bytes, int index) = 0;
  /// Copies `bytes` between this device and the host or itself; returns when host memory may be reused.
  virtual void copy(void* to, Device to_device, const void* from, Device from_device, size_t bytes) = 0;
  virtual void synchronize(int) {}
  virtual MemoryStats memory_stats(int index) = 0;
  virtual void reset_peak(int index) = 0;
  virtual void empty_cache() {}
  /// The most bytes that may be allocated at a time; 0: no limit.
  virtual void set_memory_limit(size_t bytes, int index) = 0;
};

/// The runtime of a kind of device. Asking for cuda loads its module the first time; an error says why it cannot.
Runtime& runtime(DeviceType type);
/// Like `runtime(CUDA)` but null, without an error, where there is no module or no driver.
Runtime* cuda_runtime_if_available();
/// Where the module is, or would be.
std::string cuda_module_path();
/// Why the last attempt to load the CUDA module failed; empty if it did not.
const std::string& cuda_load_error();

}  // namespace facula
