// Other sizes and strides over the same memory.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/slots.h"

namespace facula {
namespace {

// Replaces one -1 by what is left.
Sizes inferred(const Sizes& wanted, int64_t numel, const char* where) {
  Sizes sizes = wanted;
  int64_t known = 1, unknown = -1;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] == -1) {
      check(unknown < 0, where, ": only one size can be -1, got ", wanted);
      unknown = static_cast<int64_t>(d);
    } else {
      check(sizes[d] >= 0, where, ": size ", sizes[d], " in ", wanted, " is negative");
      check(!__builtin_mul_overflow(known, sizes[d], &known), where, ": ", numel, " elements do not fit into ", wanted);
    }
  }
  if (unknown >= 0) {
    check(known > 0 && numel % known == 0, where, ": ", numel, " elements do not fit into ", wanted);
    sizes[static_cast<size_t>(unknown)] = numel / known;
  } else {
    check(known == numel, where, ": ", numel, " elements do not fit into ", wanted);
  }
  return sizes;
}

// Strides of `sizes` over x's memory, if each new dimension lies within a run of old ones that is dense.
bool view_strides(const Tensor& x, const Sizes& sizes, IntList& strides) {
  strides = IntList(sizes.size());
  if (x.numel() == 0) {
    strides = contiguous_strides(sizes);
    return true;
  }
  int64_t d = static_cast<int64_t>(sizes.size()) - 1;
  int64_t step = x.dim() ? x.stride(-1) : 1;  // of the innermost old dimension in the run
  int64_t run = 1, covered = 1;               // elements of the run, and of the new dimensions laid over it
  for (int64_t old = x.dim() - 1; old >= 0; --old) {
    run *= x.size(old);
    const bool ends = old == 0 || (x.size(old - 1) != 1 && x.stride(old - 1) != run * step);
    if (!ends) continue;
    while (d >= 0 && (covered < run || sizes[static_cast<size_t>(d)] == 1)) {
      strides[static_cast<size_t>(d)] = covered * step;
      covered *= sizes[static_cast<size_t>(d)];
      --d;
    }
    if (covered != run) return false;
    if (old > 0) {
      step = x.stride(old - 1);
      run = covered = 1;
    }
  }
  for (; d >= 0; --d) strides[static_cast<size_t>(d)] = 1;
  return true;
}

Tensor view_forward(const Tensor& x, const IntList& wanted) {
  Sizes sizes = inferred(wanted, x.numel(), "view");
  IntList strides;
  check(view_strides(x, sizes, strides), "view: ", x.sizes(), " with strides ", x.strides(), " cannot be seen as ",
        sizes, " without a copy; use reshape");
  return x.alias(std::move(sizes), std::move(strides), x.offset());
}

// A bool is a byte of 0 or 1: bytes that are anything else must not be taken for one.
void check_bytes_are_bools(const Tensor& x) {
  const bool bytes = x.dtype() == DType::UInt8 || x.dtype() == DType::Int8;
  check(bytes, "view: ", x.dtype(), " numbers cannot be seen as bool; use x:ne(0)");
  if (x.is_meta()) return;
  const bool good = !item(ops::any(ops::logical_not(ops::eq(x * x, x)))).to<bool>();
  check(good, "view: only the bytes 0 and 1 can be seen as bool; use x:ne(0)");
}

Tensor view_dtype_forward(const Tensor& x, DType dtype) {
  if (dtype == DType::Bool && x.dtype() != DType::Bool) check_bytes_are_bools(x);
  const int64_t old_size = x.item_size(), new_size = item_size(dtype);
  Sizes sizes = x.sizes();
  IntList strides = x.strides();
  int64_t offset = x.offset();
  if (old_size != new_size) {
    check(x.dim() > 0 && x.stride(-1) == 1, "view: another item size needs a last dimension of stride 1");
    const bool wider = new_size > old_size;
    const int64_t factor = wider ? new_size / old_size : old_size / new_size;
    auto scale = [&](int64_t n, const char* what) {
      check(!wider || n % factor == 0, "view: ", what, ' ', n, " is no multiple of ", factor, ", as ", dtype, " needs");
      return wider ? n / factor : n * factor;
    };
    sizes.back() = scale(sizes.back(), "the last size");
    for (size_t d = 0; d + 1 < strides.size(); ++d) strides[d] = scale(strides[d], "stride");
    offset = scale(offset, "the offset");
  }
  return Tensor(make_ref<TensorImpl>(x.storage(), dtype, sizes, strides, offset));
}

Tensor reshape_of(const Tensor& x, const IntList& wanted) {
  const Sizes sizes = inferred(wanted, x.numel(), "reshape");
  IntList strides;
  return ops::view(view_strides(x, sizes, strides) ? x : ops::contiguous(x), sizes);
}

Tensor expand_forward(const Tensor& x, const IntList& wanted, bool) {
  Sizes sizes = wanted;
  const auto rank = static_cast<int64_t>(sizes.size()), lead = rank - x.dim();
  check(lead >= 0, "expand: ", wanted, " has fewer dimensions than ", x.sizes());
  for (int64_t d = 0; d < rank; ++d) {
    int64_t& n = sizes[static_cast<size_t>(d)];
    if (d < lead) {
      check(n >= 0, "expand: size ", n, " of a new dimension in ", wanted, " must not be negative");
      continue;
    }
    const int64_t have = x.size(d - lead);
    if (n == -1) n = have;
    check(n == have || (have == 1 && n >= 0), "expand: ", x.sizes(), " does not stretch to ", wanted, " at dimension ",
          Counting::shown(d));
  }
  return x.expanded(sizes);
}

Tensor as_strided_forward(const Tensor& x, const IntList& size, const IntList& stride, OptInt storage_offset) {
  check(size.size() == stride.size(), "as_strided: ", size, " and ", stride, " have different lengths");
  for (const int64_t s : stride) check(s >= 0, "as_strided: stride ", s, " is negative");
  const int64_t offset = storage_offset.value_or(x.offset());
  check(offset >= 0, "as_strided: the offset ", offset, " is negative");
  numel_of(size);
  const auto items = static_cast<int64_t>(x.storage()->bytes()) / x.item_size();
  const int64_t reach = extent(size, stride);
  check(reach == 0 || offset <= items - reach, "as_strided: sizes ", size, " with strides ", stride, " from ", offset,
        " reach ", offset + reach, " elements, the storage has ", items);
  return x.alias(size, stride, offset);
}

bool meets_itself(const Sizes& sizes, const IntList& strides) {
  return overlaps_itself(empty(sizes, DType::Bool, DeviceType::Meta).alias(sizes, strides, 0));
}

// The adjoint of as_strided in general: what reads an element more than once adds to it as often, and where x shows an
// element more than once, each of these gets its part.
Tensor as_strided_gradient(Tensor g, Meta x, IntList size, IntList stride, OptInt storage_offset) {
  const int64_t offset = storage_offset.value_or(x.offset), base = std::min(offset, x.offset);
  const int64_t length = std::max(offset - base + extent(size, stride), x.offset - base + extent(x.sizes(), x.strides));
  Tensor memory = ops::zero_(empty({length}, g.dtype(), g.device()));
  const bool reads_twice = meets_itself(size, stride), shows_twice = meets_itself(x.sizes(), x.strides);
  Tensor positions;
  if (reads_twice || shows_twice) positions = ops::add(ops::arange(length, Value(DType::Int64), Value(g.device())), 1);
  if (reads_twice) {
    const Tensor read = ops::as_strided(positions, size, stride, offset - base);
    memory = ops::index_add(memory, 0, ops::reshape(read, {-1}), ops::reshape(g, {-1}));
  } else {
    ops::copy_(ops::as_strided(memory, size, stride, offset - base), g);
  }
  if (shows_twice) {
    const Tensor shown = ops::reshape(ops::as_strided(positions, x.sizes(), x.strides, x.offset - base), {-1});
    const Tensor times = ops::zero_(empty({length}, g.dtype(), g.device()));
    memory = memory / ops::clamp(ops::index_add(times, 0, shown, ops::ones_like(ops::to_dtype(shown, g.dtype()))), 1);
  }
  return ops::as_strided(memory, x.sizes(), x.strides, x.offset - base);
}

/// Zeros of x's sizes in which the region that `view` takes holds g: the adjoint of a view that reads nothing twice.
template <class View>
Tensor placed(const Tensor& g, const Meta& x, View view) {
  const Tensor region = view(empty(x.sizes(), x.dtype(), DeviceType::Meta));
  const Tensor whole = ops::zero_(empty(x.sizes(), g.dtype(), g.device()));
  ops::copy_(ops::as_strided(whole, region.sizes(), region.strides(), region.offset()), g);
  return whole;
}

Tensor transpose_forward(const Tensor& x, int64_t a, int64_t b) {
  Sizes sizes = x.sizes();
  IntList strides = x.strides();
  if (!sizes.empty()) {
    std::swap(sizes[static_cast<size_t>(a)], sizes[static_cast<size_t>(b)]);
    std::swap(strides[static_cast<size_t>(a)], strides[static_cast<size_t>(b)]);
  }
  return x.alias(std::move(sizes), std::move(strides), x.offset());
}

Tensor t_forward(const Tensor& x) {
  check(x.dim() <= 2, "t: expected at most 2 dimensions, got ", x.sizes(), "; use transpose");
  return x.dim() < 2 ? x.alias() : transpose_forward(x, 0, 1);
}

Tensor permute_forward(const Tensor& x, const IntList& dims) {
  check(static_cast<int64_t>(dims.size()) == x.dim(), "permute: ", dims.size(), " dims for a tensor with ", x.dim());
  Sizes sizes(dims.size());
  IntList strides(dims.size());
  for (size_t d = 0; d < dims.size(); ++d) {
    sizes[d] = x.size(dims[d]);
    strides[d] = x.stride(dims[d]);
  }
  return x.alias(std::move(sizes), std::move(strides), x.offset());
}

Tensor permute_gradient(Tensor g, Meta, IntList dims) {
  IntList back(dims.size());
  for (size_t d = 0; d < dims.size(); ++d) back[static_cast<size_t>(dims[d])] = static_cast<int64_t>(d);
  return ops::permute(g, back);
}

template <class Drop>
Tensor without_dims(const Tensor& x, Drop drop) {
  Sizes sizes;
  IntList strides;
  for (int64_t d = 0; d < x.dim(); ++d) {
    if (x.size(d) == 1 && drop(d)) continue;
    sizes.push_back(x.size(d));
    strides.push_back(x.stride(d));
  }
  return x.alias(std::move(sizes), std::move(strides), x.offset());
}

Tensor unsqueeze_forward(const Tensor& x, int64_t dim) {
  Sizes sizes = x.sizes();
  IntList strides = x.strides();
  const auto at = static_cast<size_t>(dim);
  strides.insert(at, dim < x.dim() ? sizes[at] * strides[at] : 1);
  sizes.insert(at, 1);
  return x.alias(std::move(sizes), std::move(strides), x.offset());
}

Tensor select_forward(const Tensor& x, int64_t dim, int64_t index) {
  check(x.dim() > 0, "select: a tensor without dimensions cannot be indexed");
  const int64_t n = x.size(dim), at = index < 0 ? index + n : index;
  if (at < 0 || at >= n) {
    const int base = Counting::base();
    fail("select: position ", Counting::shown(index), " is outside ", base, "..", n - 1 + base, " in dimension ",
         dim + base, " of ", x.sizes());
  }
  Sizes sizes = x.sizes();
  IntList strides = x.strides();
  const int64_t offset = x.offset() + at * strides[static_cast<size_t>(dim)];
  sizes.erase(static_cast<size_t>(dim));
  strides.erase(static_cast<size_t>(dim));
  return x.alias(std::move(sizes), std::move(strides), offset);
}

// Positions from start up to but not including end, both clipped to the tensor, as Python's slices.
Tensor slice_forward(const Tensor& x, int64_t dim, OptInt start, OptInt end, int64_t step) {
  check(x.dim() > 0, "slice: a tensor without dimensions cannot be sliced");
  check(step > 0, "slice: the step must be positive, got ", step);
  const int64_t n = x.size(dim);
  auto clipped = [&](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + n : i, 0, n); };
  const int64_t first = clipped(start.value_or(0)), last = std::max(first, clipped(end.value_or(n)));
  Sizes sizes = x.sizes();
  IntList strides = x.strides();
  const auto d = static_cast<size_t>(dim);
  const int64_t offset = x.offset() + (sizes[d] > 0 && last > first ? first * strides[d] : 0);
  sizes[d] = (last - first + step - 1) / step;
  strides[d] *= step;
  return x.alias(std::move(sizes), std::move(strides), offset);
}

Tensor narrow_of(const Tensor& x, int64_t dim, int64_t start, int64_t length) {
  check(x.dim() > 0, "narrow: a tensor without dimensions cannot be narrowed");
  const int64_t n = x.size(dim), first = start < 0 ? start + n : start;
  const int base = Counting::base();
  check(length >= 0, "narrow: the length must not be negative, got ", length);
  check(first >= 0 && first <= n && length <= n - first, "narrow: ", length, " positions from ", Counting::shown(start),
        " are not within ", base, "..", n - 1 + base, " of dimension ", dim + base, " of ", x.sizes());
  return ops::slice(x, dim, first, first + length);
}

Tensor flatten_of(const Tensor& x, int64_t start, int64_t end) {
  if (x.dim() == 0) return ops::reshape(x, {1});
  check(start <= end, "flatten: start_dim ", Counting::shown(start), " lies behind end_dim ", Counting::shown(end));
  if (start == end) return x;
  Sizes sizes;
  int64_t merged = 1;
  for (int64_t d = 0; d < x.dim(); ++d) {
    if (d >= start && d <= end) merged *= x.size(d);
    if (d == end) sizes.push_back(merged);
    if (d < start || d > end) sizes.push_back(x.size(d));
  }
  return ops::reshape(x, sizes);
}

Tensor unflatten_of(const Tensor& x, int64_t dim, const IntList& wanted) {
  check(x.dim() > 0, "unflatten: the tensor has no dimensions");
  const Sizes part = inferred(wanted, x.size(dim), "unflatten");
  Sizes sizes(x.sizes().begin(), x.sizes().begin() + dim);
  for (const int64_t n : part) sizes.push_back(n);
  for (int64_t d = dim + 1; d < x.dim(); ++d) sizes.push_back(x.size(d));
  return ops::reshape(x, sizes);
}

Tensor diagonal_forward(const Tensor& x, int64_t offset, int64_t dim1, int64_t dim2) {
  check(x.dim() >= 2 && dim1 != dim2, "diagonal: needs two different dimensions, got ", x.sizes());
  const int64_t rows = x.size(dim1), columns = x.size(dim2);
  const int64_t length =
      std::max<int64_t>(0, offset >= 0 ? std::min(rows, columns - offset) : std::min(rows + offset, columns));
  const int64_t skip = length == 0 ? 0 : offset >= 0 ? offset * x.stride(dim2) : -offset * x.stride(dim1);
  Sizes sizes;
  IntList strides;
  for (int64_t d = 0; d < x.dim(); ++d) {
    if (d == dim1 || d == dim2) continue;
    sizes.push_back(x.size(d));
    strides.push_back(x.stride(d));
  }
  sizes.push_back(length);
  strides.push_back(x.stride(dim1) + x.stride(dim2));
  return x.alias(std::move(sizes), std::move(strides), x.offset() + skip);
}

// ---- complex numbers as pairs ----

Tensor view_as_real_forward(const Tensor& x) {
  check(is_complex(x.dtype()), "view_as_real: expected a complex tensor, got ", x.dtype());
  Sizes sizes = x.sizes();
  IntList strides = x.strides();
  for (int64_t& s : strides) s *= 2;
  sizes.push_back(2);
  strides.push_back(1);
  return Tensor(make_ref<TensorImpl>(x.storage(), real_dtype(x.dtype()), sizes, strides, x.offset() * 2));
}

Tensor view_as_complex_forward(const Tensor& x) {
  check(x.dtype() == DType::Float32 || x.dtype() == DType::Float64,
        "view_as_complex: expected float32 or float64, got ", x.dtype());
  check(x.dim() > 0 && x.size(-1) == 2, "view_as_complex: the last dimension must have size 2, got ", x.sizes());
  check(x.stride(-1) == 1, "view_as_complex: the last dimension must have stride 1, it has ", x.stride(-1));
  Sizes sizes(x.sizes().begin(), x.sizes().end() - 1);
  IntList strides;
  for (int64_t d = 0; d + 1 < x.dim(); ++d) {
    check(x.stride(d) % 2 == 0, "view_as_complex: all strides but the last must be even, got ", x.strides());
    strides.push_back(x.stride(d) / 2);
  }
  check(x.offset() % 2 == 0, "view_as_complex: the offset must be even, it is ", x.offset());
  return Tensor(make_ref<TensorImpl>(x.storage(), complex_dtype(x.dtype()), sizes, strides, x.offset() / 2));
}

Tensor part_of(const Tensor& x, int64_t which) { return ops::select(ops::view_as_real(x), -1, which); }

}  // namespace

Tensor select_row(const Tensor& x, int64_t dim, int64_t index) {
  if (x.dim() == 0 || !is_plain(x)) return ops::select(x, dim, index);
  Tensor row = select_forward(x, dim, index);
  track_view(x, row);
  return row;
}

void define_view(const Family& define) {
  define(ops::as_strided, "as_strided(Tensor self, int[] size, int[] stride, int? storage_offset=None) -> Tensor")
      .doc("A view with any sizes and strides over `self`'s storage; the offset counts elements from its start.")
      .example("torch.arange(6):as_strided({2, 2}, {3, 1})")
      .view(as_strided_forward)
      .grad("self", as_strided_gradient);
  define(ops::view, "view(Tensor self, int[]... size) -> Tensor")
      .doc(
          "The same elements in other sizes, without a copy; one size may be -1. See reshape, which copies where it "
          "must.")
      .example("torch.arange(6):view(2, -1)")
      .view(view_forward)
      .grad("self", [](Tensor g, Meta x) { return ops::reshape(g, x.sizes()); });
  define("view:dtype(Tensor self, DType dtype) -> Tensor")
      .doc("The same bytes as numbers of another dtype.")
      .view(view_dtype_forward);
  define("view_as(Tensor self, Tensor other) -> Tensor")
      .doc("`self:view(other:size())`.")
      .example("torch.arange(6):view_as(torch.ones(2, 3))")
      .compose([](const Tensor& x, const Tensor& y) { return ops::view(x, y.sizes()); });
  define(ops::reshape, "reshape(Tensor self, int[]... shape) -> Tensor")
      .doc("The same elements in other sizes, a view where possible; one size may be -1.")
      .example("torch.arange(6):reshape(2, 3)")
      .compose(reshape_of);
  define("reshape_as(Tensor self, Tensor other) -> Tensor")
      .doc("`self:reshape(other:size())`.")
      .example("torch.arange(6):reshape_as(torch.ones(2, 3))")
      .compose([](const Tensor& x, const Tensor& y) { return ops::reshape(x, y.sizes()); });
  define(ops::expand, "expand(Tensor self, int[]... size, *, bool implicit=False) -> Tensor")
      .doc("A view in which dimensions of size 1 are stretched; -1 keeps a size.")
      .example("torch.tensor{{1}, {2}}:expand(2, 3)")
      .view(expand_forward)
      .grad("self", [](Tensor g) { return g; });
  define("expand_as(Tensor self, Tensor other) -> Tensor")
      .doc("`self:expand(other:size())`.")
      .example("torch.tensor{{1}, {2}}:expand_as(torch.ones(2, 3))")
      .compose([](const Tensor& x, const Tensor& y) { return ops::expand(x, y.sizes()); });

  define(ops::transpose, "transpose(Tensor self, Dim dim0, Dim dim1) -> Tensor")
      .doc("A view with two dimensions exchanged.")
      .example("torch.ones(2, 3, 4):transpose(1, 3).shape")
      .alias("swapaxes")
      .alias("swapdims")
      .view(transpose_forward)
      .grad("self", [](Tensor g, Meta, int64_t a, int64_t b) { return ops::transpose(g, a, b); });
  define(ops::t, "t(Tensor self) -> Tensor")
      .doc("The transpose of a matrix; vectors and numbers as they are.")
      .example("torch.arange(6):view(2, 3):t()")
      .view(t_forward)
      .grad("self", [](Tensor g) { return ops::t(g); });
  define(ops::permute, "permute(Tensor self, Dim[]... dims) -> Tensor")
      .doc("A view with the dimensions in another order.")
      .example("torch.ones(2, 3, 4):permute(3, 1, 2).shape")
      .view(permute_forward)
      .grad("self", permute_gradient);
  define(ops::squeeze, "squeeze(Tensor self) -> Tensor")
      .doc("A view without dimensions of size 1.")
      .example("torch.ones(1, 3, 1):squeeze(1).shape")
      .view(+[](const Tensor& x) { return without_dims(x, [](int64_t) { return true; }); })
      .grad("self", [](Tensor g, Meta x) { return ops::reshape(g, x.sizes()); });
  define("squeeze:dim(Tensor self, Dim[] dim) -> Tensor")
      .doc("A view without the given dimensions, where they have size 1.")
      .view(+[](const Tensor& x, const IntList& dims) {
        return without_dims(x, [&](int64_t d) { return dims.contains(d); });
      })
      .grad("self", [](Tensor g, Meta x) { return ops::reshape(g, x.sizes()); });
  define(ops::unsqueeze, "unsqueeze(Tensor self, NewDim dim) -> Tensor")
      .doc("A view with a new dimension of size 1 at `dim`.")
      .example("torch.arange(3):unsqueeze(2)")
      .view(unsqueeze_forward)
      .grad("self", [](Tensor g, Meta x) { return ops::reshape(g, x.sizes()); });

  define(ops::select, "select(Tensor self, Dim dim, Index index) -> Tensor")
      .doc("A view of the slice at one position of a dimension.")
      .example("torch.tensor{{1, 2}, {3, 4}}:select(2, 1)")
      .view(select_forward)
      .grad("self", [](Tensor g, Meta x, int64_t dim, int64_t index) {
        return placed(g, x, [&](const Tensor& m) { return select_forward(m, dim, index); });
      });
  define(ops::slice, "_slice(Tensor self, Dim dim, Index? start=None, int? end=None, int step=1) -> Tensor")
      .doc(
          "A view of every `step`-th position of a dimension, from `start` up to but not including `end`, counted from "
          "0.")
      .node("SliceBackward0")
      .view(slice_forward)
      .grad("self", [](Tensor g, Meta x, int64_t dim, OptInt start, OptInt end, int64_t step) {
        return placed(g, x, [&](const Tensor& m) { return slice_forward(m, dim, start, end, step); });
      });
  define(ops::narrow, "narrow(Tensor self, Dim dim, Index start, int length) -> Tensor")
      .doc("A view of `length` positions of a dimension from `start` on.")
      .example("torch.arange(6):narrow(1, 2, 3)")
      .compose(narrow_of);
  define("narrow:tensor(Tensor self, Dim dim, IndexTensor start, int length) -> Tensor")
      .compose([](const Tensor& x, int64_t dim, const Tensor& start, int64_t length) {
        return narrow_of(x, dim, item(start).to<int64_t>() - 1, length);
      });
  define("narrow_copy(Tensor self, Dim dim, Index start, int length) -> Tensor")
      .doc("A copy of `length` positions of a dimension from `start` on.")
      .example("torch.arange(6):narrow_copy(1, 2, 3)")
      .compose([](const Tensor& x, int64_t dim, int64_t start, int64_t length) {
        return ops::clone(narrow_of(x, dim, start, length));
      });
  define(ops::flatten, "flatten(Tensor self, Dim start_dim=0, Dim end_dim=-1) -> Tensor")
      .doc("The dimensions from `start_dim` to `end_dim` as one.")
      .example("torch.ones(2, 3, 4):flatten(2).shape")
      .compose(flatten_of);
  define("ravel(Tensor self) -> Tensor")
      .doc("All dimensions as one.")
      .example("torch.ravel(torch.ones(2, 3))")
      .compose([](const Tensor& x) { return ops::reshape(x, {-1}); });
  define("unflatten(Tensor self, Dim dim, int[] sizes) -> Tensor")
      .doc("One dimension as several; one of the sizes may be -1.")
      .example("torch.arange(6):unflatten(1, {2, 3})")
      .compose(unflatten_of);
  define(ops::diagonal, "diagonal(Tensor self, int offset=0, Dim dim1=0, Dim dim2=1) -> Tensor")
      .doc("A view of a diagonal as the last dimension; `offset` counts above the main one, negative below.")
      .example("torch.arange(9):view(3, 3):diagonal()")
      .view(diagonal_forward)
      .grad("self", [](Tensor g, Meta x, int64_t offset, int64_t dim1, int64_t dim2) {
        return placed(g, x, [&](const Tensor& m) { return diagonal_forward(m, offset, dim1, dim2); });
      });
  define("linalg.diagonal(Tensor A, *, int offset=0, Dim dim1=-2, Dim dim2=-1) -> Tensor")
      .doc("A view of a diagonal as the last dimension; `offset` counts above the main one, negative below.")
      .example("torch.linalg.diagonal(torch.arange(9):view(3, 3), {offset=1})")
      .compose([](const Tensor& x, int64_t offset, int64_t dim1, int64_t dim2) {
        return ops::diagonal(x, offset, dim1, dim2);
      });

  define(ops::view_as_real, "view_as_real(Tensor self) -> Tensor")
      .doc("A complex tensor as pairs of real numbers, in a new last dimension.")
      .example("torch.view_as_real(torch.complex(torch.tensor{1, 2}, torch.tensor{0, -1}))")
      .view(view_as_real_forward)
      .grad("self", [](Tensor g) { return ops::view_as_complex(ops::contiguous(g)); });
  define(ops::view_as_complex, "view_as_complex(Tensor self) -> Tensor")
      .doc("Pairs of real numbers in the last dimension as complex numbers.")
      .example("torch.view_as_complex(torch.tensor{{1, 2}, {3, 4}})")
      .view(view_as_complex_forward)
      .grad("self", [](Tensor g) { return ops::view_as_real(ops::contiguous(g)); });
  define(ops::real, "real(Tensor self) -> Tensor")
      .doc("The real part, as a view; a real tensor is returned as it is.")
      .example("torch.real(torch.complex(torch.tensor{1, 2}, torch.tensor{0, -1}))")
      .compose([](const Tensor& x) { return is_complex(x.dtype()) ? part_of(x, 0) : x; });
  define(ops::imag, "imag(Tensor self) -> Tensor")
      .doc("The imaginary part of a complex tensor, as a view.")
      .example("torch.imag(torch.complex(torch.tensor{1, 2}, torch.tensor{0, -1}))")
      .compose([](const Tensor& x) {
        check(is_complex(x.dtype()), "imag: a real tensor has no imaginary part");
        return part_of(x, 1);
      });
}

}  // namespace facula
