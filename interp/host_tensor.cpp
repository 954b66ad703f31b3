// facula.h: tensors of the host.
#include <cstring>

#include "core/autograd.h"
#include "core/mapped_file.h"
#include "core/ops.h"
#include "interp/dlpack.h"
#include "interp/host.h"

namespace facula::interp {

static_assert(FACULA_BOOL == static_cast<int>(DType::Bool) && FACULA_INT64 == static_cast<int>(DType::Int64) &&
              FACULA_BFLOAT16 == static_cast<int>(DType::BFloat16) &&
              FACULA_COMPLEX128 == static_cast<int>(DType::Complex128) && kDTypes == FACULA_COMPLEX128 + 1);
static_assert(FACULA_META == static_cast<int>(DeviceType::Meta) && FACULA_CUDA == static_cast<int>(DeviceType::CUDA));

static Pool<facula_tensor>& tensors() {
  static auto* pool = new Pool<facula_tensor>;
  return *pool;
}

facula_tensor* new_handle(Tensor t) {
  facula_tensor* const handle = tensors().take();
  handle->tensor = std::move(t);
  handle->mark.store(Mark::Tensor, std::memory_order_release);
  return handle;
}

static const Tensor* find_tensor(const facula_tensor* t) {
  return t && t->mark.load(std::memory_order_acquire) == Mark::Tensor ? &t->tensor : nullptr;
}

const Tensor& tensor_behind(const facula_tensor* t, const char* what) {
  const Tensor* const found = find_tensor(t);
  expect(found, what, t ? " is no tensor, or was released" : " is NULL, not a tensor");
  return *found;
}

namespace {

struct Geometry {
  DType dtype;
  Sizes sizes;
  IntList strides;
};

IntList list_of(const int64_t* values, int n) {
  IntList list(static_cast<size_t>(n));
  std::copy_n(values, n, list.begin());
  return list;
}

Geometry geometry_of(const facula_view* host, const char* where) {
  expect(host, where, ": the view is NULL");
  expect(host->size >= sizeof(facula_view), where, ": view.size is ", host->size, ", expected sizeof(facula_view), ",
         sizeof(facula_view));
  const int dtype = number_in(host->dtype);
  expect(dtype >= 0 && dtype < kDTypes, where, ": view.dtype is ", dtype, ", which is none of facula_dtype");
  expect(host->dim >= 0 && host->dim <= 64, where, ": view.dim is ", host->dim, ", expected 0 to 64");
  expect(host->sizes || host->dim == 0, where, ": view.sizes is NULL");
  Geometry g{static_cast<DType>(dtype), list_of(host->sizes, host->dim), {}};
  for (const int64_t n : g.sizes) expect(n >= 0, where, ": view.sizes has ", n);
  numel_of(g.sizes);  // fails where they cannot be counted
  g.strides = host->strides ? list_of(host->strides, host->dim) : contiguous_strides(g.sizes);
  for (const int64_t n : g.strides) expect(n >= 0, where, ": view.strides has ", n, "; none may be negative");
  const auto item = static_cast<uintptr_t>(std::min<int64_t>(item_size(g.dtype), 8));
  expect(reinterpret_cast<uintptr_t>(host->data) % item == 0, where, ": view.data is not aligned to ", item, " bytes");
  return g;
}

Tensor over(void* data, const Geometry& g, std::function<void()> done) {
  return borrow(data, g.sizes, g.strides, g.dtype, {}, std::move(done));
}

void check_booleans(const void* data, const Geometry& g, const char* where) {
  const NoGrad guard;
  expect(!data || holds_booleans(over(const_cast<void*>(data), g, {})), where,
         ": the booleans have other values than 0 and 1");
}

Tensor copied(const facula_view* host, const Geometry& g) {
  if (!host->data) return ops::zero_(empty(g.sizes, g.dtype));
  return ops::clone(over(host->data, g, {}));
}

std::function<void()> release_callback(void (*done)(void*), void* user) {
  if (!done) return {};
  return [=] {
    try {
      done(user);
    } catch (...) {  // nobody is left to be told
    }
  };
}

// The handle comes first: once the tensor is there nothing may fail, for its end would be told to the host.
template <class Make>
facula_tensor* new_handle(Make make) {
  std::unique_ptr<facula_tensor, void (*)(facula_tensor*)> handle(interp::new_handle(Tensor()), &facula_tensor_release);
  handle->tensor = make();
  return handle.release();
}

void check_bytes(const Tensor& t, size_t bytes, const void* buffer, const char* where) {
  const auto needed = static_cast<size_t>(t.numel() * t.item_size());
  expect(bytes == needed, where, ": the buffer has ", bytes, " bytes, the tensor ", t.sizes(), " of ", t.dtype(), ' ',
         needed);
  expect(buffer || bytes == 0, where, ": the buffer is NULL");
  expect(!t.is_meta(), where, ": a meta tensor has no elements");
}

void read(const Tensor& t, void* buffer, size_t bytes) {
  if (bytes == 0) return;
  const NoGrad guard;
  const Tensor host = ops::contiguous(t.is_cpu() ? t : Tensor(ops::to_device(t, Device())));
  std::memcpy(buffer, host.bytes(), bytes);
}

void write(const Tensor& t, const void* buffer, size_t bytes, const char* where) {
  if (bytes == 0) return;
  const NoGrad guard;
  const Geometry g{t.dtype(), t.sizes(), contiguous_strides(t.sizes())};
  check_booleans(buffer, g, where);
  ops::copy_.in_place(t, over(const_cast<void*>(buffer), g, {}));
}

}  // namespace
}  // namespace facula::interp

using namespace facula;
using namespace facula::interp;

facula_status facula_tensor_wrap(facula_state* S, const facula_view* host, void (*done)(void* user), void* user,
                                 facula_tensor** out) {
  if (out) *out = nullptr;
  return enter(S, "facula_tensor_wrap", [&](Interpreter&, lua_State*) {
    expect(out, "facula_tensor_wrap: out is NULL");
    const Geometry g = geometry_of(host, "facula_tensor_wrap");
    expect(host->data || numel_of(g.sizes) == 0, "facula_tensor_wrap: view.data is NULL");
    check_booleans(host->data, g, "facula_tensor_wrap");
    *out = new_handle([&] { return over(host->data, g, release_callback(done, user)); });
  });
}

facula_status facula_tensor_copy(facula_state* S, const facula_view* host, facula_tensor** out) {
  if (out) *out = nullptr;
  return enter(S, "facula_tensor_copy", [&](Interpreter&, lua_State*) {
    expect(out, "facula_tensor_copy: out is NULL");
    const Geometry g = geometry_of(host, "facula_tensor_copy");
    check_booleans(host->data, g, "facula_tensor_copy");
    *out = new_handle(copied(host, g));
  });
}

facula_tensor* facula_tensor_retain(const facula_tensor* t) {
  facula_tensor* again = nullptr;
  outside([&] { again = new_handle(tensor_behind(t, "facula_tensor_retain: the argument")); });
  return again;
}

void facula_tensor_release(facula_tensor* t) {
  Mark expected = Mark::Tensor;
  if (!t || !t->mark.compare_exchange_strong(expected, Mark::None)) return;
  t->tensor = Tensor();
  tensors().put(t);
}

facula_status facula_tensor_read(facula_state* S, const facula_tensor* t, void* buffer, size_t bytes) {
  return enter(S, "facula_tensor_read", [&](Interpreter&, lua_State*) {
    const Tensor& x = tensor_behind(t, "facula_tensor_read: the tensor");
    check_bytes(x, bytes, buffer, "facula_tensor_read");
    read(x, buffer, bytes);
  });
}

facula_status facula_tensor_write(facula_state* S, const facula_tensor* t, const void* buffer, size_t bytes) {
  return enter(S, "facula_tensor_write", [&](Interpreter&, lua_State*) {
    const Tensor& x = tensor_behind(t, "facula_tensor_write: the tensor");
    check_bytes(x, bytes, buffer, "facula_tensor_write");
    write(x, buffer, bytes, "facula_tensor_write");
  });
}

facula_status facula_tensor_view(const facula_tensor* t, facula_view* out) {
  return outside([&] {
    const Tensor& x = tensor_behind(t, "facula_tensor_view: the tensor");
    expect(out && out->size >= sizeof(facula_view), "facula_tensor_view: out ",
           out ? "has not its size in it" : "is NULL");
    out->data = x.bytes();
    out->dtype = static_cast<facula_dtype>(x.dtype());
    out->dim = static_cast<int>(x.dim());
    out->sizes = x.sizes().begin();
    out->strides = x.strides().begin();
  });
}

void* facula_tensor_data(const facula_tensor* t) {
  const Tensor* const x = find_tensor(t);
  return x ? x->bytes() : nullptr;
}
int facula_tensor_dtype(const facula_tensor* t) {
  const Tensor* const x = find_tensor(t);
  return x ? static_cast<int>(x->dtype()) : -1;
}
int facula_tensor_dim(const facula_tensor* t) {
  const Tensor* const x = find_tensor(t);
  return x ? static_cast<int>(x->dim()) : -1;
}
int64_t facula_tensor_size(const facula_tensor* t, int d) {
  const Tensor* const x = find_tensor(t);
  return x && d >= 0 && d < x->dim() ? x->size(d) : -1;
}
int64_t facula_tensor_stride(const facula_tensor* t, int d) {
  const Tensor* const x = find_tensor(t);
  return x && d >= 0 && d < x->dim() ? x->stride(d) : -1;
}
int64_t facula_tensor_numel(const facula_tensor* t) {
  const Tensor* const x = find_tensor(t);
  return x ? x->numel() : -1;
}
int64_t facula_tensor_bytes(const facula_tensor* t) {
  const Tensor* const x = find_tensor(t);
  return x ? x->numel() * x->item_size() : -1;
}
int facula_tensor_device(const facula_tensor* t, int* index) {
  const Tensor* const x = find_tensor(t);
  if (x && index) *index = x->device().index;
  return x ? static_cast<int>(x->device().type) : -1;
}

facula_status facula_tensor_to_dlpack(facula_state* S, const facula_tensor* t, DLManagedTensor** out) {
  if (out) *out = nullptr;
  return enter(S, "facula_tensor_to_dlpack", [&](Interpreter&, lua_State*) {
    expect(out, "facula_tensor_to_dlpack: out is NULL");
    *out = to_dlpack(tensor_behind(t, "facula_tensor_to_dlpack: the tensor"));
  });
}

facula_status facula_tensor_from_dlpack(facula_state* S, DLManagedTensor* managed, facula_tensor** out) {
  if (out) *out = nullptr;
  return enter(S, "facula_tensor_from_dlpack", [&](Interpreter&, lua_State*) {
    expect(out, "facula_tensor_from_dlpack: out is NULL");
    expect(managed, "facula_tensor_from_dlpack: the structure is NULL");
    *out = new_handle([&] { return from_dlpack(managed); });
  });
}
