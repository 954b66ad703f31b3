// Products of matrices: cuBLAS for floating and complex numbers, a plain kernel for integers and for empty sums.
#include "kernels/cuda/blas.h"
#include "kernels/cuda/reduce.h"
#include "kernels/cuda/register.h"

namespace facula::cuda {
namespace {

/// out = beta * out + alpha * a @ b, an element per thread; a row of a and a column of b are walked along k.
template <class T>
struct PlainProduct {
  DType type;
  int64_t k, a_step, b_step;  // bytes
  T alpha, beta;
  __device__ void operator()(char* const (&p)[3]) const {
    T sum(0);
    for (int64_t i = 0; i < k; ++i) sum += load<T>(p[1] + i * a_step, type) * load<T>(p[2] + i * b_step, type);
    T y = alpha * sum;
    if (beta != T(0)) y += beta * load<T>(p[0], type);
    store<T>(p[0], type, y);
  }
};

void plain_bmm(const Queue& queue, const Tensor& out, const Tensor& a, const Tensor& b, const Scalar& alpha,
               const Scalar& beta) {
  const Tensor rows = a.alias(out.sizes(), {a.stride(0), a.stride(1), 0}, a.offset());
  const Tensor columns = b.alias(out.sizes(), {b.stride(0), 0, b.stride(2)}, b.offset());
  with_compute_type<kAll>(out.dtype(), "bmm", [&]<class T>() {
    each<3>(queue, {&out, &rows, &columns},
            PlainProduct<T>{out.dtype(), a.size(2), a.stride(2) * a.item_size(), b.stride(1) * b.item_size(),
                            number<T>(alpha), number<T>(beta)});
  });
}

// Dense in dimension `inner` of the matrix, with room for it between the steps of the other.
bool is_dense(const Tensor& x, int inner) {
  const int outer = 3 - inner;
  const bool one_step = x.stride(inner) == 1 || x.size(inner) == 1;
  return one_step && (x.size(outer) == 1 || x.stride(outer) >= std::max<int64_t>(1, x.size(inner)));
}

/// The row-major matrix x as the column-major matrix of its transpose.
BlasMatrix transposed_view(const Tensor& x) {
  const bool by_rows = is_dense(x, 2);
  const int inner = by_rows ? 2 : 1, outer = 3 - inner;
  const int64_t leading = x.size(outer) == 1 ? std::max<int64_t>(1, x.size(inner)) : x.stride(outer);
  return {x.bytes(), !by_rows, leading, x.size(0) == 1 ? 0 : x.stride(0)};
}

Tensor readable(const Tensor& x) {
  if (is_dense(x, 2) || is_dense(x, 1)) return x;
  Tensor dense = empty(x.sizes(), x.dtype(), x.device());
  slots::copy(dense, x);
  return dense;
}

// A row-major product is a column-major one of the transposes in turn: out^T = b^T a^T. Where out is dense by columns
// instead, it is its own transpose and the two change places.
void blas_bmm(const Queue& queue, const Tensor& out, const Tensor& a, const Tensor& b, const Scalar& alpha,
              const Scalar& beta) {
  const Tensor x = readable(a), y = readable(b);
  BlasMatrix c = transposed_view(out), at = transposed_view(x), bt = transposed_view(y);
  const int64_t M = out.size(1), N = out.size(2), K = a.size(2), B = out.size(0);
  if (!c.transposed) {
    gemm(queue, out.dtype(), N, M, K, alpha, bt, at, beta, c, B);
  } else {
    at.transposed = !at.transposed;
    bt.transposed = !bt.transposed;
    gemm(queue, out.dtype(), M, N, K, alpha, at, bt, beta, c, B);
  }
}

void bmm(const Tensor& out, const Tensor& a, const Tensor& b, const Scalar& alpha, const Scalar& beta) {
  if (out.numel() == 0) return;
  const Queue queue("bmm", out);
  if (is_integral(out.dtype(), true) || a.size(2) == 0)
    plain_bmm(queue, out, a, b, alpha, beta);
  else
    blas_bmm(queue, out, a, b, alpha, beta);
}

template <class T>
struct Dot {
  using State = T;
  static constexpr int kOperands = 3;
  DType type;
  __device__ T start() const { return T(0); }
  __device__ void add(T& s, char* const (&p)[3], int64_t) const { s += load<T>(p[1], type) * load<T>(p[2], type); }
  __device__ void merge(T& s, const T& other) const { s += other; }
  __device__ void finish(const T& s, char* const (&p)[3]) const { store<T>(p[0], type, s); }
};

void dot(const Tensor& out, const Tensor& a, const Tensor& b) {
  const Queue queue("dot", out);
  with_compute_type<kAll>(a.dtype(), "dot", [&]<class T>() {
    reduce(queue, {&out, &a, &b}, IntList{0}, Dot<T>{a.dtype()});
  });
}

}  // namespace

void fill_linalg_slots() {
  slots::bmm.fill(DeviceType::CUDA, bmm);
  slots::dot.fill(DeviceType::CUDA, dot);
}

}  // namespace facula::cuda
