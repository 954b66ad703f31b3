// Tensors cut at positions or into so many parts.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"

namespace facula {
namespace {

// Parts that begin at the given positions, counted from 0 and clipped as Python's slices.
Tensors split_at(const char* name, const Tensor& x, const IntList& positions, int64_t dim) {
  check(x.dim() > 0, name, ": a tensor without dimensions cannot be split");
  Tensors parts;
  int64_t start = 0;
  for (const int64_t position : positions) {
    parts.push_back(ops::slice(x, dim, start, position));
    start = position;
  }
  parts.push_back(ops::slice(x, dim, start));
  return parts;
}

// Empty parts cost memory too.
constexpr int64_t kMostParts = 1 << 20;

// The first parts are one longer where it does not come out even.
Tensors split_into(const char* name, const Tensor& x, int64_t sections, int64_t dim) {
  check(x.dim() > 0, name, ": a tensor without dimensions cannot be split");
  check(sections > 0, name, ": the number of sections must be positive, got ", sections);
  const int64_t n = x.size(dim);
  check(sections <= std::max(n, kMostParts), name, ": ", sections, " sections are too many");
  const int64_t length = n / sections, longer = n % sections;
  Tensors parts;
  int64_t start = 0;
  for (int64_t i = 0; i < sections; ++i) {
    const int64_t end = start + length + (i < longer);
    parts.push_back(ops::slice(x, dim, start, end));
    start = end;
  }
  return parts;
}

Tensors split_by(const Tensor& x, const Tensor& given, int64_t dim) {
  check(given.dim() <= 1, "tensor_split: positions must be a vector, or a number of sections, got sizes ",
        given.sizes());
  check(given.dtype() == DType::Int64, "tensor_split: positions must be int64, got ", given.dtype());
  check(!given.is_meta(), "tensor_split: the parts depend on elements, which a meta tensor does not have");
  if (given.dim() == 0) return split_into("tensor_split", x, item(given).to<int64_t>(), dim);
  IntList positions;
  for (int64_t i = 0; i < given.size(0); ++i) {
    const int64_t p = item(given.alias({}, {}, given.offset() + i * given.stride(0))).to<int64_t>();
    check(p != 0, "tensor_split: position 0, but positions are 1-based");
    positions.push_back(p > 0 ? p - 1 : p);
  }
  return split_at("tensor_split", x, positions, dim);
}

// hsplit, vsplit and dsplit: a number of equal parts, or positions, along one dimension.
struct Direction {
  const char* name;
  int64_t dim, least;
  /// The dimension that is cut, checked: hsplit cuts vectors in their only one.
  int64_t of(const Tensor& x) const {
    check(x.dim() >= least, name, ": expected at least ", least, " dimension", least == 1 ? "" : "s", ", got ",
          x.sizes());
    return std::min(dim, x.dim() - 1);
  }
};
constexpr Direction kHorizontal{"hsplit", 1, 1}, kVertical{"vsplit", 0, 2}, kDepth{"dsplit", 2, 3};

template <const Direction& direction>
Tensors split_evenly(const Tensor& x, int64_t sections) {
  const int64_t d = direction.of(x);
  check(sections > 0 && x.size(d) % sections == 0, direction.name, ": ", x.sizes(), " cannot be cut into ", sections,
        " equal parts in dimension ", Counting::shown(d));
  return split_into(direction.name, x, sections, d);
}
template <const Direction& direction>
Tensors split_there(const Tensor& x, const IntList& indices) {
  return split_at(direction.name, x, indices, direction.of(x));
}

}  // namespace

void define_split(const Family& define) {
  define("tensor_split(Tensor self, int sections, Dim dim=0) -> Tensor[]")
      .doc(
          "Views of `sections` parts along a dimension, of sizes that differ by one at most; a list, or an index "
          "tensor, gives the first\npositions of all parts but the first.")
      .example("torch.arange(7):tensor_split(3)")
      .compose([](const Tensor& x, int64_t n, int64_t dim) { return split_into("tensor_split", x, n, dim); });
  define("tensor_split:indices(Tensor self, Index[] indices, Dim dim=0) -> Tensor[]")
      .compose([](const Tensor& x, const IntList& at, int64_t dim) { return split_at("tensor_split", x, at, dim); });
  define("tensor_split:tensor(Tensor self, IndexTensor tensor_indices_or_sections, Dim dim=0) -> Tensor[]")
      .any_device()
      .compose(split_by);
  define("hsplit(Tensor self, int sections) -> Tensor[]")
      .doc(
          "Views of `sections` equal parts side by side, along the second dimension (of vectors the first); a list "
          "gives the first\npositions of all parts but the first.")
      .example("torch.arange(6):view(2, 3):hsplit(3)")
      .compose(split_evenly<kHorizontal>);
  define("hsplit:indices(Tensor self, Index[] indices) -> Tensor[]").compose(split_there<kHorizontal>);
  define("vsplit(Tensor self, int sections) -> Tensor[]")
      .doc("Views of `sections` equal parts one below the other, along the first dimension. See hsplit.")
      .example("torch.arange(6):view(3, 2):vsplit(3)")
      .compose(split_evenly<kVertical>);
  define("vsplit:indices(Tensor self, Index[] indices) -> Tensor[]").compose(split_there<kVertical>);
  define("dsplit(Tensor self, int sections) -> Tensor[]")
      .doc("Views of `sections` equal parts one behind the other, along the third dimension. See hsplit.")
      .example("torch.arange(8):view(2, 2, 2):dsplit(2)")
      .compose(split_evenly<kDepth>);
  define("dsplit:indices(Tensor self, Index[] indices) -> Tensor[]").compose(split_there<kDepth>);
}

}  // namespace facula
