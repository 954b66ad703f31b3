// Distributions that are sampled by rejection. Element i draws from a stream of its own, block(i, 0), block(i, 1), ...,
// so the result depends on neither the number of threads nor how often its neighbours were refused.
#include <cmath>
#include <limits>
#include <numbers>
#include <type_traits>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

/// Uniform numbers within (0, 1), two from each block.
class Draws {
 public:
  Draws(const Philox& g, int64_t element) : g_(g), element_(static_cast<uint64_t>(element)) {}

  double uniform() {
    if (half_ == 0) words_ = g_.block(element_, lane_++);
    const uint64_t w = words_[half_] | uint64_t{words_[half_ + 1]} << 32;
    half_ ^= 2;
    return (static_cast<double>(w >> 11) + 0.5) * 0x1p-53;
  }
  double normal() {  // Box and Muller 1958, one of the two
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  const Philox& g_;
  uint64_t element_;
  uint32_t lane_ = 0;
  size_t half_ = 0;
  std::array<uint32_t, 4> words_{};
};

double poisson_small(double rate, Draws& draws) {  // by inversion: the sum of the probabilities so far
  double p = std::exp(-rate), u = draws.uniform();
  double k = 0;
  while (u > p && k < 1000) {
    u -= p;
    k += 1;
    p *= rate / k;
  }
  return k;
}

// PTRS of W. Hoermann, "The transformed rejection method for generating Poisson random variables", 1993.
double poisson_large(double rate, Draws& draws) {
  const double root = std::sqrt(rate), log_rate = std::log(rate), b = 0.931 + 2.53 * root, a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = draws.uniform() - 0.5, v = draws.uniform(), us = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b) <= k * log_rate - rate - std::lgamma(k + 1))
      return k;
  }
}

double poisson_one(double rate, Draws& draws) {
  if (!std::isfinite(rate)) return rate;
  if (!(rate > 0)) return 0;
  return rate < 10 ? poisson_small(rate, draws) : poisson_large(rate, draws);
}

double binomial_small(double n, double p, Draws& draws) {  // by the distances between successes, which are geometric
  const double log_failure = std::log1p(-p);
  double trials = 0, successes = -1;
  do {
    trials += std::ceil(std::log(draws.uniform()) / log_failure);
    successes += 1;
  } while (trials <= n);
  return successes;
}

/// log k! - (log sqrt(2 pi) + (k + 1/2) log (k + 1) - (k + 1))
double stirling_rest(double k) {
  const double s = k + 1;
  return std::lgamma(s) - (0.5 * std::log(2 * std::numbers::pi) + (k + 0.5) * std::log(s) - s);
}

// BTRS of W. Hoermann, "The generation of binomial random variates", 1993; p is at most 1/2.
double binomial_large(double n, double p, Draws& draws) {
  const double spread = std::sqrt(n * p * (1 - p)), b = 1.15 + 2.53 * spread, a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double c = n * p + 0.5, v_r = 0.92 - 4.2 / b, r = p / (1 - p), alpha = (2.83 + 5.1 / b) * spread;
  const double m = std::floor((n + 1) * p);
  for (;;) {
    const double u = draws.uniform() - 0.5;
    double v = draws.uniform();
    const double us = 0.5 - std::fabs(u), k = std::floor((2 * a / us + b) * u + c);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || k > n) continue;
    v = std::log(v * alpha / (a / (us * us) + b));
    const double bound = (m + 0.5) * std::log((m + 1) / (r * (n - m + 1))) +
                         (n + 1) * std::log((n - m + 1) / (n - k + 1)) +
                         (k + 0.5) * std::log(r * (n - k + 1) / (k + 1)) + stirling_rest(m) + stirling_rest(n - m) -
                         stirling_rest(k) - stirling_rest(n - k);
    if (v <= bound) return k;
  }
}

double binomial_one(double n, double p, Draws& draws) {
  if (!std::isfinite(n) || !(p >= 0 && p <= 1)) return std::numeric_limits<double>::quiet_NaN();
  n = std::floor(n);
  if (n <= 0 || p == 0) return 0;
  if (p == 1) return n;
  const double rare = p <= 0.5 ? p : 1 - p;
  const double k = n * rare >= 10 ? binomial_large(n, rare, draws) : binomial_small(n, rare, draws);
  return p <= 0.5 ? k : n - k;
}

// G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", 2000.
double gamma_one(double shape, Draws& draws) {
  if (!std::isfinite(shape) || shape <= 0) return shape == 0 ? 0 : shape > 0 ? shape : std::nan("");
  double scale = 1;
  if (shape < 1) {
    scale = std::pow(draws.uniform(), 1 / shape);
    shape += 1;
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = draws.normal(), y = 1 + c * x;
    if (y <= 0) continue;
    const double v = y * y * y, u = draws.uniform();
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return scale * d * v;
  }
}

/// out[i] = draw(i, stream of i)
template <class Draw>
void fill_each(const Tensor& out, const Philox& g, Draw draw) {
  with_type(out.dtype(), [&]<class T>() {
    if constexpr (is_floating(dtype_of<T>)) {
      using R = std::conditional_t<std::is_same_v<T, double>, double, float>;
      parallel_for(out.numel(), 512, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          Draws draws(g, i);
          out.data<T>()[i] = T(static_cast<R>(draw.template operator()<T>(i, draws)));
        }
      });
    }
  });
}

void poisson(const Tensor& out, const Tensor& rate, Philox g) {
  fill_each(out, g, [&]<class T>(int64_t i, Draws& draws) {
    return poisson_one(static_cast<double>(rate.data<T>()[i]), draws);
  });
}
void binomial(const Tensor& out, const Tensor& n, const Tensor& p, Philox g) {
  fill_each(out, g, [&]<class T>(int64_t i, Draws& draws) {
    return binomial_one(static_cast<double>(n.data<T>()[i]), static_cast<double>(p.data<T>()[i]), draws);
  });
}
// Never 0 for a positive shape: its logarithm is wanted.
void standard_gamma(const Tensor& out, const Tensor& shape, Philox g) {
  fill_each(out, g, [&]<class T>(int64_t i, Draws& draws) {
    const double a = static_cast<double>(shape.data<T>()[i]);
    const double least = std::is_same_v<T, double> ? std::numeric_limits<double>::min()
                         : std::is_same_v<T, Half> ? 0x1p-14
                                                   : std::numeric_limits<float>::min();
    const double y = gamma_one(a, draws);
    return a > 0 && y < least ? least : y;
  });
}

}  // namespace

void fill_sampling_slots() {
  slots::poisson.fill(DeviceType::CPU, poisson);
  slots::binomial.fill(DeviceType::CPU, binomial);
  slots::standard_gamma.fill(DeviceType::CPU, standard_gamma);
}

}  // namespace facula::cpu
