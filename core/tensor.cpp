#include "core/tensor.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "core/autograd.h"
#include "core/slab.h"
#include "core/slots.h"

namespace facula {

int64_t numel_of(const Sizes& sizes) {
  int64_t n = 1;
  for (const int64_t s : sizes) {
    check(s >= 0, "size ", s, " in ", sizes, " is negative");
    check(!__builtin_mul_overflow(n, s, &n), "sizes ", sizes, " have more elements than can be counted");
  }
  return n;
}

IntList contiguous_strides(const Sizes& sizes) {
  if (sizes.size() == 1) return {1};
  IntList strides(sizes.size());
  uint64_t step = 1;  // wraps around only where a size of 0 makes strides meaningless
  for (size_t d = sizes.size(); d-- > 0;) {
    strides[d] = static_cast<int64_t>(step);
    step *= static_cast<uint64_t>(std::max<int64_t>(sizes[d], 1));
  }
  return strides;
}

TensorImpl::TensorImpl(Storage s, DType t, Sizes n, IntList st, int64_t o)
    : dtype(t), storage(std::move(s)), sizes(std::move(n)), strides(std::move(st)), offset(o) {
  refresh();
}

TensorImpl::TensorImpl(Storage s, DType t, const Sizes& n, int64_t count)
    : dtype(t),
      contiguous(true),
      is_inference(InferenceGuard::enabled()),
      storage(std::move(s)),
      sizes(n),
      strides(contiguous_strides(n)),
      offset(0),
      numel(count) {}

TensorImpl::TensorImpl(Storage s, DType t, const TensorImpl& dense)
    : dtype(t),
      contiguous(true),
      is_inference(InferenceGuard::enabled()),
      storage(std::move(s)),
      sizes(dense.sizes),
      strides(dense.strides),
      offset(0),
      numel(dense.numel) {}

void TensorImpl::refresh() {
  uint64_t count = 1;  // as in contiguous_strides
  contiguous = true;
  for (size_t d = sizes.size(); d-- > 0;) {
    if (sizes[d] != 1 && strides[d] != static_cast<int64_t>(count)) contiguous = false;
    count *= static_cast<uint64_t>(sizes[d]);
  }
  numel = static_cast<int64_t>(count);
  if (numel == 0) contiguous = true;
}

void TensorImpl::destroy(TensorImpl* t) { delete t; }
static_assert(sizeof(TensorImpl) == 128);
void* TensorImpl::operator new(size_t) { return Slab<TensorImpl>::allocate(); }
void TensorImpl::operator delete(void* p) { Slab<TensorImpl>::release(p); }

Tensor Tensor::alias(Sizes sizes, IntList strides, int64_t offset) const {
  Tensor view(make_ref<TensorImpl>(impl_->storage, impl_->dtype, std::move(sizes), std::move(strides), offset));
  view.impl()->is_inference = impl_->is_inference;
  return view;
}

Tensor Tensor::expanded(const Sizes& wanted) const {
  IntList strides(wanted.size());
  const size_t lead = wanted.size() - sizes().size();
  for (size_t d = lead; d < wanted.size(); ++d)
    strides[d] = sizes()[d - lead] == wanted[d] ? this->strides()[d - lead] : 0;
  return alias(wanted, std::move(strides), offset());
}

static size_t bytes_of(int64_t elements, DType dtype, const Sizes& sizes) {
  int64_t bytes;
  check(!__builtin_mul_overflow(elements, item_size(dtype), &bytes), "sizes ", sizes, " of ", dtype,
        " need more than 2^63 bytes");
  return static_cast<size_t>(bytes);
}

Tensor empty(const Sizes& sizes, DType dtype, Device device) {
  const int64_t numel = numel_of(sizes);
  auto storage = make_ref<StorageImpl>(bytes_of(numel, dtype, sizes), device);
  return Tensor(make_ref<TensorImpl>(std::move(storage), dtype, sizes, numel));
}

Tensor empty_alike(const Tensor& dense, DType dtype) {
  const TensorImpl& x = *dense.impl();
  auto storage = make_ref<StorageImpl>(static_cast<size_t>(x.numel * item_size(dtype)), x.storage->device());
  return Tensor(make_ref<TensorImpl>(std::move(storage), dtype, x));
}

Tensor empty_strided(const Sizes& sizes, const IntList& strides, DType dtype, Device device) {
  auto storage = make_ref<StorageImpl>(bytes_of(extent(sizes, strides), dtype, sizes), device);
  return Tensor(make_ref<TensorImpl>(std::move(storage), dtype, sizes, strides, 0));
}

Tensor borrow(void* data, const Sizes& sizes, const IntList& strides, DType dtype, Device device,
              std::function<void()> done) {
  const size_t bytes = bytes_of(extent(sizes, strides), dtype, sizes);
  const Tensor t(make_ref<TensorImpl>(Storage(), dtype, sizes, strides, 0));  // first: a failure must not run `done`
  t.impl()->storage = make_ref<StorageImpl>(data, bytes, device, std::move(done));
  return t;
}

static void set_item(const Tensor& x, const Scalar& value) {
  with_type(x.dtype(), [&]<class T>() { *reinterpret_cast<T*>(x.bytes()) = value.to<T>(); });
}

Tensor scalar_tensor(const Scalar& value, DType dtype) {
  Tensor x = empty({}, dtype);
  set_item(x, value);
  return x;
}

namespace {

/// The number of each dtype that a thread made last: most are forgotten after one call, and are used again then.
class Numbers {
 public:
  Numbers() { empty({}, DType::Bool); }  // what tensors need of the thread must end after these

  Tensor make(const Scalar& value, DType dtype) {
    Tensor& last = of_[static_cast<int>(dtype)];
    if (!is_free(last, dtype)) {
      last = empty({}, dtype);
      last.impl()->is_number = true;
    }
    set_item(last, value);
    return last;
  }

 private:
  // Nobody else has it, and nobody changed what it is.
  static bool is_free(const Tensor& x, DType dtype) {
    if (!x.defined() || x.ref()->use_count() > 1 || x.storage()->use_count() > 1) return false;
    const TensorImpl& t = *x.impl();
    return t.is_number && t.dtype == dtype && t.sizes.empty() && t.offset == 0 && !t.autograd && !t.requires_grad &&
           t.is_inference == InferenceGuard::enabled();
  }
  std::array<Tensor, kDTypes> of_;
};

}  // namespace

Tensor number_tensor(const Scalar& value, DType dtype) {
  static thread_local Numbers numbers;
  return numbers.make(value, dtype);
}

Tensor number_tensor(const Scalar& value) {
  constexpr DType kWidest[] = {DType::Bool, DType::Int64, DType::Float64, DType::Complex128};
  return number_tensor(value, kWidest[static_cast<int>(value.kind())]);
}

Scalar item(const Tensor& x) {
  check(x.numel() == 1, "item: the tensor ", x.sizes(), " has ", x.numel(), " elements, not one");
  check(!x.is_meta(), "item: a meta tensor has no elements");
  alignas(16) char element[16];
  runtime(x.device().type).copy(element, {}, x.bytes(), x.device(), static_cast<size_t>(x.item_size()));
  return with_type(x.dtype(), [&]<class T>() -> Scalar {
    T v;
    std::memcpy(&v, element, sizeof v);
    if constexpr (std::is_same_v<T, bool>)
      return v;
    else if constexpr (std::is_integral_v<T>)
      return static_cast<int64_t>(v);
    else if constexpr (std::is_same_v<T, complex64> || std::is_same_v<T, complex128>)
      return complex128(v);
    else
      return static_cast<double>(v);
  });
}

Sizes broadcast(const Sizes& a, const Sizes& b, const char* where) {
  if (a == b) return a;
  const Sizes& longer = a.size() >= b.size() ? a : b;
  const Sizes& shorter = a.size() >= b.size() ? b : a;
  Sizes out = longer;
  const size_t lead = longer.size() - shorter.size();
  for (size_t d = 0; d < shorter.size(); ++d) {
    int64_t& n = out[lead + d];
    if (n == 1)
      n = shorter[d];
    else if (shorter[d] != 1 && shorter[d] != n)
      fail(where, ": sizes ", a, " and ", b, " do not broadcast at dimension ",
           Counting::shown(static_cast<long long>(lead + d)));
  }
  return out;
}

int64_t extent(const Sizes& sizes, const IntList& strides) {
  int64_t last = 0;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] == 0) return 0;
    int64_t step;
    check(!__builtin_mul_overflow(sizes[d] - 1, strides[d], &step) && !__builtin_add_overflow(last, step, &last),
          "sizes ", sizes, " with strides ", strides, " reach beyond 2^63");
  }
  return last + 1;
}

bool overlaps_itself(const Tensor& x) {
  if (x.is_contiguous()) return false;
  // Sorted by stride, each dimension must step over all that the smaller ones span (sufficient, not necessary).
  std::vector<std::pair<int64_t, int64_t>> dims;
  for (int64_t d = 0; d < x.dim(); ++d)
    if (x.size(d) > 1) dims.emplace_back(x.stride(d), x.size(d));
  std::sort(dims.begin(), dims.end());
  int64_t span = 0;
  for (const auto& [stride, size] : dims) {
    if (stride <= span) return true;
    span += stride * (size - 1);
  }
  return false;
}

bool may_share(const Tensor& a, const Tensor& b) {
  if (!(a.storage() == b.storage()) || a.numel() == 0 || b.numel() == 0) return false;
  const int64_t a0 = a.offset() * a.item_size(), a1 = a0 + extent(a.sizes(), a.strides()) * a.item_size();
  const int64_t b0 = b.offset() * b.item_size(), b1 = b0 + extent(b.sizes(), b.strides()) * b.item_size();
  return a0 < b1 && b0 < a1;
}

}  // namespace facula
