// The stream's words against the published ones, each kind of number against its formula in double, and its moments.
#include <algorithm>
#include <cmath>

#include "kernel_test.h"

namespace facula::test {
namespace {

const Philox kStream{42, (uint64_t{1} << 32) - 3};  // the counter's carry comes after three blocks

uint32_t word(const Philox& g, int64_t i) { return g.block(i / 4)[i % 4]; }
uint64_t pair(const Philox& g, int64_t i) { return word(g, 2 * i) | uint64_t{word(g, 2 * i + 1)} << 32; }

// Fills a tensor in every way that must not matter: dense or not, on one thread or on three.
template <class Fill>
Tensor filled(const Sizes& sizes, DType dtype, Fill fill) {
  const Tensor spread = strided(sizes, dtype);
  fill(spread);
  const Tensor y = on_threads([&] {
    const Tensor out = empty(sizes, dtype);
    fill(out);
    return out;
  });
  CHECK(same_bits(y, spread));
  return y;
}

TEST_CASE("Philox gives the published words") {
  // Random123, kat_vectors: philox4x32-10
  CHECK(Philox{0, 0}.block(0) == std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(Philox{0, 5}.block(2) == Philox{0, 7}.block(0));
}

TEST_CASE("uniform numbers are 24 or 53 bits of the stream") {
  for (const int64_t n : {0, 1, 3, 4, 37, 5000}) {
    const Tensor x = filled({n}, DType::Float32, [](const Tensor& out) { slots::uniform(out, 0, 1, kStream); });
    for (int64_t i = 0; i < n; ++i) CHECK(get(x, i) == (word(kStream, i) >> 8) * 0x1p-24);
    const Tensor y = filled({n}, DType::Float64, [](const Tensor& out) { slots::uniform(out, -1, 3, kStream); });
    for (int64_t i = 0; i < n; ++i)
      CHECK(get(y, i) == -1 + 4 * (static_cast<double>(pair(kStream, i) >> 11) * 0x1p-53));
  }
}

TEST_CASE("uniform numbers stay below the end in every floating dtype") {
  for (const DType dtype : {DType::Float16, DType::BFloat16, DType::Float32, DType::Float64})
    for (const auto& [from, to] :
         {std::pair{0.0, 1.0}, {-1.0, 0.0}, {0.1, 0.3}, {-2.0, -1.0}, {1000.0, 1001.0}, {2.0, 2.0}}) {
      const Tensor x =
          filled({20, 500}, dtype, [&, a = from, b = to](const Tensor& out) { slots::uniform(out, a, b, kStream); });
      INFO(dtype, " ", from, " ", to);
      int64_t outside = 0;
      for (int64_t i = 0; i < x.numel(); ++i) outside += get(x, i).real() >= to && from < to;
      CHECK(outside == 0);
      CHECK(get(x, 0).real() >= from - 0.01);
    }
}

TEST_CASE("normal numbers are Box and Muller's") {
  const double tau = 6.283185307179586;
  for (const int64_t n : {1, 2, 3, 37, 5000}) {
    const Tensor x = filled({n}, DType::Float32, [](const Tensor& out) { slots::normal(out, 1, 2, kStream); });
    const Tensor y = filled({n}, DType::Float64, [](const Tensor& out) { slots::normal(out, 1, 2, kStream); });
    for (int64_t i = 0; i < n; ++i) {
      const int64_t a = i / 2 * 2, b = a + 1;
      const double r = std::sqrt(-2 * std::log((word(kStream, a) / 2 + 0.5) * 0x1p-31)),
                   t = tau * 0x1p-32 * word(kStream, b);
      CHECK(get(x, i).real() ==
            doctest::Approx(1 + 2 * r * (i % 2 ? std::sin(t) : std::cos(t))).epsilon(1e-5).scale(1));
      const double q = std::sqrt(-2 * std::log(static_cast<double>((pair(kStream, a) >> 11) + 1) * 0x1p-53));
      const double u = tau * 0x1p-64 * static_cast<double>(pair(kStream, b));
      CHECK(get(y, i).real() ==
            doctest::Approx(1 + 2 * q * (i % 2 ? std::sin(u) : std::cos(u))).epsilon(1e-12).scale(1));
    }
  }
}

TEST_CASE("moments of normal and exponential numbers are right") {
  for (const DType dtype : {DType::Float16, DType::Float32, DType::Float64}) {
    const int64_t n = 200'000;
    const Tensor x = filled({n}, dtype, [](const Tensor& out) { slots::normal(out, 0, 1, kStream); });
    const Tensor e = filled({n}, dtype, [](const Tensor& out) { slots::exponential(out, 2, kStream); });
    double sum[5] = {}, mean = 0, least = 1;
    for (int64_t i = 0; i < n; ++i) {
      const double v = get(x, i).real();
      for (int k = 1; k <= 4; ++k) sum[k] += std::pow(v, k) / double(n);
      mean += get(e, i).real() / double(n);
      least = std::min(least, get(e, i).real());
    }
    // Five standard errors: sqrt(var / n) with var = 1, 2, 15, 96.
    CHECK(std::abs(sum[1]) < 5 * std::sqrt(1.0 / n));
    CHECK(std::abs(sum[2] - 1) < 5 * std::sqrt(2.0 / n));
    CHECK(std::abs(sum[3]) < 5 * std::sqrt(15.0 / n));
    CHECK(std::abs(sum[4] - 3) < 5 * std::sqrt(96.0 / n));
    CHECK(std::abs(mean - 0.5) < 5 * 0.5 / std::sqrt(n));
    CHECK(least > 0);
  }
}

TEST_CASE("exponential numbers are the logarithm of uniform ones") {
  const Tensor x = filled({3, 50}, DType::Float32, [](const Tensor& out) { slots::exponential(out, 4, kStream); });
  const Tensor y = filled({3, 50}, DType::Float64, [](const Tensor& out) { slots::exponential(out, 4, kStream); });
  for (int64_t i = 0; i < x.numel(); ++i) {
    CHECK(get(x, i).real() == doctest::Approx(-std::log((word(kStream, i) / 2 + 0.5) * 0x1p-31) / 4).epsilon(1e-5));
    CHECK(get(y, i).real() ==
          doctest::Approx(-std::log(static_cast<double>((pair(kStream, i) >> 11) + 1) * 0x1p-53) / 4).epsilon(1e-13));
  }
}

TEST_CASE("random integers are shares of 64 bits, in every dtype") {
  for (const DType dtype : kAllDTypes) {
    const int64_t low = dtype == DType::Bool || dtype == DType::UInt8 ? 0 : -5, high = dtype == DType::Bool ? 2 : 100;
    const Tensor x =
        filled({7, 300}, dtype, [&](const Tensor& out) { slots::random_integer(out, low, high, kStream); });
    const Tensor expected = empty({7, 300}, dtype);
    for (int64_t i = 0; i < x.numel(); ++i)
      set(expected, i,
          static_cast<double>(low) + std::floor(static_cast<double>(pair(kStream, i)) * 0x1p-64 * double(high - low)));
    INFO(dtype);
    CHECK(distance(x, expected) == 0);
  }
  const Tensor wide = filled({1000}, DType::Int64, [](const Tensor& out) {
    slots::random_integer(out, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), kStream);
  });
  int64_t negative = 0;
  for (int64_t i = 0; i < 1000; ++i) negative += get_int(wide, i) < 0;
  CHECK(std::abs(negative - 500) < 80);
}

TEST_CASE("bernoulli numbers are 1 where the word is below the probability") {
  for (const DType dtype : {DType::Bool, DType::UInt8, DType::Float16, DType::Float32, DType::Float64})
    for (const DType real : {DType::Float16, DType::Float32, DType::Float64}) {
      const Tensor p = empty({30, 100}, real);
      for (int64_t i = 0; i < p.numel(); ++i) set(p, i, static_cast<double>(i % 5) / 4);
      const Tensor each =
          filled({30, 100}, dtype, [&](const Tensor& out) { slots::bernoulli(out, strided(p), kStream); });
      const Tensor third = tensor(real, {}, {0.3}).expanded({30, 100});
      const Tensor same = filled({30, 100}, dtype, [&](const Tensor& out) { slots::bernoulli(out, third, kStream); });
      INFO(dtype, " ", real);
      int64_t wrong = 0;
      for (int64_t i = 0; i < p.numel(); ++i) {
        wrong += get(each, i).real() != (word(kStream, i) * 0x1p-32 < get(p, i).real());
        wrong += get(same, i).real() != (word(kStream, i) * 0x1p-32 < get(third, i).real());
      }
      CHECK(wrong == 0);
    }
}

TEST_CASE("randperm is a permutation of 1..n") {
  for (const int64_t n : {0, 1, 2, 7, 1024, 1025, 5000}) {
    const Tensor x = filled({n}, DType::Int64, [](const Tensor& out) { slots::randperm(out, kStream); });
    std::vector<double> sorted = list(x), expected;
    std::sort(sorted.begin(), sorted.end());
    for (int64_t i = 1; i <= n; ++i) expected.push_back(static_cast<double>(i));
    CHECK(sorted == expected);
  }
  int64_t counts[6] = {};  // all orders of three are as likely
  for (uint64_t i = 0; i < 6000; ++i) {
    const Tensor x = empty({3}, DType::Int64);
    slots::randperm(x, Philox{7, 3 * i});
    ++counts[(get_int(x, 0) - 1) * 2 + (get_int(x, 1) > get_int(x, 2))];
  }
  for (const int64_t c : counts) CHECK(std::abs(c - 1000) < 150);
}

TEST_CASE("arange counts in every dtype") {
  for (const DType dtype : kAllDTypes) {
    const Tensor x = empty({2}, dtype), y = strided({50}, dtype);
    slots::arange(x, 0, 1);
    CHECK(list(x) == std::vector<double>{0, 1});
    if (dtype == DType::Bool) continue;
    slots::arange(y, 3, 2);
    for (int64_t i = 0; i < 50; ++i) CHECK(get(y, i) == 3.0 + 2.0 * double(i));
  }
  const Tensor x = empty({4}, DType::Int64), y = empty({3}, DType::Float32);
  slots::arange(x, int64_t{1} << 60, -1);
  CHECK(get_int(x, 3) == (int64_t{1} << 60) - 3);
  slots::arange(y, 0.1, 0.1);
  CHECK(y.data<float>()[2] == static_cast<float>(0.1 + 2 * 0.1));
  slots::arange(empty({0}, DType::Float32), 0, 1);
}

TEST_CASE("linspace is symmetric and ends where it should") {
  for (const DType dtype : {DType::Float32, DType::Float64, DType::Float16, DType::Complex64}) {
    const Tensor x = strided({101}, dtype), y = strided({101}, dtype), ends = empty({2}, dtype);
    slots::linspace(x, -0.3, 0.7);
    slots::linspace(y, 0.7, -0.3);
    for (int64_t i = 0; i < 101; ++i) CHECK(get(x, i).real() == doctest::Approx(-0.3 + 0.01 * double(i)).epsilon(2e-3));
    for (int64_t i = 0; i < 50; ++i) CHECK(get(x, i) == get(y, 100 - i));
    set(ends, 0, -0.3);
    set(ends, 1, 0.7);
    CHECK(get(x, 0) == get(ends, 0));
    CHECK(get(x, 100) == get(ends, 1));
  }
  const Tensor one = empty({1}, DType::Float32), integer = empty({5}, DType::Int32);
  slots::linspace(one, 3, 8);
  CHECK(get(one, 0) == 3.0);
  slots::linspace(integer, 0, 10);
  CHECK(list(integer) == std::vector<double>{0, 2, 5, 7, 10});
  slots::linspace(empty({0}, DType::Float32), 0, 1);
}

}  // namespace
}  // namespace facula::test
