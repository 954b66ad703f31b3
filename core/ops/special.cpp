// Special functions: the error function, the gamma function, Bessel functions, and their kin.
#include <cmath>
#include <limits>
#include <numbers>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

Op erfcx, zeta, i0, i0e, i1, i1e, k0, k0e, k1, k1e, j0, j1, y0, y1;

const double kSqrtPi = std::sqrt(std::numbers::pi), kSqrt2Pi = std::sqrt(2 * std::numbers::pi);
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// x, with 1 in place of 0: what is divided by where another value is chosen anyway.
Tensor divisor(const Tensor& x, const Tensor& zero) { return ops::masked_fill(x, zero, 1); }

// ---- the error function and the normal distribution ----

void define_error(const Family& define) {
  define(ops::erf, "erf(Tensor self) -> Tensor")
      .doc("The error function: 2 / sqrt(pi) times the integral of `exp(-t^2)` from 0 to `self`.")
      .example("torch.erf(torch.tensor{-1, 0, 1})")
      .alias("special.erf")
      .pointwise(slots::erf, kRealFloat)
      .grad("self", [](Tensor g, Tensor x) { return g * (ops::exp(-(x * x)) * (2 / kSqrtPi)); });
  define(ops::erfc, "erfc(Tensor self) -> Tensor")
      .doc("`1 - erf(self)`, exact where that is small.")
      .example("torch.erfc(torch.tensor{-1, 0, 5})")
      .alias("special.erfc")
      .pointwise(slots::erfc, kRealFloat)
      .grad("self", [](Tensor g, Tensor x) { return g * (ops::exp(-(x * x)) * (-2 / kSqrtPi)); });
  define(ops::erfinv, "erfinv(Tensor self) -> Tensor")
      .doc("The inverse of erf; NaN outside -1..1.")
      .example("torch.erfinv(torch.tensor{-0.5, 0, 0.5})")
      .alias("special.erfinv")
      .pointwise(slots::erfinv, kRealFloat)
      .grad("self", [](Tensor g, Result y) { return g * (ops::exp(y * y) * (kSqrtPi / 2)); });
  define(erfcx, "special.erfcx(Tensor self) -> Tensor")
      .doc("`exp(self^2) * erfc(self)`, without overflow or underflow for positive numbers.")
      .example("torch.special.erfcx(torch.tensor{-1, 0, 100})")
      .pointwise(slots::erfcx, kRealFloat)
      .grad("self", [](Tensor g, Result y, Tensor x) { return g * (x * y * 2 - 2 / kSqrtPi); });
  define("special.ndtr(Tensor self) -> Tensor")
      .doc("The standard normal distribution's cumulative probability up to `self`.")
      .example("torch.special.ndtr(torch.tensor{-1.96, 0, 1.96})")
      .pointwise(slots::ndtr, kRealFloat)
      .grad("self", [](Tensor g, Tensor x) { return g * (ops::exp(x * x * -0.5) / kSqrt2Pi); });
  define("special.log_ndtr(Tensor self) -> Tensor")
      .doc("The logarithm of special.ndtr, exact for large negative numbers.")
      .example("torch.special.log_ndtr(torch.tensor{-100, 0, 1})")
      .pointwise(slots::log_ndtr, kRealFloat)
      .grad("self",
            [](Tensor g, Tensor x) { return g / erfcx(x * -std::sqrt(0.5)) * std::sqrt(2 / std::numbers::pi); });
  define("special.ndtri(Tensor self) -> Tensor")
      .doc("The inverse of special.ndtr: the standard normal distribution's quantiles. NaN outside 0..1.")
      .example("torch.special.ndtri(torch.tensor{0.025, 0.5, 0.975})")
      .pointwise(slots::ndtri, kRealFloat)
      .grad("self", [](Tensor g, Result y) { return g * (ops::exp(y * y * 0.5) * kSqrt2Pi); });
}

// ---- the gamma function ----

Tensor polygamma_forward(Out& out, int64_t n, const Tensor& x) {
  check(n >= 0, "polygamma: n must not be negative, got ", n);
  Tensor inputs[] = {x};
  if (n == 0) return pointwise(out, "polygamma", slots::digamma, kRealFloat, inputs);
  const Scalar order[] = {static_cast<double>(n)};
  return pointwise(out, "polygamma", slots::polygamma, kRealFloat, inputs, order);
}

/// p (p - 1) / 4 log(pi) + the sum of lgamma(x - i / 2) for i = 0 .. p - 1.
Tensor mvlgamma(const Tensor& x, int64_t p) {
  check(p >= 1 && p <= 1 << 24, "mvlgamma: p must be 1 to ", 1 << 24, ", got ", p);
  check(x.dtype() != DType::Bool && !is_complex(x.dtype()), "mvlgamma: expected real numbers that are not bool, got ",
        x.dtype());
  const Tensor y = is_integral(x.dtype()) ? ops::to_dtype(x, default_dtype()) : x;
  const Tensor places = ops::arange(p, y.dtype(), y.device()) * -0.5;
  const auto dimension = static_cast<double>(p);
  const double constant = dimension * (dimension - 1) / 4 * std::log(std::numbers::pi);
  return ops::sum(ops::lgamma(ops::unsqueeze(y, -1) + places), {-1}) + constant;
}

/// The gamma distribution's density x^(a - 1) e^-x / gamma(a).
Tensor gamma_density(const Tensor& a, const Tensor& x) { return ops::exp(ops::xlogy(a - 1, x) - x - ops::lgamma(a)); }

void define_gamma(const Family& define) {
  define(ops::lgamma, "lgamma(Tensor self) -> Tensor")
      .doc("The logarithm of the gamma function's magnitude.")
      .example("torch.lgamma(torch.tensor{0.5, 1, 5})")
      .alias("special.gammaln")
      .pointwise(slots::lgamma, kRealFloat)
      .grad("self", [](Tensor g, Tensor x) { return g * ops::digamma(x); });
  define(ops::digamma, "digamma(Tensor self) -> Tensor")
      .doc("The derivative of lgamma.")
      .example("torch.digamma(torch.tensor{0.5, 1, 2})")
      .alias("special.digamma")
      .alias("special.psi")
      .pointwise(slots::digamma, kRealFloat)
      .grad("self", [](Tensor g, Tensor x) { return g * ops::polygamma(1, x); });
  define(ops::polygamma, "polygamma(int n, Tensor self) -> Tensor")
      .doc("The n-th derivative of digamma. As a method `x:polygamma(n)`.")
      .example("torch.polygamma(1, torch.tensor{1, 2})")
      .alias("special.polygamma")
      .elementwise(polygamma_forward)
      .grad("self", [](Tensor g, int64_t n, Tensor x) { return g * ops::polygamma(n + 1, x); });
  define("polygamma:method(Tensor self, int n) -> Tensor")
      .doc("The n-th derivative of digamma.")
      .example("torch.tensor{1, 2}:polygamma(1)")
      .compose([](const Tensor& x, int64_t n) { return ops::polygamma(n, x); });
  define("mvlgamma(Tensor self, int p) -> Tensor")
      .doc("The logarithm of the multivariate gamma function of dimension `p`; `self` is above (p - 1) / 2.")
      .example("torch.mvlgamma(torch.tensor{2, 3}, 2)")
      .alias("special.multigammaln")
      .compose(mvlgamma);
  define("igamma(Tensor self, Tensor other) -> Tensor")
      .doc(
          "The regularised lower incomplete gamma function P(a, x) of a = `self` and x = `other`, which are not "
          "negative. "
          "It is not differentiated by a.")
      .example("torch.igamma(torch.tensor{1, 2}, torch.tensor{1, 1})")
      .alias("special.gammainc")
      .pointwise(slots::igamma, kFractional)
      .grad("self", [](Tensor) -> Tensor { fail("igamma: it is differentiated by 'other' only; detach 'self'"); })
      .grad("other", [](Tensor g, Tensor a, Tensor x) { return g * gamma_density(a, x); });
  define("igammac(Tensor self, Tensor other) -> Tensor")
      .doc("The regularised upper incomplete gamma function `1 - igamma(self, other)`, exact where that is small.")
      .example("torch.igammac(torch.tensor{1, 2}, torch.tensor{1, 1})")
      .alias("special.gammaincc")
      .pointwise(slots::igammac, kFractional)
      .grad("self", [](Tensor) -> Tensor { fail("igammac: it is differentiated by 'other' only; detach 'self'"); })
      .grad("other", [](Tensor g, Tensor a, Tensor x) { return -(g * gamma_density(a, x)); });
  define(zeta, "special.zeta(Operand self, Operand other) -> Tensor")
      .doc(
          "Hurwitz's zeta function: the sum of `(k + other)^-self` over k = 0, 1, 2 ... for `self` above 1. It is not "
          "differentiated by `self`.")
      .example("torch.special.zeta(torch.tensor{2, 4}, 1)")
      .pointwise(slots::zeta, kRealFloat)
      .grad("self", [](Tensor) -> Tensor { fail("special.zeta: it is differentiated by 'other' only; detach 'self'"); })
      .grad("other", [](Tensor g, Tensor s, Tensor q) { return -(g * s * zeta(s + 1, q)); });
}

// ---- logarithms ----

Tensor logit_forward(Out& out, const Tensor& x, const OptDouble& eps) {
  Tensor inputs[] = {x};
  const Scalar numbers[] = {eps.value_or(-1)};
  return pointwise(out, "logit", slots::logit, kRealFloat, inputs, numbers);
}

Tensor logit_gradient(Tensor g, Tensor x, OptDouble eps) {
  const bool bounded = eps.value_or(-1) >= 0;
  const double low = bounded ? *eps : 0;
  const Tensor inside = ops::logical_and(ops::ge(x, low), ops::le(x, 1 - low));
  return ops::where(inside, g / (x * ops::sub(1, x)), bounded ? 0.0 : kNaN);
}

void define_logarithms(const Family& define) {
  define("logit(Tensor self, float? eps=None) -> Tensor")
      .doc("`log(self / (1 - self))`, the inverse of sigmoid; with `eps`, `self` is held within eps .. 1 - eps first.")
      .example("torch.logit(torch.tensor{0.1, 0.5, 0.9})")
      .alias("special.logit")
      .elementwise(logit_forward)
      .grad("self", logit_gradient);
  define("logaddexp(Tensor self, Tensor other) -> Tensor")
      .doc("`log(exp(self) + exp(other))`, element by element, without overflow.")
      .example("torch.logaddexp(torch.zeros(1), torch.zeros(1))")
      .pointwise(slots::logaddexp, kFractional)
      .grad("self", [](Tensor g, Tensor x, Tensor y) { return g * ops::sigmoid(x - y); })
      .grad("other", [](Tensor g, Tensor x, Tensor y) { return g * ops::sigmoid(y - x); });
  define("logaddexp2(Tensor self, Tensor other) -> Tensor")
      .doc("`log2(2^self + 2^other)`, element by element, without overflow.")
      .example("torch.logaddexp2(torch.zeros(1), torch.zeros(1))")
      .pointwise(slots::logaddexp2, kFractional)
      .grad("self", [](Tensor g, Tensor x, Tensor y) { return g * ops::sigmoid((x - y) * std::numbers::ln2); })
      .grad("other", [](Tensor g, Tensor x, Tensor y) { return g * ops::sigmoid((y - x) * std::numbers::ln2); });
  define(ops::xlogy, "xlogy(Operand self, Operand other) -> Tensor")
      .doc("`self * log(other)`, 0 where `self` is 0.")
      .example("torch.xlogy(torch.tensor{0, 2}, torch.tensor{0, math.exp(1)})")
      .alias("special.xlogy")
      .pointwise(slots::xlogy, kRealFloat)
      .grad("self",
            [](Tensor g, Tensor x, Tensor y) {
              const Tensor nothing = ops::logical_and(ops::eq(x, 0), ops::le(y, 0));
              return g * ops::where(nothing, 0, ops::log(y));
            })
      .grad("other", [](Tensor g, Tensor x, Tensor y) { return g * x / y; });
  define("special.xlog1py(Operand self, Operand other) -> Tensor")
      .doc("`self * log(1 + other)`, 0 where `self` is 0.")
      .example("torch.special.xlog1py(torch.tensor{0, 2}, torch.tensor{-1, 1})")
      .pointwise(slots::xlog1py, kRealFloat)
      .grad("self",
            [](Tensor g, Tensor x, Tensor y) {
              const Tensor nothing = ops::logical_and(ops::eq(x, 0), ops::le(y, -1));
              return g * ops::where(nothing, 0, ops::log1p(y));
            })
      .grad("other", [](Tensor g, Tensor x, Tensor y) { return g * x / (y + 1); });
  define("special.entr(Tensor self) -> Tensor")
      .doc("`-self * log(self)`: 0 at 0, -inf below.")
      .example("torch.special.entr(torch.tensor{0, 0.5, 1})")
      .pointwise(slots::entr, kRealFloat)
      .grad("self", [](Tensor g, Tensor x) { return -(g * (ops::log(x) + 1)); });
  define("sinc(Tensor self) -> Tensor")
      .doc("`sin(pi self) / (pi self)`, 1 at 0.")
      .example("torch.sinc(torch.tensor{0, 0.5, 1.5})")
      .alias("special.sinc")
      .pointwise(slots::sinc, kFloat)
      .grad("self", [](Tensor g, Result y, Tensor x) {
        const Tensor zero = ops::eq(x, 0), slope = (ops::cos(x * std::numbers::pi) - y) / divisor(x, zero);
        return g * ops::conj(ops::masked_fill(slope, zero, 0));
      });
}

// ---- Bessel functions ----

/// The derivative of an odd function f with f'(x) = even - f / x, which is 1/2 at 0.
Tensor odd_slope(const Tensor& even, const Tensor& f, const Tensor& x) {
  const Tensor zero = ops::eq(x, 0);
  return ops::masked_fill(even - f / divisor(x, zero), zero, 0.5);
}

void define_modified_bessel(const Family& define) {
  define(i0, "i0(Tensor self) -> Tensor")
      .doc("The modified Bessel function of the first kind and order 0.")
      .example("torch.i0(torch.tensor{0, 1, 2})")
      .alias("special.i0")
      .alias("special.modified_bessel_i0")
      .pointwise(slots::i0, kRealFloat)
      .grad("self", [](Tensor g, Tensor x) { return g * i1(x); });
  define(i0e, "special.i0e(Tensor self) -> Tensor")
      .doc("`exp(-|self|) * i0(self)`.")
      .example("torch.special.i0e(torch.tensor{0, 1, 100})")
      .pointwise(slots::i0e, kRealFloat)
      .grad("self", [](Tensor g, Result y, Tensor x) { return g * (i1e(x) - ops::sgn(x) * y); });
  define(i1, "special.i1(Tensor self) -> Tensor")
      .doc("The modified Bessel function of the first kind and order 1.")
      .example("torch.special.i1(torch.tensor{0, 1, 2})")
      .alias("special.modified_bessel_i1")
      .pointwise(slots::i1, kRealFloat)
      .grad("self", [](Tensor g, Result y, Tensor x) { return g * odd_slope(i0(x), y, x); });
  define(i1e, "special.i1e(Tensor self) -> Tensor")
      .doc("`exp(-|self|) * i1(self)`.")
      .example("torch.special.i1e(torch.tensor{0, 1, 100})")
      .pointwise(slots::i1e, kRealFloat)
      .grad("self", [](Tensor g, Result y, Tensor x) { return g * odd_slope(i0e(x) - ops::sgn(x) * y, y, x); });
  define(k0, "special.modified_bessel_k0(Tensor self) -> Tensor")
      .doc("The modified Bessel function of the second kind and order 0; NaN for negative numbers.")
      .example("torch.special.modified_bessel_k0(torch.tensor{0.5, 1, 2})")
      .pointwise(slots::k0, kRealFloat)
      .grad("self", [](Tensor g, Tensor x) { return -(g * k1(x)); });
  define(k1, "special.modified_bessel_k1(Tensor self) -> Tensor")
      .doc("The modified Bessel function of the second kind and order 1; NaN for negative numbers.")
      .example("torch.special.modified_bessel_k1(torch.tensor{0.5, 1, 2})")
      .pointwise(slots::k1, kRealFloat)
      .grad("self", [](Tensor g, Result y, Tensor x) { return -(g * (k0(x) + y / x)); });
  define(k0e, "special.scaled_modified_bessel_k0(Tensor self) -> Tensor")
      .doc("`exp(self) * special.modified_bessel_k0(self)`.")
      .example("torch.special.scaled_modified_bessel_k0(torch.tensor{1, 2, 100})")
      .pointwise(slots::k0e, kRealFloat)
      .grad("self", [](Tensor g, Result y, Tensor x) { return g * (y - k1e(x)); });
  define(k1e, "special.scaled_modified_bessel_k1(Tensor self) -> Tensor")
      .doc("`exp(self) * special.modified_bessel_k1(self)`.")
      .example("torch.special.scaled_modified_bessel_k1(torch.tensor{1, 2, 100})")
      .pointwise(slots::k1e, kRealFloat)
      .grad("self", [](Tensor g, Result y, Tensor x) { return g * (y - k0e(x) - y / x); });
}

void define_bessel(const Family& define) {
  define(j0, "special.bessel_j0(Tensor self) -> Tensor")
      .doc("The Bessel function of the first kind and order 0.")
      .example("torch.special.bessel_j0(torch.tensor{0, 1, 2})")
      .pointwise(slots::bessel_j0, kRealFloat)
      .grad("self", [](Tensor g, Tensor x) { return -(g * j1(x)); });
  define(j1, "special.bessel_j1(Tensor self) -> Tensor")
      .doc("The Bessel function of the first kind and order 1.")
      .example("torch.special.bessel_j1(torch.tensor{0, 1, 2})")
      .pointwise(slots::bessel_j1, kRealFloat)
      .grad("self", [](Tensor g, Result y, Tensor x) { return g * odd_slope(j0(x), y, x); });
  define(y0, "special.bessel_y0(Tensor self) -> Tensor")
      .doc("The Bessel function of the second kind and order 0; NaN for negative numbers.")
      .example("torch.special.bessel_y0(torch.tensor{0.5, 1, 2})")
      .pointwise(slots::bessel_y0, kRealFloat)
      .grad("self", [](Tensor g, Tensor x) { return -(g * y1(x)); });
  define(y1, "special.bessel_y1(Tensor self) -> Tensor")
      .doc("The Bessel function of the second kind and order 1; NaN for negative numbers.")
      .example("torch.special.bessel_y1(torch.tensor{0.5, 1, 2})")
      .pointwise(slots::bessel_y1, kRealFloat)
      .grad("self", [](Tensor g, Result y, Tensor x) { return g * (y0(x) - y / x); });
  define("special.spherical_bessel_j0(Tensor self) -> Tensor")
      .doc("`sin(self) / self`, 1 at 0: the spherical Bessel function of the first kind and order 0.")
      .example("torch.special.spherical_bessel_j0(torch.tensor{0, 1, 2})")
      .pointwise(slots::spherical_bessel_j0, kRealFloat)
      .grad("self", [](Tensor g, Result y, Tensor x) {
        const Tensor zero = ops::eq(x, 0);
        return g * ops::masked_fill((ops::cos(x) - y) / divisor(x, zero), zero, 0);
      });
  define("special.airy_ai(Tensor self) -> Tensor")
      .doc("Airy's function Ai, the solution of `y'' = self y` that vanishes to the right. It has no derivative here.")
      .example("torch.special.airy_ai(torch.tensor{-1, 0, 1})")
      .pointwise(slots::airy_ai, kRealFloat);
}

}  // namespace

void define_special(const Family& define) {
  define_error(define);
  define_gamma(define);
  define_logarithms(define);
  define_modified_bessel(define);
  define_bessel(define);
}

}  // namespace facula
