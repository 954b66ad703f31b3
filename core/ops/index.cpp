// Reading and writing at positions. Index tensors count from 1.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/ops/positions.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

Tensor gather_forward(Out& out, const Tensor& x, int64_t dim, const Tensor& given, bool) {
  const Tensor index = exact_positions("gather", given);
  check_window("gather", x, dim, index, index.numel() > 0);
  const Tensor y = out.make(index.sizes(), x.dtype());
  slots::gather(at_least_1d(y), at_least_1d(x), dim, at_least_1d(index));
  return y;
}

using ScatterSlot = Slot<const Tensor&, int64_t, const Tensor&, const Tensor&>;
Tensor scatter_with(Out& out, const ScatterSlot& slot, const Tensor& self, int64_t dim, const Tensor& given,
                    const Tensor& src) {
  const char* name = slot.name();
  Tensor index = exact_positions(name, given);
  check_window(name, self, dim, index, index.numel() > 0);
  if (index.numel() > 0) check_source(name, self, index, src);
  const Tensor y = start_from(out, self);
  index = apart(index, y);
  if (index.numel() > 0) slot(at_least_1d(y), dim, at_least_1d(index), at_least_1d(apart(src, y)));
  return y;
}
Tensor scatter_forward(Out& out, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
  const Tensor values = src.impl()->is_number ? converted(src, self.dtype()).expanded(index.sizes()) : src;
  return scatter_with(out, slots::scatter, self, dim, index, values);
}
Tensor scatter_add_forward(Out& out, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
  return scatter_with(out, slots::scatter_add, self, dim, index, src);
}

Tensor scatter_reduced(Out& out, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                       const std::string& reduce) {
  check(reduce == "add" || reduce == "multiply", "scatter: reduce must be 'add' or 'multiply', got '", reduce, "'");
  return scatter_with(out, reduce == "add" ? slots::scatter_add : slots::scatter_multiply, self, dim, index, src);
}

Tensor index_select_forward(Out& out, const Tensor& x, int64_t dim, const Tensor& given) {
  const Tensor index = at_least_1d(positions_of("index_select", given));
  check(index.dim() == 1, "index_select: the index must be a vector, got ", index.sizes());
  if (x.dim() == 0) {
    check(index.size(0) == 1, "index_select: a tensor without dimensions has one position, got ", index.size(0));
    const Tensor y = out.make({}, x.dtype());
    slots::index_select(at_least_1d(y), at_least_1d(x), 0, index);
    return y;
  }
  Sizes sizes = x.sizes();
  sizes[static_cast<size_t>(dim)] = index.size(0);
  const Tensor y = out.make(sizes, x.dtype());
  slots::index_select(y, x, dim, index);
  return y;
}

Tensor index_add_forward(Out& out, const Tensor& self, int64_t dim, const Tensor& given, const Tensor& src,
                         const Scalar& alpha) {
  const Tensor index = at_least_1d(positions_of("index_add", given));
  check_slices("index_add", self, dim, index, src);
  const Tensor y = start_from(out, self);
  slots::index_add(at_least_1d(y), dim, apart(index, y), at_least_1d(apart(src, y)), alpha);
  return y;
}

// ---- x[index, index, ...] ----

struct Advanced {
  Tensor x;       // indexed dimensions first
  Tensors index;  // int64, of common sizes
  Sizes common;
  IntList order;      // how x's dimensions were permuted
  int64_t front = 0;  // where the common dimensions stand in the result
};

// Masks become positions; the indexed dimensions move to the front, and the result's back to where they were if they
// stood together, as NumPy has it.
Advanced advanced(const char* name, const Tensor& x, const Tensors& indices) {
  Tensors by_dim;
  for (const Tensor& given : indices) {
    if (given.defined() && given.dtype() == DType::Bool) {
      const auto at = static_cast<int64_t>(by_dim.size());
      for (int64_t d = 0; d < given.dim(); ++d)
        check(at + d < x.dim() && given.size(d) == x.size(at + d), name, ": mask ", given.sizes(), " does not fit ",
              x.sizes(), " at dimension ", Counting::shown(at + d));
      const Tensor rows = ops::nonzero(given);
      for (int64_t d = 0; d < given.dim(); ++d) by_dim.push_back(ops::select(rows, 1, d));
    } else {
      by_dim.push_back(given.defined() ? positions_of(name, given) : given);
    }
  }
  check(static_cast<int64_t>(by_dim.size()) <= x.dim(), name, ": ", by_dim.size(), " indices for a tensor with ",
        x.dim(), " dimensions");
  Advanced a;
  int64_t first = -1, last = -1;
  for (size_t d = 0; d < by_dim.size(); ++d) {
    if (!by_dim[d].defined()) continue;
    if (first < 0) first = static_cast<int64_t>(d);
    last = static_cast<int64_t>(d);
    a.common = a.index.empty() ? by_dim[d].sizes() : broadcast(a.common, by_dim[d].sizes(), name);
    a.index.push_back(moved(by_dim[d], x.device()));
    a.order.push_back(static_cast<int64_t>(d));
  }
  check(!a.index.empty(), name, ": no index is given");
  for (Tensor& i : a.index)
    if (!(i.sizes() == a.common)) i = i.expanded(a.common);
  const bool together = last - first + 1 == static_cast<int64_t>(a.index.size());
  a.front = together ? first : 0;
  for (int64_t d = 0; d < x.dim(); ++d)
    if (!a.order.contains(d)) a.order.push_back(d);
  Sizes sizes;
  IntList strides;
  for (const int64_t d : a.order) sizes.push_back(x.size(d)), strides.push_back(x.stride(d));
  a.x = x.alias(sizes, strides, x.offset());
  return a;
}

Sizes common_first(const Advanced& a) {
  Sizes sizes = a.common;
  for (int64_t d = static_cast<int64_t>(a.index.size()); d < a.x.dim(); ++d) sizes.push_back(a.x.size(d));
  return sizes;
}
// The order that moves the common dimensions from the front to where they belong, and back.
IntList placement(const Advanced& a, bool back) {
  const auto c = static_cast<int64_t>(a.common.size()), rank = c + a.x.dim() - static_cast<int64_t>(a.index.size());
  IntList forth;
  for (int64_t d = 0; d < a.front; ++d) forth.push_back(c + d);
  for (int64_t d = 0; d < c; ++d) forth.push_back(d);
  for (int64_t d = c + a.front; d < rank; ++d) forth.push_back(d);
  if (!back) return forth;
  IntList inverse(forth.size());
  for (size_t d = 0; d < forth.size(); ++d) inverse[static_cast<size_t>(forth[d])] = static_cast<int64_t>(d);
  return inverse;
}
Tensor permuted(const Tensor& x, const IntList& order) {
  Sizes sizes;
  IntList strides;
  for (const int64_t d : order) sizes.push_back(x.size(d)), strides.push_back(x.stride(d));
  return x.alias(sizes, strides, x.offset());
}

// At how many places a mask holds.
int64_t count_held(const Tensor& mask) { return mask.numel() == 0 ? 0 : item(ops::sum(mask)).to<int64_t>(); }

// Elements that a mask of x's sizes holds: their positions need not be known.
Tensor held(Out& out, const Tensor& x, const Tensor& mask) {
  const Tensor y = out.make({count_held(mask)}, x.dtype());
  if (y.numel() > 0) slots::masked_select(y, x, mask);
  return y;
}

Tensor index_forward(Out& out, const Tensor& x, const Tensors& indices) {
  if (slots::masked_select.filled(x.device().type) && indices.size() == 1 && x.dim() > 0 && indices[0].defined() &&
      indices[0].dtype() == DType::Bool && indices[0].sizes() == x.sizes())
    return held(out, x, moved(indices[0], x.device()));
  const Advanced a = advanced("index", x, indices);
  const Sizes first = common_first(a);
  const IntList forth = placement(a, false);
  Sizes sizes;
  for (const int64_t d : forth) sizes.push_back(first[static_cast<size_t>(d)]);
  const Tensor y = out.make(sizes, x.dtype());
  slots::index(permuted(y, placement(a, true)), a.x, a.index);
  return y;
}

Tensor index_put_forward(const Tensor& self, const Tensors& indices, const Tensor& values, bool accumulate) {
  check(values.impl()->is_number || values.dtype() == self.dtype(), "index_put_: dtypes differ, 'self' is ",
        self.dtype(), ", 'values' ", values.dtype());
  const Advanced a = advanced("index_put_", self, indices);
  const Sizes first = common_first(a);
  const IntList forth = placement(a, false);
  Sizes sizes;
  for (const int64_t d : forth) sizes.push_back(first[static_cast<size_t>(d)]);
  check(broadcast(values.sizes(), sizes, "index_put_") == sizes, "index_put_: values ", values.sizes(),
        " do not fit into ", sizes);
  const Tensor v = converted(moved(values, self.device()), self.dtype()).expanded(sizes);
  slots::index_put(a.x, a.index, permuted(v, placement(a, true)), accumulate);
  return self;
}

Tensor index_gradient(Tensor g, Meta x, Tensors indices) { return ops::index_put_(x.zeros(), indices, g, true); }

Tensor nonzero_forward(const Tensor& x) {
  check(!x.is_meta(), "nonzero: the size of the result depends on elements, which a meta tensor does not have");
  NoGrad guard;
  const int64_t n = count_held(x.dtype() == DType::Bool ? x : ops::ne(x, 0));
  const Tensor y = empty({n, x.dim()}, DType::Int64, x.device());
  if (n > 0 && x.dim() > 0) slots::nonzero(y, x);
  return y;
}

Tensor masked_select_of(const Tensor& x, const Tensor& mask) {
  check(mask.dtype() == DType::Bool, "masked_select: the mask must be bool, got ", mask.dtype());
  const Sizes sizes = broadcast(x.sizes(), mask.sizes(), "masked_select");
  const Tensor wide = ops::expand(x, sizes), m = ops::expand(mask, sizes);
  if (sizes.empty()) return ops::reshape(ops::index(ops::unsqueeze(wide, 0), {ops::unsqueeze(m, 0)}), {-1});
  return ops::index(wide, {m});
}

}  // namespace

void define_index(const Family& define) {
  define(ops::gather, "gather(Tensor self, Dim dim, IndexTensor index, *, bool sparse_grad=False) -> Tensor")
      .doc("The elements of `self` along `dim` at the positions in `index`, which has the result's sizes.")
      .example("torch.tensor{{1, 2}, {3, 4}}:gather(2, torch.tensor{{1}, {2}}:long())")
      .forward(gather_forward)
      .grad("self",
            [](Tensor g, Meta x, int64_t dim, Tensor index) { return ops::scatter_add(x.zeros(), dim, index, g); });
  define(ops::scatter, "scatter(Tensor self, Dim dim, IndexTensor index, Tensor src) -> Tensor")
      .doc("`self` with elements of `src`, or one number, put at the positions in `index` along `dim`.")
      .example("torch.zeros(2, 3):scatter(2, torch.tensor{{3}, {1}}:long(), 7)")
      .elementwise(scatter_forward)
      .grad("self", [](Tensor g, Meta, int64_t dim, Tensor index) { return ops::scatter(g, dim, index, 0); })
      .grad("src", [](Tensor g, Meta, int64_t dim, Tensor index, Meta src) {
        return padded_to(ops::gather(g, dim, index), src);
      });
  define("scatter:value(Tensor self, Dim dim, IndexTensor index, Scalar value) -> Tensor")
      .compose([](const Tensor& x, int64_t dim, const Tensor& index, const Scalar& value) {
        return ops::scatter(x, dim, index, value);
      });
  define("scatter:reduce(Tensor self, Dim dim, IndexTensor index, Tensor src, *, str reduce) -> Tensor")
      .elementwise(scatter_reduced);
  define("scatter:value_reduce(Tensor self, Dim dim, IndexTensor index, Scalar value, *, str reduce) -> Tensor")
      .elementwise([](Out& out, const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value,
                      const std::string& reduce) {
        const Tensor values = scalar_tensor(value, self.dtype()).expanded(index.sizes());
        return scatter_reduced(out, self, dim, index, moved(values, self.device()), reduce);
      });
  define(ops::scatter_add, "scatter_add(Tensor self, Dim dim, IndexTensor index, Tensor src) -> Tensor")
      .doc("`self` with elements of `src` added at the positions in `index` along `dim`.")
      .example("torch.zeros(3):scatter_add(1, torch.tensor{1, 3, 3}:long(), torch.tensor{1, 2, 3})")
      .elementwise(scatter_add_forward)
      .grad("self", [](Tensor g) { return g; })
      .grad("src", [](Tensor g, Meta, int64_t dim, Tensor index, Meta src) {
        return padded_to(ops::gather(g, dim, index), src);
      });
  define(ops::index_select, "index_select(Tensor self, Dim dim, IndexTensor index) -> Tensor")
      .doc("The slices of `self` along `dim` at the positions in `index`.")
      .example("torch.tensor{{1, 2}, {3, 4}, {5, 6}}:index_select(1, {3, 1})")
      .forward(index_select_forward)
      .grad("self", [](Tensor g, Meta x, int64_t dim, Tensor index) {
        return ops::index_add(x.zeros(), dim, index, x.dim() == 0 ? ops::reshape(g, {1}) : g);
      });
  define(ops::index_add,
         "index_add(Tensor self, Dim dim, IndexTensor index, Tensor source, *, Scalar alpha=1) -> Tensor")
      .doc("`self` with slices of `source` added at the positions in `index` along `dim`.")
      .example("torch.zeros(3):index_add(1, {1, 3, 3}, torch.tensor{1, 2, 3})")
      .elementwise(index_add_forward)
      .grad("self", [](Tensor g) { return g; })
      .grad("source", [](Tensor g, Meta, int64_t dim, Tensor index, Meta src, Scalar alpha) {
        return ops::reshape(ops::index_select(g, dim, index), src.sizes()) * alpha;
      });
  define(ops::index, "index(Tensor self, IndexTensor?[] indices) -> Tensor")
      .doc("The elements at the given positions of the first dimensions: masks and index tensors, broadcast together.")
      .example("torch.arange(6):view(3, 2):index{torch.tensor{3, 1}:long()}")
      .forward(index_forward)
      .grad("self", index_gradient);
  define(ops::index_put_,
         "index_put_(Tensor self, IndexTensor?[] indices, Tensor values, bool accumulate=False) -> Tensor")
      .doc("Overwrites the elements at the given positions, or adds to them.")
      .example("torch.zeros(3):index_put_({torch.tensor{1, 3}:long()}, torch.tensor{10, 20})")
      .forward(index_put_forward)
      .grad("self", [](Tensor g, Meta, Tensors indices, Meta,
                       bool accumulate) { return accumulate ? g : ops::index_put_(ops::clone(g), indices, 0); })
      .grad("values", [](Tensor g, Meta, Tensors indices) { return ops::index(g, indices); });
  define(ops::index_put,
         "index_put(Tensor self, IndexTensor?[] indices, Tensor values, bool accumulate=False) -> Tensor")
      .doc("A copy with other elements at the given positions.")
      .example("torch.zeros(3):index_put({torch.tensor{1, 3}:long()}, torch.tensor{10, 20})")
      .compose([](const Tensor& x, const Tensors& indices, const Tensor& values, bool accumulate) {
        return ops::index_put_(ops::clone(x), indices, values, accumulate);
      });
  define(ops::nonzero, "nonzero(Tensor self, *, bool as_tuple=False) -> IndexTensor")
      .doc("The positions of the elements that are not zero, a row each; with `as_tuple` a list of columns.")
      .example("torch.tensor{{1, 0}, {0, 2}}:nonzero()")
      .forward(+[](const Tensor& x, bool as_tuple) -> Value {
        if (!as_tuple) return nonzero_forward(x);
        const Tensor rows = nonzero_forward(at_least_1d(x));
        Tensors columns;
        for (int64_t d = 0; d < rows.size(1); ++d) columns.push_back(ops::select(rows, 1, d));
        return columns;
      });
  define("argwhere(Tensor self) -> IndexTensor")
      .doc("The positions of the elements that are not zero, a row each.")
      .example("torch.tensor{{1, 0}, {0, 2}}:argwhere()")
      .forward(nonzero_forward);
  define(ops::masked_select, "masked_select(Tensor self, Tensor mask) -> Tensor")
      .doc("The elements where the mask holds, as a vector.")
      .example("torch.tensor{1, 2, 3}:masked_select(torch.tensor{true, false, true})")
      .compose(masked_select_of);
}

}  // namespace facula
