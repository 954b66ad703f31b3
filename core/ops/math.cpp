// Functions of one number.
#include <numbers>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

const double kLog2 = std::numbers::ln2, kLog10 = std::numbers::ln10;

Tensor no_change(Tensor g) { return ops::zeros_like(g); }

Tensor clamp_forward(Out& out, Tensor x, Tensor low, Tensor high) {
  check(low.defined() || high.defined(), "clamp: neither 'min' nor 'max' is given");
  if (low.defined() && high.defined()) {
    Tensor inputs[] = {std::move(x), std::move(low), std::move(high)};
    return pointwise(out, "clamp", slots::clamp, kReal, inputs);
  }
  Tensor inputs[] = {std::move(x), low.defined() ? low : high};
  return pointwise(out, "clamp", low.defined() ? slots::maximum : slots::minimum, kReal, inputs);
}

// The bounds count as inside, and when they cross the upper one wins.
Tensor clamp_gradient(Tensor g, Tensor x, Tensor low, Tensor high) {
  Tensor inside;
  if (low.defined()) inside = ops::ge(x, low);
  if (high.defined()) inside = inside.defined() ? ops::logical_and(inside, ops::le(x, high)) : ops::le(x, high);
  return ops::where(inside, g, 0);
}
Tensor clamp_low_gradient(Tensor g, Tensor x, Tensor low, Tensor high) {
  Tensor outside = ops::lt(x, low);
  if (high.defined()) outside = ops::logical_and(outside, ops::lt(low, high));
  return ops::where(outside, g, 0);
}
Tensor clamp_high_gradient(Tensor g, Tensor x, Tensor low, Tensor high) {
  Tensor outside = ops::gt(x, high);
  if (low.defined()) outside = ops::logical_or(outside, ops::lt(high, low));
  return ops::where(outside, g, 0);
}

}  // namespace

void define_math(const Family& define) {
  define(ops::exp, "exp(Tensor self) -> Tensor")
      .doc("e to the power of each element.")
      .example("torch.exp(torch.tensor{0, 1, math.log(2)})")
      .pointwise(slots::exp, kFloat)
      .grad("self", [](Tensor g, Result y) { return g * ops::conj(y); });
  define("exp2(Tensor self) -> Tensor")
      .doc("2 to the power of each element.")
      .example("torch.exp2(torch.tensor{0, 1, 10})")
      .alias("special.exp2")
      .pointwise(slots::exp2, kFloat)
      .grad("self", [](Tensor g, Result y) { return g * ops::conj(y * kLog2); });
  define("expm1(Tensor self) -> Tensor")
      .doc("`exp(self) - 1`, exact near 0.")
      .example("torch.expm1(torch.tensor{0, 1e-7, 1})")
      .alias("special.expm1")
      .pointwise(slots::expm1, kRealFloat)
      .grad("self", [](Tensor g, Result y) { return g * (y + 1); });
  define(ops::log, "log(Tensor self) -> Tensor")
      .doc("The natural logarithm.")
      .example("torch.log(torch.tensor{1, math.exp(1), 0})")
      .pointwise(slots::log, kFloat)
      .grad("self", [](Tensor g, Tensor x) { return g / ops::conj(x); });
  define("log2(Tensor self) -> Tensor")
      .doc("The logarithm to base 2.")
      .example("torch.log2(torch.tensor{1, 2, 1024})")
      .pointwise(slots::log2, kFloat)
      .grad("self", [](Tensor g, Tensor x) { return g / ops::conj(x * kLog2); });
  define("log10(Tensor self) -> Tensor")
      .doc("The logarithm to base 10.")
      .example("torch.log10(torch.tensor{1, 10, 1000})")
      .pointwise(slots::log10, kFloat)
      .grad("self", [](Tensor g, Tensor x) { return g / ops::conj(x * kLog10); });
  define(ops::log1p, "log1p(Tensor self) -> Tensor")
      .doc("`log(1 + self)`, exact near 0.")
      .example("torch.log1p(torch.tensor{0, 1e-7, 1})")
      .alias("special.log1p")
      .pointwise(slots::log1p, kFloat)
      .grad("self", [](Tensor g, Tensor x) { return g / ops::conj(x + 1); });
  define(ops::sqrt, "sqrt(Tensor self) -> Tensor")
      .doc("The square root.")
      .example("torch.sqrt(torch.tensor{1, 4, 2})")
      .pointwise(slots::sqrt, kFloat)
      .grad("self", [](Tensor g, Result y) { return g / ops::conj(y * 2); });
  define(ops::rsqrt, "rsqrt(Tensor self) -> Tensor")
      .doc("`1 / sqrt(self)`.")
      .example("torch.rsqrt(torch.tensor{1, 4, 16})")
      .pointwise(slots::rsqrt, kFloat)
      .grad("self", [](Tensor g, Result y) { return g * ops::conj(ops::pow(y, 3)) * -0.5; });
  define(ops::square, "square(Tensor self) -> Tensor")
      .doc("`self * self`.")
      .example("torch.square(torch.tensor{1, -2, 3})")
      .node("PowBackward0")
      .elementwise([](Out& out, const Tensor& x) {
        Tensor inputs[] = {x.dtype() == DType::Bool ? converted(x, DType::Int64) : x};
        return pointwise(out, "square", slots::square, kArithmetic, inputs);
      })
      .grad("self", [](Tensor g, Tensor x) { return g * ops::conj(x * 2); });
  define(ops::reciprocal, "reciprocal(Tensor self) -> Tensor")
      .doc("`1 / self`.")
      .example("torch.reciprocal(torch.tensor{1, 2, -4})")
      .pointwise(slots::reciprocal, kFloat)
      .grad("self", [](Tensor g, Result y) { return -(g * ops::conj(y * y)); });

  define(ops::abs, "abs(Tensor self) -> Tensor")
      .doc("The absolute value; of complex numbers the real modulus.")
      .example("torch.abs(torch.tensor{-1, 0, 2.5})")
      .alias("absolute")
      .pointwise(slots::abs, kMagnitude)
      .grad("self", [](Tensor g, Tensor x) { return g * ops::sgn(x); });
  define(ops::sgn, "sgn(Tensor self) -> Tensor")
      .doc("The sign: -1, 0 or 1; of a complex number `self / |self|`, 0 at 0.")
      .example("torch.sgn(torch.complex(torch.tensor{3, 0}, torch.tensor{4, 0}))")
      .pointwise(slots::sgn)
      .grad("self", [](Tensor g, Result y, Tensor x) {
        if (!is_complex(x.dtype())) return ops::zeros_like(g);
        const Tensor r = ops::abs(x);  // (g / |x| - Re(g / |x| conj(y)) y) of the unit circle's tangent
        const Tensor scaled = g / r;
        return ops::where(ops::eq(r, 0), ops::zeros_like(g), scaled - ops::real(scaled * ops::conj(y)) * y);
      });
  define("sign(Tensor self) -> Tensor")
      .doc("The sign: -1, 0 or 1.")
      .example("torch.sign(torch.tensor{-3, 0, 2})")
      .pointwise(slots::sgn, kReal)
      .grad("self", no_change);
  define("ceil(Tensor self) -> Tensor")
      .doc("Rounded up.")
      .example("torch.ceil(torch.tensor{-1.5, 0.2, 2})")
      .pointwise(slots::ceil, kRealNumber)
      .grad("self", no_change);
  define("floor(Tensor self) -> Tensor")
      .doc("Rounded down.")
      .example("torch.floor(torch.tensor{-1.5, 0.2, 2})")
      .pointwise(slots::floor, kRealNumber)
      .grad("self", no_change);
  define("trunc(Tensor self) -> Tensor")
      .doc("Rounded towards zero.")
      .example("torch.trunc(torch.tensor{-1.5, 0.2, 2})")
      .alias("fix")
      .pointwise(slots::trunc, kRealNumber)
      .grad("self", no_change);

  define(ops::sin, "sin(Tensor self) -> Tensor")
      .doc("The sine, of radians.")
      .example("torch.sin(torch.tensor{0, math.pi / 6, math.pi / 2})")
      .pointwise(slots::sin, kFloat)
      .grad("self", [](Tensor g, Tensor x) { return g * ops::conj(ops::cos(x)); });
  define(ops::cos, "cos(Tensor self) -> Tensor")
      .doc("The cosine, of radians.")
      .example("torch.cos(torch.tensor{0, math.pi / 3, math.pi})")
      .pointwise(slots::cos, kFloat)
      .grad("self", [](Tensor g, Tensor x) { return -(g * ops::conj(ops::sin(x))); });
  define(ops::tan, "tan(Tensor self) -> Tensor")
      .doc("The tangent, of radians.")
      .example("torch.tan(torch.tensor{0, math.pi / 4})")
      .pointwise(slots::tan, kFloat)
      .grad("self", [](Tensor g, Result y) { return g * ops::conj(y * y + 1); });
  define("asin(Tensor self) -> Tensor")
      .doc("The inverse sine, in radians.")
      .example("torch.asin(torch.tensor{-1, 0, 1})")
      .alias("arcsin")
      .pointwise(slots::asin, kFloat)
      .grad("self", [](Tensor g, Tensor x) { return g * ops::conj(ops::rsqrt(ops::sub(1, x * x))); });
  define("acos(Tensor self) -> Tensor")
      .doc("The inverse cosine, in radians.")
      .example("torch.acos(torch.tensor{-1, 0, 1})")
      .alias("arccos")
      .pointwise(slots::acos, kFloat)
      .grad("self", [](Tensor g, Tensor x) { return -(g * ops::conj(ops::rsqrt(ops::sub(1, x * x)))); });
  define("atan(Tensor self) -> Tensor")
      .doc("The inverse tangent, in radians.")
      .example("torch.atan(torch.tensor{-1, 0, 1})")
      .alias("arctan")
      .pointwise(slots::atan, kFloat)
      .grad("self", [](Tensor g, Tensor x) { return g / ops::conj(x * x + 1); });
  define(ops::sinh, "sinh(Tensor self) -> Tensor")
      .doc("The hyperbolic sine.")
      .example("torch.sinh(torch.tensor{-1, 0, 1})")
      .pointwise(slots::sinh, kFloat)
      .grad("self", [](Tensor g, Tensor x) { return g * ops::conj(ops::cosh(x)); });
  define(ops::cosh, "cosh(Tensor self) -> Tensor")
      .doc("The hyperbolic cosine.")
      .example("torch.cosh(torch.tensor{-1, 0, 1})")
      .pointwise(slots::cosh, kFloat)
      .grad("self", [](Tensor g, Tensor x) { return g * ops::conj(ops::sinh(x)); });
  define("asinh(Tensor self) -> Tensor")
      .doc("The inverse hyperbolic sine.")
      .example("torch.asinh(torch.tensor{-1, 0, 1})")
      .alias("arcsinh")
      .pointwise(slots::asinh, kFloat)
      .grad("self", [](Tensor g, Tensor x) { return g * ops::conj(ops::rsqrt(x * x + 1)); });
  define("acosh(Tensor self) -> Tensor")
      .doc("The inverse hyperbolic cosine; NaN below 1.")
      .example("torch.acosh(torch.tensor{1, 2, 10})")
      .alias("arccosh")
      .pointwise(slots::acosh, kFloat)
      .grad("self", [](Tensor g, Tensor x) {
        // Of complex numbers the root of the product would lie on the other branch, left of 0.
        return is_complex(x.dtype()) ? g * ops::conj(ops::rsqrt(x - 1) * ops::rsqrt(x + 1)) : g * ops::rsqrt(x * x - 1);
      });
  define("atanh(Tensor self) -> Tensor")
      .doc("The inverse hyperbolic tangent; NaN outside -1..1.")
      .example("torch.atanh(torch.tensor{-0.5, 0, 0.5})")
      .alias("arctanh")
      .pointwise(slots::atanh, kFloat)
      .grad("self", [](Tensor g, Tensor x) { return g / ops::conj(ops::sub(1, x * x)); });
  define(ops::tanh, "tanh(Tensor self) -> Tensor")
      .doc("The hyperbolic tangent.")
      .example("torch.tanh(torch.tensor{-1, 0, 1})")
      .alias("nn.functional.tanh")
      .pointwise(slots::tanh, kFloat)
      .grad("self", [](Tensor g, Result y) { return ops::tanh_backward(g, y); });
  define(ops::tanh_backward, "tanh_backward(Tensor grad_output, Tensor output) -> Tensor")
      .doc("`grad_output * (1 - output^2)`: the derivative of tanh from its result.")
      .example("torch.tanh_backward(torch.ones(1), torch.tensor{0.5})")
      .pointwise(slots::tanh_backward, kFloat)
      .grad("grad_output", [](Tensor g, Meta, Tensor y) { return ops::tanh_backward(g, ops::conj(y)); })
      .grad("output", [](Tensor g, Tensor first, Tensor y) { return ops::conj(g) * first * ops::conj(y) * -2; });
  define("atan2(Tensor self, Tensor other) -> Tensor")
      .doc("The angle of the point (other, self), in radians.")
      .example("torch.atan2(torch.tensor{1, 1, -1}, torch.tensor{1, -1, 0})")
      .alias("arctan2")
      .pointwise(slots::atan2, kRealFloat)
      .grad("self", [](Tensor g, Tensor y, Tensor x) { return g * x / (x * x + y * y); })
      .grad("other", [](Tensor g, Tensor y, Tensor x) { return -(g * y / (x * x + y * y)); });
  define("hypot(Tensor self, Tensor other) -> Tensor")
      .doc("`sqrt(self^2 + other^2)` without overflow.")
      .example("torch.hypot(torch.tensor{3, 5}, torch.tensor{4, 12})")
      .pointwise(slots::hypot, kFractional)
      .grad("self", [](Tensor g, Result r, Tensor x) { return g * (x / r); })
      .grad("other", [](Tensor g, Result r, Meta, Tensor y) { return g * (y / r); });

  define(ops::sigmoid, "sigmoid(Tensor self) -> Tensor")
      .doc("`1 / (1 + exp(-self))`.")
      .example("torch.sigmoid(torch.tensor{-2, 0, 2})")
      .alias("special.expit")
      .alias("nn.functional.sigmoid")
      .pointwise(slots::sigmoid, kFloat)
      .grad("self", [](Tensor g, Result y) { return ops::sigmoid_backward(g, y); });
  define(ops::sigmoid_backward, "sigmoid_backward(Tensor grad_output, Tensor output) -> Tensor")
      .doc("`grad_output * (1 - output) * output`: the derivative of sigmoid from its result.")
      .example("torch.sigmoid_backward(torch.ones(1), torch.tensor{0.5})")
      .pointwise(slots::sigmoid_backward, kFloat)
      .grad("grad_output", [](Tensor g, Meta, Tensor y) { return ops::sigmoid_backward(g, ops::conj(y)); })
      .grad("output",
            [](Tensor g, Tensor first, Tensor y) { return ops::conj(g) * first * ops::conj(ops::sub(1, y * 2)); });
  define(ops::relu, "relu(Tensor self) -> Tensor")
      .doc("`max(self, 0)`.")
      .example("torch.relu(torch.tensor{-1, 0, 2})")
      .pointwise(slots::relu, kRealNumber)
      .grad("self", [](Tensor g, Result y) { return ops::threshold_backward(g, y, 0); });
  define(ops::threshold_backward, "threshold_backward(Tensor grad_output, Tensor self, Scalar threshold) -> Tensor")
      .doc("`grad_output` where `self > threshold`, 0 elsewhere.")
      .example("torch.threshold_backward(torch.ones(3), torch.tensor{-1, 0.5, 2}, 0)")
      .pointwise(slots::threshold_backward, kReal)
      .grad("grad_output", [](Tensor g, Meta, Tensor x, Scalar t) { return ops::threshold_backward(g, x, t); })
      .grad("self", no_change);

  define(ops::clamp, "clamp(Tensor self, Operand? min=None, Operand? max=None) -> Tensor")
      .doc("`self` held between `min` and `max`, numbers or tensors; `max` wins where they cross.")
      .example("torch.clamp(torch.tensor{-2, 0.5, 9}, 0, 1)")
      .alias("clip")
      .node("ClampBackward1")
      .elementwise(clamp_forward)
      .grad("self", clamp_gradient)
      .grad("min", clamp_low_gradient)
      .grad("max", clamp_high_gradient);
  define("clamp_min(Tensor self, Operand min) -> Tensor")
      .doc("`max(self, min)`, element by element.")
      .example("torch.clamp_min(torch.tensor{-2, 0.5, 9}, 0)")
      .compose([](const Tensor& x, const Tensor& low) { return ops::clamp(x, low); });
  define("clamp_max(Tensor self, Operand max) -> Tensor")
      .doc("`min(self, max)`, element by element.")
      .example("torch.clamp_max(torch.tensor{-2, 0.5, 9}, 1)")
      .compose([](const Tensor& x, const Tensor& high) { return ops::clamp(x, {}, high); });

  define(ops::conj_physical, "conj_physical(Tensor self) -> Tensor")
      .doc("The complex conjugate, as a copy.")
      .example("torch.conj_physical(torch.complex(torch.tensor{1, 2}, torch.tensor{0, -1}))")
      .elementwise([](Out& out, const Tensor& x) {
        const Tensor y = out.make(x.sizes(), x.dtype());
        if (is_complex(x.dtype()))
          slots::conj(y, TensorSpan(&x, 1), ScalarSpan());
        else if (!y.is(x))
          slots::copy(y, x);
        return y;
      })
      .grad("self", [](Tensor g) { return ops::conj(g); });
  define(ops::conj, "conj(Tensor self) -> Tensor")
      .doc("The complex conjugate; a real tensor is returned as it is.")
      .example("torch.conj(torch.complex(torch.tensor{1, 2}, torch.tensor{0, -1}))")
      .compose([](const Tensor& x) { return is_complex(x.dtype()) ? ops::conj_physical(x) : x; });
  define("resolve_conj(Tensor self) -> Tensor")
      .doc("`self`: conjugates are never delayed.")
      .example("torch.ones(2):resolve_conj()")
      .compose([](const Tensor& x) { return x; });
}

}  // namespace facula
