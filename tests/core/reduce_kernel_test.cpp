// The CPU's reductions, scans and softmax against plain loops in long double.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "core/parallel.h"
#include "core/slots.h"

using namespace facula;

namespace {

/// Random numbers in (-1, 1) of the given geometry.
Tensor random(const Sizes& sizes, DType t, unsigned seed = 1) {
  const Tensor x = empty(sizes, DType::Float64), y = empty(sizes, t);
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> flat(-1, 1);
  for (int64_t i = 0; i < x.numel(); ++i)
    x.data<double>()[i] = is_floating(t) ? flat(generator) : std::floor(50 * flat(generator));
  slots::copy(y, x);
  return y;
}

std::vector<double> doubles(const Tensor& x) {
  const Tensor y = empty(x.sizes(), DType::Float64);
  slots::copy(y, x);
  return {y.data<double>(), y.data<double>() + y.numel()};
}

Tensor transposed(const Tensor& x, size_t a, size_t b) {
  Sizes sizes = x.sizes();
  IntList strides = x.strides();
  std::swap(sizes[a], sizes[b]);
  std::swap(strides[a], strides[b]);
  return x.alias(sizes, strides, x.offset());
}

/// For each result in row-major order the elements that it comes from, in row-major order.
std::vector<std::vector<double>> groups(const Tensor& x, const IntList& dims, Sizes& kept) {
  kept = x.sizes();
  for (const int64_t d : dims) kept[static_cast<size_t>(d)] = 1;
  std::vector<std::vector<double>> result(static_cast<size_t>(numel_of(kept)));
  const std::vector<double> v = doubles(x);
  for (size_t i = 0; i < v.size(); ++i) {
    size_t rest = i, to = 0, weight = 1;
    for (size_t d = kept.size(); d-- > 0;) {
      const auto n = static_cast<size_t>(x.sizes()[d]), at = rest % n;
      rest /= n;
      if (kept[d] != 1) to += at * weight, weight *= n;
    }
    result[to].push_back(v[i]);
  }
  return result;
}

using Group = std::vector<double>;
using Reference = std::function<double(const Group&)>;
using Kernel = std::function<void(const Tensor&, const Tensor&, const IntList&)>;

/// Geometries that take every path of the driver: rows, long rows, columns, strips, short rows, several dimensions,
/// strides.
std::vector<std::pair<Tensor, IntList>> cases(DType t) {
  const Tensor cube = random({7, 33, 20}, t), long_row = random({200000}, t), tall = random({3000, 5}, t);
  const Tensor wide = random({3, 1200}, t), image = random({6, 5, 9, 11}, t), large = random({700, 700}, t);
  return {{random({1}, t), {0}},
          {random({4}, t), {0}},
          {random({1000}, t), {0}},
          {long_row, {0}},
          {random({3, 70000}, t), {1}},
          {tall, {0}},
          {tall, {1}},
          {wide, {0}},
          {wide, {1}},
          {wide, {0, 1}},
          {cube, {0}},
          {cube, {1}},
          {cube, {2}},
          {cube, {0, 2}},
          {cube, {0, 1, 2}},
          {image, {0, 2, 3}},
          {image, {1}},
          {transposed(cube, 0, 2), {0}},
          {transposed(cube, 0, 2), {2}},
          {transposed(cube, 0, 1), {0, 2}},
          {large, {0}},
          {large, {1}},
          {transposed(large, 0, 1), {0}},
          {transposed(large, 0, 1), {0, 1}},
          {random({5}, t).expanded({40, 5}), {0}}};
}

/// Compares with the reference, and 1 thread with 2, 3 and 8 bit by bit.
void compare(DType t, DType result, const Kernel& kernel, const Reference& reference, double tolerance) {
  for (const auto& [x, dims] : cases(t)) {
    Sizes kept;
    const auto expected = groups(x, dims, kept);
    const Tensor y = empty(kept, result);
    set_num_threads(1);
    kernel(y, x, dims);
    const Group got = doubles(y);
    INFO("x ", name(t), " ", text(x.sizes()), " strides ", text(x.strides()), " dims ", text(dims));
    for (size_t i = 0; i < got.size(); ++i) {
      const double e = reference(expected[i]);
      double squares = 0;  // rounding errors of a sum grow with its terms, not with the result
      for (const double v : expected[i]) squares += v * v;
      const double scale = std::max(std::abs(e), std::sqrt(squares));
      if (!(std::abs(got[i] - e) <= tolerance * scale) && !(got[i] == e) && !(got[i] != got[i] && e != e)) {
        FAIL_CHECK("result ", i, " is ", got[i], ", expected ", e);
        break;
      }
    }
    for (const int threads : {2, 3, 8}) {
      set_num_threads(threads);
      const Tensor again = empty(kept, result);
      kernel(again, x, dims);
      CHECK(std::memcmp(again.bytes(), y.bytes(), static_cast<size_t>(y.numel() * y.item_size())) == 0);
    }
    set_num_threads(1);
  }
}

double sum(const Group& x) {
  long double s = 0;
  for (const double v : x) s += v;
  return static_cast<double>(s);
}

double var(const Group& x) {
  const double mean = sum(x) / static_cast<double>(x.size());
  long double s = 0;
  for (const double v : x) s += (v - mean) * (v - mean);
  return static_cast<double>(s / static_cast<long double>(x.size() - 1));
}

Reference norm(double p) {
  return [p](const Group& x) {
    long double s = 0;
    for (const double v : x) s += std::pow(std::abs(static_cast<long double>(v)), static_cast<long double>(p));
    return static_cast<double>(p == 0 ? s : std::pow(s, 1 / static_cast<long double>(p)));
  };
}

}  // namespace

TEST_CASE("sums are exact to a few units in the last place for every geometry and number of threads") {
  compare(DType::Float32, DType::Float32, slots::sum, sum, 1e-6);
  compare(DType::Float64, DType::Float64, slots::sum, sum, 1e-14);
  compare(DType::Int64, DType::Int64, slots::sum, sum, 0);
  compare(DType::Float16, DType::Float16, slots::sum, sum, 1e-3);
  compare(DType::BFloat16, DType::BFloat16, slots::sum, sum, 8e-3);
  compare(DType::Complex64, DType::Complex64, slots::sum, sum, 1e-5);
}

TEST_CASE("products multiply") {
  const auto product = [](const Group& x) {
    long double p = 1;
    for (const double v : x) p *= v;
    return static_cast<double>(p);
  };
  compare(DType::Float32, DType::Float32, slots::prod, product, 1e-5);
  compare(DType::Float64, DType::Float64, slots::prod, product, 1e-12);
}

TEST_CASE("extrema are elements") {
  const auto largest = [](const Group& x) { return *std::max_element(x.begin(), x.end()); };
  const auto smallest = [](const Group& x) { return *std::min_element(x.begin(), x.end()); };
  for (const DType t : {DType::Float32, DType::Float64, DType::Float16, DType::Int32, DType::Int8}) {
    compare(t, t, slots::amax, largest, 0);
    compare(t, t, slots::amin, smallest, 0);
  }
}

TEST_CASE("any and all") {
  const auto any = [](const Group& x) {
    return std::any_of(x.begin(), x.end(), [](double v) { return v != 0; }) ? 1.0 : 0.0;
  };
  const auto all = [](const Group& x) {
    return std::all_of(x.begin(), x.end(), [](double v) { return v != 0; }) ? 1.0 : 0.0;
  };
  for (const DType t : {DType::Float32, DType::Int32, DType::UInt8}) {
    compare(t, DType::Bool, slots::any, any, 0);
    compare(t, DType::Bool, slots::all, all, 0);
  }
}

TEST_CASE("var and norm") {
  const Kernel variance = [](const Tensor& y, const Tensor& x, const IntList& dims) { slots::var(y, x, dims, 1.0); };
  compare(DType::Float32, DType::Float32, variance, var, 1e-6);
  compare(DType::Float64, DType::Float64, variance, var, 1e-13);
  compare(DType::Float16, DType::Float16, variance, var, 1e-3);
  for (const double p : {0.0, 1.0, 2.0, 3.0, 0.5}) {
    const Kernel kernel = [p](const Tensor& y, const Tensor& x, const IntList& dims) { slots::norm(y, x, dims, p); };
    compare(DType::Float32, DType::Float32, kernel, norm(p), 1e-6);
    compare(DType::Float64, DType::Float64, kernel, norm(p), 1e-12);
  }
}

TEST_CASE("norms whose squares overflow or vanish are scaled") {
  const Tensor x = empty({4}, DType::Float64), y = empty({1}, DType::Float64);
  for (const double v : {1e200, 1e-200}) {
    slots::fill(x, Scalar(v));
    slots::norm(y, x, IntList{0}, 2.0);
    CHECK(y.data<double>()[0] == doctest::Approx(2 * v).epsilon(1e-14));
  }
}

TEST_CASE("positions are those of the first of equals, from 1, and of NaN before all") {
  const auto first = [](const Group& x, bool largest) {
    size_t best = 0;
    for (size_t i = 1; i < x.size(); ++i)
      if (x[best] == x[best] && (x[i] != x[i] || (largest ? x[i] > x[best] : x[i] < x[best]))) best = i;
    return static_cast<double>(best + 1);
  };
  for (const DType t : {DType::Float32, DType::Float64, DType::BFloat16, DType::Int64, DType::UInt8}) {
    for (const auto& [x, dims] : cases(t)) {
      if (dims.size() != 1 && static_cast<int64_t>(dims.size()) != x.dim()) continue;
      const int64_t dim = dims.size() == 1 ? dims[0] : -1;
      Sizes kept;
      const auto expected = groups(x, dims, kept);
      const Tensor largest = empty(kept, DType::Int64), smallest = empty(kept, DType::Int64), values = empty(kept, t);
      INFO("x ", name(t), " ", text(x.sizes()), " strides ", text(x.strides()), " dim ", dim);
      for (const int threads : {1, 3}) {
        set_num_threads(threads);
        slots::argmax(largest, x, dim);
        slots::argmin(smallest, x, dim);
        for (size_t i = 0; i < expected.size(); ++i) {
          CHECK(largest.data<int64_t>()[i] == first(expected[i], true));
          CHECK(smallest.data<int64_t>()[i] == first(expected[i], false));
        }
        if (dim < 0) continue;
        slots::max_with_index(values, largest, x, dim);
        const Group v = doubles(values);
        for (size_t i = 0; i < expected.size(); ++i)
          CHECK(v[i] == expected[i][static_cast<size_t>(largest.data<int64_t>()[i] - 1)]);
      }
      set_num_threads(1);
    }
  }
  const Tensor x = random({3, 9000}, DType::Float32), y = empty({3, 1}, DType::Int64),
               m = empty({3, 1}, DType::Float32);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  x.data<float>()[5000] = x.data<float>()[8000] = x.data<float>()[9000] = nan;
  slots::max_with_index(m, y, x, 1);
  CHECK(y.data<int64_t>()[0] == 5001);
  CHECK(y.data<int64_t>()[1] == 1);
  CHECK(std::isnan(m.data<float>()[0]));
  CHECK_FALSE(std::isnan(m.data<float>()[2]));
  slots::amax(m, x, IntList{1});
  CHECK(std::isnan(m.data<float>()[1]));
}

TEST_CASE("reductions of nothing give the neutral element") {
  const Tensor x = empty({0, 3}, DType::Float32), y = empty({1, 3}, DType::Float32), b = empty({1, 3}, DType::Bool);
  slots::sum(y, x, IntList{0});
  CHECK(doubles(y) == Group{0, 0, 0});
  slots::prod(y, x, IntList{0});
  CHECK(doubles(y) == Group{1, 1, 1});
  slots::all(b, x, IntList{0});
  CHECK(doubles(b) == Group{1, 1, 1});
  slots::any(b, x, IntList{0});
  CHECK(doubles(b) == Group{0, 0, 0});
  slots::var(y, x, IntList{0}, 1.0);
  CHECK(std::isnan(doubles(y)[0]));
  slots::norm(y, x, IntList{0}, 2.0);
  CHECK(doubles(y) == Group{0, 0, 0});
}

TEST_CASE("scans run along any dimension") {
  for (const DType t : {DType::Float32, DType::Float64, DType::Int64, DType::BFloat16}) {
    for (const auto& [x, dims] : cases(t)) {
      if (dims.size() != 1) continue;
      const Tensor y = empty(x.sizes(), t), product = empty(x.sizes(), t);
      slots::cumsum(y, x, dims[0]);
      slots::cumprod(product, x, dims[0]);
      Sizes kept;
      const auto from = groups(x, dims, kept), sums = groups(y, dims, kept), products = groups(product, dims, kept);
      const double tolerance = t == DType::BFloat16 ? 0.01 : 1e-6;
      int wrong = 0;
      for (size_t i = 0; i < from.size(); ++i) {
        double s = 0, p = 1, scale = 1;
        for (size_t k = 0; k < from[i].size(); ++k) {
          s += from[i][k], scale = std::max(scale, std::abs(s));
          wrong += !(std::abs(sums[i][k] - s) <= tolerance * scale);
          if (!is_floating(t)) continue;
          p *= from[i][k];
          wrong += !(std::abs(products[i][k] - p) <= std::max(tolerance * std::abs(p) * 10, 1e-30));
        }
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("softmax and its derivative agree with their formulas") {
  for (const DType t : {DType::Float32, DType::Float64, DType::Float16}) {
    const double tolerance = t == DType::Float16 ? 2e-3 : t == DType::Float32 ? 3e-6 : 1e-13;
    for (const auto& [x, dims] : cases(t)) {
      if (dims.size() != 1) continue;
      const int64_t dim = dims[0];
      const Tensor y = empty(x.sizes(), t), log_y = empty(x.sizes(), t), g = random(x.sizes(), t, 2);
      const Tensor dx = empty(x.sizes(), t), log_dx = empty(x.sizes(), t);
      slots::softmax(y, x, dim);
      slots::log_softmax(log_y, x, dim);
      slots::softmax_backward(dx, g, y, dim);
      slots::log_softmax_backward(log_dx, g, log_y, dim);
      Sizes kept;
      const auto from = groups(x, dims, kept), got = groups(y, dims, kept), logs = groups(log_y, dims, kept);
      const auto gs = groups(g, dims, kept), dxs = groups(dx, dims, kept), log_dxs = groups(log_dx, dims, kept);
      double error = 0;
      for (size_t i = 0; i < from.size(); ++i) {
        double total = 0, dot = 0, gradient = 0;
        for (const double v : from[i]) total += std::exp(v);
        for (size_t k = 0; k < from[i].size(); ++k) dot += gs[i][k] * got[i][k], gradient += gs[i][k];
        for (size_t k = 0; k < from[i].size(); ++k) {
          const double p = std::exp(from[i][k]) / total;
          error = std::max(
              {error, std::abs(got[i][k] - p), std::abs(logs[i][k] - std::log(p)) / 10,
               std::abs(dxs[i][k] - got[i][k] * (gs[i][k] - dot)),
               std::abs(log_dxs[i][k] - (gs[i][k] - std::exp(logs[i][k]) * gradient)) / (1 + std::abs(gradient))});
        }
      }
      INFO("x ", name(t), " ", text(x.sizes()), " dim ", dim);
      CHECK(error <= tolerance);
    }
  }
}

TEST_CASE("softmax does not overflow") {
  const Tensor x = empty({3}, DType::Float32), y = empty({3}, DType::Float32);
  const float inf = std::numeric_limits<float>::infinity();
  std::copy_n(std::vector<float>{1000, -inf, 1000}.data(), 3, x.data<float>());
  slots::softmax(y, x, 0);
  CHECK(doubles(y) == Group{0.5, 0, 0.5});
}
