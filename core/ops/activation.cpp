// Activations made for networks. A curved one is a slot, a slot for its slope (times a gradient), and its curvature as a
// composition, by which second derivatives follow.
#include "core/ops/activation.h"

#include <numbers>

#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

constexpr Promotion kFloatingOrComplex{Promotion::Compute::Common, Promotion::Result::Same, Category::Floating};

/// A function of one number with up to three parameters p.
using Parameters = std::initializer_list<Scalar>;
struct Activation {
  const char* name;
  const PointwiseSlot& slot;
  const PointwiseSlot& backward_slot;
  Promotion promotion = kFloating;
  Tensor (*curvature)(const Tensor& x, const Scalar* p) = nullptr;  // none: 0
  Op backward = {};

  Tensor operator()(Out& out, Tensor x, Parameters p = {}) const {
    Tensor inputs[] = {std::move(x)};
    return pointwise(out, name, slot, promotion, inputs, ScalarSpan(p.begin(), p.size()));
  }
};

Tensor elu_curvature(const Tensor& x, const Scalar* p) {  // a c^2 e^(c x) below 0
  const double a = p[0].to<double>(), c = p[2].to<double>();
  return ops::where(ops::gt(x, 0), 0, ops::exp(ops::clamp(x, {}, 0) * c) * (a * c * c));
}
Tensor hardswish_curvature(const Tensor& x, const Scalar*) {
  return ops::where(ops::lt(ops::abs(x), 3), ops::full_like(x, 1.0 / 3), 0);
}
Tensor silu_curvature(const Tensor& x, const Scalar*) {  // s (1 - s) (2 + x (1 - 2 s))
  const Tensor s = ops::sigmoid(x);
  return s * ops::sub(1, s) * (x * ops::sub(1, s * 2) + 2);
}
Tensor softplus_curvature(const Tensor& x, const Scalar* p) {  // beta s (1 - s) up to the threshold
  const Tensor u = x * p[0], s = ops::sigmoid(u);
  return ops::where(ops::gt(u, p[1]), 0, s * ops::sub(1, s) * p[0]);
}
Tensor log_sigmoid_curvature(const Tensor& x, const Scalar*) {
  const Tensor s = ops::sigmoid(x);
  return s * (s - 1);
}
// With t = tanh(softplus(x)) and s = sigmoid(x): (1 - t^2) s (2 + x (1 - s - 2 t s)).
Tensor mish_curvature(const Tensor& x, const Scalar*) {
  const Tensor t = ops::tanh(ops::relu(x) + ops::log(ops::exp(-ops::abs(x)) + 1)), s = ops::sigmoid(x);
  return ops::sub(1, t * t) * s * (x * (ops::sub(1, s) - t * s * 2) + 2);
}

Activation elu_curve{"elu", slots::elu, slots::elu_backward, kFloating, elu_curvature};
Activation leaky_relu_line{"leaky_relu", slots::leaky_relu, slots::leaky_relu_backward};
Activation hardtanh_line{"hardtanh", slots::hardtanh, slots::hardtanh_backward, kNumber};
Activation hardsigmoid_line{"hardsigmoid", slots::hardsigmoid, slots::hardsigmoid_backward};
Activation hardswish_curve{"hardswish", slots::hardswish, slots::hardswish_backward, kFloating, hardswish_curvature};
Activation silu_curve{"silu", slots::silu, slots::silu_backward, kFloatingOrComplex, silu_curvature};
Activation mish_curve{"mish", slots::mish, slots::mish_backward, kFloating, mish_curvature};
Activation softplus_curve{"softplus", slots::softplus, slots::softplus_backward, kFloating, softplus_curvature};
Activation log_sigmoid_curve{"log_sigmoid", slots::log_sigmoid, slots::log_sigmoid_backward, kFloating,
                             log_sigmoid_curvature};
Activation hardshrink_line{"hardshrink", slots::hardshrink, slots::shrink_backward};
Activation softshrink_line{"softshrink", slots::softshrink, slots::shrink_backward};

template <Activation& kActivation>
void define_slope(const Family& define) {
  define(kActivation.backward, text("_", kActivation.name,
                                    "_backward(Tensor grad_output, Tensor self, Scalar a=0, Scalar b=0, Scalar c=0) "
                                    "-> Tensor"))
      .doc(text("The derivative of ", kActivation.name, "."))
      .pointwise(kActivation.backward_slot, kActivation.promotion)
      .grad("grad_output", [](Tensor g, Meta, Tensor x, Scalar a, Scalar b,
                              Scalar c) { return kActivation.backward(g, ops::conj(x), a, b, c); })
      .grad("self", [](Tensor g, Tensor first, Tensor x, Scalar a, Scalar b, Scalar c) {
        const Scalar p[] = {a, b, c};
        if (!kActivation.curvature) return ops::zeros_like(g);
        return ops::conj(g) * first * ops::conj(kActivation.curvature(x, p));
      });
}

// ---- what has a form of its own -------------------------------------------------------------------------------------
Tensor hardtanh_forward(Out& out, const Tensor& x, const Scalar& low, const Scalar& high) {
  check(low.to<double>() >= 0 || x.dtype() != DType::UInt8,
        "hardtanh: uint8 has no numbers below 0, got min_val = ", low);
  return hardtanh_line(out, x, {low, high});
}

Tensor gelu_forward(Out& out, Tensor x, const std::string& approximate) {
  check(approximate == "none" || approximate == "tanh", "gelu: approximate must be 'none' or 'tanh', got '",
        approximate, "'");
  const Scalar tanh = approximate == "tanh";
  Tensor inputs[] = {std::move(x)};
  return pointwise(out, "gelu", slots::gelu, kFloating, inputs, {&tanh, 1});
}
Tensor gelu_curvature(const Tensor& x, bool tanh) {
  if (!tanh) {  // the density times 2 - x^2
    const double c = std::numbers::inv_sqrtpi / std::numbers::sqrt2;
    return ops::exp(x * x * -0.5) * c * ops::sub(2, x * x);
  }
  const double b = std::numbers::sqrt2 * std::numbers::inv_sqrtpi, c = 0.044715;  // sqrt(2 / pi)
  const Tensor t = ops::tanh((x + x * x * x * c) * b), u = (x * x * (3 * c) + 1) * b;
  return ops::sub(1, t * t) * (u + x * (x * (3 * b * c) - t * u * u));
}

}  // namespace

static void define_slopes(const Family& define) {
  define_slope<elu_curve>(define);
  define_slope<leaky_relu_line>(define);
  define_slope<hardtanh_line>(define);
  define_slope<hardsigmoid_line>(define);
  define_slope<hardswish_curve>(define);
  define_slope<silu_curve>(define);
  define_slope<mish_curve>(define);
  define_slope<softplus_curve>(define);
  define_slope<log_sigmoid_curve>(define);
  define_slope<hardshrink_line>(define);
  define_slope<softshrink_line>(define);
}

// Those that are straight lines but for a bend or two.
static void define_lines(const Family& define) {
  define("nn.functional.relu(Tensor input, bool inplace=False) -> Tensor")
      .doc("`max(input, 0)`.")
      .example("torch.nn.functional.relu(torch.tensor{-1, 0, 2})")
      .pointwise(slots::relu, kNumber)
      .grad("input", [](Tensor g, Result y) { return ops::threshold_backward(g, y, 0); });
  define(ops::leaky_relu,
         "nn.functional.leaky_relu(Tensor input, float negative_slope=0.01, bool inplace=False) -> Tensor")
      .doc("`input` above 0, `negative_slope * input` below.")
      .example("torch.nn.functional.leaky_relu(torch.tensor{-1, 0, 2})")
      .elementwise([](Out& out, const Tensor& x, double slope) { return leaky_relu_line(out, x, {slope}); })
      .grad("input", [](Tensor g, Tensor x, double slope) { return leaky_relu_line.backward(g, x, slope); });
  define("nn.functional.hardtanh(Tensor input, Scalar min_val=-1, Scalar max_val=1, bool inplace=False) -> Tensor")
      .doc("`input` held between `min_val` and `max_val`.")
      .example("torch.nn.functional.hardtanh(torch.tensor{-4, 0.5, 4})")
      .elementwise(hardtanh_forward)
      .grad("input",
            [](Tensor g, Tensor x, Scalar low, Scalar high) { return hardtanh_line.backward(g, x, low, high); });
  define("nn.functional.relu6(Tensor input, bool inplace=False) -> Tensor")
      .doc("`min(max(input, 0), 6)`.")
      .example("torch.nn.functional.relu6(torch.tensor{-1, 3, 9})")
      .elementwise([](Out& out, const Tensor& x) { return hardtanh_forward(out, x, 0, 6); })
      .grad("input", [](Tensor g, Tensor x) { return hardtanh_line.backward(g, x, 0, 6); });
  define("nn.functional.hardsigmoid(Tensor input, bool inplace=False) -> Tensor")
      .doc("`min(max(input + 3, 0), 6) / 6`.")
      .example("torch.nn.functional.hardsigmoid(torch.tensor{-4, 0, 1, 4})")
      .elementwise([](Out& out, const Tensor& x) { return hardsigmoid_line(out, x); })
      .grad("input", [](Tensor g, Tensor x) { return hardsigmoid_line.backward(g, x); });
  define("threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor")
      .doc("`self` where it is above `threshold`, `value` elsewhere.")
      .example("torch.threshold(torch.tensor{-1, 0.5, 2}, 1, 20)")
      .pointwise(slots::threshold, kNumber)
      .grad("self", [](Tensor g, Tensor x, Scalar t) { return ops::threshold_backward(g, x, t); });
  define("nn.functional.threshold(Tensor input, Scalar threshold, Scalar value, bool inplace=False) -> Tensor")
      .doc("`input` where it is above `threshold`, `value` elsewhere.")
      .example("torch.nn.functional.threshold(torch.tensor{-1, 0.5, 2}, 1, 20)")
      .pointwise(slots::threshold, kNumber)
      .grad("input", [](Tensor g, Tensor x, Scalar t) { return ops::threshold_backward(g, x, t); });
  define("hardshrink(Tensor self, float lambd=0.5) -> Tensor")
      .doc("0 from `-lambd` to `lambd`, `self` elsewhere.")
      .example("torch.hardshrink(torch.tensor{-1, 0.3, 2})")
      .alias("nn.functional.hardshrink")
      .elementwise([](Out& out, const Tensor& x, double l) { return hardshrink_line(out, x, {l}); })
      .grad("self", [](Tensor g, Tensor x, double l) { return hardshrink_line.backward(g, x, l); });
  define("nn.functional.softshrink(Tensor input, float lambd=0.5) -> Tensor")
      .doc("`input` moved by `lambd` towards 0, and no further.")
      .example("torch.nn.functional.softshrink(torch.tensor{-1, 0.3, 2})")
      .elementwise([](Out& out, const Tensor& x, double l) {
        check(l >= 0, "softshrink: lambd must not be negative, got ", l);
        return softshrink_line(out, x, {l});
      })
      .grad("input", [](Tensor g, Tensor x, double l) { return softshrink_line.backward(g, x, l); });
}

static void define_curves(const Family& define) {
  define("nn.functional.elu(Tensor input, float alpha=1.0, bool inplace=False) -> Tensor")
      .doc("`input` above 0, `alpha * (exp(input) - 1)` below (Clevert et al. 2016).")
      .example("torch.nn.functional.elu(torch.tensor{-1, 0, 2})")
      .elementwise([](Out& out, const Tensor& x, double alpha) {
        return elu_curve(out, x, {alpha, 1, 1});
      })
      .grad("input", [](Tensor g, Tensor x, double alpha) { return elu_curve.backward(g, x, alpha, 1, 1); });
  define("celu(Tensor input, float alpha=1.0, bool inplace=False) -> Tensor")
      .doc("`input` above 0, `alpha * (exp(input / alpha) - 1)` below (Barron 2017).")
      .example("torch.celu(torch.tensor{-1, 0, 2})")
      .alias("nn.functional.celu")
      .elementwise([](Out& out, const Tensor& x, double alpha) {
        check(alpha != 0, "celu: alpha must not be 0");
        return elu_curve(out, x, {alpha, 1, 1 / alpha});
      })
      .grad("input", [](Tensor g, Tensor x, double alpha) { return elu_curve.backward(g, x, alpha, 1, 1 / alpha); });
  // The fixed point of means and variances of Klambauer et al. 2017.
  static constexpr double kAlpha = 1.6732632423543772848170429916717, kScale = 1.0507009873554804934193349852946;
  define("selu(Tensor input, bool inplace=False) -> Tensor")
      .doc("`1.0507 * elu(input, 1.6733)`, which normalises by itself (Klambauer et al. 2017).")
      .example("torch.selu(torch.tensor{-1, 0, 2})")
      .alias("nn.functional.selu")
      .elementwise([](Out& out, const Tensor& x) {
        return elu_curve(out, x, {kAlpha * kScale, kScale, 1});
      })
      .grad("input", [](Tensor g, Tensor x) { return elu_curve.backward(g, x, kAlpha * kScale, kScale, 1); });
  define("nn.functional.hardswish(Tensor input, bool inplace=False) -> Tensor")
      .doc("`input * min(max(input + 3, 0), 6) / 6`.")
      .example("torch.nn.functional.hardswish(torch.tensor{-4, 0, 1, 4})")
      .elementwise([](Out& out, const Tensor& x) { return hardswish_curve(out, x); })
      .grad("input", [](Tensor g, Tensor x) { return hardswish_curve.backward(g, x); });
  define("nn.functional.silu(Tensor input, bool inplace=False) -> Tensor")
      .doc("`input * sigmoid(input)`.")
      .example("torch.nn.functional.silu(torch.tensor{-1, 0, 2})")
      .elementwise([](Out& out, const Tensor& x) { return silu_curve(out, x); })
      .grad("input", [](Tensor g, Tensor x) { return silu_curve.backward(g, x); });
  define("nn.functional.mish(Tensor input, bool inplace=False) -> Tensor")
      .doc("`input * tanh(softplus(input))`.")
      .example("torch.nn.functional.mish(torch.tensor{-1, 0, 2})")
      .elementwise([](Out& out, const Tensor& x) { return mish_curve(out, x); })
      .grad("input", [](Tensor g, Tensor x) { return mish_curve.backward(g, x); });
  define("nn.functional.softplus(Tensor input, float beta=1, float threshold=20) -> Tensor")
      .doc("`log(1 + exp(beta * input)) / beta`; `input` itself where `beta * input > threshold`.")
      .example("torch.nn.functional.softplus(torch.tensor{-1, 0, 100})")
      .elementwise([](Out& out, const Tensor& x, double beta, double t) {
        return softplus_curve(out, x, {beta, t});
      })
      .grad("input", [](Tensor g, Tensor x, double beta, double t) { return softplus_curve.backward(g, x, beta, t); });
  define(ops::log_sigmoid, "nn.functional.logsigmoid(Tensor input) -> Tensor")
      .doc("`log(sigmoid(input))` without overflow.")
      .example("torch.nn.functional.logsigmoid(torch.tensor{-100, 0, 100})")
      .elementwise([](Out& out, const Tensor& x) { return log_sigmoid_curve(out, x); })
      .grad("input", [](Tensor g, Tensor x) { return log_sigmoid_curve.backward(g, x); });
  define("nn.functional.softsign(Tensor input) -> Tensor")
      .doc("`input / (1 + |input|)`.")
      .example("torch.nn.functional.softsign(torch.tensor{-1, 0, 3})")
      .compose([](const Tensor& x) { return x / (ops::abs(x) + 1); });
  define("nn.functional.tanhshrink(Tensor input) -> Tensor")
      .doc("`input - tanh(input)`.")
      .example("torch.nn.functional.tanhshrink(torch.tensor{-1, 0, 2})")
      .compose([](const Tensor& x) { return x - ops::tanh(x); });
  define(ops::gelu, "nn.functional.gelu(Tensor input, *, str approximate='none') -> Tensor")
      .doc(
          "`x * Phi(x)` with the normal distribution's Phi, or its approximation by 'tanh' (Hendrycks and Gimpel "
          "2016).")
      .example("torch.nn.functional.gelu(torch.tensor{-1, 0, 2})")
      .elementwise(gelu_forward)
      .grad("input", [](Tensor g, Tensor x, std::string approximate) {
        return ops::gelu_backward(g, x, approximate == "tanh");
      });
  define(ops::gelu_backward, "_gelu_backward(Tensor grad_output, Tensor self, bool tanh) -> Tensor")
      .doc("The derivative of gelu.")
      .pointwise(slots::gelu_backward, kFloating)
      .grad("grad_output", [](Tensor g, Meta, Tensor x, bool tanh) { return ops::gelu_backward(g, x, tanh); })
      .grad("self", [](Tensor g, Tensor first, Tensor x, bool tanh) { return g * first * gelu_curvature(x, tanh); });
}

void define_activation(const Family& define) {
  define_slopes(define);
  define_lines(define);
  define_curves(define);
  define_weighted_activation(define);
}

}  // namespace facula
