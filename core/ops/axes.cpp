// Dimensions in another order, and windows as a dimension of their own.
#include "core/ops.h"
#include "core/ops/families.h"

namespace facula {
namespace {

Op unfold;

Tensor movedim_of(const Tensor& x, const IntList& source, const IntList& destination) {
  check(source.size() == destination.size(), "movedim: ", source.size(), " source dims for ", destination.size(),
        " destinations");
  IntList order(static_cast<size_t>(x.dim()), -1);
  for (size_t i = 0; i < source.size(); ++i) order[static_cast<size_t>(destination[i])] = source[i];
  int64_t next = 0;
  for (int64_t& d : order) {
    if (d >= 0) continue;
    while (source.contains(next)) ++next;
    d = next++;
  }
  return ops::permute(x, order);
}

Tensor adjoint_of(const Tensor& x) {
  if (x.dim() == 0) return ops::conj(x);
  check(x.dim() >= 2, "adjoint: expected at least 2 dimensions, got ", x.sizes());
  return ops::conj(ops::transpose(x, -2, -1));
}

// ---- windows ----

Tensor unfold_forward(const Tensor& x, int64_t dim, int64_t size, int64_t step) {
  const int64_t n = x.dim() == 0 ? 1 : x.size(dim);
  check(size >= 0 && size <= n, "unfold: windows of ", size, " do not fit into ", n, " positions of dimension ",
        Counting::shown(dim));
  check(step > 0, "unfold: the step must be positive, got ", step);
  Sizes sizes = x.sizes();
  IntList strides = x.strides();
  int64_t inner = 1;
  if (x.dim() > 0) {
    const auto d = static_cast<size_t>(dim);
    inner = strides[d];
    sizes[d] = (n - size) / step + 1;
    strides[d] = sizes[d] > 1 ? strides[d] * step : strides[d];
  }
  sizes.push_back(size);
  strides.push_back(inner);
  return x.alias(sizes, strides, x.offset());
}

// The adjoint: what lies in several windows adds up.
Tensor unfold_backward_of(const Tensor& g, const IntList& sizes, int64_t dim, int64_t size, int64_t step) {
  const Tensor zeros = ops::zero_(empty(sizes, g.dtype(), g.device()));
  if (sizes.empty()) return ops::sum(g);
  const int64_t windows = g.size(dim);
  auto counted = [&](int64_t n, int64_t by) {
    return ops::mul(ops::arange(n, Value(DType::Int64), Value(g.device())), by);
  };
  const Tensor positions = ops::add(ops::unsqueeze(counted(windows, step), 1), ops::add(counted(size, 1), 1));
  const Tensor rows = ops::flatten(movedim_of(g, {g.dim() - 1}, {dim + 1}), dim, dim + 1);
  return ops::index_add.in_place(zeros, dim, ops::reshape(positions, {-1}), rows);
}

}  // namespace

void define_axes(const Family& define) {
  define("movedim(Tensor self, Dim[] source, Dim[] destination) -> Tensor")
      .doc("A view in which dimensions stand elsewhere; the others keep their order.")
      .example("torch.ones(2, 3, 4):movedim(1, 3).shape")
      .alias("moveaxis")
      .compose(movedim_of);
  define("adjoint(Tensor self) -> Tensor")
      .doc("Matrices in the last two dimensions transposed and conjugated, as `self.mH`.")
      .example("torch.complex(torch.randn(2, 3), torch.randn(2, 3)):adjoint()")
      .compose(adjoint_of);
  define(unfold, "unfold(Tensor self, Dim dimension, int size, int step) -> Tensor")
      .doc("A view of all windows of `size` positions along a dimension, `step` apart, as a new last dimension.")
      .example("torch.arange(5):unfold(1, 2, 1)")
      .view(unfold_forward)
      .grad("self", [](Tensor g, Meta x, int64_t dim, int64_t size, int64_t step) {
        return unfold_backward_of(g, x.sizes(), dim, size, step);
      });
}

}  // namespace facula
