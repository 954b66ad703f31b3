// Windows: weights that fall off to both sides. Symmetric ones have n - 1 steps from end to end; periodic ones are the
// first n of n + 1, which repeat without a seam.
#include <cmath>
#include <functional>
#include <numbers>

#include "core/ops.h"
#include "core/ops/families.h"
#include "core/slots.h"

namespace facula {
namespace {

// weight(t) for t from 0 to 1.
Tensor window(Out& out, const char* name, int64_t n, bool periodic, OptDType dtype, OptDevice device,
              const std::function<double(double)>& weight) {
  const DType t = dtype.value_or(default_dtype());
  check(is_floating(t), name, ": expected a floating dtype, got ", t);
  check(n >= 0, name, ": window_length must not be negative, got ", n);
  const Tensor y = out.make({n}, t, device.value_or(Device{}));
  if (y.is_meta()) return y;
  const Tensor weights = empty({n}, DType::Float64);
  const auto steps = static_cast<double>(periodic ? n : n - 1);
  for (int64_t i = 0; i < n; ++i) weights.data<double>()[i] = n == 1 ? 1 : weight(static_cast<double>(i) / steps);
  slots::copy(y, y.device().is_cpu() ? weights : ops::to_device(weights, y.device()));
  return y;
}

double wave(double t, int k) { return std::cos(2 * std::numbers::pi * k * t); }
double bartlett(double t) { return 1 - std::fabs(2 * t - 1); }
double blackman(double t) { return 0.42 - 0.5 * wave(t, 1) + 0.08 * wave(t, 2); }
double hann(double t) { return 0.5 - 0.5 * wave(t, 1); }

Tensor hamming(Out& out, int64_t n, bool periodic, double alpha, double beta, OptDType t, OptDevice d) {
  return window(out, "hamming_window", n, periodic, t, d, [=](double at) { return alpha - beta * wave(at, 1); });
}
Tensor kaiser(Out& out, int64_t n, bool periodic, double beta, OptDType t, OptDevice d) {
  check(std::fabs(beta) < 700, "kaiser_window: beta must be within -700..700, got ", beta);
  const double size = std::fabs(beta), middle = std::cyl_bessel_i(0, size);
  return window(out, "kaiser_window", n, periodic, t, d, [=](double at) {
    return std::cyl_bessel_i(0, size * std::sqrt(std::max(0.0, 1 - (2 * at - 1) * (2 * at - 1)))) / middle;
  });
}

#define OPTIONS ", *, DType? dtype=None, Device? device=None, bool requires_grad=False) -> Tensor"

template <double (*weight)(double)>
void define_plain(const Family& define, const std::string& name, const char* doc) {
  static const std::string known = name;
  define(text(name, "(int window_length, bool periodic=True" OPTIONS))
      .doc(text(doc, " at t = 0, 1 / n .. of `window_length` n steps, or of n - 1 unless `periodic`."))
      .example(text("torch.", name, "(5, false)"))
      .forward(+[](Out& out, int64_t n, bool periodic, OptDType t, OptDevice d) {
        return window(out, known.c_str(), n, periodic, t, d, weight);
      });
}

}  // namespace

void define_window(const Family& define) {
  define_plain<bartlett>(define, "bartlett_window", "The triangle `1 - |2 t - 1|`");
  define_plain<blackman>(define, "blackman_window", "`0.42 - 0.5 cos(2 pi t) + 0.08 cos(4 pi t)`");
  define_plain<hann>(define, "hann_window", "`0.5 - 0.5 cos(2 pi t)`");
  define("hamming_window(int window_length, bool periodic=True, float alpha=0.54, float beta=0.46" OPTIONS)
      .doc("`alpha - beta cos(2 pi t)` at t = 0, 1 / n .. of `window_length` n steps, or of n - 1 unless `periodic`.")
      .example("torch.hamming_window(5, false)")
      .forward(hamming);
  define("kaiser_window(int window_length, bool periodic=True, float beta=12" OPTIONS)
      .doc(
          "`I0(beta sqrt(1 - (2 t - 1)^2)) / I0(beta)` at t = 0, 1 / n .. of `window_length` n steps, or of n - 1 "
          "unless "
          "`periodic` (Kaiser 1966).")
      .example("torch.kaiser_window(5, false)")
      .forward(kaiser);
}

}  // namespace facula
