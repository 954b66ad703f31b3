// Pointwise kernels with several inputs, special functions and complex numbers, against their formulas.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "core/slots.h"

using namespace facula;

namespace {

template <class T>
Tensor tensor(const std::vector<T>& values) {
  Tensor x = empty({static_cast<int64_t>(values.size())}, dtype_of<T>);
  std::copy(values.begin(), values.end(), reinterpret_cast<T*>(x.bytes()));
  return x;
}

/// The result of a slot for tensors of one size.
template <class R>
std::vector<R> apply(const PointwiseSlot& slot, const std::vector<Tensor>& in, const std::vector<Scalar>& params = {}) {
  const Tensor y = empty(in.back().sizes(), dtype_of<R>);
  slot(y, TensorSpan(in), ScalarSpan(params));
  return {y.data<R>(), y.data<R>() + y.numel()};
}

std::vector<float> floats(int64_t n, double scale, double phase) {
  std::vector<float> x;
  for (int64_t i = 0; i < n; ++i)
    x.push_back(static_cast<float>(scale * std::sin(1.7 * static_cast<double>(i) + phase)));
  return x;
}

const float kNan = std::nanf("");
const float kInf = HUGE_VALF;

/// Compares f(x...) in float32 and float64 with the formula in double.
void agree(const PointwiseSlot& slot, const std::vector<Scalar>& params, int inputs,
           const std::function<double(double, double, double)>& formula) {
  std::vector<Tensor> single, wide;
  std::vector<std::vector<float>> x;
  for (int k = 0; k < 3; ++k) {
    x.push_back(floats(301, 4, k));
    if (k >= inputs) continue;
    single.push_back(tensor(x.back()));
    wide.push_back(empty({301}, DType::Float64));
    slots::copy(wide.back(), single.back());
  }
  const auto y = apply<float>(slot, single, params);
  const auto z = apply<double>(slot, wide, params);
  INFO(std::string(slot.name()));
  double error = 0, wide_error = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    const double expected = formula(x[0][i], x[1][i], x[2][i]);
    error = std::max(error, std::abs(y[i] - expected) / std::max(1.0, std::abs(expected)));
    wide_error = std::max(wide_error, std::abs(z[i] - expected) / std::max(1.0, std::abs(expected)));
  }
  CHECK(error < 1e-6);
  CHECK(wide_error < 2e-15);
}

double gelu_erf(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }
double gelu_tanh(double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }

}  // namespace

TEST_CASE("fused operators agree with their formulas") {
  const Scalar exact(0.0), approximate(1.0), half(0.5);
  agree(slots::lerp, {}, 3, [](double x, double end, double w) { return x + w * (end - x); });
  agree(slots::addcmul, {half}, 3, [](double x, double a, double b) { return x + 0.5 * a * b; });
  agree(slots::add, {half}, 2, [](double x, double y, double) { return x + 0.5 * y; });
  agree(slots::sub, {half}, 2, [](double x, double y, double) { return x - 0.5 * y; });
  agree(slots::clamp, {}, 3, [](double x, double low, double high) { return std::min(std::max(x, low), high); });
  agree(slots::sigmoid_backward, {}, 2, [](double g, double y, double) { return g * (1 - y) * y; });
  agree(slots::tanh_backward, {}, 2, [](double g, double y, double) { return g * (1 - y * y); });
  agree(slots::threshold_backward, {half}, 2, [](double g, double x, double) { return x > 0.5 ? g : 0; });
  agree(slots::gelu, {exact}, 1, [](double x, double, double) { return gelu_erf(x); });
  agree(slots::gelu, {approximate}, 1, [](double x, double, double) { return gelu_tanh(x); });
  agree(slots::gelu_backward, {exact}, 2, [](double g, double x, double) {
    return g * (0.5 * (1 + std::erf(x / std::sqrt(2.0))) + x * std::exp(-0.5 * x * x) / std::sqrt(2 * M_PI));
  });
  agree(slots::gelu_backward, {approximate}, 2, [](double g, double x, double) {
    const double t = std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x));
    return g * 0.5 * (1 + t + x * (1 - t * t) * std::sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x));
  });
}

TEST_CASE("NaN passes where it should and stops where it should") {
  const Tensor x = tensor<float>({kNan, 1, 1, 1}), low = tensor<float>({0, kNan, 0, 0}),
               high = tensor<float>({2, 2, kNan, 2});
  const auto clamped = apply<float>(slots::clamp, {x, low, high});
  CHECK(std::isnan(clamped[0]));
  CHECK(std::isnan(clamped[1]));
  CHECK(std::isnan(clamped[2]));
  CHECK(clamped[3] == 1);
  CHECK(apply<float>(slots::clamp, {tensor<float>({5}), tensor<float>({4}), tensor<float>({2})})[0] == 2);
  CHECK(std::isnan(apply<float>(slots::relu, {x})[0]));
  CHECK(apply<float>(slots::sgn, {x})[0] == 0);
  CHECK(apply<float>(slots::xlogy, {tensor<float>({0, 0}), tensor<float>({0, -1})}) == std::vector<float>{0, 0});
  CHECK(std::isnan(apply<float>(slots::xlogy, {tensor<float>({0}), tensor<float>({kNan})})[0]));
  const std::vector<float> g = {1, 2, 3};
  CHECK(apply<float>(slots::threshold_backward, {tensor(g), tensor<float>({kNan, 0, 1})}, {Scalar(0)}) ==
        std::vector<float>{1, 0, 3});
}

TEST_CASE("where picks from every dtype") {
  const Tensor condition = tensor<uint8_t>({1, 0, 1}), c = empty({3}, DType::Bool);
  slots::copy(c, condition);
  for (const DType t : {DType::Bool, DType::Int16, DType::Float16, DType::Float32, DType::Int64, DType::Complex128}) {
    const Tensor x = empty({3}, t), y = empty({3}, t), z = empty({3}, t), numbers = empty({3}, DType::Int64);
    slots::fill(x, Scalar(1));
    slots::fill(y, Scalar(0));
    const Tensor in[] = {c, x, y};
    slots::where(z, TensorSpan(in), ScalarSpan());
    slots::copy(numbers, z);
    CHECK(std::vector<int64_t>(numbers.data<int64_t>(), numbers.data<int64_t>() + 3) == std::vector<int64_t>{1, 0, 1});
  }
}

TEST_CASE("comparisons and tests give one byte per number") {
  const std::vector<float> x = {1, 2, kNan, -0.0f, kInf}, y = {2, 2, kNan, 0, -kInf};
  const auto holds = [&](const PointwiseSlot& slot, const std::vector<Tensor>& in) {
    const Tensor z = empty({5}, DType::Bool);
    slot(z, TensorSpan(in), ScalarSpan());
    std::string s;
    for (int64_t i = 0; i < 5; ++i) s += z.data<bool>()[i] ? '1' : '0';
    return s;
  };
  const std::vector<Tensor> both = {tensor(x), tensor(y)}, one = {tensor(x)};
  CHECK(holds(slots::eq, both) == "01010");
  CHECK(holds(slots::ne, both) == "10101");
  CHECK(holds(slots::lt, both) == "10000");
  CHECK(holds(slots::le, both) == "11010");
  CHECK(holds(slots::gt, both) == "00001");
  CHECK(holds(slots::ge, both) == "01011");
  CHECK(holds(slots::logical_and, both) == "11101");
  CHECK(holds(slots::logical_xor, both) == "00000");
  CHECK(holds(slots::logical_not, one) == "00010");
  CHECK(holds(slots::isnan, one) == "00100");
  CHECK(holds(slots::isinf, one) == "00001");
  CHECK(holds(slots::isfinite, one) == "11010");
  CHECK(holds(slots::signbit, one) == "00010");
}

TEST_CASE("special functions") {
  const std::vector<double> at = {1, 0.5, -1.5, 10, 1e-3, 30.25};
  // Abramowitz and Stegun, table 6.1, and its recurrence
  const std::vector<double> digamma = {-0.57721566490153286061, -1.96351002602142347944, 0.70315664064524318723,
                                       2.25175258906672110765,  -1000.57557193181030047, 3.3928762003432849};
  const auto got = apply<double>(slots::digamma, {tensor(at)});
  for (size_t i = 0; i < at.size(); ++i) CHECK(got[i] == doctest::Approx(digamma[i]).epsilon(1e-14));
  const std::vector<double> x = {0, 1e-300, 1e-9, 0.3, -0.69, 0.71, -0.999, 1 - 1e-12};
  const auto inverse = apply<double>(slots::erfinv, {tensor(x)});
  for (size_t i = 0; i < x.size(); ++i) CHECK(std::erf(inverse[i]) == doctest::Approx(x[i]).epsilon(1e-14));
  CHECK(apply<double>(slots::erfinv, {tensor<double>({-1, 1})}) == std::vector<double>{-HUGE_VAL, HUGE_VAL});
}

TEST_CASE("complex functions agree with the C++ library") {
  std::vector<complex64> x, y;
  for (const float a : {-2.0f, -0.3f, 0.0f, 0.7f, 3.0f})
    for (const float b : {-1.5f, 0.0f, 0.4f, 2.0f}) x.push_back({a, b}), y.push_back({b + 0.1f, a - 0.2f});
  const auto near = [](complex64 got, complex128 expected) {
    return std::abs(complex128(got) - expected) <= 3e-7 * std::max(1.0, std::abs(expected)) ||
           !std::isfinite(std::abs(expected));
  };
  const auto unary = [&](const PointwiseSlot& slot, complex128 (*f)(complex128)) {
    const auto got = apply<complex64>(slot, {tensor(x)});
    INFO(std::string(slot.name()));
    for (size_t i = 0; i < x.size(); ++i)
      CHECK_MESSAGE(near(got[i], f(x[i])), "at ", x[i].real(), " + ", x[i].imag(), "i");
  };
  unary(slots::exp, [](complex128 v) { return std::exp(v); });
  unary(slots::expm1, [](complex128 v) { return std::exp(v) - 1.0; });
  unary(slots::log, [](complex128 v) { return std::log(v); });
  unary(slots::log1p, [](complex128 v) { return std::log(1.0 + v); });
  unary(slots::log2, [](complex128 v) { return std::log(v) / std::log(2.0); });
  unary(slots::sqrt, [](complex128 v) { return std::sqrt(v); });
  unary(slots::rsqrt, [](complex128 v) { return 1.0 / std::sqrt(v); });
  unary(slots::sigmoid, [](complex128 v) { return 1.0 / (1.0 + std::exp(-v)); });
  unary(slots::tanh, [](complex128 v) { return std::tanh(v); });
  unary(slots::reciprocal, [](complex128 v) { return 1.0 / v; });
  unary(slots::square, [](complex128 v) { return v * v; });
  unary(slots::sgn, [](complex128 v) { return v == 0.0 ? v : v / std::abs(v); });
  const std::vector<Tensor> both = {tensor(x), tensor(y)};
  const auto products = apply<complex64>(slots::mul, both), quotients = apply<complex64>(slots::div, both);
  const auto powers = apply<complex64>(slots::pow, both);
  const auto magnitudes = apply<float>(slots::abs, {both[0]}), angles = apply<float>(slots::angle, {both[0]});
  for (size_t i = 0; i < x.size(); ++i) {
    const complex128 a = x[i], b = y[i];
    CHECK(near(products[i], a * b));
    CHECK(near(quotients[i], a / b));
    if (a != 0.0) CHECK(near(powers[i], std::pow(a, b)));
    CHECK(magnitudes[i] == doctest::Approx(std::abs(a)));
    CHECK(angles[i] == doctest::Approx(std::arg(a)));
  }
  const complex128 huge(1e300, 1e300);
  CHECK(apply<complex128>(slots::div, {tensor<complex128>({huge}), tensor<complex128>({huge})})[0] == complex128(1));
}
