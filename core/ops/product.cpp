// Products of vectors, matrices and tensors that are told by other operators.
#include <limits>
#include <vector>

#include "core/ops/families.h"
#include "core/ops/matrix.h"
#include "core/pointwise.h"
#include "core/promotion.h"
#include "core/slots.h"

namespace facula {

namespace ops {
static Op linalg_cross;
}

namespace {

Tensor scaled(const Tensor& x, const Scalar& by) { return by == Scalar(1) ? x : x * by; }

void check_factor(const char* name, const char* word, const Scalar& by, DType t) {
  check(is_differentiable(t) || by.is_integral(), name, ": ", word, " must be an integer for ", t, " tensors, got ",
        by);
}

Tensor addbmm_of(const Tensor& self, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  check(a.dim() == 3 && b.dim() == 3, "addbmm: expected batches of matrices, got ", a.sizes(), " and ", b.sizes());
  check(a.size(0) == b.size(0) && a.size(2) == b.size(1), "addbmm: ", a.sizes(), " and ", b.sizes(),
        " do not match: expected (B, M, K) and (B, K, N)");
  const int64_t inner = a.size(0) * a.size(2);  // the sum over the batch is one longer sum
  const Tensor rows = ops::reshape(ops::permute(a, IntList{1, 0, 2}), {a.size(1), inner});
  return ops::addmm(self, rows, ops::reshape(b, {inner, b.size(2)}), beta, alpha);
}

// As in PyTorch, in place a `self` that stretches takes the result's sizes.
Tensor addbmm_in_place(const Tensor& self, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  const Tensor y = addbmm_of(self, a, b, beta, alpha);
  if (y.sizes() == self.sizes() || wants_gradient({self, a, b})) return y;
  TensorImpl& t = *self.impl();
  t.storage = y.storage();
  t.sizes = y.sizes();
  t.strides = y.strides();
  t.offset = y.offset();
  t.refresh();
  return self;
}

Tensor addr_of(const Tensor& self, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  check(a.dim() == 1 && b.dim() == 1, "addr: expected two vectors, got ", a.sizes(), " and ", b.sizes());
  const Sizes sizes{a.size(0), b.size(0)};
  check(broadcast(self.sizes(), sizes, "addr") == sizes, "addr: 'self' ", self.sizes(), " does not stretch to ", sizes);
  const Tensor operands[] = {self, a, b};
  const DType t = result_type(operands);
  check_factor("addr", "beta", beta, t);
  check_factor("addr", "alpha", alpha, t);
  const Tensor product = scaled(ops::outer(ops::to_dtype(a, t), ops::to_dtype(b, t)), alpha);
  const Tensor result = beta == Scalar(0) ? product : scaled(ops::to_dtype(self, t), beta) + product;
  return ops::to_dtype(result, t);
}

Tensor vecdot_of(const Tensor& x, const Tensor& y, int64_t dim) {
  check(is_differentiable(x.dtype()) && is_differentiable(y.dtype()),
        "linalg.vecdot: expected floating or complex tensors, got ", x.dtype(), " and ", y.dtype());
  return ops::sum(ops::conj(x) * y, IntList{dim});
}

// ---- the product over several dimensions ----

Tensor tensordot_of(const Tensor& a, const Tensor& b, const IntList& dims_a, const IntList& dims_b) {
  Tensor x = a, y = b;
  int64_t inner = 1;
  for (size_t i = 0; i < dims_a.size(); ++i) {  // a dimension of size 1 meets any other: that one is summed
    const int64_t n = a.size(dims_a[i]), m = b.size(dims_b[i]);
    check(n == m || n == 1 || m == 1, "tensordot: dimension ", Counting::shown(dims_a[i]), " of ", a.sizes(), " and ",
          Counting::shown(dims_b[i]), " of ", b.sizes(), " differ, ", n, " and ", m);
    if (n == 1 && m != 1) y = ops::sum(y, IntList{dims_b[i]}, true, y.dtype());
    if (m == 1 && n != 1) x = ops::sum(x, IntList{dims_a[i]}, true, x.dtype());
    inner *= n == 1 || m == 1 ? 1 : n;
  }
  IntList order_a, order_b = dims_b;
  Sizes sizes;
  for (int64_t d = 0; d < a.dim(); ++d)
    if (!dims_a.contains(d)) order_a.push_back(d), sizes.push_back(a.size(d));
  const int64_t rows = numel_of(sizes);
  for (const int64_t d : dims_a) order_a.push_back(d);
  int64_t columns = 1;
  for (int64_t d = 0; d < b.dim(); ++d)
    if (!dims_b.contains(d)) order_b.push_back(d), sizes.push_back(b.size(d)), columns *= b.size(d);
  const Tensor left = ops::reshape(ops::permute(x, order_a), {rows, inner});
  return ops::reshape(ops::mm(left, ops::reshape(ops::permute(y, order_b), {inner, columns})), sizes);
}

// Of two tensors; the schema can wrap the dimensions of one only.
IntList wrapped(const Tensor& x, const int64_t* dims, size_t count) {
  IntList from_0;
  for (size_t i = 0; i < count; ++i) {
    const int64_t d = dims[i], n = x.dim(), at = d < 0 ? d + n : d - Counting::base();
    check(at >= 0 && at < n, "tensordot: dim ", d, " is out of range for a tensor with ", n, " dimensions");
    check(!from_0.contains(at), "tensordot: dim ", d, " appears twice in the list");
    from_0.push_back(at);
  }
  return from_0;
}

Tensor along_lists(const Tensor& a, const Tensor& b, const IntList& dims) {
  const size_t count = dims.size() / 2;
  return tensordot_of(a, b, wrapped(a, dims.data(), count), wrapped(b, dims.data() + count, count));
}

Tensor last_with_first(const Tensor& a, const Tensor& b, int64_t count) {
  check(count >= 0 && count <= a.dim() && count <= b.dim(), "tensordot: ", count, " dimensions of ", a.sizes(), " and ",
        b.sizes(), " are wanted");
  IntList of_a, of_b;
  for (int64_t i = 0; i < count; ++i) of_a.push_back(a.dim() - count + i), of_b.push_back(i);
  return tensordot_of(a, b, of_a, of_b);
}

Tensor inner_of(const Tensor& a, const Tensor& b) {
  if (a.dim() == 0 || b.dim() == 0) return a * b;
  check(a.size(-1) == b.size(-1), "inner: the last dimensions of ", a.sizes(), " and ", b.sizes(), " differ, ",
        a.size(-1), " and ", b.size(-1));
  return tensordot_of(a, b, {a.dim() - 1}, {b.dim() - 1});
}

// [a1, 1, a2, 1 ...] times [1, b1, 1, b2 ...]: each dimension of the result is a pair.
Tensor kron_of(const Tensor& a, const Tensor& b) {
  const int64_t rank = std::max(a.dim(), b.dim());
  Sizes of_a, of_b, sizes;
  for (int64_t d = 0; d < rank; ++d) {
    const int64_t i = d - (rank - a.dim()), j = d - (rank - b.dim());
    const int64_t n = i < 0 ? 1 : a.size(i), m = j < 0 ? 1 : b.size(j);
    of_a.push_back(n), of_a.push_back(1), of_b.push_back(1), of_b.push_back(m);
    int64_t size = 0;
    check(!__builtin_mul_overflow(n, m, &size), "kron: ", a.sizes(), " and ", b.sizes(), " give too many elements");
    sizes.push_back(size);
  }
  return ops::reshape(ops::reshape(a, of_a) * ops::reshape(b, of_b), sizes);
}

// ---- cross products ----

Tensor cross_forward(Out& out, const Tensor& a, const Tensor& b, int64_t dim) {
  check(a.dim() == b.dim(), "linalg.cross: both need as many dimensions, got ", a.sizes(), " and ", b.sizes());
  check(a.dim() > 0 && a.size(dim) == 3 && b.size(dim) == 3, "linalg.cross: dimension ", Counting::shown(dim), " of ",
        a.sizes(), " and ", b.sizes(), " must have size 3");
  const Sizes sizes = broadcast(a.sizes(), b.sizes(), "linalg.cross");
  const Tensor operands[] = {a, b};
  const DType t = result_type(operands);
  check(t != DType::Bool, "linalg.cross: bool vectors have no cross product");
  const Tensor y = out.make(sizes, t);
  slots::cross(y, converted(a, t).expanded(sizes), converted(b, t).expanded(sizes), dim);
  return y;
}

Tensor cross_of(const Tensor& a, const Tensor& b, const OptInt& dim) {
  if (dim) return ops::linalg_cross(a, b, *dim);
  for (int64_t d = 0; d < a.dim(); ++d)
    if (a.size(d) == 3) return ops::linalg_cross(a, b, d);
  fail("cross: no dimension of ", a.sizes(), " has size 3");
}

// ---- chains of matrices ----

// The cheapest order of multiplication (Cormen et al., ch. 15.2): split[i][j] is where the product i..j is divided.
class Chain {
 public:
  explicit Chain(const Tensors& matrices) : matrices_(matrices), n_(matrices.size()), split_(n_ * n_) {
    std::vector<double> cost(n_ * n_, 0);
    for (size_t length = 1; length < n_; ++length)
      for (size_t i = 0; i + length < n_; ++i) choose(cost, i, i + length);
  }
  Tensor product(size_t i, size_t j) const {
    if (i == j) return matrices_[i];
    const size_t k = split_[i * n_ + j];
    return ops::mm(product(i, k), product(k + 1, j));
  }

 private:
  void choose(std::vector<double>& cost, size_t i, size_t j) {
    double best = std::numeric_limits<double>::infinity();
    for (size_t k = i; k < j; ++k) {
      const double flops = static_cast<double>(matrices_[i].size(0)) * static_cast<double>(matrices_[k].size(1)) *
                           static_cast<double>(matrices_[j].size(1));
      const double total = cost[i * n_ + k] + cost[(k + 1) * n_ + j] + flops;
      if (total >= best) continue;
      best = total;
      split_[i * n_ + j] = k;
    }
    cost[i * n_ + j] = best;
  }

  const Tensors& matrices_;
  size_t n_;
  std::vector<size_t> split_;
};

Tensor chained(const char* name, const Tensors& matrices) {
  constexpr size_t kMost = 1000;  // the table of costs is its square, its depth the recursion's
  check(matrices.size() <= kMost, name, ": at most ", kMost, " matrices, got ", matrices.size());
  for (size_t i = 0; i < matrices.size(); ++i) {
    check(matrices[i].dim() == 2, name, ": tensor ", Counting::shown(static_cast<int64_t>(i)),
          " must be a matrix, got ", matrices[i].sizes());
    check(i == 0 || matrices[i - 1].size(1) == matrices[i].size(0), name, ": matrix ",
          Counting::shown(static_cast<int64_t>(i)), ' ', matrices[i].sizes(), " does not fit behind ",
          matrices[i == 0 ? 0 : i - 1].sizes());
  }
  return Chain(matrices).product(0, matrices.size() - 1);
}

Tensor multi_dot_of(const Tensors& tensors) {
  const char* name = "linalg.multi_dot";
  check(tensors.size() >= 2, name, ": expected at least two tensors, got ", tensors.size());
  Tensors matrices = tensors;
  const bool row = tensors.front().dim() == 1, column = tensors.back().dim() == 1;
  if (row) matrices.front() = ops::unsqueeze(tensors.front(), 0);
  if (column) matrices.back() = ops::unsqueeze(tensors.back(), 1);
  Tensor y = chained(name, matrices);
  if (column) y = ops::select(y, 1, 0);
  return row ? ops::select(y, 0, 0) : y;
}

}  // namespace

void define_product(const Family& define) {
  define("addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor")
      .doc(
          "`beta * self + alpha * (batch1 @ batch2):sum(1)`: the products of a batch added up; with beta = 0 `self` is "
          "not "
          "looked at.")
      .example("torch.addbmm(torch.zeros(2, 2), torch.ones(4, 2, 3), torch.ones(4, 3, 2))")
      .compose(addbmm_of);
  define("addbmm_(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor")
      .doc("addbmm in place.")
      .example("torch.zeros(2, 2):addbmm_(torch.ones(4, 2, 3), torch.ones(4, 3, 2))")
      .compose(addbmm_in_place);
  define("addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor")
      .doc("`beta * self + alpha * outer(vec1, vec2)`; with beta = 0 `self` is not looked at.")
      .example("torch.addr(torch.zeros(2, 3), torch.tensor{1, 2}, torch.tensor{1, 10, 100})")
      .compose(addr_of);
  define("linalg.vecdot(Tensor x, Tensor y, *, Dim dim=-1) -> Tensor")
      .doc("Sums of `conj(x) * y` along a dimension; batches broadcast.")
      .example("torch.linalg.vecdot(torch.tensor{{1, 2}, {3, 4}}, torch.tensor{1, 10})")
      .compose(vecdot_of);
  define("inner(Tensor self, Tensor other) -> Tensor")
      .doc(
          "Products summed over the last dimensions of both: [..., K] and [*, K] give [..., *]; numbers are "
          "multiplied.")
      .example("torch.inner(torch.tensor{{1, 2}, {3, 4}}, torch.tensor{1, 10})")
      .compose(inner_of);
  define("tensordot(Tensor self, Tensor other, int dims=2) -> Tensor")
      .doc(
          "Products summed over dimensions of both tensors: the last `dims` of one with the first of the other, or the "
          "two "
          "lists of dimensions in `dims`. The result has the dimensions left, those of `self` first.")
      .example("torch.tensordot(torch.ones(2, 3), torch.ones(3, 2), {dims={{2, 1}, {1, 2}}})")
      .compose(last_with_first);
  define("tensordot:dims(Tensor self, Tensor other, int[][2] dims) -> Tensor").compose(along_lists);
  define("kron(Tensor self, Tensor other) -> Tensor")
      .doc("Kronecker's product: each element of `self` times all of `other`, as blocks.")
      .example("torch.kron(torch.eye(2), torch.tensor{{1, 2}, {3, 4}})")
      .compose(kron_of);
  define(ops::linalg_cross, "linalg.cross(Tensor self, Tensor other, *, Dim dim=-1) -> Tensor")
      .doc("Cross products of vectors with three elements along `dim`; the other dimensions broadcast.")
      .example("torch.linalg.cross(torch.tensor{1, 0, 0}, torch.tensor{0, 1, 0})")
      .forward(cross_forward)
      .grad("self", [](Tensor g, Meta, Tensor b, int64_t dim) { return ops::linalg_cross(ops::conj(b), g, dim); })
      .grad("other", [](Tensor g, Tensor a, Meta, int64_t dim) { return ops::linalg_cross(g, ops::conj(a), dim); });
  define("cross(Tensor self, Tensor other, Dim? dim=None) -> Tensor")
      .doc("As linalg.cross, by default along the first dimension of size 3.")
      .example("torch.cross(torch.tensor{1, 0, 0}, torch.tensor{0, 1, 0})")
      .compose(cross_of);
  define("linalg.multi_dot(Tensor[] tensors) -> Tensor")
      .doc("The product of two or more matrices in the order that costs least; the first and the last may be vectors.")
      .example("torch.linalg.multi_dot{torch.randn(2, 3), torch.randn(3, 4), torch.randn(4)}")
      .compose(multi_dot_of);
  define("chain_matmul(Tensor[]... matrices) -> Tensor")
      .doc("The product of matrices in the order that costs least. See linalg.multi_dot.")
      .example("torch.chain_matmul(torch.randn(2, 3), torch.randn(3, 4), torch.randn(4, 5)).shape")
      .compose([](const Tensors& matrices) {
        check(!matrices.empty(), "chain_matmul: expected at least one matrix");
        return chained("chain_matmul", matrices);
      });
}

}  // namespace facula
