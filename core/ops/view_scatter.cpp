// Copies of a tensor in which what a view would show is something else.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/ops/positions.h"
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

// ---- as_strided_scatter: sizes and strides speak of self's memory, of which the copy is one ----

struct Region {
  IntList size, stride;
  int64_t offset;

  Tensor of(const Tensor& memory) const { return ops::as_strided(memory, size, stride, offset); }
  bool overlaps() const { return overlaps_itself(empty(size, DType::Bool, DeviceType::Meta).alias(size, stride, 0)); }
};

/// As much of x's storage as its elements and the region need, or zeros of that size.
int64_t memory_length(const Meta& x, const Region& r) {
  return std::max(x.offset + extent(x.sizes(), x.strides), r.offset + extent(r.size, r.stride));
}

/// Which element of src each place of the memory takes, from 1; 0 where none. The last one wins.
Tensor last_writers(const Region& r, int64_t length, Device device) {
  const Tensor order = ops::add(ops::arange(numel_of(r.size), Value(DType::Int64), Value(device)), 1);
  const Tensor places = ops::add(ops::arange(length, Value(DType::Int64), Value(device)), 1);
  const Tensor writers = ops::zero_(empty({length}, DType::Int64, device));
  return ops::index_put_(writers, {ops::reshape(r.of(places), {-1})}, order);
}

Tensor as_strided_scatter_forward(const Tensor& self, const Tensor& src, const IntList& size, const IntList& stride,
                                  OptInt storage_offset) {
  NoGrad guard;
  const Region r{size, stride, storage_offset.value_or(self.offset())};
  check(src.sizes() == size, "as_strided_scatter: the view has sizes ", size, ", src has ", src.sizes());
  r.of(self);  // checks that it lies within the storage
  const int64_t length = memory_length(Meta(self), r);
  const Tensor memory = empty({length}, self.dtype(), self.device());
  slots::copy(memory, self.alias({length}, {1}, 0));
  if (!r.overlaps()) {
    slots::copy(r.of(memory), src);
  } else {
    const Tensor places = ops::add(ops::arange(length, Value(DType::Int64), Value(self.device())), 1);
    ops::index_put_(memory, {ops::reshape(r.of(places), {-1})}, ops::reshape(ops::to_dtype(src, self.dtype()), {-1}));
  }
  return memory.alias(self.sizes(), self.strides(), self.offset());
}

/// g, which has x's sizes, laid out over a memory like x's.
Tensor as_memory(const Tensor& g, const Meta& x, int64_t length) {
  Tensor memory = ops::zero_(empty({length}, g.dtype(), g.device()));
  ops::copy_(ops::as_strided(memory, x.sizes(), x.strides, x.offset), g);
  return memory;
}

Tensor as_strided_scatter_self_gradient(Tensor g, Meta x, Meta, IntList size, IntList stride, OptInt storage_offset) {
  const Region r{size, stride, storage_offset.value_or(x.offset)};
  Tensor memory = as_memory(g, x, memory_length(x, r));
  ops::zero_(r.of(memory));
  return ops::as_strided(memory, x.sizes(), x.strides, x.offset);
}

Tensor as_strided_scatter_src_gradient(Tensor g, Meta x, Meta, IntList size, IntList stride, OptInt storage_offset) {
  const Region r{size, stride, storage_offset.value_or(x.offset)};
  const int64_t length = memory_length(x, r);
  const Tensor arrived = r.of(as_memory(g, x, length));
  if (!r.overlaps()) return arrived;
  const Tensor order =
      ops::reshape(ops::add(ops::arange(numel_of(size), Value(DType::Int64), Value(g.device())), 1), size);
  return ops::where(ops::eq(r.of(last_writers(r, length, g.device())), order), arrived, 0);
}

}  // namespace

void define_view_scatter(const Family& define) {
  define(select_scatter, "select_scatter(Tensor self, Tensor src, Dim dim, Index index) -> Tensor")
      .doc("A copy of `self` whose slice at one position of `dim` is `src`.")
      .elementwise(select_scatter_forward)
      .grad("self", [](Tensor g, Meta, Meta src, int64_t dim,
                       int64_t index) { return select_scatter(g, src.zeros(), dim, index); })
      .grad("src", [](Tensor g, Meta, Meta, int64_t dim, int64_t index) { return ops::select(g, dim, index); });
  define(slice_scatter,
         "slice_scatter(Tensor self, Tensor src, Dim dim=0, Index? start=None, int? end=None, int step=1) -> Tensor")
      .doc(
          "A copy of `self` whose positions from `start` to `end`, both included, in steps of `step` along `dim` are "
          "`src`.")
      .elementwise(slice_scatter_forward)
      .grad("self", [](Tensor g, Meta, Meta src, int64_t dim, OptInt start, OptInt end,
                       int64_t step) { return slice_scatter(g, src.zeros(), dim, start, end, step); })
      .grad("src", [](Tensor g, Meta, Meta, int64_t dim, OptInt start, OptInt end, int64_t step) {
        return sliced(g, dim, start, end, step);
      });
  define(diagonal_scatter, "diagonal_scatter(Tensor self, Tensor src, int offset=0, Dim dim1=0, Dim dim2=1) -> Tensor")
      .doc("A copy of `self` with `src` on a diagonal. See diagonal.")
      .elementwise(diagonal_scatter_forward)
      .grad("self", [](Tensor g, Meta, Meta src, int64_t offset, int64_t dim1,
                       int64_t dim2) { return diagonal_scatter(g, src.zeros(), offset, dim1, dim2); })
      .grad("src", [](Tensor g, Meta, Meta, int64_t offset, int64_t dim1, int64_t dim2) {
        return ops::diagonal(g, offset, dim1, dim2);
      });
  define(as_strided_scatter,
         "as_strided_scatter(Tensor self, Tensor src, int[] size, int[] stride, int? storage_offset=None) -> Tensor")
      .doc(
          "A copy of `self` and its memory with `src` where `as_strided` would look. Where the view meets itself the "
          "last element stays.")
      .forward(as_strided_scatter_forward)
      .grad("self", as_strided_scatter_self_gradient)
      .grad("src", as_strided_scatter_src_gradient);
}

}  // namespace facula
