// Diagonals, and what lies above or below them.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/promotion.h"
#include "core/slots.h"

namespace facula {
namespace {

// ---- matrices from diagonals ----

// 1 + |offset| rows more than the diagonal is long, checked.
int64_t side_for(const char* name, int64_t length, int64_t offset) {
  int64_t side = 0;
  check(offset > INT64_MIN && !__builtin_add_overflow(length, std::abs(offset), &side), name, ": diagonal ", offset,
        " is out of range");
  return side;
}

Tensor diag_embed_forward(Out& out, const Tensor& x, int64_t offset, int64_t dim1, int64_t dim2) {
  check(x.dim() > 0, "diag_embed: expected at least 1 dimension, got a tensor without");
  check(dim1 != dim2, "diag_embed: dim1 and dim2 are both ", Counting::shown(dim1));
  const int64_t side = side_for("diag_embed", x.size(-1), offset);
  Sizes sizes(x.sizes().begin(), x.sizes().end() - 1);
  for (const int64_t d : {std::min(dim1, dim2), std::max(dim1, dim2)}) sizes.insert(static_cast<size_t>(d), side);
  const Tensor y = out.make(sizes, x.dtype());
  slots::fill(y, 0);
  NoGrad guard;
  slots::copy(ops::diagonal(y.alias(), offset, dim1, dim2), x);
  return y;
}

Tensor diag_of(const Tensor& x, int64_t diagonal) {
  check(x.dim() == 1 || x.dim() == 2, "diag: expected a matrix or a vector, got ", x.sizes());
  return x.dim() == 1 ? ops::diag_embed(x, diagonal, 0, 1) : ops::clone(ops::diagonal(x, diagonal));
}

Sizes as_matrix(const Sizes& sizes) {
  check(sizes.size() <= 2, "block_diag: expected tensors of at most 2 dimensions, got ", sizes);
  Sizes matrix = sizes;
  while (matrix.size() < 2) matrix.insert(0, 1);
  return matrix;
}

Tensor block_diag_forward(Out& out, const Tensors& tensors) {
  Sizes sizes{tensors.empty() ? 1 : 0, 0};
  for (const Tensor& t : tensors)
    for (size_t d = 0; d < 2; ++d) sizes[d] += as_matrix(t.sizes())[d];
  const Tensor y = out.make(sizes, tensors.empty() ? default_dtype() : result_type(tensors));
  slots::fill(y, 0);
  int64_t row = 0, column = 0;
  for (const Tensor& t : tensors) {
    const Sizes block = as_matrix(t.sizes());
    const Tensor from = t.dim() == 2 ? t : t.expanded(block);
    if (t.numel() > 0)
      slots::copy(y.alias(block, y.strides(), y.offset() + row * y.stride(0) + column * y.stride(1)),
                  moved(from, y.device()));
    row += block[0], column += block[1];
  }
  return y;
}

Tensors block_diag_gradient(Tensor g, Metas tensors) {
  Tensors blocks;
  int64_t row = 0, column = 0;
  for (const Meta& t : tensors) {
    const Sizes block = as_matrix(t.sizes());
    blocks.push_back(ops::reshape(ops::narrow(ops::narrow(g, 0, row, block[0]), 1, column, block[1]), t.sizes()));
    row += block[0], column += block[1];
  }
  return blocks;
}

Tensor trace_of(const Tensor& x) {
  check(x.dim() == 2, "trace: expected a matrix, got ", x.sizes());
  return ops::sum(ops::diagonal(x));
}

// ---- triangles ----

template <bool upper>
Tensor triangle_forward(Out& out, const Tensor& x, int64_t diagonal) {
  check(x.dim() >= 2, upper ? "triu" : "tril", ": expected at least 2 dimensions, got ", x.sizes());
  const Tensor y = out.make(x.sizes(), x.dtype());
  slots::triangle(y, x, diagonal, upper);
  return y;
}

// Places with column - row <= offset; the offset lies in -rows .. columns.
int64_t lower_count(int64_t rows, int64_t columns, int64_t offset) {
  const int64_t first = std::max<int64_t>(0, -offset), full = std::clamp(columns - 1 - offset, first, rows);
  return (full - first) * (first + full + 2 * offset + 1) / 2 + (rows - full) * columns;
}

// Row and column, from 1, of every place in the triangle, row by row.
template <bool upper>
Tensor triangle_positions(int64_t rows, int64_t columns, int64_t offset, OptDType dtype, OptDevice device) {
  const char* name = upper ? "triu_indices" : "tril_indices";
  check(rows >= 0 && columns >= 0, name, ": sizes must not be negative, got ", rows, " and ", columns);
  const DType t = dtype.value_or(DType::Int64);
  check(t == DType::Int64 || t == DType::Int32, name, ": the dtype must be int64 or int32, got ", t);
  // Of the lower triangle up to `last`, or of what lies above it.
  const int64_t all = numel_of({2, rows, columns}) / 2;
  const int64_t last = std::clamp(upper ? std::max(offset, -INT64_MAX) - 1 : offset, -rows, columns);
  const int64_t lower = lower_count(rows, columns, last), count = upper ? all - lower : lower;
  const Device where = device.value_or(Device{});
  if (where.is_meta()) return empty({2, count}, t, where);
  const Tensor places = empty({2, count}, DType::Int64);
  int64_t* row = places.data<int64_t>();
  int64_t* column = row + count;
  const int64_t begin = upper ? 0 : std::max<int64_t>(0, -last), end = upper ? std::min(rows, columns - last) : rows;
  for (int64_t r = begin; count > 0 && r < end; ++r) {  // rows with an element
    const int64_t middle = std::clamp<int64_t>(r + last + 1, 0, columns);
    for (int64_t c = upper ? middle : 0; c < (upper ? columns : middle); ++c) *row++ = r + 1, *column++ = c + 1;
  }
  return moved(converted(places, t), where);
}

}  // namespace

void define_diagonal(const Family& define) {
  define("diag(Tensor self, int diagonal=0) -> Tensor")
      .doc("A matrix with the vector `self` on a diagonal, or a copy of a diagonal of the matrix `self`.")
      .example("torch.diag(torch.ones(3))")
      .compose(diag_of);
  define(ops::diag_embed, "diag_embed(Tensor self, int offset=0, NewDim dim1=-2, NewDim dim2=-1) -> Tensor")
      .doc("Matrices in `dim1` and `dim2` that hold the last dimension of `self` on a diagonal, zeros elsewhere.")
      .example("torch.diag_embed(torch.tensor{{1, 2}, {3, 4}})")
      .forward(diag_embed_forward)
      .grad("self", [](Tensor g, Meta, int64_t offset, int64_t dim1, int64_t dim2) {
        return ops::diagonal(g, offset, dim1, dim2);
      });
  define("diagflat(Tensor self, int offset=0) -> Tensor")
      .doc("A matrix with all elements of `self` on a diagonal.")
      .example("torch.diagflat(torch.tensor{{1, 2}, {3, 4}})")
      .compose([](const Tensor& x, int64_t offset) { return ops::diag_embed(ops::reshape(x, {-1}), offset, 0, 1); });
  define("block_diag(Tensor[]... tensors) -> Tensor")
      .doc("The matrices one behind the other along the diagonal, zeros elsewhere; vectors count as one row.")
      .example("torch.block_diag(torch.ones(2, 2), torch.ones(1, 3))")
      .forward(block_diag_forward)
      .grad("tensors", block_diag_gradient);
  define("trace(Tensor self) -> Tensor")
      .doc("The sum of a matrix's diagonal.")
      .example("torch.tensor{{1, 2}, {3, 4}}:trace()")
      .compose(trace_of);

  define(ops::tril, "tril(Tensor self, int diagonal=0) -> Tensor")
      .doc("The lower triangles of matrices: elements up to and on a diagonal, zeros above.")
      .example("torch.ones(3, 3):tril()")
      .elementwise(triangle_forward<false>)
      .grad("self", [](Tensor g, Meta, int64_t diagonal) { return ops::tril(g, diagonal); });
  define(ops::triu, "triu(Tensor self, int diagonal=0) -> Tensor")
      .doc("The upper triangles of matrices: elements from a diagonal on, zeros below.")
      .example("torch.ones(3, 3):triu(1)")
      .elementwise(triangle_forward<true>)
      .grad("self", [](Tensor g, Meta, int64_t diagonal) { return ops::triu(g, diagonal); });
  define("tril_indices(int row, int col, int offset=0, *, DType? dtype=None, Device? device=None) -> IndexTensor")
      .doc("The positions of a lower triangle's elements: a row of row numbers and one of columns, from 1.")
      .example("torch.tril_indices(3, 3)")
      .compose(triangle_positions<false>);
  define("triu_indices(int row, int col, int offset=0, *, DType? dtype=None, Device? device=None) -> IndexTensor")
      .doc("The positions of an upper triangle's elements: a row of row numbers and one of columns, from 1.")
      .example("torch.triu_indices(3, 3)")
      .compose(triangle_positions<true>);
}

}  // namespace facula
