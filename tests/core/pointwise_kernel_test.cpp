// The CPU's pointwise kernels against the C library in long double, number by number.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "core/parallel.h"
#include "core/slots.h"

using namespace facula;

namespace {

template <class T>
Tensor tensor(const std::vector<T>& values) {
  Tensor x = empty({static_cast<int64_t>(values.size())}, dtype_of<T>);
  std::copy(values.begin(), values.end(), x.data<T>());
  return x;
}

template <class T>
std::vector<T> values(const Tensor& x) {
  Tensor dense = empty(x.sizes(), x.dtype());
  slots::copy(dense, x);
  return {dense.data<T>(), dense.data<T>() + dense.numel()};
}

/// Does `got` lie within `ulp` units in the last place of T around `expected`? Infinities, NaN and the signs of zeros
/// agree.
template <class T>
bool close(T got, long double expected, double ulp) {
  if (std::isnan(expected) || std::isnan(got)) return std::isnan(expected) && std::isnan(got);
  const T rounded = static_cast<T>(expected);
  if (std::isinf(rounded) || rounded == 0)
    return got == rounded && (got != 0 || std::signbit(got) == std::signbit(rounded));
  int exponent;
  std::frexp(rounded, &exponent);
  const int lowest = std::numeric_limits<T>::min_exponent;
  const long double unit = std::ldexp(1.0L, std::max(exponent, lowest) - std::numeric_limits<T>::digits);
  return std::abs(got - expected) <= ulp * unit;
}

/// Edges of T, and random numbers of every magnitude between `low` and `high`.
template <class T>
std::vector<T> samples(double low, double high) {
  using L = std::numeric_limits<T>;
  std::vector<T> x = {
      T(0),          -T(0),       T(1),      T(-1),     L::infinity(),   -L::infinity(),   L::quiet_NaN(),
      L::max(),      L::lowest(), L::min(),  -L::min(), L::denorm_min(), -L::denorm_min(), L::epsilon(),
      -L::epsilon(), T(0.5),      T(-0.5),   T(2),      T(-2),           T(88.7),          T(-88.7),
      T(89.5),       T(-103),     T(-104.5), T(709.5),  T(-745),         T(710.2),         T(1000),
      T(-1000),      T(1e5),      T(1e6),    T(-1e8),   T(1e20)};
  std::mt19937 random(1);
  std::uniform_real_distribution<double> flat(low, high), digits(-30, 0);
  for (int i = 0; i < 4000; ++i) {
    x.push_back(static_cast<T>(flat(random)));
    x.push_back(static_cast<T>(flat(random) * std::exp2(digits(random))));
    x.push_back(1 + static_cast<T>(flat(random) * std::exp2(digits(random) - 5)));
  }
  return x;
}

using Reference = long double (*)(long double);
struct Unary {
  const PointwiseSlot& slot;
  Reference reference;
  double ulp32, ulp64;
  double low = -100, high = 100;
  bool has_flag = false;  // a parameter, false here

  void run(const Tensor& y, const Tensor& x) const {
    const Scalar flag[] = {false};
    slot(y, TensorSpan(&x, 1), has_flag ? ScalarSpan(flag) : ScalarSpan());
  }
};

long double sgn(long double x) { return (x > 0) - (x < 0); }
long double square(long double x) { return x * x; }
long double reciprocal(long double x) { return 1 / x; }
long double rsqrt(long double x) { return 1 / std::sqrt(x); }
long double sigmoid(long double x) { return 1 / (1 + std::exp(-x)); }
long double relu(long double x) { return x < 0 ? 0 : x; }
long double neg(long double x) { return -x; }
long double entr(long double x) { return x == 0 ? 0 : x < 0 ? -HUGE_VALL : -x * std::log(x); }
long double ndtr(long double x) { return 0.5L * std::erfc(-x * std::sqrt(0.5L)); }
long double gelu(long double x) { return x == -HUGE_VALL ? NAN : x * ndtr(x); }
long double lgamma(long double x) {
  int sign;
  return ::lgammal_r(x, &sign);
}

const Unary kUnary[] = {
    {slots::neg, neg, 0, 0},
    {slots::abs, std::abs, 0, 0},
    {slots::sgn, sgn, 0, 0},
    {slots::square, square, 0.5, 0.5},
    {slots::reciprocal, reciprocal, 0.5, 0.5},
    {slots::sqrt, std::sqrt, 0.5, 0.5},
    {slots::rsqrt, rsqrt, 1.5, 1.5},
    {slots::ceil, std::ceil, 0, 0},
    {slots::floor, std::floor, 0, 0},
    {slots::round, std::nearbyint, 0, 0},
    {slots::trunc, std::trunc, 0, 0},
    {slots::relu, relu, 0, 0},
    {slots::exp, std::exp, 1.1, 1.1},
    {slots::exp2, std::exp2, 0.51, 1.5},
    {slots::expm1, std::expm1, 0.51, 4},
    {slots::log, std::log, 1.1, 1.1, 0, 1e6},
    {slots::log2, std::log2, 0.51, 2, 0, 1e6},
    {slots::log10, std::log10, 0.51, 2, 0, 1e6},
    {slots::log1p, std::log1p, 0.51, 2, -1, 1e6},
    {slots::sin, std::sin, 0.51, 3, -20000, 20000},
    {slots::cos, std::cos, 0.51, 3, -20000, 20000},
    {slots::tan, std::tan, 0.51, 5, -20000, 20000},
    {slots::asin, std::asin, 0.51, 2.5, -1, 1},
    {slots::acos, std::acos, 0.51, 2, -1, 1},
    {slots::atan, std::atan, 0.51, 2},
    {slots::sinh, std::sinh, 0.51, 4},
    {slots::cosh, std::cosh, 0.51, 3},
    {slots::tanh, std::tanh, 2, 2, -10, 10},
    {slots::asinh, std::asinh, 0.51, 4},
    {slots::acosh, std::acosh, 0.51, 4, 1, 1e5},
    {slots::atanh, std::atanh, 0.51, 4, -1, 1},
    {slots::sigmoid, sigmoid, 2, 2},
    {slots::erf, std::erf, 1.1, 4, -6, 6},
    {slots::erfc, std::erfc, 0.51, 6, -6, 6},
    {slots::entr, entr, 2, 2, 0, 30},
    {slots::ndtr, ndtr, 0.51, 6, -30, 30},
    {slots::gelu, gelu, 4, 6, -14, 14, true},
    {slots::lgamma, lgamma, 2, 8, -30, 100},
};

template <class T>
void compare(const Unary& op, double ulp) {
  const std::vector<T> x = samples<T>(op.low, op.high);
  const Tensor y = empty({static_cast<int64_t>(x.size())}, dtype_of<T>);
  op.run(y, tensor(x));
  const std::vector<T> got = values<T>(y);
  int wrong = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const long double expected = op.reference(x[i]);
    if (close(got[i], expected, ulp) || ++wrong > 5) continue;
    CAPTURE(std::string(op.slot.name()));
    CAPTURE(sizeof(T));
    FAIL_CHECK("f(", x[i], ") = ", got[i], ", expected ", static_cast<double>(expected));
  }
}

using Reference2 = long double (*)(long double, long double);
struct Binary {
  const PointwiseSlot& slot;
  Reference2 reference;
  double ulp32, ulp64;
};

template <class T>
T remainder(T x, T y) {
  const T r = std::fmod(x, y);
  return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

const Binary kBinary[] = {
    {slots::add, [](long double x, long double y) { return x + y; }, 0.5, 0.51},
    {slots::sub, [](long double x, long double y) { return x - y; }, 0.5, 0.51},
    {slots::mul, [](long double x, long double y) { return x * y; }, 0.5, 0.51},
    {slots::div, [](long double x, long double y) { return x / y; }, 0.5, 0.51},
    {slots::maximum, [](long double x, long double y) { return x >= y || x != x ? x : y; }, 0, 0},
    {slots::minimum, [](long double x, long double y) { return x <= y || x != x ? x : y; }, 0, 0},
    {slots::fmax, [](long double x, long double y) { return x >= y || y != y ? x : y; }, 0, 0},
    {slots::fmin, [](long double x, long double y) { return x <= y || y != y ? x : y; }, 0, 0},
    {slots::copysign, [](long double x, long double y) { return std::copysign(x, y); }, 0, 0},
    {slots::atan2, std::atan2, 0.51, 3},
    {slots::hypot, std::hypot, 0.6, 1.1},
    {slots::pow, std::pow, 0.51, 1.1},
    {slots::xlogy, [](long double x, long double y) { return x == 0 && y == y ? 0 : x * std::log(y); }, 2, 2},
    {slots::xlog1py, [](long double x, long double y) { return x == 0 && y == y ? 0 : x * std::log1p(y); }, 0.51, 3},
    {slots::fmod, std::fmod, 0, 0},
    {slots::remainder, remainder<long double>, 0.5, 0.5},
};

template <class T>
void compare(const Binary& op, double ulp) {
  const std::vector<T> edges = samples<T>(-30, 30);
  std::vector<T> x, y;
  for (size_t i = 0; i < 40; ++i)
    for (size_t k = 0; k < 40; ++k) x.push_back(edges[i]), y.push_back(edges[k]);
  for (size_t i = 0; i + 1 < edges.size(); ++i) x.push_back(edges[i]), y.push_back(edges[i + 1]);
  const Tensor z = empty({static_cast<int64_t>(x.size())}, dtype_of<T>);
  const Tensor in[] = {tensor(x), tensor(y)};
  op.slot(z, TensorSpan(in), ScalarSpan());
  const std::vector<T> got = values<T>(z);
  int wrong = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const long double expected = op.reference(x[i], y[i]);
    if (close(got[i], expected, ulp) || ++wrong > 5) continue;
    CAPTURE(std::string(op.slot.name()));
    FAIL_CHECK("f(", x[i], ", ", y[i], ") = ", got[i], ", expected ", static_cast<double>(expected), " in ", sizeof(T),
               " bytes");
  }
}

/// Small numbers that every dtype can hold, in a tensor of the given sizes.
Tensor counting(const Sizes& sizes, DType t) {
  const Tensor x = empty(sizes, DType::Int64), y = empty(sizes, t);
  for (int64_t i = 0; i < x.numel(); ++i) x.data<int64_t>()[i] = (i * 7 + 3) % 11;
  slots::copy(y, x);
  return y;
}

Tensor transposed(const Tensor& x) { return x.alias({x.size(1), x.size(0)}, {x.stride(1), x.stride(0)}, x.offset()); }

Tensor dense(const Tensor& x) {
  const Tensor y = empty(x.sizes(), x.dtype());
  slots::copy(y, x);
  return y;
}

bool equal(const Tensor& x, const Tensor& y) {
  const Tensor a = dense(x), b = dense(y);
  return std::memcmp(a.bytes(), b.bytes(), static_cast<size_t>(a.numel() * a.item_size())) == 0;
}

Tensor sum(const Tensor& x, const Tensor& y) {
  const Tensor z = empty(x.sizes(), x.dtype()), in[] = {x, y};
  const Scalar alpha(2);
  slots::add(z, TensorSpan(in), ScalarSpan(&alpha, 1));
  return z;
}

constexpr DType kNumbers[] = {DType::UInt8,   DType::Int8,      DType::Int16,     DType::Int32,
                              DType::Int64,   DType::Float16,   DType::BFloat16,  DType::Float32,
                              DType::Float64, DType::Complex64, DType::Complex128};

}  // namespace

TEST_CASE("unary functions agree with the C library, edges included") {
  for (const Unary& op : kUnary) {
    compare<float>(op, op.ulp32);
    compare<double>(op, op.ulp64);
  }
}

TEST_CASE("binary functions agree with the C library, edges included") {
  for (const Binary& op : kBinary) {
    compare<float>(op, op.ulp32);
    compare<double>(op, op.ulp64);
  }
}

TEST_CASE("a row's last elements are computed as its first ones") {
  for (const Unary& op : kUnary) {
    for (int64_t n = 1; n <= 67; ++n) {
      const Tensor x = empty({n}, DType::Float32), y = empty({n + 1}, DType::Float32), guarded = y.alias({n}, {1}, 0);
      slots::fill(x, Scalar(op.low < 1 ? 0.75 : 1.75));
      slots::fill(y, Scalar(-7.0));
      op.run(guarded, x);
      const std::vector<float> got = values<float>(y);
      CHECK(std::count(got.begin(), got.begin() + n, got[0]) == n);
      CHECK(got[static_cast<size_t>(n)] == -7);
    }
  }
}

TEST_CASE("strided, transposed, broadcast and large operands give what dense ones give") {
  for (const DType t : kNumbers) {
    for (const Sizes& sizes : {Sizes{3, 5}, Sizes{40, 50}, Sizes{1, 700}, Sizes{300, 1100}}) {
      INFO(name(t), " ", text(sizes));
      const Tensor x = counting(sizes, t), y = counting(sizes, t),
                   across = transposed(counting({sizes[1], sizes[0]}, t));
      const Tensor every_other = counting({sizes[0], 2 * sizes[1]}, t).alias(sizes, {2 * sizes[1], 2}, 1);
      const Tensor row = counting({1, sizes[1]}, t).expanded(sizes),
                   column = counting({sizes[0], 1}, t).expanded(sizes);
      const Tensor one = counting({1, 1}, t).expanded(sizes);
      for (const Tensor& operand : {across, every_other, row, column, one}) {
        CHECK(equal(sum(x, operand), sum(x, dense(operand))));
        CHECK(equal(sum(operand, y), sum(dense(operand), y)));
      }
      const Tensor in[] = {x, y};
      const Scalar alpha(2);
      slots::add(across, TensorSpan(in), ScalarSpan(&alpha, 1));
      CHECK(equal(across, sum(x, y)));
      slots::add(x, TensorSpan(in), ScalarSpan(&alpha, 1));
      CHECK(equal(x, across));
    }
  }
}

TEST_CASE("results do not depend on the number of threads") {
  const Tensor x = counting({100, 1003}, DType::Float32), in = transposed(x);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    const Tensor y = empty(in.sizes(), DType::Float32);
    slots::sin(y, TensorSpan(&in, 1), ScalarSpan());
    results.push_back(values<float>(y));
    CHECK(results.back() == results.front());
  }
  set_num_threads(1);
}

TEST_CASE("integers divide towards minus infinity, and by zero not at all") {
  std::vector<int8_t> x, y;
  for (int a = -128; a < 128; ++a)
    for (int b = -128; b < 128; ++b)
      if (b != 0) x.push_back(static_cast<int8_t>(a)), y.push_back(static_cast<int8_t>(b));
  const Tensor in[] = {tensor(x), tensor(y)}, z = empty(in[0].sizes(), DType::Int8);
  const auto results = [&](const PointwiseSlot& slot) {
    slot(z, TensorSpan(in), ScalarSpan());
    return values<int8_t>(z);
  };
  const auto quotients = results(slots::floor_divide), remainders = results(slots::remainder),
             rests = results(slots::fmod);
  int wrong = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    wrong += quotients[i] != static_cast<int8_t>(std::floor(static_cast<double>(x[i]) / y[i]));
    wrong += remainders[i] != remainder<double>(x[i], y[i]);
    wrong += rests[i] != std::fmod(x[i], y[i]);
  }
  CHECK(wrong == 0);
  const Tensor zero = counting({1}, DType::Int64);
  slots::fill(zero, Scalar(0));
  const Tensor operands[] = {zero, zero};
  CHECK_THROWS_WITH_AS(slots::remainder(zero, TensorSpan(operands), ScalarSpan()), "remainder: division by zero",
                       Error);
}

TEST_CASE("float quotients are whole and belong to the remainder") {
  const std::vector<double> x = {5, -5, 5, -5, 1, 0, -0.0, 1, -1, 1, 0.3},
                            y = {3, 3, -3, -3, 0, 0, 3, INFINITY, INFINITY, -INFINITY, 0.1};
  const std::vector<double> expected = {1, -2, -2, 1, INFINITY, NAN, -0.0, 0, -1, -1, 2};
  const Tensor in[] = {tensor(x), tensor(y)}, z = empty(in[0].sizes(), DType::Float64);
  slots::floor_divide(z, TensorSpan(in), ScalarSpan());
  const std::vector<double> got = values<double>(z);
  for (size_t i = 0; i < x.size(); ++i) CHECK(close(got[i], static_cast<long double>(expected[i]), 0));
}

TEST_CASE("powers with a constant exponent are those of the general case") {
  const Tensor x = tensor(std::vector<double>{0.5, 1, 2, 3.25, 1e10}), y = empty({5}, DType::Float64);
  for (const double e : {1.0, 2.0, 3.0, 0.5, -0.5, -1.0, -2.0, 1.7}) {
    const Tensor exponent = empty({1}, DType::Float64);
    slots::fill(exponent, Scalar(e));
    const Tensor in[] = {x, exponent.expanded({5})};
    slots::pow(y, TensorSpan(in), ScalarSpan());
    const std::vector<double> got = values<double>(y);
    for (size_t i = 0; i < got.size(); ++i)
      CHECK(close(got[i], std::pow(static_cast<long double>(x.data<double>()[i]), e), 2));
  }
}

TEST_CASE("shifts beyond the width leave the sign") {
  const Tensor x = tensor(std::vector<int32_t>{-8, 7, -8, 7, 1, 1}),
               n = tensor(std::vector<int32_t>{33, 32, -1, 1, 31, 3});
  const Tensor in[] = {x, n}, y = empty({6}, DType::Int32);
  slots::bitwise_left_shift(y, TensorSpan(in), ScalarSpan());
  CHECK(values<int32_t>(y) == std::vector<int32_t>{0, 0, 0, 14, INT32_MIN, 8});
  slots::bitwise_right_shift(y, TensorSpan(in), ScalarSpan());
  CHECK(values<int32_t>(y) == std::vector<int32_t>{-1, 0, -1, 3, 0, 0});
}

TEST_CASE("every dtype converts to every other as a number does") {
  const std::vector<double> samples = {0,      -0.0,   1,   -1,   2.75,  -2.75,    100, 127,
                                       1000.5, -40000, 3e9, 1e20, -1e20, INFINITY, NAN};
  for (int from = 0; from < kDTypes; ++from) {
    for (int to = 0; to < kDTypes; ++to) {
      const auto a = static_cast<DType>(from), b = static_cast<DType>(to);
      for (const double v : samples) {
        const Tensor x = empty({1}, a), y = empty({37}, b), expected = empty({37}, b);
        slots::fill(x, Scalar(v));
        slots::copy(y, x.expanded({37}));
        slots::fill(expected, item(x));
        INFO(name(a), " ", v, " to ", name(b));
        if (v == v) CHECK(equal(y, expected));
      }
    }
  }
}

TEST_CASE("copies of transposed tensors are their transposes") {
  for (const DType t : {DType::UInt8, DType::Float16, DType::Float32, DType::Int64, DType::Complex128}) {
    for (const Sizes& sizes : {Sizes{2, 3}, Sizes{33, 70}, Sizes{64, 64}, Sizes{500, 300}}) {
      const Tensor x = counting(sizes, t), y = dense(transposed(x));
      CHECK(equal(dense(transposed(y)), x));
      if (t != DType::Int64) continue;
      bool same = true;
      for (int64_t i = 0; i < sizes[0]; ++i)
        for (int64_t k = 0; k < sizes[1]; ++k)
          same = same && x.data<int64_t>()[i * sizes[1] + k] == y.data<int64_t>()[k * sizes[0] + i];
      CHECK(same);
    }
  }
}
