#include "core/autograd.h"

#include <doctest/doctest.h>

#include "core/ops.h"

using namespace facula;

namespace {

Tensor leaf(const Sizes& sizes, double value) {
  const Tensor x = ops::fill_.in_place(empty(sizes, DType::Float64), value);
  set_requires_grad(x, true);
  return x;
}

double at(const Tensor& x, int64_t i) { return item(ops::select(ops::reshape(x, {-1}), 0, i)).to<double>(); }

void run_backward(const Tensor& y) { backward({y}, {}, false, false); }

}  // namespace

TEST_CASE("a product's gradients are the other factors") {
  const Tensor a = leaf({2}, 3), b = leaf({2}, 4);
  run_backward(ops::sum(a * b));
  CHECK(at(grad(a), 0) == 4);
  CHECK(at(grad(b), 1) == 3);
}

TEST_CASE("gradients add up over calls and over uses") {
  const Tensor x = leaf({}, 3);
  run_backward(x * x);
  run_backward(x * 2);
  CHECK(at(grad(x), 0) == 8);
}

TEST_CASE("what was broadcast is summed") {
  const Tensor row = leaf({1, 3}, 1), column = leaf({2, 1}, 1);
  run_backward(ops::sum(row + column));
  CHECK(grad(row).sizes() == Sizes{1, 3});
  CHECK(at(grad(row), 0) == 2);
  CHECK(at(grad(column), 0) == 3);
}

TEST_CASE("a second walk needs retain_graph") {
  const Tensor x = leaf({}, 3), y = x * x;
  backward({y}, {}, true, false);
  backward({y}, {}, false, false);
  CHECK(at(grad(x), 0) == 12);
  CHECK_THROWS_WITH_AS(run_backward(y), doctest::Contains("second time"), Error);
}

TEST_CASE("derivatives have derivatives") {
  const Tensor x = leaf({}, 2), y = x * x * x;
  const Tensor first = gradients({y}, {}, {x}, true, true, false)[0];
  CHECK(at(first, 0) == 12);
  const Tensor second = gradients({first}, {}, {x}, true, true, false)[0];
  CHECK(at(second, 0) == 12);
  CHECK(at(gradients({second}, {}, {x}, false, false, false)[0], 0) == 6);
}

TEST_CASE("changing what was saved is an error that names the operator") {
  const Tensor x = leaf({2}, 1), y = x * 2, z = y * y;
  ops::add.in_place(y, 1);
  CHECK_THROWS_WITH_AS(run_backward(ops::sum(z)), doctest::Contains("backward of mul: '"), Error);
}

TEST_CASE("an in-place operation saves what it overwrites") {
  const Tensor x = leaf({2}, 3), w = leaf({2}, 5), y = x * 1;
  ops::mul.in_place(y, w);
  run_backward(ops::sum(y));
  CHECK(at(grad(w), 0) == 3);
  CHECK(at(grad(x), 0) == 5);
}

TEST_CASE("a leaf that requires grad cannot be changed in place") {
  const Tensor x = leaf({2}, 3);
  CHECK_THROWS_WITH_AS(ops::add.in_place(x, 1), doctest::Contains("leaf"), Error);
  NoGrad guard;
  ops::add.in_place(x, 1);
  CHECK(at(x, 0) == 4);
}

TEST_CASE("a change through a view reaches the base's history") {
  const Tensor x = leaf({4}, 2), y = x * 3;
  ops::mul.in_place(ops::narrow(y, 0, 0, 2), 10);
  run_backward(ops::sum(y));
  CHECK(at(grad(x), 0) == 30);
  CHECK(at(grad(x), 3) == 3);
}

TEST_CASE("a change of the base reaches its views' history") {
  const Tensor x = leaf({4}, 2), y = x * 3, view = ops::narrow(y, 0, 1, 2);
  ops::mul.in_place(y, 10);
  run_backward(ops::sum(view));
  CHECK(at(grad(x), 0) == 0);
  CHECK(at(grad(x), 1) == 30);
}

TEST_CASE("a view of a tensor without history can receive one") {
  const Tensor w = leaf({2}, 5), base = ops::zero_(empty({2, 2}, DType::Float64));
  ops::copy_(ops::select(base, 0, 1), w);
  CHECK(requires_grad(base));
  run_backward(ops::sum(base * base));
  CHECK(at(grad(w), 0) == 10);
}

TEST_CASE("detached tensors share memory and version but no history") {
  const Tensor x = leaf({2}, 1), y = x * 2, d = detach(y);
  CHECK_FALSE(requires_grad(d));
  const Tensor z = y * y;
  ops::add.in_place(d, 1);
  CHECK(at(y, 0) == 3);
  CHECK_THROWS_AS(run_backward(ops::sum(z)), Error);
}

TEST_CASE("unused inputs are an error unless allowed") {
  const Tensor x = leaf({}, 1), other = leaf({}, 1);
  CHECK_THROWS_WITH_AS(gradients({x * 2}, {}, {other}, false, false, false), doctest::Contains("unused"), Error);
  CHECK_FALSE(gradients({x * 2}, {}, {other}, false, false, true)[0].defined());
}

TEST_CASE("a non-scalar needs a gradient of its sizes") {
  const Tensor x = leaf({2}, 1);
  CHECK_THROWS_WITH_AS(run_backward(x * 2), doctest::Contains("scalar"), Error);
  CHECK_THROWS_WITH_AS(backward({x * 2}, {empty({3}, DType::Float64)}, false, false), doctest::Contains("shape"),
                       Error);
}

TEST_CASE("a chain of a million operations is walked and released without recursion") {
  const Tensor x = leaf({}, 1);
  Tensor y = x;
  for (int i = 0; i < 1000000; ++i) y = y + 1;
  run_backward(y);
  CHECK(at(grad(x), 0) == 1);
  Tensor unused = x;
  for (int i = 0; i < 1000000; ++i) unused = ops::sin(unused);  // its saved tensors hold each other's nodes
  unused = Tensor();
}

TEST_CASE("integers cannot require grad") {
  CHECK_THROWS_WITH_AS(set_requires_grad(empty({1}, DType::Int64), true), doctest::Contains("floating"), Error);
}
