// Slices and elements written or read at positions: along one dimension, in the flattened tensor, or where a mask holds.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/ops/positions.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

Op index_copy, index_fill, take, put, masked_scatter;

// ---- slices along a dimension ----

Tensor index_copy_forward(Out& out, const Tensor& self, int64_t dim, const Tensor& given, const Tensor& source) {
  const Tensor index = at_least_1d(exact_positions("index_copy", given));
  check_slices("index_copy", self, dim, index, source);
  const Tensor y = start_from(out, self);
  slots::index_copy(y, dim, apart(index, y), apart(source, y));
  return y;
}

Tensor index_fill_forward(Out& out, const Tensor& self, int64_t dim, const Tensor& given, const Tensor& value) {
  const Tensor index = at_least_1d(exact_positions("index_fill", given));
  check(index.dim() == 1, "index_fill: the index must be a vector, got ", index.sizes());
  check(value.dim() == 0, "index_fill: the value must be a number or a tensor without dimensions, got sizes ",
        value.sizes());
  check(!is_complex(value.dtype()) || is_complex(self.dtype()), "index_fill: a complex value cannot be put into ",
        self.dtype());
  const Tensor y = start_from(out, self);
  Sizes sizes = at_least_1d(self).sizes();
  sizes[static_cast<size_t>(dim)] = index.size(0);
  slots::index_copy(y, dim, apart(index, y), converted(moved(value, y.device()), y.dtype()).expanded(sizes));
  return y;
}

// ---- elements of the flattened tensor ----

Tensor flat(const Tensor& x) { return x.alias({x.numel()}, {1}, x.offset()); }

Tensor take_forward(Out& out, const Tensor& x, const Tensor& given) {
  const Tensor index = exact_positions("take", given);
  check(x.numel() > 0 || index.numel() == 0, "take: the tensor ", x.sizes(), " has no elements");
  const Tensor y = out.make(index.sizes(), x.dtype());
  if (index.numel() > 0) slots::index(y, flat(dense(x)), TensorSpan(&index, 1));
  return y;
}

Tensor put_forward(Out& out, const Tensor& self, const Tensor& given, const Tensor& source, bool accumulate) {
  check(source.dtype() == self.dtype(), "put: dtypes differ, 'self' is ", self.dtype(), ", 'source' ", source.dtype());
  check(given.numel() == source.numel(), "put: ", given.numel(), " positions for ", source.numel(),
        " elements of source");
  const Tensor y = start_from(out, self);
  const Tensor index = flat(dense(apart(exact_positions("put", given), y))), values = flat(dense(apart(source, y)));
  if (index.numel() == 0) return y;
  check(self.numel() > 0, "put: the tensor ", self.sizes(), " has no elements");
  const Tensor whole = dense(y);
  slots::index_put(flat(whole), TensorSpan(&index, 1), values, accumulate);
  if (!whole.is(y)) slots::copy(y, whole);
  return y;
}

Tensor take_along_dim_of(const Tensor& x, const Tensor& indices, OptInt dim) {
  check(indices.dtype() == DType::Int64, "take_along_dim: positions must be int64, got ", indices.dtype());
  if (!dim) return ops::gather(ops::reshape(x, {-1}), 0, ops::reshape(indices, {-1}));
  check(indices.dim() == x.dim(), "take_along_dim: indices ", indices.sizes(), " and tensor ", x.sizes(),
        " must have the same number of dimensions");
  const auto d = static_cast<size_t>(*dim);
  Sizes one = x.sizes(), whole = indices.sizes();
  if (one.empty()) return ops::gather(x, 0, indices);
  one[d] = whole[d] = 1;
  Sizes chosen = broadcast(one, whole, "take_along_dim"), from = chosen;
  chosen[d] = indices.size(*dim);
  from[d] = x.size(*dim);
  return ops::gather(ops::expand(x, from), *dim, ops::expand(indices, chosen));
}

// ---- where a mask holds ----

Tensor masked_scatter_forward(Out& out, const Tensor& self, const Tensor& mask, const Tensor& source) {
  check(mask.dtype() == DType::Bool, "masked_scatter: the mask must be bool, got ", mask.dtype());
  check(source.dtype() == self.dtype(), "masked_scatter: dtypes differ, 'self' is ", self.dtype(), ", 'source' ",
        source.dtype());
  const Sizes sizes = broadcast(self.sizes(), mask.sizes(), "masked_scatter");
  const Tensor y = out.make(sizes, self.dtype());
  if (!y.is(self)) slots::copy(y, self.expanded(sizes));
  slots::masked_scatter(y, moved(mask, y.device()).expanded(sizes), flat(dense(apart(source, y))));
  return y;
}

// What the source gave, from its beginning on; the rest of it has no influence.
Tensor masked_scatter_source_gradient(Tensor g, Meta, Tensor mask, Meta source) {
  const Tensor zeros = ops::zero_(empty({source.numel()}, g.dtype(), g.device()));
  const Tensor used = ops::masked_select(g, ops::expand(mask, g.sizes()));
  return ops::reshape(ops::cat({used, ops::narrow(zeros, 0, 0, source.numel() - used.size(0))}), source.sizes());
}

}  // namespace

void define_take(const Family& define) {
  define(index_copy, "index_copy(Tensor self, Dim dim, IndexTensor index, Tensor source) -> Tensor")
      .doc(
          "`self` with slices of `source` put at the positions in `index` along `dim`. Of equal positions the last one "
          "counts.")
      .example("torch.zeros(3):index_copy(1, {3, 1}, torch.tensor{10, 20})")
      .elementwise(index_copy_forward)
      .grad("self", [](Tensor g, Meta, int64_t dim, Tensor index) { return index_fill(g, dim, index, 0); })
      .grad("source", [](Tensor g, Meta, int64_t dim, Tensor index, Meta source) {
        return ops::reshape(ops::index_select(g, dim, index), source.sizes());
      });
  define(index_fill, "index_fill(Tensor self, Dim dim, IndexTensor index, Operand value) -> Tensor")
      .doc("`self` with one value in the slices at the positions in `index` along `dim`.")
      .example("torch.zeros(3):index_fill(1, {3, 1}, 7)")
      .elementwise(index_fill_forward)
      .grad("self", [](Tensor g, Meta, int64_t dim, Tensor index) { return index_fill(g, dim, index, 0); })
      .grad("value",
            [](Tensor g, Meta, int64_t dim, Tensor index) { return ops::sum(ops::index_select(g, dim, index)); });

  define(take, "take(Tensor self, IndexTensor index) -> Tensor")
      .doc("The elements of `self`, as if it were a vector, at the positions in `index`.")
      .example("torch.tensor{{1, 2}, {3, 4}}:take{4, 1}")
      .forward(take_forward)
      .grad("self", [](Tensor g, Meta x, Tensor index) { return put(x.zeros(), index, g, true); });
  define(put, "put(Tensor self, IndexTensor index, Tensor source, bool accumulate=False) -> Tensor")
      .doc(
          "`self`, as if it were a vector, with the elements of `source` put at the positions in `index`, or added to "
          "them.")
      .example("torch.zeros(2, 2):put({4, 1}, torch.tensor{10, 20})")
      .elementwise(put_forward)
      .grad("self", [](Tensor g, Meta, Tensor index, Meta source,
                       bool accumulate) { return accumulate ? g : put(g, index, source.zeros(), false); })
      .grad("source",
            [](Tensor g, Meta, Tensor index, Meta source) { return ops::reshape(take(g, index), source.sizes()); });
  define("take_along_dim(Tensor self, IndexTensor indices, Dim? dim=None) -> Tensor")
      .doc(
          "The elements along `dim` at the positions in `indices`, both stretched to fit in the other dimensions, as "
          "argsort gives them.\nWithout a dim both are flattened.")
      .example("local x = torch.randn(2, 3) print(torch.take_along_dim(x, x:argsort(2), 2))")
      .compose(take_along_dim_of);
  define(masked_scatter, "masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor")
      .doc("`self` with the elements of `source`, one after the other, where the mask holds.")
      .example("torch.zeros(3):masked_scatter(torch.tensor{true, false, true}, torch.tensor{10, 20})")
      .elementwise(masked_scatter_forward)
      .grad("self", [](Tensor g, Meta, Tensor mask) { return ops::masked_fill(g, mask, 0); })
      .grad("source", masked_scatter_source_gradient);
}

}  // namespace facula
