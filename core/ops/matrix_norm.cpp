// Norms of vectors and matrices, and condition numbers.
#include <cmath>
#include <limits>

#include "core/ops/families.h"
#include "core/ops/matrix.h"
#include "core/slots.h"

namespace facula {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Tensor in_dtype(const char* name, const Tensor& x, OptDType dtype) {
  check(is_differentiable(x.dtype()), name, ": expected a floating or complex dtype, got ", x.dtype());
  if (!dtype || *dtype == x.dtype()) return x;
  check(
      is_complex(*dtype) == is_complex(x.dtype()) && is_differentiable(*dtype) && promote(x.dtype(), *dtype) == *dtype,
      name, ": dtype must be wider than ", x.dtype(), " and of its kind, got ", *dtype);
  return ops::to_dtype(x, *dtype);
}

Tensor vector_norm(const Tensor& given, const Scalar& order, const IntList& dims, bool keepdim, OptDType dtype) {
  const Tensor x = in_dtype("linalg.vector_norm", given, dtype);
  const double p = order.to<double>();
  for (const int64_t d : dims)
    check(x.size(d) > 0 || (p >= 0 && p != kInfinity), "linalg.vector_norm: the norm of order ", p,
          " needs elements, got ", x.sizes());
  return ops::norm(x, p, dims, keepdim);
}

// ---- norms of matrices over the dimensions dims[0] (rows) and dims[1] ----

void check_matrix_dims(const Tensor& x, const IntList& dims) {
  check(dims.size() == 2 && dims[0] != dims[1], "linalg.matrix_norm: expected two different dimensions, got ",
        static_cast<int64_t>(dims.size()));
  check(x.dim() >= 2, "linalg.matrix_norm: expected a matrix or a batch of them, got ", x.sizes());
}

Tensor with_kept(const Tensor& y, const IntList& dims, bool keepdim) {
  if (!keepdim) return y;
  return ops::unsqueeze(ops::unsqueeze(y, std::min(dims[0], dims[1])), std::max(dims[0], dims[1]));
}

Tensor singular_values(const Tensor& x, const IntList& dims) {
  IntList order;
  for (int64_t d = 0; d < x.dim(); ++d)
    if (!dims.contains(d)) order.push_back(d);
  order.push_back(dims[0]);
  order.push_back(dims[1]);
  return ops::linalg_svdvals(ops::permute(x, order));
}

// The largest or smallest of the sums of absolute values along `dim`, over `others`.
Tensor extreme_sum(const Tensor& x, int64_t dim, int64_t others, bool largest) {
  const Tensor sums = ops::sum(ops::abs(x), IntList{dim});
  const int64_t left = others > dim ? others - 1 : others;
  return largest ? ops::amax(sums, IntList{left}) : ops::amin(sums, IntList{left});
}

Tensor matrix_norm(const Tensor& given, const Scalar& order, const IntList& dims, bool keepdim, OptDType dtype) {
  const Tensor x = in_dtype("linalg.matrix_norm", given, dtype);
  check_matrix_dims(x, dims);
  const double p = order.to<double>(), size = std::abs(p);
  check(size == 1 || size == 2 || size == kInfinity,
        "linalg.matrix_norm: the order must be 1, -1, 2, -2, inf, -inf, 'fro' or 'nuc', got ", p);
  Tensor y;
  if (size == 2) {
    const Tensor s = singular_values(x, dims);
    y = p > 0 ? ops::amax(s, IntList{-1}) : ops::amin(s, IntList{-1});
  } else {
    y = size == 1 ? extreme_sum(x, dims[0], dims[1], p > 0) : extreme_sum(x, dims[1], dims[0], p > 0);
  }
  return with_kept(y, dims, keepdim);
}

Tensor named_matrix_norm(const Tensor& given, const std::string& order, const IntList& dims, bool keepdim,
                         OptDType dtype) {
  const Tensor x = in_dtype("linalg.matrix_norm", given, dtype);
  check_matrix_dims(x, dims);
  if (order == "fro") return ops::norm(x, 2, dims, keepdim);
  check(order == "nuc", "linalg.matrix_norm: the order must be a number, 'fro' or 'nuc', got '", order, "'");
  return with_kept(ops::sum(singular_values(x, dims), IntList{-1}), dims, keepdim);
}

Tensor nuclear_norm(const Tensor& x, const IntList& dims, bool keepdim) {
  check(dims.size() == 2, "norm: p='nuc' needs two dimensions, got ", x.sizes());
  return named_matrix_norm(x, "nuc", dims, keepdim, {});
}

// ---- either ----

IntList all_dims(const Tensor& x) {
  IntList dims;
  for (int64_t d = 0; d < x.dim(); ++d) dims.push_back(d);
  return dims;
}

Tensor norm_along(const Tensor& x, const OptScalar& order, const IntList& dims, bool keepdim, OptDType dtype) {
  if (!order) return vector_norm(x, 2, dims.empty() ? all_dims(x) : dims, keepdim, dtype);
  if (dims.size() == 1) return vector_norm(x, *order, dims, keepdim, dtype);
  check(dims.size() == 2, "linalg.norm: dim must name one dimension or two, got ", static_cast<int64_t>(dims.size()));
  return matrix_norm(x, *order, dims, keepdim, dtype);
}

Tensor norm_of(const Tensor& x, const OptScalar& order, bool keepdim, OptDType dtype) {
  if (!order) return vector_norm(x, 2, all_dims(x), keepdim, dtype);
  check(x.dim() == 1 || x.dim() == 2, "linalg.norm: without dim an order needs a vector or a matrix, got ", x.sizes());
  return norm_along(x, order, all_dims(x), keepdim, dtype);
}

Tensor named_norm_along(const Tensor& x, const std::string& order, const IntList& dims, bool keepdim, OptDType dtype) {
  check(dims.size() == 2, "linalg.norm: the order '", order, "' is one of matrices: dim must name two dimensions");
  return named_matrix_norm(x, order, dims, keepdim, dtype);
}

Tensor named_norm_of(const Tensor& x, const std::string& order, bool keepdim, OptDType dtype) {
  check(x.dim() == 2, "linalg.norm: the order '", order, "' is one of matrices, got ", x.sizes());
  return named_matrix_norm(x, order, {0, 1}, keepdim, dtype);
}

// ---- condition numbers ----

Tensor by_values(const Tensor& a, bool largest_first) {
  const Tensor s = ops::linalg_svdvals(a);
  const Tensor first = ops::select(s, -1, 0), last = ops::select(s, -1, -1);
  return largest_first ? first / last : last / first;
}

// norm(A) norm(A^-1), infinite where A is singular.
template <class Norm>
Tensor by_inverse(const Tensor& a, Norm&& norm) {
  check_square("linalg.cond", a);
  const Results r = ops::linalg_inv_ex.all({a});
  const Tensor product = norm(a) * norm(r.tensor(0));
  return ops::masked_fill(product, ops::ne(r.tensor(1), 0), kInfinity);
}

Tensor cond_of(const Tensor& a, const OptScalar& order) {
  check_matrix("linalg.cond", a);
  const double p = order.value_or(Scalar(2)).to<double>();
  if (a.numel() == 0) {
    check(a.size(-1) == a.size(-2) || std::abs(p) == 2, "linalg.cond: expected square matrices, got ", a.sizes());
    return ops::zero_(empty(batch_sizes(a.sizes()), real_dtype(a.dtype()), a.device()));
  }
  if (std::abs(p) == 2) return by_values(a, p > 0);
  return by_inverse(a, [&](const Tensor& x) { return matrix_norm(x, p, {x.dim() - 2, x.dim() - 1}, false, {}); });
}

Tensor named_cond_of(const Tensor& a, const std::string& order) {
  check_square("linalg.cond", a);
  if (a.numel() == 0) return ops::zero_(empty(batch_sizes(a.sizes()), real_dtype(a.dtype()), a.device()));
  return by_inverse(a, [&](const Tensor& x) {
    return named_matrix_norm(x, order, {x.dim() - 2, x.dim() - 1}, false, {});
  });
}

}  // namespace

void define_matrix_norm(const Family& define) {
  define(
      "linalg.vector_norm(Tensor x, Scalar ord=2, Dim[]? dim=None, bool keepdim=False, *, DType? dtype=None) -> Tensor")
      .doc(
          "`(sum |x|^ord)^(1/ord)` over all dimensions or those in `dim`: inf and -inf are the largest and the "
          "smallest "
          "absolute value, 0 counts what is not zero.")
      .example("torch.linalg.vector_norm(torch.tensor{3, -4}, 1)")
      .compose(vector_norm);
  define(
      "linalg.matrix_norm(Tensor A, Scalar ord, Dim[] dim=[-2, -1], bool keepdim=False, *, DType? dtype=None) -> "
      "Tensor")
      .doc(
          "Norms of matrices over two dimensions: 'fro' (the default), 'nuc' (the sum of the singular values), inf and "
          "-inf "
          "(the largest and smallest sum of a row), 1 and -1 (of a column), 2 and -2 (singular value).")
      .example("torch.linalg.matrix_norm(torch.tensor{{3, 0}, {0, 4}})")
      .compose(matrix_norm);
  define(
      "linalg.matrix_norm:name(Tensor A, str ord='fro', Dim[] dim=[-2, -1], bool keepdim=False, *, DType? dtype=None) "
      "-> "
      "Tensor")
      .compose(named_matrix_norm);
  define(ops::nuclear_norm, "_nuclear_norm(Tensor self, Dim[]? dim, bool keepdim) -> Tensor")
      .doc("The sum of the singular values of the matrices over two dimensions.")
      .compose(nuclear_norm);
  define("linalg.norm:dim(Tensor A, Scalar? ord=None, Dim[] dim, bool keepdim=False, *, DType? dtype=None) -> Tensor")
      .doc(
          "The norm of a vector or matrix: of the flattened tensor without `ord`, else of the vectors along one "
          "dimension or "
          "the matrices over two in `dim`. See linalg.vector_norm, linalg.matrix_norm.")
      .example("torch.linalg.norm(torch.tensor{3, 4})")
      .compose(norm_along);
  define(
      "linalg.norm:whole(Tensor A, Scalar? ord=None, Dim[]? dim=None, bool keepdim=False, *, DType? dtype=None) -> "
      "Tensor")
      .compose([](const Tensor& x, const OptScalar& order, const IntList&, bool keepdim, OptDType dtype) {
        return norm_of(x, order, keepdim, dtype);
      });
  define("linalg.norm:name_dim(Tensor A, str ord, Dim[] dim, bool keepdim=False, *, DType? dtype=None) -> Tensor")
      .compose(named_norm_along);
  define("linalg.norm:name(Tensor A, str ord, Dim[]? dim=None, bool keepdim=False, *, DType? dtype=None) -> Tensor")
      .compose([](const Tensor& x, const std::string& order, const IntList&, bool keepdim, OptDType dtype) {
        return named_norm_of(x, order, keepdim, dtype);
      });
  define("linalg.cond(Tensor A, Scalar? p=None) -> Tensor")
      .doc(
          "The condition number `norm(A) * norm(inv(A))` in any norm of linalg.matrix_norm; by default the largest "
          "singular "
          "value over the smallest. Infinite for singular matrices.")
      .example("torch.linalg.cond(torch.tensor{{1, 0}, {0, 100}})")
      .compose(cond_of);
  define("linalg.cond:name(Tensor A, str p) -> Tensor").compose(named_cond_of);
}

}  // namespace facula
