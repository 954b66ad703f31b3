// A run of bytes on a device, shared by all tensors that view it.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

#include "core/device.h"
#include "core/refcount.h"

namespace facula {

/// Memory and its version: every in-place operation through any view counts it up, so that the derivative of an
/// earlier operation can tell that what it saved is gone.
class StorageImpl : public RefCounted {
 public:
  /// Memory from the device's allocator; meta storages have a size but no memory.
  StorageImpl(size_t bytes, Device device);
  /// Memory of somebody else: `done` runs when the last user is gone.
  StorageImpl(void* data, size_t bytes, Device device, std::function<void()> done);

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }
  bool is_borrowed() const { return borrowed_; }
  /// Is the memory one that forked processes see each other's changes in?
  bool is_shared() const { return shared_; }
  /// Moves the bytes, for all tensors that view them, into such memory. CPU only. Errors: out of memory.
  void share();
  uint32_t version() const { return version_.load(std::memory_order_relaxed); }
  void bump_version() { version_.fetch_add(1, std::memory_order_relaxed); }

  static void destroy(StorageImpl* s);
  static void* operator new(size_t);
  static void operator delete(void*);

 private:
  ~StorageImpl();
  void release_memory();

  void* data_ = nullptr;
  size_t bytes_;
  Device device_;
  bool borrowed_ = false, shared_ = false;
  std::atomic<uint32_t> version_{0};
  std::unique_ptr<std::function<void()>> done_;
};

using Storage = Ref<StorageImpl>;

}  // namespace facula
