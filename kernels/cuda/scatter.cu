// Writing at positions. Sums are made by atomic additions: where several terms meet in one place, their order, and with
// it the rounding of floating sums, may differ from run to run; and of several values that are put in one place any one
// may stay. float16 and bfloat16 are summed in float32, narrow integers in int64, and rounded (or cut) once.
#include "core/deterministic.h"
#include "kernels/cuda/index.h"

namespace facula::cuda {
namespace {

template <class W>
struct Put {
  Step step;
  __device__ void operator()(char* const (&p)[3]) const {
    *reinterpret_cast<W*>(p[2] + step.distance(p[0])) = *reinterpret_cast<const W*>(p[1]);
  }
};

template <class T>
__device__ void add_atomically(T* to, T x) {
  if constexpr (is_complex_type<T>) {
    auto* parts = reinterpret_cast<Real<T>*>(to);
    atomicAdd(parts, x.real());
    atomicAdd(parts + 1, x.imag());
  } else if constexpr (std::is_integral_v<T>) {
    atomicAdd(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(x));
  } else {
    atomicAdd(to, x);
  }
}

template <class T>
struct Add {
  Step step;
  T alpha;
  __device__ void operator()(char* const (&p)[3]) const {
    add_atomically(reinterpret_cast<T*>(p[2] + step.distance(p[0])), alpha * *reinterpret_cast<const T*>(p[1]));
  }
};

// index, src and out have equal sizes; out stands still along what the positions choose from.
void put_at(const Queue& queue, const Tensor& out, const Tensor& index, const Tensor& src, Step step) {
  with_word(out.item_size(), [&]<class W>() { each<3>(queue, {&index, &src, &out}, Put<W>{step}); });
}

void add_at(const Queue& queue, const Tensor& out, const Tensor& index, const Tensor& src, Step step,
            const Scalar& alpha) {
  if (!is_integral(out.dtype())) check_deterministic(queue.slot());
  with_compute_type<kAll>(out.dtype(), queue.slot(), [&]<class T>() {
    each<3>(queue, {&index, &src, &out}, Add<T>{step, number<T>(alpha)});
  });
}

Tensor converted(const Tensor& x, DType dtype) {
  const Tensor y = empty(x.sizes(), dtype, x.device());
  slots::copy(y, x);
  return y;
}

// Calls add(out, src) with tensors whose elements are what is computed with, and brings the result home.
template <class Body>
void with_wide(const Tensor& out, const Tensor& src, Body add) {
  const DType t = out.dtype();
  const DType wide = is_integral(t, true)                          ? DType::Int64
                     : t == DType::Float16 || t == DType::BFloat16 ? DType::Float32
                                                                   : t;
  if (t == wide) return add(out, src);
  const Tensor sums = converted(out, wide);
  add(sums, converted(src, wide));
  slots::copy(out, sums);
}

}  // namespace

void scatter(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src) {
  const Queue queue("scatter", out);
  const Tensor to = at_least_1d(out), positions = at_least_1d(index), from = at_least_1d(src);
  check_positions(queue, positions, to, dim);
  const Sizes& sizes = positions.sizes();
  put_at(queue, standing(to, sizes, dim), positions, from.alias(sizes, from.strides(), from.offset()),
         step_along(to, dim));
}

void scatter_add(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src) {
  const Queue queue("scatter_add", out);
  const Tensor positions = at_least_1d(index);
  check_positions(queue, positions, at_least_1d(out), dim);
  const Sizes& sizes = positions.sizes();
  with_wide(at_least_1d(out), at_least_1d(src), [&](const Tensor& to, const Tensor& from) {
    add_at(queue, standing(to, sizes, dim), positions, from.alias(sizes, from.strides(), from.offset()),
           step_along(to, dim), 1);
  });
}

void index_add(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& src, const Scalar& alpha) {
  const Queue queue("index_add", out);
  const Tensor positions = at_least_1d(index);
  check_positions(queue, positions, at_least_1d(out), dim);
  with_wide(at_least_1d(out), at_least_1d(src), [&](const Tensor& to, const Tensor& from) {
    const Sizes& sizes = from.sizes();
    add_at(queue, standing(to, sizes, dim), along(positions, sizes, dim), from, step_along(to, dim), alpha);
  });
}

void index_put(const Tensor& x, TensorSpan indices, const Tensor& values, bool accumulate) {
  const Queue queue("index_put", x);
  const auto put = [&](const Tensor& to, const Tensor& from) {
    const Tensor distance = offsets(queue, to, indices);
    const Sizes& sizes = from.sizes();
    const Tensor rest = without_leading(to, indices.size(), sizes), index = without_trailing(distance, sizes);
    if (accumulate)
      add_at(queue, rest, index, from, kOffsets, 1);
    else
      put_at(queue, rest, index, from, kOffsets);
  };
  if (accumulate)
    with_wide(x, values, put);
  else
    put(x, values);
}

}  // namespace facula::cuda
