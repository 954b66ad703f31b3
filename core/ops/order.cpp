// Sorting.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/slots.h"

namespace facula {
namespace {

std::tuple<Tensor, Tensor> sort_forward(Out& out, const Tensor& x, int64_t dim, bool descending) {
  check(!is_complex(x.dtype()), "sort: complex numbers have no order");
  const Tensor values = out.make(0, x.sizes(), x.dtype()), positions = out.make(1, x.sizes(), DType::Int64);
  if (x.dim() == 0) {
    slots::copy(values, x);
    slots::fill(positions, 1);
  } else {
    slots::sort(values, positions, x, dim, descending);
  }
  return {values, positions};
}

std::tuple<Tensor, Tensor> topk_forward(Out& out, const Tensor& x, int64_t k, int64_t dim, bool largest, bool sorted) {
  check(!is_complex(x.dtype()), "topk: complex numbers have no order");
  const int64_t n = x.dim() ? x.size(dim) : 1;
  check(k >= 0 && k <= n, "topk: k = ", k, " is not within 0..", n, ", the size of dimension ", Counting::shown(dim));
  Sizes sizes = x.sizes();
  if (x.dim()) sizes[static_cast<size_t>(dim)] = k;
  const Tensor values = out.make(0, sizes, x.dtype()), positions = out.make(1, sizes, DType::Int64);
  if (x.dim() == 0) {
    slots::copy(values, x);
    slots::fill(positions, 1);
  } else {
    slots::topk(values, positions, x, dim, largest, sorted);
  }
  return {values, positions};
}

Tensor gathered_gradient(const Tensor& g, const Tensor& positions, const Meta& x, int64_t dim) {
  if (x.dim() == 0) return g;
  return ops::scatter_add(ops::zero_(empty(x.sizes(), g.dtype(), g.device())), dim, positions, g);
}

}  // namespace

void define_order(const Family& define) {
  define(ops::sort, "sort(Tensor self, Dim dim=-1, bool descending=False) -> (Tensor values, IndexTensor indices)")
      .doc(
          "The elements in order along a dimension, and the positions they had. Equal elements keep their order; NaN "
          "is the largest.")
      .example("local values, positions = torch.tensor{3, 1, 2}:sort()")
      .forward(sort_forward)
      .grad("self", [](Tensor g, Result, Result i, Meta x, int64_t dim) { return gathered_gradient(g, i, x, dim); });
  define(
      "sort:stable(Tensor self, *, bool stable, Dim dim=-1, bool descending=False) -> (Tensor values, IndexTensor "
      "indices)")
      .compose([](const Tensor& x, bool, int64_t dim, bool descending) {
        return ops::sort.all({x, dim, descending});
      });
  define("argsort(Tensor self, Dim dim=-1, bool descending=False) -> IndexTensor")
      .doc("The positions that put the elements in order along a dimension.")
      .example("torch.tensor{3, 1, 2}:argsort()")
      .compose([](const Tensor& x, int64_t dim, bool descending) {
        return ops::sort.all({x, dim, descending}).tensor(1);
      });
  define("argsort:stable(Tensor self, *, bool stable, Dim dim=-1, bool descending=False) -> IndexTensor")
      .compose([](const Tensor& x, bool, int64_t dim, bool descending) {
        return ops::sort.all({x, dim, descending}).tensor(1);
      });
  define("msort(Tensor self) -> Tensor")
      .doc("The elements in order along the first dimension.")
      .example("torch.msort(torch.tensor{{3, 1}, {2, 4}})")
      .compose([](const Tensor& x) {
        return ops::sort.all({x, 0}).tensor(0);
      });
  define(ops::topk,
         "topk(Tensor self, int k, Dim dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, IndexTensor "
         "indices)")
      .doc("The `k` largest or smallest elements along a dimension, and their positions.")
      .example("torch.tensor{3, 1, 4, 2}:topk(2)")
      .forward(topk_forward)
      .grad("self",
            [](Tensor g, Result, Result i, Meta x, int64_t, int64_t dim) { return gathered_gradient(g, i, x, dim); });
}

}  // namespace facula
