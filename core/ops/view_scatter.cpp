// Copies of a tensor in which what a view would show is something else.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/ops/positions.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

Op as_strided_scatter, select_scatter, slice_scatter, diagonal_scatter;

/// `self` with src in the region that `view` takes of it.
template <class View>
Tensor scattered(const char* name, Out& out, const Tensor& self, const Tensor& src, View view) {
  NoGrad guard;
  const Tensor y = start_from(out, self), region = view(y.alias());
  check(region.sizes() == src.sizes(), name, ": the view has sizes ", region.sizes(), ", src has ", src.sizes());
  slots::copy(region, apart(src, y));
  return y;
}

Tensor select_scatter_forward(Out& out, const Tensor& self, const Tensor& src, int64_t dim, int64_t index) {
  return scattered("select_scatter", out, self, src, [&](const Tensor& y) { return ops::select(y, dim, index); });
}
Tensor diagonal_scatter_forward(Out& out, const Tensor& self, const Tensor& src, int64_t offset, int64_t dim1,
                                int64_t dim2) {
  return scattered("diagonal_scatter", out, self, src,
                   [&](const Tensor& y) { return ops::diagonal(y, offset, dim1, dim2); });
}

// The last position is included: -1 means up to the end.
Tensor sliced(const Tensor& x, int64_t dim, OptInt start, OptInt end, int64_t step) {
  if (end && *end < 0) end = *end == -1 ? OptInt() : *end + 1;
  return ops::slice(x, dim, start, end, step);
}
Tensor slice_scatter_forward(Out& out, const Tensor& self, const Tensor& src, int64_t dim, OptInt start, OptInt end,
                             int64_t step) {
  return scattered("slice_scatter", out, self, src, [&](const Tensor& y) { return sliced(y, dim, start, end, step); });
}

// ---- as_strided_scatter: sizes and strides speak of the memory of self's copy ----

/// A region of the copy's memory, which has as many places as self has elements.
struct Region {
  IntList size, stride;
  int64_t offset;

  Region(const IntList& n, const IntList& s, OptInt start) : size(n), stride(s), offset(start.value_or(0)) {}
  Tensor of(const Tensor& memory) const { return ops::as_strided(memory, size, stride, offset); }
  bool meets_itself() const {
    return overlaps_itself(empty(size, DType::Bool, DeviceType::Meta).alias(size, stride, 0));
  }
};

/// 1, 2 ... n
Tensor numbered(int64_t n, Device device) { return ops::add(ops::arange(n, Value(DType::Int64), Value(device)), 1); }

/// Writes src over the region of a dense vector, in order: where the region meets itself the last element stays.
void overwrite(const Tensor& memory, const Region& r, const Tensor& src) {
  if (!r.meets_itself())
    ops::copy_(r.of(memory), src);
  else
    ops::index_put_(memory, {ops::reshape(r.of(numbered(memory.numel(), memory.device())), {-1})},
                    ops::reshape(src, {-1}));
}

/// The strides of a copy: those of x, if it fills its memory, or of a dense tensor.
IntList copied_strides(const Sizes& sizes, const IntList& strides) {
  return ops::clone(empty(sizes, DType::Bool, DeviceType::Meta).alias(sizes, strides, 0)).strides();
}

Tensor as_strided_scatter_forward(const Tensor& self, const Tensor& src, const IntList& size, const IntList& stride,
                                  OptInt storage_offset) {
  NoGrad guard;
  const Region r(size, stride, storage_offset);
  check(src.sizes() == size, "as_strided_scatter: the view has sizes ", size, ", src has ", src.sizes());
  const Tensor y = ops::clone(self.alias());
  overwrite(y.alias({y.numel()}, {1}, 0), r, converted(src, y.dtype()));
  return y;
}

/// g as it would lie in the copy's memory.
Tensor as_memory(const Tensor& g, const Meta& x) {
  const Tensor memory = empty({x.numel()}, g.dtype(), g.device());
  ops::copy_(ops::as_strided(memory, x.sizes(), copied_strides(x.sizes(), x.strides), 0), g);
  return memory;
}

Tensor as_strided_scatter_self_gradient(Tensor g, Meta x, Meta, IntList size, IntList stride, OptInt storage_offset) {
  const Tensor memory = as_memory(g, x);
  overwrite(memory, Region(size, stride, storage_offset), ops::zero_(empty(size, g.dtype(), g.device())));
  return ops::as_strided(memory, x.sizes(), copied_strides(x.sizes(), x.strides), 0);
}

Tensor as_strided_scatter_src_gradient(Tensor g, Meta x, Meta, IntList size, IntList stride, OptInt storage_offset) {
  const Region r(size, stride, storage_offset);
  const Tensor arrived = r.of(as_memory(g, x));
  if (!r.meets_itself()) return arrived;
  const Tensor order = ops::reshape(numbered(numel_of(size), g.device()), size);
  const Tensor last = ops::zero_(empty({x.numel()}, DType::Int64, g.device()));
  overwrite(last, r, order);
  return ops::where(ops::eq(r.of(last), order), arrived, 0);
}

}  // namespace

void define_view_scatter(const Family& define) {
  define(select_scatter, "select_scatter(Tensor self, Tensor src, Dim dim, Index index) -> Tensor")
      .doc("A copy of `self` whose slice at one position of `dim` is `src`.")
      .example("torch.zeros(2, 2):select_scatter(torch.tensor{1, 2}, 2, 1)")
      .elementwise(select_scatter_forward)
      .grad("self", [](Tensor g, Meta, Meta src, int64_t dim,
                       int64_t index) { return select_scatter(g, src.zeros(), dim, index); })
      .grad("src", [](Tensor g, Meta, Meta, int64_t dim, int64_t index) { return ops::select(g, dim, index); });
  define(slice_scatter,
         "slice_scatter(Tensor self, Tensor src, Dim dim=0, Index? start=None, int? end=None, int step=1) -> Tensor")
      .doc(
          "A copy of `self` whose positions from `start` to `end`, both included, in steps of `step` along `dim` are "
          "`src`.")
      .example("torch.zeros(4):slice_scatter(torch.ones(2), 1, 2, 3)")
      .elementwise(slice_scatter_forward)
      .grad("self", [](Tensor g, Meta, Meta src, int64_t dim, OptInt start, OptInt end,
                       int64_t step) { return slice_scatter(g, src.zeros(), dim, start, end, step); })
      .grad("src", [](Tensor g, Meta, Meta, int64_t dim, OptInt start, OptInt end, int64_t step) {
        return sliced(g, dim, start, end, step);
      });
  define(diagonal_scatter, "diagonal_scatter(Tensor self, Tensor src, int offset=0, Dim dim1=0, Dim dim2=1) -> Tensor")
      .doc("A copy of `self` with `src` on a diagonal. See diagonal.")
      .example("torch.zeros(3, 3):diagonal_scatter(torch.tensor{1, 2, 3})")
      .elementwise(diagonal_scatter_forward)
      .grad("self", [](Tensor g, Meta, Meta src, int64_t offset, int64_t dim1,
                       int64_t dim2) { return diagonal_scatter(g, src.zeros(), offset, dim1, dim2); })
      .grad("src", [](Tensor g, Meta, Meta, int64_t offset, int64_t dim1, int64_t dim2) {
        return ops::diagonal(g, offset, dim1, dim2);
      });
  define(as_strided_scatter,
         "as_strided_scatter(Tensor self, Tensor src, int[] size, int[] stride, int? storage_offset=None) -> Tensor")
      .doc(
          "A copy of `self` with `src` in the places of its memory that `as_strided` would show; the offset counts "
          "from "
          "its\nbeginning. Where the region meets itself the last element stays.")
      .example("torch.zeros(5):as_strided_scatter(torch.ones(2), {2}, {2})")
      .forward(as_strided_scatter_forward)
      .grad("self", as_strided_scatter_self_gradient)
      .grad("src", as_strided_scatter_src_gradient);
}

}  // namespace facula
