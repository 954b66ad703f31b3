// Comparisons, logic, and choosing by a condition.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/promotion.h"
#include "core/slots.h"

namespace facula {
namespace {

Tensor where_forward(Out& out, Tensor condition, Tensor x, Tensor y) {
  check(condition.dtype() == DType::Bool, "where: the condition must be bool, got ", condition.dtype());
  Tensor values[] = {x, y};
  const DType dtype = result_type(values);
  const Sizes sizes = broadcast(broadcast(x.sizes(), y.sizes(), "where"), condition.sizes(), "where");
  const Tensor r = out.make(sizes, dtype);
  auto brought = [&](const Tensor& t, DType as) {
    const Tensor same = converted(moved(t, r.device()), as);
    return same.sizes() == sizes ? same : same.expanded(sizes);
  };
  const Tensor inputs[] = {brought(condition, DType::Bool), brought(x, dtype), brought(y, dtype)};
  slots::where(r, inputs, ScalarSpan());
  return r;
}

// Where both are equal, each gets half.
Tensor larger_gradient(Tensor g, Tensor x, Tensor y) {
  return ops::where(ops::eq(x, y), g / 2, ops::where(ops::gt(x, y), g, 0));
}
Tensor smaller_gradient(Tensor g, Tensor x, Tensor y) { return larger_gradient(g, y, x); }

bool equal(const Tensor& x, const Tensor& y) {
  check(x.device() == y.device(), "equal: tensors are on different devices, ", x.device(), " and ", y.device());
  if (!(x.sizes() == y.sizes())) return false;
  NoGrad guard;
  return item(ops::all(ops::eq(x, y))).to<bool>();
}

// |x - y| <= atol + rtol * |y|, and infinities by equality.
Tensor isclose(const Tensor& x, const Tensor& y, double rtol, double atol, bool equal_nan) {
  check(x.dtype() == y.dtype(), "isclose: dtypes differ, ", x.dtype(), " and ", y.dtype());
  check(rtol >= 0 && atol >= 0, "isclose: rtol and atol must not be negative, got ", rtol, " and ", atol);
  NoGrad guard;
  Tensor close = ops::eq(x, y);
  if (equal_nan && is_differentiable(x.dtype()))
    close = ops::logical_or(close, ops::logical_and(ops::isnan(x), ops::isnan(y)));
  if (rtol == 0 && atol == 0) return close;
  const bool integral = is_integral(x.dtype(), true);
  const Tensor a = integral ? ops::to_dtype(x, DType::Float64) : x, b = integral ? ops::to_dtype(y, DType::Float64) : y;
  const Tensor allowed = ops::abs(b) * rtol + atol, difference = ops::abs(a - b);
  const Tensor finite = ops::lt(difference, std::numeric_limits<double>::infinity());
  return ops::logical_or(close, ops::logical_and(finite, ops::le(difference, allowed)));
}

Tensor masked_fill_forward(Out& out, const Tensor& x, const Tensor& mask, const Tensor& value) {
  check(mask.dtype() == DType::Bool, "masked_fill: the mask must be bool, got ", mask.dtype());
  check(value.dim() == 0, "masked_fill: the value must be a number or a tensor without dimensions, got sizes ",
        value.sizes());
  const Sizes sizes = broadcast(x.sizes(), mask.sizes(), "masked_fill");
  check(!is_complex(value.dtype()) || is_complex(x.dtype()), "masked_fill: a complex value cannot be put into ",
        x.dtype());
  const Tensor y = out.make(sizes, x.dtype());
  auto stretched = [&](const Tensor& t) { return t.sizes() == sizes ? t : t.expanded(sizes); };
  const Tensor inputs[] = {stretched(mask), stretched(converted(moved(value, y.device()), x.dtype())), stretched(x)};
  slots::where(y, inputs, ScalarSpan());
  return y;
}

}  // namespace

void define_compare(const Family& define) {
  define(ops::eq, "eq(Tensor self, Operand other) -> Tensor")
      .doc("`self == other`, as bool.")
      .example("torch.tensor{1, 2, 3}:eq(2)")
      .pointwise(slots::eq, kPredicate);
  define(ops::ne, "ne(Tensor self, Operand other) -> Tensor")
      .doc("`self ~= other`, as bool.")
      .example("torch.tensor{1, 2, 3}:ne(2)")
      .alias("not_equal")
      .pointwise(slots::ne, kPredicate);
  define(ops::lt, "lt(Tensor self, Operand other) -> Tensor")
      .doc("`self < other`, as bool.")
      .example("torch.tensor{1, 2, 3}:lt(2)")
      .alias("less")
      .pointwise(slots::lt, kOrder);
  define(ops::le, "le(Tensor self, Operand other) -> Tensor")
      .doc("`self <= other`, as bool.")
      .example("torch.tensor{1, 2, 3}:le(2)")
      .alias("less_equal")
      .pointwise(slots::le, kOrder);
  define(ops::gt, "gt(Tensor self, Operand other) -> Tensor")
      .doc("`self > other`, as bool.")
      .example("torch.tensor{1, 2, 3}:gt(2)")
      .alias("greater")
      .pointwise(slots::gt, kOrder);
  define(ops::ge, "ge(Tensor self, Operand other) -> Tensor")
      .doc("`self >= other`, as bool.")
      .example("torch.tensor{1, 2, 3}:ge(2)")
      .alias("greater_equal")
      .pointwise(slots::ge, kOrder);

  define(ops::maximum, "maximum(Tensor self, Tensor other) -> Tensor")
      .doc("The larger of two numbers, element by element; NaN wins.")
      .example("torch.maximum(torch.tensor{1, 5}, torch.tensor{4, 2})")
      .pointwise(slots::maximum, kReal)
      .grad("self", larger_gradient)
      .grad("other", [](Tensor g, Tensor x, Tensor y) { return larger_gradient(g, y, x); });
  define(ops::minimum, "minimum(Tensor self, Tensor other) -> Tensor")
      .doc("The smaller of two numbers, element by element; NaN wins.")
      .example("torch.minimum(torch.tensor{1, 5}, torch.tensor{4, 2})")
      .pointwise(slots::minimum, kReal)
      .grad("self", smaller_gradient)
      .grad("other", [](Tensor g, Tensor x, Tensor y) { return smaller_gradient(g, y, x); });
  define("fmax(Tensor self, Tensor other) -> Tensor")
      .doc("The larger of two numbers, element by element; a number wins over NaN.")
      .example("torch.fmax(torch.tensor{1, 0 / 0}, torch.tensor{2, 3})")
      .pointwise(slots::fmax, kReal)
      .grad("self", [](Tensor g, Tensor x,
                       Tensor y) { return ops::where(ops::logical_or(ops::ge(x, y), ops::isnan(y)), g, 0); })
      .grad("other", [](Tensor g, Tensor x, Tensor y) {
        return ops::where(ops::logical_or(ops::ge(x, y), ops::isnan(y)), 0, g);
      });
  define("fmin(Tensor self, Tensor other) -> Tensor")
      .doc("The smaller of two numbers, element by element; a number wins over NaN.")
      .example("torch.fmin(torch.tensor{1, 0 / 0}, torch.tensor{2, 3})")
      .pointwise(slots::fmin, kReal)
      .grad("self", [](Tensor g, Tensor x,
                       Tensor y) { return ops::where(ops::logical_or(ops::le(x, y), ops::isnan(y)), g, 0); })
      .grad("other", [](Tensor g, Tensor x, Tensor y) {
        return ops::where(ops::logical_or(ops::le(x, y), ops::isnan(y)), 0, g);
      });

  define(ops::logical_not, "logical_not(Tensor self) -> Tensor")
      .doc("True where `self` is zero.")
      .example("torch.logical_not(torch.tensor{0, 1, -2})")
      .pointwise(slots::logical_not, kPredicate);
  define(ops::logical_and, "logical_and(Tensor self, Tensor other) -> Tensor")
      .doc("True where both are not zero.")
      .example("torch.logical_and(torch.tensor{true, true, false}, torch.tensor{true, false, false})")
      .pointwise(slots::logical_and, kPredicate);
  define(ops::logical_or, "logical_or(Tensor self, Tensor other) -> Tensor")
      .doc("True where one is not zero.")
      .example("torch.logical_or(torch.tensor{true, true, false}, torch.tensor{true, false, false})")
      .pointwise(slots::logical_or, kPredicate);
  define("logical_xor(Tensor self, Tensor other) -> Tensor")
      .doc("True where exactly one is not zero.")
      .example("torch.logical_xor(torch.tensor{true, true, false}, torch.tensor{true, false, false})")
      .pointwise(slots::logical_xor, kPredicate);
  define("bitwise_not(Tensor self) -> Tensor")
      .doc("All bits turned over; of bool, not.")
      .example("torch.bitwise_not(torch.tensor{0, 1, -8}:long())")
      .pointwise(slots::bitwise_not, kBits);
  define("bitwise_and(Tensor self, Operand other) -> Tensor")
      .doc("Bits set in both.")
      .example("torch.bitwise_and(torch.tensor{12, 10}:long(), 6)")
      .pointwise(slots::bitwise_and, kBits);
  define("bitwise_or(Tensor self, Operand other) -> Tensor")
      .doc("Bits set in one or both.")
      .example("torch.bitwise_or(torch.tensor{12, 10}:long(), 6)")
      .pointwise(slots::bitwise_or, kBits);
  define("bitwise_xor(Tensor self, Operand other) -> Tensor")
      .doc("Bits set in exactly one.")
      .example("torch.bitwise_xor(torch.tensor{12, 10}:long(), 6)")
      .pointwise(slots::bitwise_xor, kBits);
  define("bitwise_left_shift(Operand self, Operand other) -> Tensor")
      .doc(
          "The bits of `self` moved up by `other` places: `self * 2^other`, wrapped. Beyond the width nothing is left.")
      .example("torch.bitwise_left_shift(torch.tensor{1, 3}:long(), 4)")
      .pointwise(slots::bitwise_left_shift, kInteger);
  define("bitwise_right_shift(Operand self, Operand other) -> Tensor")
      .doc("The bits of `self` moved down by `other` places: `self / 2^other` rounded down.")
      .example("torch.bitwise_right_shift(torch.tensor{16, 48}:long(), 4)")
      .pointwise(slots::bitwise_right_shift, kInteger);
  define(ops::isnan, "isnan(Tensor self) -> Tensor")
      .doc("True where `self` is not a number.")
      .example("torch.isnan(torch.tensor{1, 1 / 0, 0 / 0})")
      .pointwise(slots::isnan, kPredicate);
  define("isinf(Tensor self) -> Tensor")
      .doc("True where `self` is infinite.")
      .example("torch.isinf(torch.tensor{1, -1 / 0, 0 / 0})")
      .pointwise(slots::isinf, kPredicate);
  define("isposinf(Tensor self) -> Tensor")
      .doc("True where `self` is infinity.")
      .example("torch.isposinf(torch.tensor{1, -1 / 0, 1 / 0})")
      .compose([](const Tensor& x) {
        check(!is_complex(x.dtype()), "isposinf: expected real numbers, got ", x.dtype());
        return ops::eq(x, std::numeric_limits<double>::infinity());
      });
  define("isneginf(Tensor self) -> Tensor")
      .doc("True where `self` is minus infinity.")
      .example("torch.isneginf(torch.tensor{1, -1 / 0, 1 / 0})")
      .compose([](const Tensor& x) {
        check(!is_complex(x.dtype()), "isneginf: expected real numbers, got ", x.dtype());
        return ops::eq(x, -std::numeric_limits<double>::infinity());
      });
  define("isreal(Tensor self) -> Tensor")
      .doc("True where `self` has no imaginary part.")
      .example("torch.isreal(torch.complex(torch.tensor{1, 2}, torch.tensor{0, -1}))")
      .compose([](const Tensor& x) {
        if (is_complex(x.dtype())) return ops::eq(ops::imag(x), 0);
        return ops::ones_like(x, DType::Bool);
      });
  define("signbit(Tensor self) -> Tensor")
      .doc("True where `self` has its sign set: below zero, or -0.")
      .example("torch.signbit(torch.tensor{-3, -0.0, 2})")
      .pointwise(slots::signbit, kOrder);
  define(ops::isfinite, "isfinite(Tensor self) -> Tensor")
      .doc("True where `self` is finite.")
      .example("torch.isfinite(torch.tensor{1, 1 / 0, 0 / 0})")
      .pointwise(slots::isfinite, kPredicate);

  define(ops::where, "where(Tensor condition, Operand self, Operand other) -> Tensor")
      .doc("`self` where the condition holds, `other` elsewhere. Of a condition alone: the positions where it holds.")
      .example("torch.where(torch.tensor{true, false}, torch.tensor{1, 2}, 0)")
      .elementwise(where_forward)
      .grad("self", [](Tensor g, Tensor c) { return ops::where(c, g, 0); })
      .grad("other", [](Tensor g, Tensor c) { return ops::where(c, 0, g); });
  define("Tensor.where(Tensor self, Tensor condition, Operand other) -> Tensor")
      .doc("`self` where the condition holds, `other` elsewhere: `torch.where(condition, self, other)`.")
      .example("torch.tensor{1, -2, 3}:where(torch.tensor{true, false, true}, 0)")
      .compose([](const Tensor& x, const Tensor& condition, const Tensor& y) { return ops::where(condition, x, y); });
  define("where:positions(Tensor condition) -> Tensor[]").compose([](const Tensor& c) {
    Tensors columns;
    const Tensor rows = ops::nonzero(c.dim() == 0 ? ops::unsqueeze(c, 0) : c);
    for (int64_t d = 0; d < rows.size(1); ++d) columns.push_back(ops::select(rows, 1, d));
    return columns;
  });
  define(ops::masked_fill, "masked_fill(Tensor self, Tensor mask, Operand value) -> Tensor")
      .doc("`value` where the mask holds, `self` elsewhere.")
      .example("torch.tensor{1, 2, 3}:masked_fill(torch.tensor{true, false, true}, 0)")
      .elementwise(masked_fill_forward)
      .grad("self", [](Tensor g, Meta, Tensor mask) { return ops::masked_fill(g, mask, 0); })
      .grad("value", [](Tensor g, Meta, Tensor mask) { return ops::sum(ops::where(mask, g, 0)); });

  define("equal(Tensor self, Tensor other) -> bool")
      .doc("Have both equal sizes and elements?")
      .example("torch.equal(torch.tensor{1, 2}, torch.tensor{1, 2})")
      .forward(equal);
  define("isclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> Tensor")
      .doc("`|self - other| <= atol + rtol * |other|`, element by element.")
      .example("torch.isclose(torch.tensor{1, 2}, torch.tensor{1, 2.1})")
      .compose(isclose);
  define("allclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> bool")
      .doc("Are all elements close? See isclose.")
      .example("torch.allclose(torch.tensor{1, 2}, torch.tensor{1, 2.00001})")
      .compose([](const Tensor& x, const Tensor& y, double rtol, double atol, bool equal_nan) {
        return item(ops::all(isclose(x, y, rtol, atol, equal_nan))).to<bool>();
      });
}

}  // namespace facula
