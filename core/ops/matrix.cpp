#include "core/ops/matrix.h"

#include <limits>

#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {

void check_matrix(const char* name, const Tensor& x) {
  check(x.dim() >= 2, name, ": expected a matrix or a batch of them, got ", x.sizes());
}
void check_square(const char* name, const Tensor& x) {
  check_matrix(name, x);
  check(x.size(-1) == x.size(-2), name, ": expected square matrices, got ", x.sizes());
}
void check_lapack(const char* name, const Tensor& x) {
  const bool known = x.dtype() >= DType::Float32;
  check(known, name, ": expected float32, float64, complex64 or complex128, got ", x.dtype());
}
void check_same_dtype(const char* name, const Tensor& a, const Tensor& b) {
  check(a.dtype() == b.dtype(), name, ": dtypes differ, ", a.dtype(), " and ", b.dtype());
}

void check_rows(const char* name, const Tensor& a, const Tensor& b, bool left) {
  check(a.size(-1) == b.size(left ? -2 : -1), name, ": A ", a.sizes(), " and B ", b.sizes(), " do not match, ",
        a.size(-1), " against ", b.size(left ? -2 : -1), left ? " rows" : " columns");
}

Sizes batch_sizes(const Sizes& sizes, int64_t matrix_dims) { return Sizes(sizes.begin(), sizes.end() - matrix_dims); }
Sizes joined(Sizes batch, std::initializer_list<int64_t> rest) {
  for (const int64_t n : rest) batch.push_back(n);
  return batch;
}

Tensor result_batch(const Tensor& y, int64_t matrix_dims) {
  const Sizes batch = batch_sizes(y.sizes(), matrix_dims);
  Sizes sizes{numel_of(batch)};
  for (int64_t d = y.dim() - matrix_dims; d < y.dim(); ++d) sizes.push_back(y.size(d));
  return y.alias(sizes, contiguous_strides(sizes), y.offset());
}

Tensor as_batch(const Tensor& x) {
  if (x.dim() == 3) return x;
  if (x.dim() > 3) return result_batch(dense(x));
  return x.alias({1, x.size(0), x.size(1)}, {0, x.stride(0), x.stride(1)}, x.offset());
}

Tensor adjoint(const Tensor& x) { return ops::conj(ops::transpose(x, -2, -1)); }

namespace {

// column - row at each place of a matrix.
Tensor above_diagonal(const Tensor& x, int64_t m, int64_t n) {
  auto numbers = [&](int64_t count) { return ops::to_device(ops::arange(count), x.device()); };
  return ops::unsqueeze(numbers(n), 0) - ops::unsqueeze(numbers(m), 1);
}

}  // namespace

Tensor identity(const Tensor& x, int64_t m, int64_t n) {
  return ops::to_dtype(ops::eq(above_diagonal(x, m, n), 0), x.dtype());
}
Tensor quotient(const Tensor& x, const Tensor& y) {
  return x / ops::masked_fill(y, ops::logical_and(ops::eq(y, 0), ops::eq(x, 0)), 1);
}

std::pair<Tensor, Tensor> broadcast_batches(const char* name, const Tensor& a, const Tensor& b) {
  const Sizes batch = broadcast(batch_sizes(a.sizes()), batch_sizes(b.sizes()), name);
  auto stretched = [&](const Tensor& x) {
    const Sizes sizes = joined(batch, {x.size(-2), x.size(-1)});
    return x.sizes() == sizes ? x : ops::expand(x, sizes);
  };
  return {stretched(a), stretched(b)};
}

void check_info(const char* name, const Tensor& info, const char* what, bool is_single) {
  if (info.is_meta()) return;
  const Tensor codes = dense(moved(info, Device{}));
  for (int64_t b = 0; b < codes.numel(); ++b) {
    const int32_t code = codes.data<int32_t>()[b];
    if (code == 0) continue;
    const std::string where = is_single ? "" : text("(batch element ", Counting::shown(b), ") ");
    fail(name, ": ", where, what, " (at ", Counting::shown(code - 1), ')');
  }
}

bool wants_gradient(std::initializer_list<Tensor> tensors) {
  return GradMode::enabled() &&
         std::any_of(tensors.begin(), tensors.end(), [](const Tensor& x) { return x.defined() && requires_grad(x); });
}

double epsilon(DType t) {
  return real_dtype(t) == DType::Float64 ? std::numeric_limits<double>::epsilon()
                                         : std::numeric_limits<float>::epsilon();
}

}  // namespace facula
