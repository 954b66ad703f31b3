// + - * / and their relatives.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/promotion.h"
#include "core/slots.h"

namespace facula {
namespace {

// Division as PyTorch has it: true by default, rounded on request.
Tensor div_forward(Out& out, Tensor x, Tensor y, const OptString& rounding_mode) {
  Tensor inputs[] = {std::move(x), std::move(y)};
  if (!rounding_mode) return pointwise(out, "div", slots::div, kFloat, inputs);
  if (*rounding_mode == "floor") return pointwise(out, "div", slots::floor_divide, kReal, inputs);
  check(*rounding_mode == "trunc", "div: rounding_mode must be 'trunc' or 'floor', got '", *rounding_mode, "'");
  const DType compute = result_type(inputs);
  check(!is_complex(compute), "div: complex numbers cannot be rounded");
  if (!is_integral(compute, true)) {
    Tensor quotient[] = {ops::div(inputs[0], inputs[1])};
    return pointwise(out, "div", slots::trunc, kReal, quotient);
  }
  inputs[0] = ops::sub(inputs[0], ops::fmod(inputs[0], inputs[1]));  // a multiple of the divisor
  return pointwise(out, "div", slots::floor_divide, kReal, inputs);
}

Tensor sub_forward(Out& out, Tensor x, Tensor y, const Scalar& alpha) {
  Tensor inputs[] = {std::move(x), std::move(y)};
  check(inputs[0].dtype() != DType::Bool || inputs[1].dtype() != DType::Bool,
        "sub: bool tensors cannot be subtracted, use logical_xor or bitwise_xor");
  return pointwise(out, "sub", slots::sub, kNumber, inputs, {&alpha, 1});
}

Tensor pow_forward(Out& out, Tensor x, Tensor exponent) {
  Tensor inputs[] = {std::move(x), std::move(exponent)};
  const Tensor& e = inputs[1];
  if (e.impl()->is_number && is_integral(e.dtype()) && is_integral(inputs[0].dtype(), true))
    check(item(e).to<int64_t>() >= 0, "pow: integers to negative integer powers are not integers");
  return pointwise(out, "pow", slots::pow, kArithmetic, inputs);
}

// d/dx x^e, where e = 0 gives 0 even at x = 0.
Tensor pow_gradient(Tensor g, Tensor x, Tensor e) {
  const Tensor slope = g * ops::conj(e * ops::pow(x, e - 1));
  return ops::where(ops::eq(e, 0), ops::zeros_like(slope), slope);
}
// d/de x^e = x^e log x, where 0^e is constant for e > 0.
Tensor pow_exponent_gradient(Tensor g, Result y, Tensor x, Tensor e) {
  const Tensor slope = g * ops::conj(y * ops::log(x));
  const Tensor flat = ops::logical_and(ops::eq(x, 0), is_complex(e.dtype()) ? ops::eq(e, e) : ops::ge(e, 0));
  return ops::where(flat, ops::zeros_like(slope), slope);
}

}  // namespace

void define_arithmetic(const Family& define) {
  define(ops::add, "add(Operand self, Operand other, *, Scalar alpha=1) -> Tensor")
      .doc("`self + alpha * other`, element by element, with broadcasting and promotion.")
      .example("torch.add(torch.tensor{1, 2}, 10)")
      .pointwise(slots::add)
      .grad("self", [](Tensor g) { return g; })
      .grad("other", [](Tensor g, Meta, Meta, Scalar alpha) { return alpha == Scalar(1) ? g : g * alpha; });

  define(ops::sub, "sub(Operand self, Operand other, *, Scalar alpha=1) -> Tensor")
      .doc("`self - alpha * other`, element by element, with broadcasting and promotion.")
      .example("torch.sub(torch.tensor{1, 2}, 10)")
      .alias("subtract")
      .elementwise(sub_forward)
      .grad("self", [](Tensor g) { return g; })
      .grad("other", [](Tensor g, Meta, Meta, Scalar alpha) { return alpha == Scalar(1) ? -g : -(g * alpha); });

  define("rsub(Tensor self, Operand other, *, Scalar alpha=1) -> Tensor")
      .doc("`other - alpha * self`.")
      .example("torch.rsub(torch.tensor{1, 2}, 10)")
      .compose([](const Tensor& x, const Tensor& y, const Scalar& alpha) { return ops::sub(y, x, alpha); });

  define(ops::mul, "mul(Operand self, Operand other) -> Tensor")
      .doc("`self * other`, element by element, with broadcasting and promotion.")
      .example("torch.mul(torch.tensor{1, 2}, 10)")
      .alias("multiply")
      .pointwise(slots::mul)
      .grad("self", [](Tensor g, Meta, Tensor other) { return g * ops::conj(other); })
      .grad("other", [](Tensor g, Tensor x) { return g * ops::conj(x); });

  define(ops::div, "div(Operand self, Operand other, *, str? rounding_mode=None) -> Tensor")
      .doc("`self / other`, element by element. Integers give fractions, unless `rounding_mode` is 'floor' or 'trunc'.")
      .example("torch.div(torch.tensor{7, -7}, 2, {rounding_mode='floor'})")
      .alias("divide")
      .elementwise(div_forward)
      .grad("self",
            [](Tensor g, Meta x, Tensor other, OptString mode) { return mode ? x.zeros() : g / ops::conj(other); })
      .grad("other", [](Tensor g, Tensor x, Tensor y, OptString mode) {
        return mode ? Meta(y).zeros() : -(g * ops::conj(x / y / y));
      });

  define("true_divide(Operand self, Operand other) -> Tensor")
      .doc("`self / other`, element by element; integers give fractions.")
      .example("torch.true_divide(torch.tensor{7, -7}, 2)")
      .compose([](const Tensor& x, const Tensor& y) { return ops::div(x, y); });

  define("floor_divide(Operand self, Operand other) -> Tensor")
      .doc("`self / other` rounded down.")
      .example("torch.floor_divide(torch.tensor{7, -7}, 2)")
      .pointwise(slots::floor_divide, kReal);

  define("remainder(Operand self, Operand other) -> Tensor")
      .doc("What is left of `self / other` rounded down; it has the divisor's sign, as Lua's `%`.")
      .example("torch.remainder(torch.tensor{7, -7}, 3)")
      .pointwise(slots::remainder, kReal)
      .grad("self", [](Tensor g) { return g; })
      .grad("other", [](Tensor g, Tensor x, Tensor y) {
        return -(g * ops::div.all({x, y, "floor"}).tensor());
      });

  define(ops::fmod, "fmod(Operand self, Operand other) -> Tensor")
      .doc("What is left of `self / other` rounded to zero; it has the dividend's sign, as C's fmod.")
      .example("torch.fmod(torch.tensor{7, -7}, 3)")
      .pointwise(slots::fmod, kReal)
      .grad("self", [](Tensor g) { return g; })
      .grad("other", [](Tensor g, Tensor x, Tensor y) {
        return -(g * ops::div.all({x, y, "trunc"}).tensor());
      });

  define(ops::pow, "pow(Operand self, Operand exponent) -> Tensor")
      .doc("`self` to the power of `exponent`, element by element.")
      .example("torch.pow(torch.tensor{1, 2, 3}, 2)")
      .elementwise(pow_forward)
      .grad("self", pow_gradient)
      .grad("exponent", pow_exponent_gradient);

  define(ops::neg, "neg(Tensor self) -> Tensor")
      .doc("`-self`.")
      .example("torch.neg(torch.tensor{1, -2})")
      .alias("negative")
      .pointwise(slots::neg, kNumber)
      .grad("self", [](Tensor g) { return -g; });

  define("positive(Tensor self) -> Tensor")
      .doc("`self` itself.")
      .example("torch.positive(torch.tensor{1, -2})")
      .compose([](const Tensor& x) {
        check(x.dtype() != DType::Bool, "positive: expected numbers, got bool");
        return x;
      });

  define(ops::lerp, "lerp(Tensor self, Tensor end, Operand weight) -> Tensor")
      .doc("`self + weight * (end - self)`.")
      .example("torch.lerp(torch.tensor{0, 10}, torch.tensor{10, 20}, 0.25)")
      .pointwise(slots::lerp)
      .grad("self", [](Tensor g, Meta, Meta, Tensor w) { return g * ops::conj(ops::sub(1, w)); })
      .grad("end", [](Tensor g, Meta, Meta, Tensor w) { return g * ops::conj(w); })
      .grad("weight", [](Tensor g, Tensor x, Tensor end) { return g * ops::conj(end - x); });

  define("addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor")
      .doc("`self + value * tensor1 * tensor2`.")
      .example("torch.addcmul(torch.tensor{1, 2}, torch.tensor{3, 4}, torch.tensor{5, 6}, {value=10})")
      .pointwise(slots::addcmul)
      .grad("self", [](Tensor g) { return g; })
      .grad("tensor1", [](Tensor g, Meta, Meta, Tensor b, Scalar v) { return g * ops::conj(b * v); })
      .grad("tensor2", [](Tensor g, Meta, Tensor a, Meta, Scalar v) { return g * ops::conj(a * v); });

  define("addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor")
      .doc("`self + value * tensor1 / tensor2`.")
      .example("torch.addcdiv(torch.tensor{1, 2}, torch.tensor{6, 8}, torch.tensor{3, 2}, {value=10})")
      .pointwise(slots::addcdiv)
      .grad("self", [](Tensor g) { return g; })
      .grad("tensor1", [](Tensor g, Meta, Meta, Tensor b, Scalar v) { return g * ops::conj(ops::div(v, b)); })
      .grad("tensor2", [](Tensor g, Meta, Tensor a, Tensor b, Scalar v) { return -(g * ops::conj(a * v / (b * b))); });
}

}  // namespace facula
