#include "core/storage.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/slab.h"

namespace facula {

StorageImpl::StorageImpl(size_t bytes, Device device)
    : data_(runtime(device.type).allocate(bytes ? bytes : 1, device.index)), bytes_(bytes), device_(device) {}

StorageImpl::StorageImpl(void* data, size_t bytes, Device device, std::function<void()> done)
    : data_(data), bytes_(bytes), device_(device), borrowed_(true) {
  if (done) done_ = std::make_unique<std::function<void()>>(std::move(done));
}

StorageImpl::~StorageImpl() { release_memory(); }

void StorageImpl::release_memory() {
  if (borrowed_) {
    if (done_) (*done_)();
  } else {
    runtime(device_.type).free(data_, bytes_ ? bytes_ : 1, device_.index);
  }
}

void StorageImpl::share() {
  if (shared_) return;
  check(device_.is_cpu(), "share_memory_: only memory of the CPU can be shared, this is on ", device_);
  const size_t size = std::max<size_t>(bytes_, 1);
  void* p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw OutOfMemory(text("share_memory_: out of memory: ", size, " bytes cannot be had"));
  std::memcpy(p, data_, bytes_);
  release_memory();
  data_ = p;
  borrowed_ = shared_ = true;
  done_ = std::make_unique<std::function<void()>>([p, size] { munmap(p, size); });
}

void StorageImpl::destroy(StorageImpl* s) { delete s; }
void* StorageImpl::operator new(size_t) { return Slab<StorageImpl>::allocate(); }
void StorageImpl::operator delete(void* p) { Slab<StorageImpl>::release(p); }

}  // namespace facula
