// Frames around tensors: of a constant, or of elements from inside.
#include "core/ops/families.h"
#include "core/ops/pool_window.h"

namespace facula {
namespace {

Op resample_pad_adjoint;

IntList negated(const IntList& pad) {
  IntList result = pad;
  for (int64_t& n : result) n = -n;
  return result;
}

// The sizes with pad[0] more in front and pad[1] more behind the last dimension, pad[2] and pad[3] for the one before it.
Sizes padded_sizes(const Sizes& x, const IntList& pad) {
  check(pad.size() % 2 == 0, "pad: expected two numbers for each dimension, got ", pad);
  check(pad.size() / 2 <= x.size(), "pad: the padding ", pad, " is for ", pad.size() / 2, " dimensions, the input ", x,
        " has ", x.size());
  Sizes sizes = x;
  for (size_t i = 0; i < pad.size(); i += 2) {
    int64_t& n = sizes[x.size() - 1 - i / 2];
    const int64_t with = saturated_sum(saturated_sum(n, pad[i]), pad[i + 1]);
    check(with >= 0 && pad[i] >= -n && pad[i + 1] >= -n, "pad: the padding ", pad, " leaves nothing of ", x);
    n = with;
  }
  return sizes;
}

// A view of y's positions first .. last along dimension d.
Tensor part(const Tensor& y, int64_t d, int64_t first, int64_t last) {
  Sizes sizes = y.sizes();
  sizes[d] = std::max<int64_t>(0, last - first);
  return y.alias(sizes, y.strides(), y.offset() + (sizes[d] > 0 ? first * y.stride(d) : 0));
}

Tensor constant_forward(Out& out, const Tensor& x, const IntList& pad, const Scalar& value) {
  const Tensor y = out.make(padded_sizes(x.sizes(), pad), x.dtype());
  if (y.is_meta() || y.numel() == 0) return y;
  Tensor inside = y, from = x;
  for (size_t i = 0; i < pad.size(); i += 2) {
    const int64_t d = x.dim() - 1 - static_cast<int64_t>(i / 2), n = y.size(d);
    const int64_t first = std::max<int64_t>(pad[i], 0), last = n - std::max<int64_t>(pad[i + 1], 0);
    if (first > 0) slots::fill(part(inside, d, 0, first), value);
    if (last < n) slots::fill(part(inside, d, std::max(first, last), n), value);
    inside = part(inside, d, first, last);
    from = part(from, d, std::max<int64_t>(-pad[i], 0), std::max<int64_t>(-pad[i], 0) + inside.size(d));
  }
  if (inside.numel() > 0) slots::copy(inside, from);
  return y;
}

// Where the padded position i, counted from the first of n elements, is read. What a negative padding cuts off does not
// come back from the other side.
int64_t source_of(const std::string& mode, int64_t i, int64_t n, int64_t before, int64_t behind) {
  if (mode == "replicate") return std::clamp<int64_t>(i, 0, n - 1);
  if (mode == "reflect") return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
  const int64_t cut = std::max<int64_t>(-before, 0), kept = n - cut - std::max<int64_t>(-behind, 0);
  return cut + ((i - cut) % kept + kept) % kept;
}
auto pad_maps(const Sizes& in, const IntList& pad, const std::string& mode) {
  return [=](size_t d) {  // the d-th of the padded dimensions
    const size_t spatial = pad.size() / 2, at = pad.size() - 2 * (d + 1);
    Taps taps;
    taps.in = in[in.size() - spatial + d];
    const int64_t out = taps.in + pad[at] + pad[at + 1];
    for (int64_t o = 0; o < out; ++o) {
      taps.add(source_of(mode, o - pad[at], taps.in, pad[at], pad[at + 1]));
      taps.end_output();
    }
    return taps;
  };
}

Tensor pad_forward(Out& out, const Tensor& x, const IntList& pad, const std::string& mode) {
  return resampled(out, x, padded_sizes(x.sizes(), pad), pad.size() / 2, pad_maps(x.sizes(), pad, mode));
}
Tensor pad_adjoint_forward(Out& out, const Tensor& g, const IntList& size, const IntList& pad,
                           const std::string& mode) {
  const auto maps = pad_maps(size, pad, mode);
  return resampled(out, g, size, pad.size() / 2, [&](size_t d) { return transposed(maps(d)); });
}

Tensor pad_of(const Tensor& x, const IntList& pad, const std::string& mode, const OptScalar& value) {
  if (mode == "constant") return ops::constant_pad_nd(x, pad, value.value_or(0));
  check(mode == "reflect" || mode == "replicate" || mode == "circular",
        "pad: mode must be 'constant', 'reflect', 'replicate' or 'circular', got '", mode, "'");
  check(!value, "pad: mode '", mode, "' takes no value");
  padded_sizes(x.sizes(), pad);
  const auto spatial = static_cast<int64_t>(pad.size() / 2);
  check(1 <= spatial && spatial <= 3 && (x.dim() == spatial + 1 || x.dim() == spatial + 2), "pad: mode '", mode,
        "' pads the last 1 to 3 dimensions of 2 or 3, 3 or 4, 4 or 5, got ", pad, " for ", x.sizes());
  for (int64_t i = 0; i < 2 * spatial; ++i) {
    const int64_t d = x.dim() - 1 - i / 2, n = x.size(d), more = pad[i], other = pad[i ^ 1];
    if (mode == "reflect")
      check(more < n, "pad: mode 'reflect' pads by less than a dimension's size, got ", pad, " for ", x.sizes());
    if (mode == "circular")
      check(more <= n && n + std::min<int64_t>(more, 0) + std::min<int64_t>(other, 0) > 0,
            "pad: mode 'circular' pads by at most a dimension's size, got ", pad, " for ", x.sizes());
    check(n > 0, "pad: mode '", mode, "' has nothing to take from ", x.sizes());
  }
  return ops::resample_pad(x, pad, mode);
}

using L = IntList;

}  // namespace

void define_pad(const Family& define) {
  define(ops::constant_pad_nd, "constant_pad_nd(Tensor self, int[] pad, Scalar value=0) -> Tensor")
      .doc(
          "`self` in a frame of `value`: `pad` has the numbers of positions in front of and behind the last dimension, "
          "then the one before it, and so on; negative ones cut off.")
      .example("torch.constant_pad_nd(torch.ones(2, 2), {1, 1, 0, 1}, 7)")
      .forward(constant_forward)
      .grad("self", [](Tensor g, Meta, L pad) { return ops::constant_pad_nd(g, negated(pad)); });
  define(ops::resample_pad, "_pad(Tensor input, int[] pad, str mode) -> Tensor")
      .doc("A frame of elements from inside.")
      .node("PadBackward0")
      .forward(pad_forward)
      .grad("input",
            [](Tensor g, Meta x, L pad, std::string mode) { return resample_pad_adjoint(g, x.sizes(), pad, mode); });
  define(resample_pad_adjoint, "_pad_backward(Tensor grad_output, int[] input_size, int[] pad, str mode) -> Tensor")
      .doc("The adjoint of padding: what the frame was read from gets it back.")
      .forward(pad_adjoint_forward)
      .grad("grad_output", [](Tensor g, Meta, L, L pad, std::string mode) { return ops::resample_pad(g, pad, mode); });
  define("nn.functional.pad(Tensor input, int[] pad, str mode='constant', Scalar? value=None) -> Tensor")
      .doc(
          "`input` in a frame. `pad` has the numbers of positions in front of and behind the last dimension, then the "
          "one before it, and so on; negative ones cut off. Modes: 'constant' (`value`, 0 if not given), 'reflect' "
          "(mirrored at the outermost elements), 'replicate' (these elements), 'circular' (from the other side).")
      .example("torch.nn.functional.pad(torch.ones(2, 2), {1, 1, 0, 1})")
      .compose(pad_of);
}

}  // namespace facula
