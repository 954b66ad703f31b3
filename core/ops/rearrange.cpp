// The same elements in another order or several times: flipped, rolled, rotated, repeated.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

Op roll, repeat, repeat_each;

// x read backwards along some dimensions: a copy from a view with negative strides, which only kernels may see.
Tensor flip_forward(Out& out, const Tensor& x, const IntList& dims) {
  const Tensor y = out.make(x.sizes(), x.dtype());
  IntList strides = x.strides();
  int64_t offset = x.offset();
  for (const int64_t d : dims) {
    if (x.size(d) == 0) break;
    int64_t& stride = strides[static_cast<size_t>(d)];
    offset += (x.size(d) - 1) * stride;
    stride = -stride;
  }
  slots::copy(y, x.numel() > 0 ? x.alias(x.sizes(), strides, offset) : x);
  return y;
}

Tensor flipped(const char* name, const Tensor& x, int64_t dim, int64_t least) {
  check(x.dim() >= least, name, ": expected at least ", least, " dimension", least == 1 ? "" : "s", ", got ",
        x.sizes());
  return ops::flip(x, IntList{dim});
}

// ---- rolling ----

// y[..., i + shift, ...] = x[..., i, ...], in up to two pieces for each of dims[k ...].
void roll_pieces(const Tensor& y, const Tensor& x, const IntList& shifts, const IntList& dims, size_t k) {
  if (k == dims.size()) return slots::copy(y, x);
  const int64_t d = dims[k], n = x.size(d), shift = (shifts[k] % n + n) % n;
  auto piece = [&](const Tensor& t, int64_t start, int64_t length) {
    Sizes sizes = t.sizes();
    sizes[static_cast<size_t>(d)] = length;
    return t.alias(sizes, t.strides(), t.offset() + start * t.stride(d));
  };
  roll_pieces(piece(y, shift, n - shift), piece(x, 0, n - shift), shifts, dims, k + 1);
  if (shift > 0) roll_pieces(piece(y, 0, shift), piece(x, n - shift, shift), shifts, dims, k + 1);
}

Tensor roll_forward(Out& out, const Tensor& x, const IntList& shifts, const IntList& dims) {
  check(!shifts.empty(), "roll: no shift is given");
  for (const int64_t s : shifts) check(s > INT64_MIN, "roll: shift ", s, " is out of range");
  const bool flat = dims.empty() && shifts.size() == 1;
  check(flat || x.dim() == 0 || shifts.size() == dims.size(), "roll: ", shifts.size(), " shifts for ", dims.size(),
        " dims");
  const Tensor y = out.make(x.sizes(), x.dtype());
  if (x.numel() == 0 || x.dim() == 0) {
    slots::copy(y, x);
  } else if (flat) {
    const Sizes all{x.numel()};
    const Tensor to = y.is_contiguous() ? y.alias(all, {1}, y.offset()) : empty(all, x.dtype(), x.device());
    const Tensor from = dense(x);
    roll_pieces(to, from.alias(all, {1}, from.offset()), shifts, {0}, 0);
    if (!(to.storage() == y.storage())) slots::copy(y, to.alias(x.sizes(), contiguous_strides(x.sizes()), 0));
  } else {
    roll_pieces(y, x, shifts, dims, 0);
  }
  return y;
}

Tensor rot90_of(const Tensor& x, int64_t k, const IntList& dims) {
  check(x.dim() >= 2, "rot90: expected at least 2 dimensions, got ", x.sizes());
  check(dims.size() == 2, "rot90: expected 2 dims that span the plane, got ", dims.size());
  const int64_t a = dims[0], b = dims[1];
  switch ((k % 4 + 4) % 4) {
    case 1: return ops::transpose(ops::flip(x, IntList{b}), a, b);
    case 2: return ops::flip(x, dims);
    case 3: return ops::transpose(ops::flip(x, IntList{a}), a, b);
    default: return ops::clone(x);
  }
}

// ---- repeating ----

// [r0, n0, r1, n1, ...] for repeats r and sizes n, with 1 for the dimensions that x does not have.
Sizes interleaved(const IntList& repeats, const Sizes& x) {
  Sizes sizes;
  const size_t lead = repeats.size() - x.size();
  for (size_t d = 0; d < repeats.size(); ++d) {
    sizes.push_back(repeats[d]);
    sizes.push_back(d < lead ? 1 : x[d - lead]);
  }
  return sizes;
}

Tensor repeat_forward(Out& out, const Tensor& x, const IntList& repeats) {
  check(static_cast<int64_t>(repeats.size()) >= x.dim(), "repeat: ", repeats.size(), " repeats for a tensor with ",
        x.dim(), " dimensions");
  for (const int64_t r : repeats) check(r >= 0, "repeat: repeats must not be negative, got ", repeats);
  const Sizes pairs = interleaved(repeats, x.sizes());
  const IntList steps = interleaved(repeats, x.strides());
  Sizes sizes;
  IntList from;
  for (size_t d = 0; d < pairs.size(); d += 2) {
    sizes.push_back(numel_of({pairs[d], pairs[d + 1]}));
    from.push_back(0);
    from.push_back(steps[d + 1]);
  }
  const Tensor y = out.make(sizes, x.dtype());
  if (y.numel() > 0)
    slots::copy(y.alias(pairs, contiguous_strides(pairs), y.offset()), x.alias(pairs, from, x.offset()));
  return y;
}

Tensor repeat_gradient(Tensor g, Meta x, IntList repeats) {
  IntList dims;
  for (size_t d = 0; d < repeats.size(); ++d) dims.push_back(static_cast<int64_t>(2 * d));
  if (dims.empty()) return g;
  return ops::reshape(ops::sum(ops::reshape(g, interleaved(repeats, x.sizes())), dims), x.sizes());
}

Tensor tile_of(const Tensor& x, const IntList& dims) {
  IntList repeats = dims;
  while (static_cast<int64_t>(repeats.size()) < x.dim()) repeats.insert(0, 1);
  return repeat(x, repeats);
}

// Each position as often as its count says, from 1.
Tensor repeated_positions(const Tensor& given, OptInt size) {
  check(given.dtype() == DType::Int64 || given.dtype() == DType::Int32,
        "repeat_interleave: repeats must be int64 or int32, got ", given.dtype());
  check(given.dim() == 1, "repeat_interleave: repeats must be a number or a vector, got ", given.sizes());
  check(!given.is_meta() || size,
        "repeat_interleave: the size of the result depends on elements, which a meta tensor does not "
        "have; give output_size");
  int64_t total = size.value_or(0);
  const Tensor counts = converted(given, DType::Int64);
  if (!given.is_meta()) {
    NoGrad guard;
    check(counts.numel() == 0 || item(ops::amin(counts)).to<int64_t>() >= 0,
          "repeat_interleave: repeats must not be negative");
    const double about = item(ops::sum(ops::to_dtype(counts, DType::Float64))).to<double>();
    check(about < 0x1p60, "repeat_interleave: repeats add up to ", about, ", more than can be counted");
    total = item(ops::sum(counts)).to<int64_t>();
    check(!size || *size == total, "repeat_interleave: output_size is ", size.value_or(0), ", repeats add up to ",
          total);
  }
  const Tensor positions = empty({total}, DType::Int64, given.device());
  if (total > 0) slots::repeat_positions(positions, counts);
  return positions;
}

Tensor repeat_interleave_of(const Tensor& given, const Tensor& repeats, OptInt dim, OptInt size) {
  const Tensor x = dim && given.dim() > 0 ? given : ops::reshape(given, {-1});
  const int64_t d = dim && given.dim() > 0 ? *dim : 0;
  Tensor counts = repeats.dim() == 0 ? ops::unsqueeze(repeats, 0) : repeats;
  if (counts.dim() == 1 && counts.size(0) == 1) counts = ops::expand(counts, {x.size(d)});
  check(counts.dim() != 1 || counts.size(0) == x.size(d), "repeat_interleave: ", counts.sizes(), " repeats for ",
        x.size(d), " positions in dimension ", Counting::shown(d));
  return ops::index_select(x, d, repeated_positions(counts, size));
}

// The same number for all: every slice stretched in a dimension of its own.
Tensor repeat_each_forward(Out& out, const Tensor& x, int64_t dim, int64_t repeats) {
  const auto behind = static_cast<size_t>(dim) + 1;
  Sizes sizes = x.sizes(), stretched = sizes;
  sizes[static_cast<size_t>(dim)] = numel_of({x.size(dim), repeats});
  stretched.insert(behind, repeats);
  const Tensor y = out.make(sizes, x.dtype());
  IntList from = x.strides();
  from.insert(behind, 0);
  const Tensor to = y.alias(stretched, contiguous_strides(stretched), y.offset());
  constexpr int64_t kShort = 16;  // shorter runs are written one element of each at a time
  if (to.stride(dim + 1) > 1 || repeats >= kShort) {
    slots::copy(to, x.alias(stretched, from, x.offset()));
    return y;
  }
  for (int64_t k = 0; k < repeats; ++k) {
    stretched[behind] = 1;
    slots::copy(to.alias(stretched, to.strides(), to.offset() + k), x.alias(stretched, from, x.offset()));
  }
  return y;
}

Tensor repeat_evenly(const Tensor& given, int64_t repeats, OptInt dim, OptInt size) {
  check(repeats >= 0, "repeat_interleave: repeats must not be negative, got ", repeats);
  const Tensor x = dim && given.dim() > 0 ? given : ops::reshape(given, {-1});
  const int64_t d = dim && given.dim() > 0 ? *dim : 0, total = numel_of({x.size(d), repeats});
  check(!size || *size == total, "repeat_interleave: output_size is ", size.value_or(0), ", repeats add up to ", total);
  return repeat_each(x, d, repeats);
}

}  // namespace

void define_rearrange(const Family& define) {
  define(ops::flip, "flip(Tensor self, Dim[]... dims) -> Tensor")
      .doc("A copy with the order along some dimensions reversed.")
      .example("torch.arange(6):view(2, 3):flip(2)")
      .forward(flip_forward)
      .grad("self", [](Tensor g, Meta, IntList dims) { return ops::flip(g, dims); });
  define("fliplr(Tensor self) -> Tensor")
      .doc("A copy with the order of columns, the second dimension, reversed.")
      .example("torch.fliplr(torch.arange(6):view(2, 3))")
      .compose([](const Tensor& x) { return flipped("fliplr", x, 1, 2); });
  define("flipud(Tensor self) -> Tensor")
      .doc("A copy with the order of rows, the first dimension, reversed.")
      .example("torch.flipud(torch.arange(6):view(2, 3))")
      .compose([](const Tensor& x) { return flipped("flipud", x, 0, 1); });
  define(roll, "roll(Tensor self, int[] shifts, Dim[] dims=[]) -> Tensor")
      .doc(
          "Elements moved along `dims` by `shifts`; what leaves at one end comes back at the other. Without dims all "
          "elements\nare moved as one row.")
      .example("torch.roll(torch.arange(5), 2)")
      .forward(roll_forward)
      .grad("self", [](Tensor g, Meta, IntList shifts, IntList dims) {
        for (int64_t& s : shifts) s = -s;
        return roll(g, shifts, dims);
      });
  define("rot90(Tensor self, int k=1, Dim[] dims=[0, 1]) -> Tensor")
      .doc("A copy turned `k` times by 90 degrees in the plane of `dims`, from the first towards the second.")
      .example("torch.rot90(torch.arange(6):view(2, 3))")
      .compose(rot90_of);
  define(repeat, "repeat(Tensor self, int[]... repeats) -> Tensor")
      .doc(
          "A copy that holds `self` so many times along each dimension; further repeats come in front. `repeat` is a "
          "word of Lua:\nwrite `x[\"repeat\"](x, 2, 3)`, or use tile.")
      .example("torch['repeat'](torch.arange(3), 2, 2)")
      .forward(repeat_forward)
      .grad("self", repeat_gradient);
  define("tile(Tensor self, int[]... dims) -> Tensor")
      .doc("A copy that holds `self` so many times along each dimension, the last `dims` first.")
      .example("torch.arange(3):tile(2, 2)")
      .compose(tile_of);
  define(repeat_each, "_repeat_each(Tensor self, Dim dim, int repeats) -> Tensor")
      .doc("Each slice along `dim` `repeats` times.")
      .node("RepeatInterleaveBackward0")
      .forward(repeat_each_forward)
      .grad("self", [](Tensor g, Meta x, int64_t dim, int64_t repeats) {
        Sizes stretched = x.sizes();
        stretched.insert(static_cast<size_t>(dim) + 1, repeats);
        return ops::sum(ops::reshape(g, stretched), IntList{dim + 1});
      });
  define("repeat_interleave(Tensor self, int repeats, Dim? dim=None, *, int? output_size=None) -> Tensor")
      .doc(
          "Each slice along `dim` `repeats` times, one behind the other; a tensor of repeats gives a number to each. "
          "Without a dim\n`self` is flattened. Of repeats alone: each position as often.")
      .example("torch.repeat_interleave(torch.arange(3), 2)")
      .compose(repeat_evenly);
  define("repeat_interleave:tensor(Tensor self, Tensor repeats, Dim? dim=None, *, int? output_size=None) -> Tensor")
      .compose(repeat_interleave_of);
  define("repeat_interleave:positions(Tensor repeats, *, int? output_size=None) -> IndexTensor")
      .compose(repeated_positions);
}

}  // namespace facula
