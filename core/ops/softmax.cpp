// The softmax family.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

using SoftmaxSlot = Slot<const Tensor&, const Tensor&, int64_t>;
using SoftmaxBackwardSlot = Slot<const Tensor&, const Tensor&, const Tensor&, int64_t>;

template <SoftmaxSlot& kSlot>
Tensor normalised(Out& out, const Tensor& given, int64_t dim, OptDType dtype) {
  const DType t = dtype.value_or(given.dtype());
  check(is_floating(t), kSlot.name(), ": expected a floating dtype, got ", t);
  const Tensor x = converted(given, t), y = out.make(x.sizes(), t);
  if (x.dim() == 0)
    kSlot(y.alias({1}, {1}, y.offset()), x.alias({1}, {1}, x.offset()), 0);
  else
    kSlot(y, x, dim);
  return y;
}

template <SoftmaxBackwardSlot& kSlot>
Tensor normalised_backward(Out& out, const Tensor& g, const Tensor& y, int64_t dim) {
  const Tensor dx = out.make(y.sizes(), y.dtype());
  if (y.dim() == 0)
    kSlot(dx.alias({1}, {1}, dx.offset()), g.alias({1}, {1}, g.offset()), y.alias({1}, {1}, y.offset()), 0);
  else
    kSlot(dx, g.dtype() == y.dtype() ? g : converted(g, y.dtype()), y, dim);
  return dx;
}

IntList along(const Tensor& x, int64_t dim) { return x.dim() == 0 ? IntList{} : IntList{dim}; }

}  // namespace

void define_softmax(const Family& define) {
  define(ops::softmax, "softmax(Tensor self, Dim dim, *, DType? dtype=None) -> Tensor")
      .doc("`exp(self)` scaled to sum up to 1 along a dimension, computed without overflow.")
      .example("torch.softmax(torch.tensor{1, 2, 3}, 1)")
      .alias("nn.functional.softmax")
      .alias("special.softmax")
      .forward(normalised<slots::softmax>)
      .grad("self", [](Tensor g, Result y, Meta, int64_t dim) { return ops::softmax_backward(g, y, dim); });
  define(ops::log_softmax, "log_softmax(Tensor self, Dim dim, *, DType? dtype=None) -> Tensor")
      .doc("The logarithm of softmax, computed without overflow.")
      .example("torch.log_softmax(torch.tensor{1, 2, 3}, 1)")
      .alias("nn.functional.log_softmax")
      .alias("special.log_softmax")
      .forward(normalised<slots::log_softmax>)
      .grad("self", [](Tensor g, Result y, Meta, int64_t dim) { return ops::log_softmax_backward(g, y, dim); });
  // With s = sum(g * y): dx = y * (g - s).
  define(ops::softmax_backward, "_softmax_backward(Tensor grad_output, Tensor output, Dim dim) -> Tensor")
      .doc("The derivative of softmax from its result.")
      .forward(normalised_backward<slots::softmax_backward>)
      .grad("grad_output", [](Tensor g, Meta, Tensor y, int64_t dim) { return ops::softmax_backward(g, y, dim); })
      .grad("output", [](Tensor g, Tensor first, Tensor y, int64_t dim) {
        const IntList dims = along(y, dim);
        return g * (first - ops::sum(first * y, dims, true)) - first * ops::sum(g * y, dims, true);
      });
  // dx = g - exp(y) * sum(g).
  define(ops::log_softmax_backward, "_log_softmax_backward(Tensor grad_output, Tensor output, Dim dim) -> Tensor")
      .doc("The derivative of log_softmax from its result.")
      .forward(normalised_backward<slots::log_softmax_backward>)
      .grad("grad_output",
            [](Tensor g, Meta, Tensor y, int64_t dim) { return g - ops::sum(g * ops::exp(y), along(y, dim), true); })
      .grad("output", [](Tensor g, Tensor first, Tensor y, int64_t dim) {
        return -(g * ops::exp(y) * ops::sum(first, along(y, dim), true));
      });
}

}  // namespace facula
