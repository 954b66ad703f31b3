// Sums, products, extremes and truth. See reduce.h for the order in which elements are combined.
#include <limits>

#include "kernels/cuda/reduce.h"
#include "kernels/cuda/register.h"

namespace facula::cuda {
namespace {

template <class T>
struct Sum {
  using State = T;
  static constexpr int kOperands = 2;
  DType from, to;
  __device__ T start() const { return T(0); }
  __device__ void add(T& s, char* const (&p)[2], int64_t) const { s += load<T>(p[1], from); }
  __device__ void merge(T& s, const T& other) const { s += other; }
  __device__ void finish(const T& s, char* const (&p)[2]) const { store<T>(p[0], to, s); }
};

template <class T>
struct Product {
  using State = T;
  static constexpr int kOperands = 2;
  DType from, to;
  __device__ T start() const { return T(1); }
  __device__ void add(T& s, char* const (&p)[2], int64_t) const { s *= load<T>(p[1], from); }
  __device__ void merge(T& s, const T& other) const { s *= other; }
  __device__ void finish(const T& s, char* const (&p)[2]) const { store<T>(p[0], to, s); }
};

/// The largest or smallest element and its number; NaN beats all, and of equals the first wins.
template <class T>
struct Extreme {
  struct State {
    T value;
    int64_t number;
  };
  static constexpr int64_t kNone = INT64_MAX;
  static constexpr int kOperands = 3;  // values, positions, x
  DType type;
  bool largest, wants_value, wants_position;

  __device__ State start() const { return {T(0), kNone}; }
  __device__ void add(State& s, char* const (&p)[3], int64_t i) const { merge(s, {load<T>(p[2], type), i}); }
  __device__ void merge(State& s, const State& other) const {
    if (other.number != kNone && (s.number == kNone || beats(other, s))) s = other;
  }
  __device__ bool beats(const State& a, const State& b) const {
    const bool a_nan = is_nan(a.value), b_nan = is_nan(b.value);
    if (a_nan != b_nan) return a_nan;
    if (a_nan || a.value == b.value) return a.number < b.number;
    return largest ? a.value > b.value : a.value < b.value;
  }
  __device__ void finish(const State& s, char* const (&p)[3]) const {
    if (wants_value) store<T>(p[0], type, s.value);
    if (wants_position) *reinterpret_cast<int64_t*>(p[1]) = s.number + 1;
  }
};

struct Truth {
  using State = bool;
  static constexpr int kOperands = 2;
  DType type;
  bool all;
  __device__ bool start() const { return all; }
  __device__ void add(bool& s, char* const (&p)[2], int64_t) const { merge(s, load_truth(p[1], type)); }
  __device__ void merge(bool& s, const bool& other) const { s = all ? s && other : s || other; }
  __device__ void finish(const bool& s, char* const (&p)[2]) const { *reinterpret_cast<bool*>(p[0]) = s; }
};

template <template <class> class Op, bool product>
void total(const Tensor& out, const Tensor& x, const IntList& dims) {
  const char* slot = product ? "prod" : "sum";
  if (out.numel() == 0) return;
  const Queue queue(slot, out);
  with_compute_type<kAll>(x.dtype(), slot, [&]<class T>() { reduce(queue, {&out, &x}, dims, Op<T>{x.dtype(), out.dtype()}); });
}

template <bool largest>
void extreme(const Tensor& out, const Tensor& x, const IntList& dims) {
  const char* slot = largest ? "amax" : "amin";
  if (out.numel() == 0) return;
  const Queue queue(slot, out);
  with_compute_type<kOrdered>(x.dtype(), slot, [&]<class T>() {
    reduce(queue, {&out, &out, &x}, dims, Extreme<T>{x.dtype(), largest, true, false});
  });
}

template <bool largest>
void extreme_with_index(const Tensor& values, const Tensor& positions, const Tensor& x, int64_t dim) {
  const char* slot = largest ? "max_with_index" : "min_with_index";
  if (values.numel() == 0) return;
  const Queue queue(slot, values);
  with_compute_type<kOrdered>(x.dtype(), slot, [&]<class T>() {
    reduce(queue, {&values, &positions, &x}, IntList{dim}, Extreme<T>{x.dtype(), largest, true, true});
  });
}

// Numbers count in row-major order, which a walk over several dimensions need not follow: flattened, x is dense.
Tensor flattened(const Tensor& x) {
  Tensor dense = x;
  if (!x.is_contiguous()) {
    dense = empty(x.sizes(), x.dtype(), x.device());
    slots::copy(dense, x);
  }
  return dense.alias({x.numel()}, {1}, dense.offset());
}

template <bool largest>
void arg_extreme(const Tensor& out, const Tensor& x, int64_t dim) {
  const char* slot = largest ? "argmax" : "argmin";
  if (out.numel() == 0) return;
  const Queue queue(slot, out);
  const bool all = dim < 0 || x.dim() == 0;
  const Tensor input = all ? flattened(x) : x;
  const Tensor result = all ? out.alias({1}, {1}, out.offset()) : out;
  with_compute_type<kOrdered>(x.dtype(), slot, [&]<class T>() {
    reduce(queue, {&result, &result, &input}, IntList{all ? 0 : dim}, Extreme<T>{x.dtype(), largest, false, true});
  });
}

template <bool all>
void truth_of(const Tensor& out, const Tensor& x, const IntList& dims) {
  if (out.numel() == 0) return;
  reduce(Queue(all ? "all" : "any", out), {&out, &x}, dims, Truth{x.dtype(), all});
}

}  // namespace

void fill_reduce_slots() {
  slots::sum.fill(DeviceType::CUDA, total<Sum, false>);
  slots::prod.fill(DeviceType::CUDA, total<Product, true>);
  slots::amax.fill(DeviceType::CUDA, extreme<true>);
  slots::amin.fill(DeviceType::CUDA, extreme<false>);
  slots::any.fill(DeviceType::CUDA, truth_of<false>);
  slots::all.fill(DeviceType::CUDA, truth_of<true>);
  slots::argmax.fill(DeviceType::CUDA, arg_extreme<true>);
  slots::argmin.fill(DeviceType::CUDA, arg_extreme<false>);
  slots::max_with_index.fill(DeviceType::CUDA, extreme_with_index<true>);
  slots::min_with_index.fill(DeviceType::CUDA, extreme_with_index<false>);
}

}  // namespace facula::cuda
