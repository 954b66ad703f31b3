// The tensor: sizes, strides and an offset over a storage.
#pragma once

#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/dtype.h"
#include "core/error.h"
#include "core/int_list.h"
#include "core/scalar.h"
#include "core/storage.h"

namespace facula {

class Tensor;
struct AutogradMeta;

using Sizes = IntList;
using Tensors = std::vector<Tensor>;

/// The product; an error where it overflows or a size is negative.
int64_t numel_of(const Sizes& sizes);
/// Strides of a dense row-major tensor, in elements.
IntList contiguous_strides(const Sizes& sizes);

struct DestroyAutograd {
  void operator()(AutogradMeta*) const;
};

class TensorImpl : public RefCounted {
 public:
  TensorImpl(Storage storage, DType dtype, Sizes sizes, IntList strides, int64_t offset);
  /// Dense and row-major, with `numel` elements.
  TensorImpl(Storage storage, DType dtype, const Sizes& sizes, int64_t numel);
  /// With the geometry of a dense tensor.
  TensorImpl(Storage storage, DType dtype, const TensorImpl& dense);

  static void destroy(TensorImpl* t);
  static void* operator new(size_t);
  static void operator delete(void*);

  // In this order it fills two cache lines: small tensors come and go so fast that lines are what they cost.
  DType dtype;
  bool contiguous;
  bool is_number = false;     // a Lua number in disguise: does not promote tensors of its category
  bool is_inference = false;  // made in inference mode: cannot be saved for a derivative
  Storage storage;
  Sizes sizes;
  IntList strides;  // in elements
  int64_t offset;   // in elements
  int64_t numel;
  std::unique_ptr<AutogradMeta, DestroyAutograd> autograd;
  bool requires_grad = false;  // of leaves; others require it by having a grad_fn

  /// Recomputes numel and contiguous after sizes or strides changed.
  void refresh();

 private:
  ~TensorImpl() = default;
};

/// A handle: copying it shares the tensor. Constness of a handle says nothing of its elements.
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(Ref<TensorImpl> impl) : impl_(std::move(impl)) {}

  bool defined() const { return static_cast<bool>(impl_); }
  TensorImpl* impl() const { return impl_.get(); }
  const Ref<TensorImpl>& ref() const { return impl_; }
  /// Forgets the tensor without releasing it.
  void leave() { impl_.leave(); }
  /// The same tensor, not only equal elements.
  bool is(const Tensor& other) const { return impl_ == other.impl_; }

  const Sizes& sizes() const { return impl_->sizes; }
  const IntList& strides() const { return impl_->strides; }
  int64_t dim() const { return static_cast<int64_t>(impl_->sizes.size()); }
  /// Size of dimension d, which may count from the end.
  int64_t size(int64_t d) const { return impl_->sizes[d < 0 ? d + dim() : d]; }
  int64_t stride(int64_t d) const { return impl_->strides[d < 0 ? d + dim() : d]; }
  int64_t numel() const { return impl_->numel; }
  int64_t offset() const { return impl_->offset; }
  DType dtype() const { return impl_->dtype; }
  Device device() const { return impl_->storage->device(); }
  const Storage& storage() const { return impl_->storage; }
  bool is_contiguous() const { return impl_->contiguous; }
  bool is_cpu() const { return device().is_cpu(); }
  bool is_meta() const { return device().is_meta(); }
  int64_t item_size() const { return facula::item_size(dtype()); }

  /// Address of the first element; null for meta tensors.
  char* bytes() const {
    auto* p = static_cast<char*>(impl_->storage->data());
    return p ? p + impl_->offset * item_size() : nullptr;
  }
  template <class T>
  T* data() const {
    FACULA_ASSERT(dtype_of<T> == dtype());
    return reinterpret_cast<T*>(bytes());
  }

  uint32_t version() const { return impl_->storage->version(); }

  /// Another tensor over the same storage, without history. `offset` counts elements from the storage's start.
  Tensor alias(Sizes sizes, IntList strides, int64_t offset) const;
  /// The same geometry and storage, without history.
  Tensor alias() const { return alias(sizes(), strides(), offset()); }
  /// Stretched to `sizes` with stride 0 where it has size 1 or no dimension.
  Tensor expanded(const Sizes& sizes) const;

 private:
  Ref<TensorImpl> impl_;
};

/// Uninitialised, dense. Errors: a negative size, a product beyond 2^63, memory that cannot be had.
Tensor empty(const Sizes& sizes, DType dtype, Device device = {});
/// Uninitialised, with the geometry and device of a dense tensor. `dtype` is not wider than its own.
Tensor empty_alike(const Tensor& dense, DType dtype);
/// Uninitialised with the given strides; the storage just covers them.
Tensor empty_strided(const Sizes& sizes, const IntList& strides, DType dtype, Device device = {});
/// Over memory of somebody else; `done` runs when the last user is gone.
Tensor borrow(void* data, const Sizes& sizes, const IntList& strides, DType dtype, Device device,
              std::function<void()> done);
/// A 0-dim CPU tensor.
Tensor scalar_tensor(const Scalar& value, DType dtype);
/// Another one, which takes part in promotion as a number does. Without a dtype it is as wide as its kind comes: promotion
/// asks for the kind only, and a float64 partner needs all digits.
Tensor number_tensor(const Scalar& value, DType dtype);
Tensor number_tensor(const Scalar& value);
/// The only element, from whatever device.
Scalar item(const Tensor& x);

/// `a` and `b` stretched to common sizes, right-aligned. `where` names the operator in the error.
Sizes broadcast(const Sizes& a, const Sizes& b, const char* where);
/// Elements that the geometry spans in its storage: one past the farthest, counted from the offset.
int64_t extent(const Sizes& sizes, const IntList& strides);
/// Do two elements of the tensor share an address (as in expanded tensors)?
bool overlaps_itself(const Tensor& x);
/// May writing to one change the other? Exact for dense tensors, careful otherwise.
bool may_share(const Tensor& a, const Tensor& b);

}  // namespace facula
