// What is done with the parts of numbers: signs, fractions, exponents, divisors, angles.
#include <cmath>
#include <limits>
#include <numbers>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

Op polar;

/// self * factor, in the default dtype for integers.
Tensor scaled(Out& out, const char* name, const Tensor& x, double factor) {
  Tensor inputs[] = {x, number_tensor(factor, DType::Float64)};
  return pointwise(out, name, slots::mul, kRealFloat, inputs);
}

Tensor round_forward(Out& out, const Tensor& x, int64_t decimals) {
  Tensor inputs[] = {x};
  if (decimals == 0) return pointwise(out, "round", slots::round, kRealNumber, inputs);
  check(is_floating(x.dtype()), "round: only floating point numbers have decimals, got ", x.dtype());
  const Scalar numbers[] = {static_cast<double>(decimals)};
  return pointwise(out, "round", slots::round_decimals, kFractional, inputs, numbers);
}

double largest(DType t) {
  switch (t) {
    case DType::Float16: return 65504;
    case DType::BFloat16: return 0x1.fep127;
    case DType::Float32: return std::numeric_limits<float>::max();
    default: return std::numeric_limits<double>::max();
  }
}

Tensor nan_to_num_forward(Out& out, const Tensor& x, const OptDouble& nan, const OptDouble& high,
                          const OptDouble& low) {
  check(!is_complex(x.dtype()), "nan_to_num: expected real numbers, got ", x.dtype());
  if (is_integral(x.dtype(), true)) {
    const Tensor y = out.make(x.sizes(), x.dtype());
    if (!y.is(x)) slots::copy(y, x);
    return y;
  }
  const double end = largest(x.dtype());
  const Scalar numbers[] = {nan.value_or(0), high.value_or(end), low.value_or(-end)};
  Tensor inputs[] = {x};
  return pointwise(out, "nan_to_num", slots::nan_to_num, kFractional, inputs, numbers);
}

std::pair<Tensor, Tensor> frexp_forward(Out& out, const Tensor& x) {
  check(is_floating(x.dtype()), "frexp: expected floating point numbers, got ", x.dtype());
  std::pair parts(out.make(0, x.sizes(), x.dtype()), out.make(1, x.sizes(), DType::Int32));
  slots::frexp(parts.first, parts.second, x);
  return parts;
}

Tensor heaviside_forward(Out& out, const Tensor& x, const Tensor& values) {
  check(x.dtype() == values.dtype(), "heaviside: dtypes differ, ", x.dtype(), " and ", values.dtype());
  Tensor inputs[] = {x, values};
  return pointwise(out, "heaviside", slots::heaviside, kReal, inputs);
}

/// Complex numbers out of two real ones.
Tensor paired(Out& out, const char* name, const PointwiseSlot& slot, const Tensor& x, const Tensor& y) {
  check((x.dtype() == DType::Float32 || x.dtype() == DType::Float64) && x.dtype() == y.dtype(), name,
        ": expected two float32 or two float64 tensors, got ", x.dtype(), " and ", y.dtype());
  Tensor inputs[] = {x, y};
  return pointwise_as(out, name, slot, x.dtype(), complex_dtype(x.dtype()), inputs);
}

/// i x / |x|^2: the angle's slope is across the number, and 0 at 0.
Tensor angle_gradient(Tensor g, Tensor x) {
  if (!is_complex(x.dtype())) return ops::zeros_like(g);
  const Tensor re = ops::real(x), im = ops::imag(x), zero = ops::eq(x, 0);
  const Tensor square = ops::masked_fill(re * re + im * im, zero, 1);
  return ops::complex(-(g * im / square), g * re / square);
}

Tensor float_power(const Tensor& x, const Tensor& exponent) {
  const DType t = is_complex(x.dtype()) || is_complex(exponent.dtype()) ? DType::Complex128 : DType::Float64;
  const auto wide = [t](const Tensor& v) { return v.dtype() == t ? v : ops::to_dtype(v, t); };
  return ops::pow(wide(x), wide(exponent));
}

Tensor no_change(Tensor g) { return ops::zeros_like(g); }

void define_rounding(const Family& define) {
  define("round(Tensor self, *, int decimals=0) -> Tensor")
      .doc(
          "Rounded to the nearest whole number, or to `decimals` places behind the point (in front of it when "
          "negative). "
          "Halves go to the even neighbour.")
      .example("torch.round(torch.tensor{0.5, 1.5, 2.347}, {decimals=2})")
      .alias("special.round")
      .elementwise(round_forward)
      .grad("self", no_change);
  define("frac(Tensor self) -> Tensor")
      .doc("What is behind the point, with the sign of `self`: `self - trunc(self)`.")
      .example("torch.frac(torch.tensor{1.25, -2.5})")
      .pointwise(slots::frac, kFractional)
      .grad("self", [](Tensor g) { return g; });
  define("nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor")
      .doc(
          "NaN becomes `nan` (0), infinities `posinf` and `neginf` (the largest and the smallest number of the dtype).")
      .example("torch.nan_to_num(torch.tensor{1, 0 / 0, 1 / 0}, 0, 100)")
      .elementwise(nan_to_num_forward)
      .grad("self", [](Tensor g, Tensor x) { return ops::where(ops::isfinite(x), g, 0); });
  define("frexp(Tensor self) -> (Tensor mantissa, Tensor exponent)")
      .doc("`self` as `mantissa * 2^exponent` with 1/2 <= |mantissa| < 1; the exponents are int32.")
      .example("torch.frexp(torch.tensor{1, 10, 0.3})")
      .forward(frexp_forward)
      .grad("self", [](Tensor g, Tensor, Result, Result e) { return g * ops::pow(2.0, -ops::to_dtype(e, g.dtype())); });
  define("ldexp(Tensor self, Tensor other) -> Tensor")
      .doc("`self * 2^other`.")
      .example("torch.ldexp(torch.tensor{1, 3}, torch.tensor{4, -1})")
      .compose([](const Tensor& x, const Tensor& e) { return x * ops::pow(2.0, e); });
}

void define_signs(const Family& define) {
  define("copysign(Tensor self, Operand other) -> Tensor")
      .doc("The magnitude of `self` with the sign of `other`, which -0 has too.")
      .example("torch.copysign(torch.tensor{1, 2, 3}, torch.tensor{-1, 0, 5})")
      .pointwise(slots::copysign, kRealFloat)
      .grad("self",
            [](Tensor g, Result y, Tensor x) {
              const Tensor zero = ops::eq(x, 0);
              return ops::where(zero, 0, g * (y / ops::masked_fill(x, zero, 1)));
            })
      .grad("other", no_change);
  define("nextafter(Tensor self, Tensor other) -> Tensor")
      .doc("The number of the dtype that follows `self` in the direction of `other`. It has no derivative.")
      .example("torch.nextafter(torch.tensor{1}, torch.tensor{2}) - 1")
      .pointwise(slots::nextafter, kFractional)
      .grad("self", [](Tensor) -> Tensor { fail("nextafter: the derivative is not defined"); })
      .grad("other", [](Tensor) -> Tensor { fail("nextafter: the derivative is not defined"); });
  define("heaviside(Tensor self, Tensor values) -> Tensor")
      .doc("0 below zero, 1 above, and `values` at zero. Both have one dtype. It has no derivative.")
      .example("torch.heaviside(torch.tensor{-1, 0, 2}, torch.tensor{0.5})")
      .elementwise(heaviside_forward)
      .grad("self", [](Tensor) -> Tensor { fail("heaviside: the derivative is not defined"); })
      .grad("values", [](Tensor) -> Tensor { fail("heaviside: the derivative is not defined"); });
  define("gcd(Tensor self, Tensor other) -> Tensor")
      .doc("The greatest common divisor of integers, not negative; `gcd(0, 0)` is 0.")
      .example("torch.gcd(torch.tensor{12, 15}:long(), torch.tensor{18, 10}:long())")
      .pointwise(slots::gcd, kInteger);
  define("lcm(Tensor self, Tensor other) -> Tensor")
      .doc("The least common multiple of integers, not negative; 0 if one of them is.")
      .example("torch.lcm(torch.tensor{4, 6}:long(), torch.tensor{6, 15}:long())")
      .pointwise(slots::lcm, kInteger);
}

void define_complex(const Family& define) {
  define(ops::complex, "complex(Tensor real, Tensor imag) -> Tensor")
      .doc("`real + i imag` of two float32 or float64 tensors.")
      .example("torch.complex(torch.tensor{1, 2}, torch.tensor{0, -1})")
      .forward(
          +[](Out& out, const Tensor& re, const Tensor& im) { return paired(out, "complex", slots::complex, re, im); })
      .grad("real", [](Tensor g) { return ops::real(g); })
      .grad("imag", [](Tensor g) { return ops::imag(g); });
  define(polar, "polar(Tensor abs, Tensor angle) -> Tensor")
      .doc("`abs (cos(angle) + i sin(angle))` of two float32 or float64 tensors.")
      .example("torch.polar(torch.tensor{1, 2}, torch.tensor{0, math.pi / 4})")
      .forward(
          +[](Out& out, const Tensor& r, const Tensor& angle) { return paired(out, "polar", slots::polar, r, angle); })
      .grad("abs",
            [](Tensor g, Meta, Tensor angle) { return ops::real(g * ops::conj(polar(ops::ones_like(angle), angle))); })
      .grad("angle", [](Tensor g, Result y) { return ops::imag(g * ops::conj(y)); });
  define(ops::angle, "angle(Tensor self) -> Tensor")
      .doc("The argument of complex numbers, in radians; of real ones 0 or pi.")
      .example("torch.angle(torch.complex(torch.tensor{1, 0, -1}, torch.tensor{0, 1, 0}))")
      .pointwise(slots::angle, kAngle)
      .grad("self", angle_gradient);
  define("resolve_neg(Tensor self) -> Tensor")
      .doc("`self`: signs are never delayed.")
      .example("torch.ones(2):resolve_neg()")
      .compose([](const Tensor& x) { return x; });
  define("is_conj(Tensor self) -> bool")
      .doc("False: conjugates are never delayed.")
      .example("torch.ones(2):is_conj()")
      .forward(+[](const Tensor&) { return false; });
  define("is_neg(Tensor self) -> bool")
      .doc("False: signs are never delayed.")
      .example("torch.ones(2):is_neg()")
      .forward(+[](const Tensor&) { return false; });
}

}  // namespace

void define_number(const Family& define) {
  define_rounding(define);
  define_signs(define);
  define_complex(define);
  define("deg2rad(Tensor self) -> Tensor")
      .doc("Degrees as radians.")
      .example("torch.deg2rad(torch.tensor{0, 90, 180})")
      .elementwise([](Out& out, const Tensor& x) { return scaled(out, "deg2rad", x, std::numbers::pi / 180); })
      .grad("self", [](Tensor g) { return g * (std::numbers::pi / 180); });
  define("rad2deg(Tensor self) -> Tensor")
      .doc("Radians as degrees.")
      .example("torch.rad2deg(torch.tensor{0, math.pi / 2, math.pi})")
      .elementwise([](Out& out, const Tensor& x) { return scaled(out, "rad2deg", x, 180 / std::numbers::pi); })
      .grad("self", [](Tensor g) { return g * (180 / std::numbers::pi); });
  define("float_power(Operand self, Operand exponent) -> Tensor")
      .doc("`self` to the power of `exponent` in float64, or complex128 if one is complex.")
      .example("torch.float_power(torch.tensor{1, 2, 3}, 2)")
      .compose(float_power);
}

}  // namespace facula
