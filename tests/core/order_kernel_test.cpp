// Sorting and choosing against std::stable_sort with the order in words.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernel_test.h"

namespace facula::test {
namespace {

// Is a before b: NaN is the largest and equal to NaN.
bool before(double a, double b, bool descending) {
  if (descending) std::swap(a, b);
  return std::isnan(b) ? !std::isnan(a) : a < b;
}

struct Sorted {
  Tensor values, positions;
};
// The first `count` of every row along dim, in order.
Sorted first_in_order(const Tensor& x, int64_t dim, int64_t count, bool descending) {
  Sizes sizes = x.sizes();
  sizes[dim] = count;
  const Sorted result{empty(sizes, x.dtype()), empty(sizes, DType::Int64)};
  int64_t inner = 1, outer = 1;
  for (int64_t d = 0; d < x.dim(); ++d) (d < dim ? outer : inner) *= d == dim ? 1 : x.size(d);
  const int64_t n = x.size(dim);
  for (int64_t row = 0; row < outer * inner; ++row) {
    auto number = [&](int64_t i, int64_t length) { return (row / inner * length + i) * inner + row % inner; };
    std::vector<int64_t> order(n);
    std::iota(order.begin(), order.end(), int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return before(get(x, number(a, n)).real(), get(x, number(b, n)).real(), descending);
    });
    for (int64_t i = 0; i < count; ++i) {
      std::memcpy(address(result.values, number(i, count)), address(x, number(order[i], n)), x.item_size());
      set(result.positions, number(i, count), static_cast<double>(order[i] + 1));
    }
  }
  return result;
}

// Numbers with many ties; NaN, infinities and both zeros where there are such.
Tensor numbers(DType dtype, const Sizes& sizes) {
  const Tensor x = integers(dtype, sizes);
  if (is_floating(dtype))
    for (int64_t i = 0; i < x.numel(); ++i) {
      if (i % 11 == 3) set(x, i, std::nan(""));
      if (i % 13 == 4) set(x, i, -std::nan(""));
      if (i % 17 == 5) set(x, i, (i % 2 ? 1 : -1) * std::numeric_limits<double>::infinity());
      if (i % 7 == 1) set(x, i, -0.0);
      if (i % 5 == 1) set(x, i, get(x, i) * 1.25);
    }
  return x;
}

const Sizes kSizes[] = {{1}, {10}, {5, 7}, {3, 4, 5}, {2, 600}, {700, 3}, {0, 3}};

TEST_CASE("sort is stable along any dimension, with NaN as the largest") {
  for (const DType dtype : kAllDTypes)
    for (const Sizes& sizes : kSizes)
      for (int64_t dim = 0; dim < static_cast<int64_t>(sizes.size()) && !is_complex(dtype); ++dim)
        for (const bool descending : {false, true}) {
          const Tensor x = numbers(dtype, sizes);
          const Sorted expected = first_in_order(x, dim, sizes[dim], descending);
          INFO(dtype, " ", sizes, " ", dim, " ", descending);
          for (const bool dense : {true, false}) {
            Tensor values;
            const Tensor at = on_threads([&] {
              values = dense ? empty(sizes, dtype) : strided(sizes, dtype);
              const Tensor p = dense ? empty(sizes, DType::Int64) : strided(sizes, DType::Int64);
              slots::sort(values, p, dense ? x : strided(x), dim, descending);
              return p;
            });
            CHECK(same_bits(at, expected.positions));
            CHECK(same_bits(values, expected.values));
          }
        }
}

TEST_CASE("sort orders long rows of all bit patterns") {
  const int64_t n = 100'000;
  for (const DType dtype : {DType::Int8, DType::Int32, DType::Int64, DType::Float32, DType::Float64}) {
    const Tensor x = empty({n}, dtype), values = empty({n}, dtype), at = empty({n}, DType::Int64);
    Numbers random;
    for (int64_t i = 0; i < n * x.item_size() / 2; ++i)
      reinterpret_cast<uint16_t*>(x.bytes())[i] = static_cast<uint16_t>(random.integer(0, 65535));
    slots::sort(values, at, x, 0, false);
    const Sorted expected = first_in_order(x, 0, n, false);
    CHECK(same_bits(at, expected.positions));
    CHECK(same_bits(values, expected.values));
  }
}

TEST_CASE("a number is sorted") {
  const Tensor x = tensor(DType::Float32, {}, {7}), values = empty({}, DType::Float32), at = empty({}, DType::Int64);
  slots::sort(values, at, x, 0, false);
  CHECK(get(values, 0) == 7.0);
  CHECK(get_int(at, 0) == 1);
  slots::topk(values, at, x, 0, true, true);
  CHECK(get_int(at, 0) == 1);
}

TEST_CASE("topk gives the best k, the first of ties") {
  for (const DType dtype : kAllDTypes)
    for (const Sizes& sizes : kSizes)
      for (int64_t dim = 0; dim < static_cast<int64_t>(sizes.size()) && !is_complex(dtype); ++dim)
        for (const int64_t k : {int64_t{0}, int64_t{1}, sizes[dim] / 2, sizes[dim]})
          for (const bool largest : {false, true}) {
            if (k > sizes[dim]) continue;
            const Tensor x = numbers(dtype, sizes);
            const Sorted expected = first_in_order(x, dim, k, largest);
            INFO(dtype, " ", sizes, " ", dim, " ", k, " ", largest);
            const Sizes& result = expected.values.sizes();
            const Tensor values = strided(result, dtype);
            const Tensor at = on_threads([&] {
              const Tensor p = empty(result, DType::Int64);
              slots::topk(values, p, strided(x), dim, largest, true);
              return p;
            });
            CHECK(same_bits(at, expected.positions));
            CHECK(same_bits(values, expected.values));
          }
}

TEST_CASE("topk of a long row, sorted or not, holds the same elements") {
  const int64_t n = 50'000;
  const Tensor x = empty({n}, DType::Float32);
  Numbers random;
  for (int64_t i = 0; i < n; ++i) x.data<float>()[i] = static_cast<float>(random.integer(0, 20'000));
  for (const int64_t k : {1, 10, 700, 30'000}) {
    const Tensor values = empty({k}, DType::Float32), at = empty({k}, DType::Int64), again = empty({k}, DType::Int64);
    slots::topk(values, at, x, 0, true, true);
    CHECK(same_bits(at, first_in_order(x, 0, k, true).positions));
    slots::topk(values, again, x, 0, true, false);
    for (int64_t i = 0; i < k; ++i) CHECK(get(values, i) == get(x, get_int(again, i) - 1));
    std::vector<double> a = list(at), b = list(again);
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    CHECK(a == b);
  }
}

TEST_CASE("complex numbers have no order") {
  const Tensor x = integers(DType::Complex64, {3});
  CHECK(error_of([&] { slots::sort(x, empty({3}, DType::Int64), x, 0, false); }) ==
        "sort: complex64 numbers have no order");
  CHECK(error_of([&] { slots::topk(x, empty({3}, DType::Int64), x, 0, true, true); }) ==
        "topk: complex64 numbers have no order");
}

}  // namespace
}  // namespace facula::test
