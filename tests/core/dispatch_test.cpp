#include <doctest/doctest.h>

#include "core/ops.h"
#include "core/promotion.h"
#include "core/slots.h"

using namespace facula;

namespace {

Tensor filled(const Sizes& sizes, double value, DType dtype = DType::Float32) {
  return ops::fill_.in_place(empty(sizes, dtype), value);
}
double at(const Tensor& x, int64_t i) { return item(ops::select(ops::reshape(x, {-1}), 0, i)).to<double>(); }

void into(const Op& op, std::initializer_list<Value> given, const Tensors& targets) {
  Value arguments[kMaxArguments];
  std::copy(given.begin(), given.end(), arguments);
  complete(*op.op, arguments);
  Results results;
  call_out(*op.op, arguments, targets, results);
}

}  // namespace

TEST_CASE("promotion follows PyTorch's table") {
  CHECK(promote(DType::UInt8, DType::Int8) == DType::Int16);
  CHECK(promote(DType::Int64, DType::Float16) == DType::Float16);
  CHECK(promote(DType::Float16, DType::BFloat16) == DType::Float32);
  CHECK(promote(DType::Float64, DType::Complex64) == DType::Complex128);
  CHECK(promote(DType::Bool, DType::UInt8) == DType::UInt8);
}

TEST_CASE("numbers promote only beyond their tensor's kind") {
  const Tensor ints = filled({2}, 3, DType::Int32);
  CHECK((ints + 2).dtype() == DType::Int32);
  CHECK((ints + 2.5).dtype() == DType::Float32);
  CHECK((filled({2}, 1, DType::Float16) + 2.5).dtype() == DType::Float16);
  CHECK((filled({2}, 1, DType::Bool) + 1).dtype() == DType::Int64);
  CHECK((ints + filled({}, 1, DType::Int64)).dtype() == DType::Int32);
  CHECK(ops::div(ints, 2).dtype() == DType::Float32);
}

TEST_CASE("out= is filled where it stands, resized, or refused") {
  const Tensor a = filled({2, 2}, 1), b = filled({2, 2}, 2);
  const Tensor target = empty({2, 2}, DType::Float32);
  const void* memory = target.bytes();
  into(ops::add, {a, b}, {target});
  CHECK(target.bytes() == memory);
  CHECK(at(target, 3) == 3);
  const Tensor small = empty({0}, DType::Float64);
  into(ops::add, {a, b}, {small});
  CHECK(small.sizes() == Sizes{2, 2});
  CHECK(at(small, 0) == 3);
  CHECK_THROWS_WITH_AS(into(ops::add, {a, b}, {empty({2, 2}, DType::Int32)}), doctest::Contains("cannot hold"), Error);
}

TEST_CASE("out= may be an input") {
  const Tensor a = filled({3, 3}, 2);
  into(ops::mm, {a, a}, {a});
  CHECK(at(a, 4) == 12);
  const Tensor x = ops::reshape(ops::arange(6.0), {2, 3});
  into(ops::add, {ops::t(ops::view(x, {3, 2})), x}, {x});
  CHECK(at(x, 1) == 3);  // element (0, 1) of the transpose is 2
}

TEST_CASE("in-place results keep the tensor's memory, dtype and sizes") {
  const Tensor x = filled({2}, 1);
  CHECK(ops::add.in_place(x, 1).is(x));
  CHECK(ops::add.in_place(filled({2}, 1, DType::Float16), filled({2}, 1)).dtype() == DType::Float16);
  CHECK_THROWS_WITH_AS(ops::add.in_place(filled({2}, 1, DType::Int32), 0.5), doctest::Contains("cannot hold"), Error);
  CHECK_THROWS_WITH_AS(ops::add.in_place(x, filled({3, 2}, 1)), doctest::Contains("'self' has (2)"), Error);
  CHECK_THROWS_WITH_AS(ops::add.in_place(ops::expand(x, {3, 2}), 1), doctest::Contains("share memory"), Error);
}

TEST_CASE("overlapping input is read before it is overwritten") {
  const Tensor x = ops::arange(5.0);
  ops::copy_(ops::slice(x, 0, 1, 5), ops::slice(x, 0, 0, 4));
  CHECK(at(x, 4) == 3);
  const Tensor y = ops::arange(5.0);
  ops::add.in_place(ops::slice(y, 0, 1, 5), ops::slice(y, 0, 0, 4));
  CHECK(at(y, 4) == 7);
}

TEST_CASE("dims are wrapped, checked, and named as the caller counts") {
  const Tensor x = filled({2, 3}, 1);
  CHECK(ops::sum(x, {-1}).sizes() == Sizes{2});
  CHECK_THROWS_WITH_AS(ops::sum(x, {2}),
                       doctest::Contains("dim 2 is out of range for a tensor with 2 dimensions (0..1 or -2..-1)"),
                       Error);
  CHECK_THROWS_WITH_AS(ops::sum(x, {0, -2}), doctest::Contains("twice"), Error);
  const Counting lua(1);
  CHECK_THROWS_WITH_AS(ops::sum(x, {2}),
                       doctest::Contains("dim 3 is out of range for a tensor with 2 dimensions (1..2 or -2..-1)"),
                       Error);
  CHECK_THROWS_WITH_AS(x + filled({2, 4}, 1),
                       doctest::Contains("add: sizes (2, 3) and (2, 4) do not broadcast at dimension 2"), Error);
}

TEST_CASE("t_ and its kind change the geometry of the tensor itself") {
  const Tensor x = filled({2, 3}, 1);
  CHECK(ops::t.in_place(x).is(x));
  CHECK(x.sizes() == Sizes{3, 2});
  CHECK(x.strides() == IntList{1, 3});
}

TEST_CASE("a number for int[2] stands for two") {
  const Schema s = parse_schema("f(int[2] kernel=3, Dim[]? dim=None, *, str how='x') -> (Tensor a, IndexTensor b)");
  CHECK(s.parameters[0].fallback.get<IntList>() == IntList{3, 3});
  CHECK(s.parameters[1].optional);
  CHECK(s.parameters[2].named_only);
  CHECK(s.results[1].type == Type::IndexTensor);
  Value v = 5;
  conform(s, s.parameters[0], v);
  CHECK(v.get<IntList>() == IntList{5, 5});
  CHECK_THROWS_WITH_AS(parse_schema("f(Tensro x)"), doctest::Contains("unknown type 'Tensro'"), Error);
}

TEST_CASE("every declaration is sound") {
  for (const auto& op : registry().all()) {
    INFO(op->schema.text);
    CHECK(static_cast<bool>(op->invoke));
    CHECK((!op->doc.empty() || !op->schema.overload.empty()));
    for (const Derivative& d : op->derivatives) CHECK(op->schema.parameters[static_cast<size_t>(d.input)].is_tensor());
  }
}
