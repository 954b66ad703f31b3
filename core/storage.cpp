#include "core/storage.h"

#include "core/slab.h"

namespace facula {

StorageImpl::StorageImpl(size_t bytes, Device device)
    : data_(runtime(device.type).allocate(bytes ? bytes : 1, device.index)), bytes_(bytes), device_(device) {}

StorageImpl::StorageImpl(void* data, size_t bytes, Device device, std::function<void()> done)
    : data_(data), bytes_(bytes), device_(device), borrowed_(true) {
  if (done) done_ = std::make_unique<std::function<void()>>(std::move(done));
}

StorageImpl::~StorageImpl() {
  if (borrowed_) {
    if (done_) (*done_)();
  } else {
    runtime(device_.type).free(data_, bytes_ ? bytes_ : 1, device_.index);
  }
}

void StorageImpl::destroy(StorageImpl* s) { delete s; }
void* StorageImpl::operator new(size_t) { return Slab<StorageImpl>::allocate(); }
void StorageImpl::operator delete(void* p) { Slab<StorageImpl>::release(p); }

}  // namespace facula
