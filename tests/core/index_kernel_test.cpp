// Reading and writing at positions against loops over coordinates.
#include <functional>

#include "kernel_test.h"

namespace facula::test {
namespace {

using Coordinates = std::vector<int64_t>;

// Calls visit(coordinates, row-major number) for all elements of the given sizes.
void for_coordinates(const Sizes& sizes, const std::function<void(Coordinates&, int64_t)>& visit) {
  const int64_t n = numel_of(sizes);
  for (int64_t i = 0; i < n; ++i) {
    Coordinates at(sizes.size());
    for (int64_t d = static_cast<int64_t>(sizes.size()) - 1, rest = i; d >= 0; rest /= sizes[d--])
      at[d] = rest % sizes[d];
    visit(at, i);
  }
}
int64_t number_of(const Coordinates& at, const Sizes& sizes) {
  int64_t i = 0;
  for (size_t d = 0; d < sizes.size(); ++d) i = i * sizes[d] + at[d];
  return i;
}
complex128 get(const Tensor& x, const Coordinates& at) { return test::get(x, number_of(at, x.sizes())); }
using test::get;
void set(const Tensor& x, const Coordinates& at, complex128 v) { test::set(x, number_of(at, x.sizes()), v); }
using test::set;

struct Case {
  Sizes x, index;
  int64_t dim;
};
const Case kCases[] = {{{5}, {7}, 0},          {{5, 3}, {4, 3}, 0},       {{5, 3}, {5, 8}, 1},
                       {{5, 3}, {2, 2}, 0},    {{4, 5, 6}, {4, 2, 6}, 1}, {{4, 5, 6}, {3, 5, 9}, 2},
                       {{4, 5, 6}, {0, 5}, 1}, {{300, 40}, {500, 40}, 0}, {{40, 300}, {40, 500}, 1}};

TEST_CASE("gather reads at the positions, in every dtype and layout") {
  for (const DType dtype : kAllDTypes)
    for (const Case& c : kCases) {
      if (c.index.size() != c.x.size()) continue;
      const Tensor x = integers(dtype, c.x), index = positions(c.index, c.x[c.dim]), expected = empty(c.index, dtype);
      for_coordinates(c.index, [&](Coordinates& at, int64_t i) {
        at[c.dim] = get_int(index, i) - 1;
        set(expected, i, get(x, at));
      });
      INFO(dtype, " ", c.x, " ", c.index, " ", c.dim);
      for (const bool dense : {true, false}) {
        const Tensor y = on_threads([&] {
          const Tensor out = dense ? empty(c.index, dtype) : strided(c.index, dtype);
          dense ? slots::gather(out, x, c.dim, index) : slots::gather(out, strided(x), c.dim, strided(index));
          return out;
        });
        CHECK(same_bits(y, expected));
      }
    }
}

TEST_CASE("gather and scatter take tensors without dimensions") {
  const Tensor x = tensor(DType::Float32, {}, {7}), index = tensor(DType::Int64, {}, {1}),
               out = empty({}, DType::Float32);
  slots::gather(out, x, 0, index);
  CHECK(get(out, 0) == 7.0);
  slots::scatter(out, 0, index, tensor(DType::Float32, {}, {9}));
  CHECK(get(out, 0) == 9.0);
  slots::index_select(out, x, 0, tensor(DType::Int64, {1}, {1}));
  CHECK(get(out, 0) == 7.0);
}

TEST_CASE("scatter writes in order, scatter_add adds, in every dtype and layout") {
  for (const DType dtype : kAllDTypes)
    for (const Case& c : kCases) {
      if (c.index.size() != c.x.size()) continue;
      bool fits = true;  // index may not be larger than out outside dim
      for (size_t d = 0; d < c.x.size(); ++d) fits = fits && (static_cast<int64_t>(d) == c.dim || c.index[d] <= c.x[d]);
      if (!fits) continue;
      Sizes larger = c.index;
      for (auto& n : larger) ++n;
      const Tensor x = integers(dtype, c.x), index = positions(c.index, c.x[c.dim]), src = integers(dtype, larger, 3);
      const Tensor written = copy_of(x), sums = copy_of(x);
      for_coordinates(c.index, [&](Coordinates& at, int64_t i) {
        const complex128 v = get(src, at);
        at[c.dim] = get_int(index, i) - 1;
        set(written, at, v);
        set(sums, at, get(sums, at) + v);
      });
      INFO(dtype, " ", c.x, " ", c.index, " ", c.dim);
      for (const bool dense : {true, false})
        for (const bool add : {false, true}) {
          const Tensor y = on_threads([&] {
            const Tensor out = dense ? copy_of(x) : strided(x);
            const Tensor at = dense ? index : strided(index), from = dense ? src : strided(src);
            add ? slots::scatter_add(out, c.dim, at, from) : slots::scatter(out, c.dim, at, from);
            return out;
          });
          CHECK(same_bits(y, add ? sums : written));
        }
    }
}

TEST_CASE("index_select and index_add go by slices") {
  for (const DType dtype : kAllDTypes)
    for (const auto& [sizes, dim, count] : {std::tuple<Sizes, int64_t, int64_t>{{5, 3}, 0, 4},
                                            {{5, 3}, 1, 7},
                                            {{6}, 0, 9},
                                            {{3, 4, 5}, 1, 6},
                                            {{5, 3}, 0, 0},
                                            {{200, 64}, 0, 700},
                                            {{0, 4}, 1, 2}}) {
      const Tensor x = integers(dtype, sizes), index = positions({count}, sizes[dim]);
      Sizes chosen = sizes;
      chosen[dim] = count;
      const Tensor src = integers(dtype, chosen, 3), expected = empty(chosen, dtype), sums = copy_of(x);
      for_coordinates(chosen, [&](Coordinates& at, int64_t i) {
        at[dim] = get_int(index, at[dim]) - 1;
        set(expected, i, get(x, at));
        set(sums, at, get(sums, at) + 2.0 * get(src, i));
      });
      INFO(dtype, " ", sizes, " ", dim);
      for (const bool dense : {true, false}) {
        const Tensor y = on_threads([&] {
          const Tensor out = dense ? empty(chosen, dtype) : strided(chosen, dtype);
          slots::index_select(out, dense ? x : strided(x), dim, dense ? index : strided(index));
          return out;
        });
        CHECK(same_bits(y, expected));
        const Tensor z = on_threads([&] {
          const Tensor out = dense ? copy_of(x) : strided(x);
          slots::index_add(out, dim, dense ? index : strided(index), dense ? src : strided(src), 2);
          return out;
        });
        CHECK(same_bits(z, sums));
      }
    }
}

TEST_CASE("index and index_put take positions for the leading dimensions") {
  for (const DType dtype : {DType::Bool, DType::Int16, DType::BFloat16, DType::Float32, DType::Complex128})
    for (const auto& [sizes, given, chosen] : {std::tuple<Sizes, int64_t, Sizes>{{5, 3}, 1, {4}},
                                               {{5, 3}, 2, {6}},
                                               {{5, 3, 4}, 2, {2, 3}},
                                               {{5, 3, 4}, 1, {0}},
                                               {{7}, 1, {3, 2}},
                                               {{5, 3}, 2, {}},
                                               {{90, 80, 5}, 2, {60, 70}}}) {
      const Tensor x = integers(dtype, sizes);
      std::vector<Tensor> indices;
      for (int64_t d = 0; d < given; ++d) {
        indices.push_back(positions(chosen, sizes[d], d + 1));
        for (int64_t i = 0; i < indices[d].numel(); i += 2)  // every second one from the end
          set(indices[d], i, static_cast<double>(get_int(indices[d], i) - sizes[d] - 1));
      }
      Sizes result = chosen;
      for (size_t d = given; d < sizes.size(); ++d) result.push_back(sizes[d]);
      const Tensor values = integers(dtype, result, 3), expected = empty(result, dtype), written = copy_of(x),
                   sums = copy_of(x);
      for_coordinates(result, [&](Coordinates& at, int64_t i) {
        const int64_t place = number_of({at.begin(), at.begin() + static_cast<int64_t>(chosen.size())}, chosen);
        Coordinates from(at.begin() + static_cast<int64_t>(chosen.size()), at.end());
        for (int64_t d = given; d-- > 0;) {
          const int64_t p = get_int(indices[d], place);
          from.insert(from.begin(), p > 0 ? p - 1 : p + sizes[d]);
        }
        set(expected, i, get(x, from));
        set(written, from, get(values, i));
        set(sums, from, get(sums, from) + get(values, i));
      });
      INFO(dtype, " ", sizes, " ", chosen);
      for (const bool dense : {true, false}) {
        std::vector<Tensor> at;
        for (const Tensor& t : indices) at.push_back(dense ? t : strided(t));
        const Tensor y = on_threads([&] {
          const Tensor out = dense ? empty(result, dtype) : strided(result, dtype);
          slots::index(out, dense ? x : strided(x), TensorSpan(at));
          return out;
        });
        CHECK(same_bits(y, expected));
        for (const bool accumulate : {false, true}) {
          const Tensor z = on_threads([&] {
            const Tensor out = dense ? copy_of(x) : strided(x);
            slots::index_put(out, TensorSpan(at), dense ? values : strided(values), accumulate);
            return out;
          });
          CHECK(same_bits(z, accumulate ? sums : written));
        }
      }
    }
}

TEST_CASE("index_put stretches a value") {
  const Tensor x = tensor(DType::Float32, {4}, {1, 2, 3, 4}), at[] = {tensor(DType::Int64, {3}, {1, -1, 1})};
  slots::index_put(x, TensorSpan(at), tensor(DType::Float32, {}, {10}).expanded({3}), true);
  CHECK(list(x) == std::vector<double>{21, 2, 3, 14});
}

TEST_CASE("float16 sums at positions are rounded once") {
  const Tensor out = tensor(DType::Float16, {1}, {2048}), ones = empty({100}, DType::Float16), at = positions({100}, 1);
  for (int64_t i = 0; i < 100; ++i) set(ones, i, 1);
  slots::scatter_add(out, 0, at, ones);
  CHECK(get(out, 0) == 2148.0);
}

TEST_CASE("a position outside is an error, and nothing is written") {
  const Tensor x = tensor(DType::Float32, {5, 3}, std::vector<double>(15, 1)), before = copy_of(x);
  const Tensor seven = tensor(DType::Int64, {2, 3}, {1, 2, 3, 4, 5, 7}), zero = tensor(DType::Int64, {2}, {1, 0});
  const Tensor out = empty({2, 3}, DType::Float32), src = integers(DType::Float32, {2, 3});
  Counting lua(1);
  CHECK(error_of([&] { slots::gather(out, x, 0, seven); }) ==
        "gather: position 7 is outside 1..5 in dimension 1 of (5, 3)");
  CHECK(error_of([&] {
          slots::gather(empty({2, 3}, DType::Float32), x, 1, seven);
        }) == "gather: position 4 is outside 1..3 in dimension 2 of (5, 3)");
  CHECK(error_of([&] { slots::scatter(x, 0, seven, src); }) ==
        "scatter: position 7 is outside 1..5 in dimension 1 of (5, 3)");
  CHECK(error_of([&] { slots::scatter_add(x, 0, strided(seven), src); }) ==
        "scatter_add: position 7 is outside 1..5 in dimension 1 of (5, 3)");
  CHECK(error_of([&] { slots::index_select(out, x, 0, zero); }) ==
        "index_select: position 0 is outside 1..5 in dimension 1 of (5, 3)");
  CHECK(error_of([&] { slots::index_add(x, 0, zero, src, 1); }) ==
        "index_add: position 0 is outside 1..5 in dimension 1 of (5, 3)");
  const Tensor good = tensor(DType::Int64, {2}, {-5, 5}), far = tensor(DType::Int64, {2}, {-3, -4});
  const Tensor pair[] = {good, far}, none[] = {good, zero};
  CHECK(error_of([&] { slots::index(empty({2}, DType::Float32), x, TensorSpan(pair)); }) ==
        "index: position -4 is outside 1..3 in dimension 2 of (5, 3)");
  CHECK(error_of([&] { slots::index_put(x, TensorSpan(none), empty({2}, DType::Float32), false); }) ==
        "index_put: position 0 is outside 1..3 in dimension 2 of (5, 3)");
  CHECK(same_bits(x, before));
  const Tensor huge = tensor(DType::Int64, {1}, {-9223372036854775808.0});
  CHECK(error_of([&] {
          slots::index_select(empty({1, 3}, DType::Float32), x, 0, huge);
        }) == "index_select: position -9223372036854775808 is outside 1..5 in dimension 1 of (5, 3)");
}

TEST_CASE("nonzero gives positions in row-major order") {
  for (const DType dtype : kAllDTypes)
    for (const Sizes& sizes : {Sizes{6}, {3, 4}, {2, 3, 4}, {0, 3}, {}, {70, 1000}}) {
      const Tensor x = integers(dtype, sizes);
      std::vector<double> expected;
      int64_t count = 0;
      for_coordinates(sizes, [&](Coordinates& at, int64_t i) {
        if (get(x, i) == 0.0) return;
        ++count;
        for (const int64_t c : at) expected.push_back(static_cast<double>(c + 1));
      });
      const Sizes result{count, static_cast<int64_t>(sizes.size())};
      INFO(dtype, " ", sizes);
      for (const bool dense : {true, false}) {
        const Tensor y = on_threads([&] {
          const Tensor out = dense ? empty(result, DType::Int64) : strided(result, DType::Int64);
          slots::nonzero(out, dense ? x : strided(x));
          return out;
        });
        CHECK(list(y) == expected);
      }
    }
}

}  // namespace
}  // namespace facula::test
