// Running extremes and logarithms of sums along a dimension.
#include <limits>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

Op logcumsumexp;

template <bool kLargest>
std::tuple<Tensor, Tensor> running_extreme(Out& out, const Tensor& x, int64_t dim) {
  check(!is_complex(x.dtype()), kLargest ? "cummax" : "cummin", ": complex numbers have no order");
  const Tensor values = out.make(0, x.sizes(), x.dtype()), positions = out.make(1, x.sizes(), DType::Int64);
  (kLargest ? slots::cummax : slots::cummin)(values, positions, x, dim);
  return {values, positions};
}
Tensor extreme_gradient(Tensor g, Result, Result positions, Meta x, int64_t dim) {
  return x.dim() == 0 ? g : ops::scatter_add(ops::zeros_like(g), dim, positions, g);
}

Tensor logcumsumexp_forward(Out& out, const Tensor& x, int64_t dim) {
  check(is_floating(x.dtype()), "logcumsumexp: expected a floating dtype, got ", x.dtype());
  const Tensor y = out.make(x.sizes(), x.dtype());
  slots::logcumsumexp(y, x, dim);
  return y;
}

// dx[i] = sum of g[j] exp(x[i] - y[j]) over j >= i, as a logarithm, since exp(-y) alone may overflow.
Tensor share_of(const Tensor& g, const Tensor& y, const Tensor& x, int64_t dim) {
  const Tensor some = ops::gt(g, 0);
  const Tensor logs = ops::where(some, ops::log(ops::where(some, g, 1)), std::numeric_limits<float>::lowest());
  return ops::exp(ops::flip(logcumsumexp(ops::flip(logs - y, IntList{dim}), dim), IntList{dim}) + x);
}
Tensor logcumsumexp_gradient(Tensor g, Result y, Tensor x, int64_t dim) {
  if (x.dim() == 0 || x.numel() == 0) return g;
  return share_of(g, y, x, dim) - share_of(-g, y, x, dim);
}

}  // namespace

void define_scan(const Family& define) {
  define("cummax(Tensor self, Dim dim) -> (Tensor values, IndexTensor indices)")
      .doc("The largest element so far along a dimension, and its position; of equal ones the last.")
      .example("torch.tensor{1, 3, 2, 5}:cummax(1)")
      .forward(running_extreme<true>)
      .grad("self", extreme_gradient);
  define("cummin(Tensor self, Dim dim) -> (Tensor values, IndexTensor indices)")
      .doc("The smallest element so far along a dimension, and its position; of equal ones the last.")
      .example("torch.tensor{5, 2, 3, 1}:cummin(1)")
      .forward(running_extreme<false>)
      .grad("self", extreme_gradient);
  define(logcumsumexp, "logcumsumexp(Tensor self, Dim dim) -> Tensor")
      .doc("`log(cumsum(exp(self)))` along a dimension, without overflow.")
      .example("torch.logcumsumexp(torch.zeros(4), 1):exp()")
      .forward(logcumsumexp_forward)
      .grad("self", logcumsumexp_gradient);
}

}  // namespace facula
