// Products of matrices and vectors, all of them one batched product underneath.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

void check_operands(const char* name, const Tensor& a, int64_t rank_a, const Tensor& b, int64_t rank_b) {
  check(a.dim() == rank_a && b.dim() == rank_b, name, ": expected ", rank_a, " and ", rank_b, " dimensions, got ",
        a.sizes(), " and ", b.sizes());
  check(a.dtype() == b.dtype(), name, ": dtypes differ, ", a.dtype(), " and ", b.dtype());
  check(a.dtype() != DType::Bool, name, ": bool tensors cannot be multiplied");
}

Tensor batched(const Tensor& m) {
  IntList strides = m.strides();
  strides.insert(0, 0);
  Sizes sizes = m.sizes();
  sizes.insert(0, 1);
  return m.alias(sizes, strides, m.offset());
}
// [n] as [1, n, 1]
Tensor column(const Tensor& v) { return v.alias({1, v.size(0), 1}, {0, v.stride(0), 1}, v.offset()); }

Tensor mm_forward(Out& out, const Tensor& a, const Tensor& b) {
  check_operands("mm", a, 2, b, 2);
  check(a.size(1) == b.size(0), "mm: ", a.sizes(), " has ", a.size(1), " columns, ", b.sizes(), " has ", b.size(0),
        " rows");
  const Tensor y = out.make({a.size(0), b.size(1)}, a.dtype());
  slots::bmm(batched(y), batched(a), batched(b), 1, 0);
  return y;
}

Tensor bmm_forward(Out& out, const Tensor& a, const Tensor& b) {
  check_operands("bmm", a, 3, b, 3);
  check(a.size(0) == b.size(0) && a.size(2) == b.size(1), "bmm: ", a.sizes(), " and ", b.sizes(),
        " do not match: expected (B, M, K) and (B, K, N)");
  const Tensor y = out.make({a.size(0), a.size(1), b.size(2)}, a.dtype());
  slots::bmm(y, a, b, 1, 0);
  return y;
}

Tensor mv_forward(Out& out, const Tensor& a, const Tensor& v) {
  check_operands("mv", a, 2, v, 1);
  check(a.size(1) == v.size(0), "mv: ", a.sizes(), " has ", a.size(1), " columns, the vector ", v.size(0), " elements");
  const Tensor y = out.make({a.size(0)}, a.dtype());
  slots::bmm(column(y), batched(a), column(v), 1, 0);
  return y;
}

Tensor dot_forward(Out& out, const Tensor& a, const Tensor& b) {
  check_operands("dot", a, 1, b, 1);
  check(a.size(0) == b.size(0), "dot: ", a.size(0), " and ", b.size(0), " elements");
  const Tensor y = out.make({}, a.dtype());
  slots::dot(y, a, b);
  return y;
}

/// beta * self + alpha * product, self stretched to the product's sizes.
Tensor start_from(Out& out, const char* name, const Tensor& self, const Sizes& sizes, DType dtype, const Scalar& beta) {
  check(self.dtype() == dtype, name, ": dtypes differ, ", self.dtype(), " and ", dtype);
  check(broadcast(self.sizes(), sizes, name) == sizes, name, ": 'self' ", self.sizes(), " does not stretch to ", sizes);
  const Tensor y = out.make(sizes, dtype);
  if (!(beta == Scalar(0)) && !y.is(self)) slots::copy(y, self.sizes() == sizes ? self : self.expanded(sizes));
  return y;
}

Tensor addmm_forward(Out& out, const Tensor& self, const Tensor& a, const Tensor& b, const Scalar& beta,
                     const Scalar& alpha) {
  check_operands("addmm", a, 2, b, 2);
  check(a.size(1) == b.size(0), "addmm: ", a.sizes(), " has ", a.size(1), " columns, ", b.sizes(), " has ", b.size(0),
        " rows");
  const Tensor y = start_from(out, "addmm", self, {a.size(0), b.size(1)}, a.dtype(), beta);
  slots::bmm(batched(y), batched(a), batched(b), alpha, beta);
  return y;
}

Tensor baddbmm_forward(Out& out, const Tensor& self, const Tensor& a, const Tensor& b, const Scalar& beta,
                       const Scalar& alpha) {
  check_operands("baddbmm", a, 3, b, 3);
  check(a.size(0) == b.size(0) && a.size(2) == b.size(1), "baddbmm: ", a.sizes(), " and ", b.sizes(),
        " do not match: expected (B, M, K) and (B, K, N)");
  const Tensor y = start_from(out, "baddbmm", self, {a.size(0), a.size(1), b.size(2)}, a.dtype(), beta);
  slots::bmm(y, a, b, alpha, beta);
  return y;
}

Tensor addmv_forward(Out& out, const Tensor& self, const Tensor& a, const Tensor& v, const Scalar& beta,
                     const Scalar& alpha) {
  check_operands("addmv", a, 2, v, 1);
  check(a.size(1) == v.size(0), "addmv: ", a.sizes(), " has ", a.size(1), " columns, the vector ", v.size(0),
        " elements");
  const Tensor y = start_from(out, "addmv", self, {a.size(0)}, a.dtype(), beta);
  slots::bmm(column(y), batched(a), column(v), alpha, beta);
  return y;
}

Tensor adjoint(const Tensor& m) { return ops::conj(ops::transpose(m, -2, -1)); }
// The gradient of b in y = a b, laid out as b is: that of a transposed weight is then the weight's own, dense.
Tensor right_gradient(const Tensor& g, const Tensor& a, const Meta& b) {
  const bool by_columns = b.strides[0] == 1 && b.strides[1] != 1;
  return by_columns ? ops::t(ops::mm(ops::t(g), ops::conj(a))) : ops::mm(adjoint(a), g);
}

Tensor scaled(Tensor g, const Scalar& by) {
  if (by == Scalar(1)) return g;
  return g * (by.is_complex() ? Scalar(std::conj(by.to<complex128>())) : by);
}

// The cases of torch.matmul by rank; more than two dimensions are a batch, broadcast.
Tensor matmul_of(const Tensor& a, const Tensor& b) {
  const int64_t ra = a.dim(), rb = b.dim();
  check(ra > 0 && rb > 0, "matmul: both need at least one dimension, got ", a.sizes(), " and ", b.sizes());
  if (ra == 1 && rb == 1) return ops::dot(a, b);
  if (ra == 2 && rb == 1) return ops::mv(a, b);
  if (ra == 1 && rb == 2) return ops::squeeze(ops::mm(ops::unsqueeze(a, 0), b));
  if (ra == 2 && rb == 2) return ops::mm(a, b);
  const int64_t inner_a = a.size(-1), inner_b = rb == 1 ? b.size(0) : b.size(-2);
  check(inner_a == inner_b, "matmul: ", a.sizes(), " and ", b.sizes(), " do not match, ", inner_a, " against ",
        inner_b);
  if (rb <= 2 && ra >= 3) {  // one matrix for all rows of a
    Sizes sizes(a.sizes().begin(), a.sizes().end() - 1);
    const Tensor rows = ops::reshape(a, {numel_of(sizes), inner_a});
    if (rb == 2) sizes.push_back(b.size(1));
    return ops::reshape(rb == 1 ? ops::mv(rows, b) : ops::mm(rows, b), sizes);
  }
  const Tensor x = ra == 1 ? ops::unsqueeze(a, 0) : a, y = rb == 1 ? ops::unsqueeze(b, 1) : b;
  const Sizes batch_x(x.sizes().begin(), x.sizes().end() - 2), batch_y(y.sizes().begin(), y.sizes().end() - 2);
  Sizes sizes = broadcast(batch_x, batch_y, "matmul");
  const int64_t batch = numel_of(sizes), m = x.size(-2), k = x.size(-1), n = y.size(-1);
  auto stretched = [&](const Tensor& t, int64_t rows, int64_t columns) {
    Sizes full = sizes;
    full.push_back(rows), full.push_back(columns);
    return ops::reshape(ops::expand(t, full), {batch, rows, columns});
  };
  const Tensor product = ops::bmm(stretched(x, m, k), stretched(y, k, n));
  if (ra > 1) sizes.push_back(m);
  if (rb > 1) sizes.push_back(n);
  return ops::reshape(product, sizes);
}

Tensor linear_of(const Tensor& x, const Tensor& w, const Tensor& bias) {
  check(w.dim() == 2 || w.dim() == 1, "linear: the weight must have 1 or 2 dimensions, got ", w.sizes());
  check(x.dim() > 0 && x.size(-1) == w.size(-1), "linear: input ", x.sizes(), " has ", x.dim() ? x.size(-1) : 0,
        " features, weight ", w.sizes(), " expects ", w.size(-1));
  if (w.dim() == 1) {
    const Tensor y = ops::matmul(x, w);
    return bias.defined() ? y + bias : y;
  }
  const Tensor wt = ops::t(w);
  if (x.dim() == 2) return bias.defined() ? ops::addmm(bias, x, wt) : ops::mm(x, wt);
  Sizes sizes(x.sizes().begin(), x.sizes().end() - 1);
  const Tensor rows = ops::reshape(x, {numel_of(sizes), x.size(-1)});
  sizes.push_back(w.size(0));
  return ops::reshape(bias.defined() ? ops::addmm(bias, rows, wt) : ops::mm(rows, wt), sizes);
}

}  // namespace

void define_linalg(const Family& define) {
  define(ops::mm, "mm(Tensor self, Tensor mat2) -> Tensor")
      .doc("Product of two matrices, [M, K] and [K, N].")
      .example("torch.mm(torch.tensor{{1, 2}, {3, 4}}, torch.tensor{{1}, {10}})")
      .forward(mm_forward)
      .grad("self", [](Tensor g, Meta, Tensor b) { return ops::mm(g, adjoint(b)); })
      .grad("mat2", [](Tensor g, Tensor a, Meta b) { return right_gradient(g, a, b); });
  define(ops::bmm, "bmm(Tensor self, Tensor mat2) -> Tensor")
      .doc("Products of matrices in a batch, [B, M, K] and [B, K, N].")
      .example("torch.bmm(torch.randn(10, 2, 3), torch.randn(10, 3, 4)).shape")
      .forward(bmm_forward)
      .grad("self", [](Tensor g, Meta, Tensor b) { return ops::bmm(g, adjoint(b)); })
      .grad("mat2", [](Tensor g, Tensor a) { return ops::bmm(adjoint(a), g); });
  define(ops::mv, "mv(Tensor self, Tensor vec) -> Tensor")
      .doc("Product of a matrix [M, K] and a vector [K].")
      .example("torch.mv(torch.tensor{{1, 2}, {3, 4}}, torch.tensor{1, 10})")
      .forward(mv_forward)
      .grad("self", [](Tensor g, Meta, Tensor v) { return ops::outer(g, ops::conj(v)); })
      .grad("vec", [](Tensor g, Tensor a) { return ops::mv(adjoint(a), g); });
  define(ops::dot, "dot(Tensor self, Tensor tensor) -> Tensor")
      .doc("Sum of the products of two vectors' elements.")
      .example("torch.dot(torch.tensor{1, 2, 3}, torch.tensor{4, 5, 6})")
      .forward(dot_forward)
      .grad("self", [](Tensor g, Meta, Tensor b) { return g * ops::conj(b); })
      .grad("tensor", [](Tensor g, Tensor a) { return g * ops::conj(a); });
  define("vdot(Tensor self, Tensor other) -> Tensor")
      .doc("Sum of the products of two vectors' elements, the first conjugated.")
      .example("torch.vdot(torch.complex(torch.zeros(2), torch.ones(2)), torch.complex(torch.zeros(2), torch.ones(2)))")
      .compose([](const Tensor& a, const Tensor& b) { return ops::dot(ops::conj(a), b); });
  define(ops::outer, "outer(Tensor self, Tensor vec2) -> Tensor")
      .doc("All products of two vectors' elements, [N] and [M] to [N, M].")
      .example("torch.outer(torch.tensor{1, 2}, torch.tensor{1, 10, 100})")
      .alias("ger")
      .compose([](const Tensor& a, const Tensor& b) {
        check(a.dim() == 1 && b.dim() == 1, "outer: expected two vectors, got ", a.sizes(), " and ", b.sizes());
        return ops::unsqueeze(a, 1) * b;
      });
  define(ops::matmul, "matmul(Tensor self, Tensor other) -> Tensor")
      .doc("Product of vectors, matrices, or batches of matrices, by their dimensions; batches broadcast.")
      .example("torch.matmul(torch.tensor{{1, 2}, {3, 4}}, torch.tensor{1, 10})")
      .alias("linalg.matmul")
      .compose(matmul_of);
  define(ops::addmm, "addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor")
      .doc("`beta * self + alpha * mat1 @ mat2`; with beta = 0 `self` is not looked at.")
      .example("torch.addmm(torch.ones(2, 2), torch.tensor{{1, 2}, {3, 4}}, torch.eye(2), {beta=10})")
      .forward(addmm_forward)
      .grad("self", [](Tensor g, Meta, Meta, Meta, Scalar beta) { return scaled(g, beta); })
      .grad("mat1",
            [](Tensor g, Meta, Meta, Tensor b, Scalar, Scalar alpha) { return scaled(ops::mm(g, adjoint(b)), alpha); })
      .grad("mat2", [](Tensor g, Meta, Tensor a, Meta b, Scalar, Scalar alpha) {
        return scaled(right_gradient(g, a, b), alpha);
      });
  define("baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor")
      .doc("`beta * self + alpha * batch1 @ batch2` for batches of matrices.")
      .example("torch.baddbmm(torch.zeros(2, 1, 2), torch.ones(2, 1, 3), torch.ones(2, 3, 2))")
      .forward(baddbmm_forward)
      .grad("self", [](Tensor g, Meta, Meta, Meta, Scalar beta) { return scaled(g, beta); })
      .grad("batch1",
            [](Tensor g, Meta, Meta, Tensor b, Scalar, Scalar alpha) { return scaled(ops::bmm(g, adjoint(b)), alpha); })
      .grad("batch2", [](Tensor g, Meta, Tensor a, Meta, Scalar, Scalar alpha) {
        return scaled(ops::bmm(adjoint(a), g), alpha);
      });
  define("addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor")
      .doc("`beta * self + alpha * mat @ vec`.")
      .example("torch.addmv(torch.zeros(2), torch.tensor{{1, 2}, {3, 4}}, torch.tensor{1, 10})")
      .forward(addmv_forward)
      .grad("self", [](Tensor g, Meta, Meta, Meta, Scalar beta) { return scaled(g, beta); })
      .grad("mat", [](Tensor g, Meta, Meta, Tensor v, Scalar,
                      Scalar alpha) { return scaled(ops::outer(g, ops::conj(v)), alpha); })
      .grad("vec",
            [](Tensor g, Meta, Tensor a, Meta, Scalar, Scalar alpha) { return scaled(ops::mv(adjoint(a), g), alpha); });
  define(ops::linear, "nn.functional.linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor")
      .doc("`input @ weight^T + bias` over the last dimension of `input`; weight is [out_features, in_features].")
      .example("torch.nn.functional.linear(torch.randn(4, 3), torch.randn(2, 3), torch.zeros(2))")
      .compose(linear_of);
}

}  // namespace facula
