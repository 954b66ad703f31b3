// Several tensors as one, and one as several.
#include <algorithm>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/promotion.h"
#include "core/slots.h"

namespace facula {
namespace {

// Torch7's empty vectors join with anything.
bool is_nothing(const Sizes& sizes) { return sizes.size() == 1 && sizes[0] == 0; }

// Dense tensors of one dtype in one go: what counts for many small ones is the time for each. Of few large ones that lie
// element beside element each is better copied by itself.
bool joined(const Tensor& y, const Tensors& tensors, int64_t dim) {
  constexpr int64_t kRun = 64, kSmall = 256;
  const auto count = static_cast<int64_t>(tensors.size());
  const int64_t run = y.dim() > 0 ? y.size(dim) * y.stride(dim) * y.item_size() / count : 0;
  if (run < kRun && y.numel() > kSmall * count) return false;
  auto fits = [&](const Tensor& t) { return t.is_contiguous() && t.dtype() == y.dtype() && t.device() == y.device(); };
  if (!slots::join.filled(y.device().type) || !y.is_contiguous() || !std::all_of(tensors.begin(), tensors.end(), fits))
    return false;
  slots::join(y, tensors, dim);
  return true;
}

Tensor cat_forward(Out& out, const Tensors& tensors, int64_t dim) {
  check(!tensors.empty(), "cat: the list of tensors is empty");
  const Tensor* first = nullptr;
  for (const Tensor& t : tensors) {
    check(t.dim() > 0, "cat: a tensor without dimensions cannot be joined; use stack");
    if (!first && !is_nothing(t.sizes())) first = &t;
  }
  if (!first) first = &tensors[0];
  Sizes sizes = first->sizes();
  check(dim < first->dim(), "cat: dim ", Counting::shown(dim), " is out of range for ", sizes);
  int64_t& total = sizes[static_cast<size_t>(dim)];
  total = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Sizes& s = tensors[i].sizes();
    if (is_nothing(s)) continue;
    bool fits = s.size() == sizes.size();
    for (size_t d = 0; fits && d < s.size(); ++d) fits = d == static_cast<size_t>(dim) || s[d] == sizes[d];
    check(fits, "cat: tensor ", i + static_cast<size_t>(Counting::base()), " has sizes ", s, ", which differ from ",
          first->sizes(), " in another dimension than ", Counting::shown(dim));
    total += s[static_cast<size_t>(dim)];
  }
  const Tensor y = out.make(sizes, result_type(tensors));
  if (joined(y, tensors, dim)) return y;
  int64_t at = 0;
  for (const Tensor& t : tensors) {
    if (is_nothing(t.sizes())) continue;
    Sizes part = sizes;
    part[static_cast<size_t>(dim)] = t.size(dim);
    slots::copy(y.alias(part, y.strides(), y.offset() + at * y.stride(dim)), t);
    at += t.size(dim);
  }
  return y;
}

Tensors cat_gradient(Tensor g, Metas tensors, int64_t dim) {
  Tensors parts;
  int64_t at = 0;
  for (const Meta& t : tensors) {
    const bool nothing = is_nothing(t.sizes());
    parts.push_back(nothing ? t.zeros() : ops::narrow(g, dim, at, t.size(dim)));
    if (!nothing) at += t.size(dim);
  }
  return parts;
}

Tensor stack_forward(Out& out, const Tensors& tensors, int64_t dim) {
  check(!tensors.empty(), "stack: the list of tensors is empty");
  const Sizes& each = tensors[0].sizes();
  const Device device = out.device();
  Tensors slices;
  slices.reserve(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    check(tensors[i].sizes() == each, "stack: tensor ", i + static_cast<size_t>(Counting::base()), " has sizes ",
          tensors[i].sizes(), ", the first has ", each);
    slices.push_back(moved(tensors[i], device));
  }
  Sizes sizes = each;
  sizes.insert(static_cast<size_t>(dim), static_cast<int64_t>(tensors.size()));
  const Tensor y = out.make(sizes, result_type(tensors));
  if (joined(y, slices, dim)) return y;
  IntList strides = y.strides();
  strides.erase(static_cast<size_t>(dim));
  for (size_t i = 0; i < slices.size(); ++i)
    slots::copy(y.alias(each, strides, y.offset() + static_cast<int64_t>(i) * y.stride(dim)), slices[i]);
  return y;
}

Tensors stack_gradient(Tensor g, Metas, int64_t dim) {
  Tensors slices;
  for (int64_t i = 0; i < g.size(dim); ++i) slices.push_back(ops::select(g, dim, i));
  return slices;
}

// A view takes some hundred bytes, and a stretched or empty dimension has as many as a script likes.
void check_pieces(const char* name, int64_t n) {
  constexpr int64_t kMost = int64_t{1} << 24;
  check(n <= kMost, name, ": ", n, " pieces are too many, at most ", kMost, " can be made");
}

Tensors split_sizes(const Tensor& x, const IntList& sizes, int64_t dim) {
  check(x.dim() > 0, "split: a tensor without dimensions cannot be split");
  int64_t total = 0;
  for (const int64_t n : sizes) {
    check(n >= 0, "split: a size must not be negative, got ", sizes);
    check(!__builtin_add_overflow(total, n, &total), "split: sizes ", sizes, " add up to more than can be counted");
  }
  check(total == x.size(dim), "split: sizes ", sizes, " do not add up to ", x.size(dim), ", the size of dimension ",
        Counting::shown(dim));
  Tensors parts;
  Sizes part = x.sizes();
  int64_t at = x.offset();
  for (const int64_t n : sizes) {
    part[static_cast<size_t>(dim)] = n;
    parts.push_back(x.alias(part, x.strides(), at));
    at += n * x.stride(dim);
  }
  return parts;
}

Tensors split_by(const Tensor& x, const IntList& sizes, int64_t dim) {
  return ops::split_with_sizes.all({x, sizes, dim})[0].get<Tensors>();
}

Tensors split_of(const Tensor& x, int64_t size, int64_t dim) {
  check(x.dim() > 0, "split: a tensor without dimensions cannot be split");
  const int64_t n = x.size(dim);
  check(size > 0 || (size == 0 && n == 0), "split: split_size must be positive, got ", size);
  if (n > 0) check_pieces("split", (n - 1) / size + 1);
  IntList sizes;
  for (int64_t at = 0; at < n; at += size) sizes.push_back(std::min(size, n - at));
  if (n == 0) sizes.push_back(0);
  return split_by(x, sizes, dim);
}

Tensors chunk_of(const Tensor& x, int64_t chunks, int64_t dim) {
  check(x.dim() > 0, "chunk: a tensor without dimensions cannot be split");
  check(chunks > 0, "chunk: expected a positive number of chunks, got ", chunks);
  const int64_t n = x.size(dim);
  if (n > 0) return split_of(x, (n - 1) / chunks + 1, dim);
  check_pieces("chunk", chunks);
  return split_by(x, IntList(static_cast<size_t>(chunks), 0), dim);
}

Tensors unbind_of(const Tensor& x, int64_t dim) {
  check(x.dim() > 0, "unbind: a tensor without dimensions cannot be taken apart");
  check_pieces("unbind", x.size(dim));
  Sizes sizes = x.sizes();
  IntList strides = x.strides();
  sizes.erase(static_cast<size_t>(dim));
  strides.erase(static_cast<size_t>(dim));
  Tensors parts;
  for (int64_t i = 0; i < x.size(dim); ++i) parts.push_back(x.alias(sizes, strides, x.offset() + i * x.stride(dim)));
  return parts;
}

}  // namespace

void define_join(const Family& define) {
  define(ops::cat, "cat(Tensor[] tensors, Dim dim=0) -> Tensor")
      .doc("The tensors one behind the other along an existing dimension.")
      .example("torch.cat({torch.zeros(2, 3), torch.ones(1, 3)}, 1)")
      .alias("concat")
      .alias("concatenate")
      .forward(cat_forward)
      .grad("tensors", cat_gradient);
  define(ops::stack, "stack(Tensor[] tensors, NewDim dim=0) -> Tensor")
      .doc("Tensors of equal sizes side by side in a new dimension.")
      .example("torch.stack({torch.tensor{1, 2}, torch.tensor{3, 4}}, 2)")
      .forward(stack_forward)
      .grad("tensors", stack_gradient);
  define("split(Tensor self, int split_size, Dim dim=0) -> Tensor[]")
      .doc(
          "Views of `split_size` positions each along a dimension, the last one perhaps shorter; a list gives each "
          "size.")
      .example("torch.arange(7):split(3)")
      .compose(split_of);
  define("split:sizes(Tensor self, int[] split_size, Dim dim=0) -> Tensor[]").compose(split_by);
  define(ops::split_with_sizes, "split_with_sizes(Tensor self, int[] split_sizes, Dim dim=0) -> Tensor[]")
      .doc("Views of the given sizes along a dimension.")
      .example("torch.arange(7):split_with_sizes{2, 5}")
      .view(split_sizes)
      .grad("self", [](Tensors g, Meta x, IntList, int64_t dim) { return g.empty() ? x.zeros() : ops::cat(g, dim); });
  define("chunk(Tensor self, int chunks, Dim dim=0) -> Tensor[]")
      .doc("At most `chunks` views of equal size along a dimension, the last one perhaps shorter.")
      .example("torch.arange(7):chunk(3)")
      .compose(chunk_of);
  define(ops::unbind, "unbind(Tensor self, Dim dim=0) -> Tensor[]")
      .doc("The slices at all positions of a dimension.")
      .example("torch.tensor{{1, 2}, {3, 4}}:unbind()")
      .view(unbind_of)
      .grad("self", [](Tensors g, Meta x, int64_t dim) { return g.empty() ? x.zeros() : ops::stack(g, dim); });
}

}  // namespace facula
