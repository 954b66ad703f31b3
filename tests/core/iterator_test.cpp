#include "core/iterator.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/ops.h"

using namespace facula;

TEST_CASE("dense tensors of any rank are one row") {
  const Tensor x = empty({2, 3, 4}, DType::Float32);
  const LoopNest<2> nest({&x, &x});
  CHECK(nest.dims == 1);
  CHECK(nest.size[0] == 24);
  CHECK(nest.is_dense({4, 4}));
}

TEST_CASE("tensors that are dense in the same order of dimensions are one row too") {
  const Tensor x = ops::permute(empty({2, 3, 4}, DType::Float32), {2, 0, 1});
  const LoopNest<2> nest({&x, &x});
  CHECK(nest.dims == 1);
  CHECK(nest.stride[0][0] == 4);
}

TEST_CASE("a broadcast row keeps two dimensions, a broadcast number one") {
  const Tensor y = empty({5, 6}, DType::Float32), row = ops::expand(empty({6}, DType::Float32), {5, 6});
  const LoopNest<2> rows({&y, &row});
  CHECK(rows.dims == 2);
  CHECK(rows.stride[1][1] == 0);
  const Tensor number = ops::expand(empty({}, DType::Float32), {5, 6});
  const LoopNest<2> numbers({&y, &number});
  CHECK(numbers.dims == 1);
  CHECK(numbers.stride[0][1] == 0);
}

TEST_CASE("pieces that begin and end anywhere visit every element once") {
  const Tensor x = ops::transpose(ops::reshape(ops::arange(60), {3, 4, 5}), 0, 2);
  const Tensor y = empty({5, 4, 3}, DType::Int64);
  const LoopNest<2> nest({&y, &x});
  for (int64_t cut = 0; cut <= 60; ++cut) {
    ops::fill_.in_place(y, -1);
    for (const auto& [begin, end] : {std::pair<int64_t, int64_t>{0, cut}, {cut, 60}})
      nest.rows(begin, end, [&](const std::array<char*, 2>& p, int64_t n) {
        for (int64_t i = 0; i < n; ++i)
          *reinterpret_cast<int64_t*>(p[0] + i * nest.stride[0][0]) =
              *reinterpret_cast<int64_t*>(p[1] + i * nest.stride[0][1]);
      });
    bool equal = true;
    for (int64_t i = 0; i < 5; ++i)
      for (int64_t j = 0; j < 4; ++j)
        for (int64_t k = 0; k < 3; ++k) equal = equal && y.data<int64_t>()[(i * 4 + j) * 3 + k] == (k * 4 + j) * 5 + i;
    REQUIRE(equal);
  }
}

TEST_CASE("no elements, no rows") {
  const Tensor x = empty({0, 3}, DType::Float32);
  int rows = 0;
  LoopNest<1>({&x}).parallel_rows(1, [&](const auto&, int64_t n) { rows += n > 0; });
  CHECK(rows == 0);
}
