#include "core/tensor.h"

#include <doctest/doctest.h>

#include <random>

#include "core/ops.h"

using namespace facula;

TEST_CASE("views share storage and version") {
  const Tensor x = empty({2, 3}, DType::Float32), row = ops::select(x, 0, 1);
  CHECK(row.storage() == x.storage());
  CHECK(row.offset() == 3);
  const uint32_t before = x.version();
  ops::zero_(row);
  CHECK(x.version() == before + 1);
}

TEST_CASE("sizes that cannot be had are errors") {
  CHECK_THROWS_WITH_AS(empty({-1}, DType::Float32), doctest::Contains("negative"), Error);
  CHECK_THROWS_WITH_AS(empty({int64_t{1} << 40, int64_t{1} << 40}, DType::Float32), doctest::Contains("more elements"),
                       Error);
  CHECK_THROWS_AS(empty({int64_t{1} << 60}, DType::Float32), Error);
  CHECK_THROWS_AS(empty({int64_t{1} << 50}, DType::Float32), OutOfMemory);
}

TEST_CASE("a tensor may have no dimensions, no elements, or many dimensions") {
  CHECK(empty({}, DType::Float32).numel() == 1);
  CHECK(empty({0, 3}, DType::Float32).numel() == 0);
  CHECK(empty(Sizes(9, 2), DType::Float32).numel() == 512);
}

TEST_CASE("the address rule holds for random chains of views") {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    Tensor x = ops::reshape(ops::arange(120), {2, 3, 4, 5});
    const auto* memory = static_cast<const int64_t*>(x.storage()->data());
    for (int step = 0; step < 4 && x.dim() > 1; ++step) {
      const auto d = static_cast<int64_t>(random() % static_cast<unsigned>(x.dim()));
      switch (random() % 4) {
        case 0: x = ops::transpose(x, d, 0); break;
        case 1: x = ops::select(x, d, static_cast<int64_t>(random() % static_cast<unsigned>(x.size(d)))); break;
        case 2: x = ops::slice(x, d, 0, x.size(d), 2); break;
        default:
          x = ops::expand(ops::unsqueeze(x, d), [&] {
            Sizes s = x.sizes();
            s.insert(static_cast<size_t>(d), 2);
            return s;
          }());
          break;
      }
    }
    const Tensor flat = ops::contiguous(ops::reshape(x, {-1}));
    for (int64_t i = 0; i < flat.numel(); ++i) {
      int64_t rest = i, address = x.offset();
      for (int64_t k = x.dim() - 1; k >= 0; --k) {
        address += rest % x.size(k) * x.stride(k);
        rest /= x.size(k);
      }
      REQUIRE(flat.data<int64_t>()[i] == memory[address]);
    }
  }
}

TEST_CASE("view finds strides where no copy is needed and refuses elsewhere") {
  const Tensor x = ops::reshape(ops::arange(24), {2, 3, 4});
  CHECK(ops::view(x, {6, -1}).strides() == IntList{4, 1});
  const Tensor t = ops::transpose(x, 0, 1);
  CHECK(ops::view(t, {3, 2, 2, 2}).strides() == IntList{4, 12, 2, 1});
  CHECK_THROWS_WITH_AS(ops::view(t, {6, 4}), doctest::Contains("use reshape"), Error);
  CHECK_THROWS_WITH_AS(ops::view(x, {-1, -1}), doctest::Contains("only one size"), Error);
  CHECK_THROWS_WITH_AS(ops::view(x, {5, -1}), doctest::Contains("do not fit"), Error);
}

TEST_CASE("memory of somebody else is released by its owner") {
  float memory[6] = {0, 1, 2, 3, 4, 5};
  int released = 0;
  {
    const Tensor x = borrow(memory, {2, 3}, {3, 1}, DType::Float32, {}, [&] { ++released; });
    const Tensor view = ops::select(x, 0, 1);
    ops::fill_.in_place(view, 7);
    CHECK(released == 0);
  }
  CHECK(released == 1);
  CHECK(memory[5] == 7);
}

TEST_CASE("overlap is seen") {
  const Tensor x = empty({4}, DType::Float32);
  CHECK_FALSE(overlaps_itself(x));
  CHECK(overlaps_itself(ops::expand(ops::unsqueeze(x, 0), {3, 4})));
  CHECK(overlaps_itself(ops::as_strided(x, {2, 2}, {1, 1})));
  CHECK_FALSE(overlaps_itself(ops::t(empty({2, 3}, DType::Float32))));
  CHECK(may_share(x, ops::slice(x, 0, 1, 2)));
  CHECK_FALSE(may_share(ops::slice(x, 0, 0, 2), ops::slice(x, 0, 2, 4)));
}

TEST_CASE("meta tensors have shapes and no memory") {
  const Tensor a = empty({1 << 20, 1 << 20}, DType::Float32, DeviceType::Meta);
  const Tensor y = ops::sum(ops::matmul(a, ops::t(a)) + 1, {0});
  CHECK(y.is_meta());
  CHECK(y.sizes() == Sizes{1 << 20});
  CHECK_THROWS_WITH_AS(item(ops::sum(a)), doctest::Contains("meta"), Error);
}
