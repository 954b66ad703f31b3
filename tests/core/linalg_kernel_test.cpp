// Products of matrices against three nested loops. Elements are small integers, so that every dtype is exact.
#include <cmath>
#include <limits>

#include "kernel_test.h"

namespace facula::test {
namespace {

// beta * out + alpha * a @ b
Tensor product(const Tensor& out, const Tensor& a, const Tensor& b, double alpha, double beta) {
  const int64_t B = out.size(0), M = out.size(1), N = out.size(2), K = a.size(2);
  const Tensor y = empty(out.sizes(), out.dtype());
  for (int64_t i = 0; i < B * M * N; ++i) {
    const int64_t batch = i / (M * N), row = i / N % M, col = i % N;
    complex128 sum = 0;
    for (int64_t k = 0; k < K; ++k) sum += get(a, (batch * M + row) * K + k) * get(b, (batch * K + k) * N + col);
    set(y, i, alpha * sum + (beta == 0 ? 0.0 : beta * get(out, i)));
  }
  return y;
}

// [B, M, N] with dimensions 1 and 2 in the other order in memory.
Tensor transposed(const Tensor& x) {
  const Tensor y = empty({x.size(0), x.size(2), x.size(1)}, x.dtype());
  const Tensor view = y.alias(x.sizes(), {y.stride(0), y.stride(2), y.stride(1)}, 0);
  for (int64_t i = 0; i < x.numel(); ++i) set(view, i, get(x, i));
  return view;
}
// Rows longer than they need be.
Tensor padded(const Tensor& x) {
  const int64_t row = x.size(2) + 3, step = x.size(1) * row + 5;
  const Tensor y = empty_strided(x.sizes(), {step, row, 1}, x.dtype());
  for (int64_t i = 0; i < x.numel(); ++i) set(y, i, get(x, i));
  return y;
}
Tensor laid_out(const Tensor& x, int layout) {
  return layout == 0 ? x : layout == 1 ? transposed(x) : layout == 2 ? padded(x) : strided(x);
}

struct Shape {
  int64_t B, M, N, K;
};

TEST_CASE("bmm gives the sums of products in every dtype and layout") {
  for (const DType dtype : kAllDTypes) {
    if (dtype == DType::Bool) continue;
    for (const Shape s : {Shape{1, 1, 1, 1}, {1, 4, 4, 4}, {3, 5, 1, 7}, {2, 1, 6, 3}, {2, 3, 5, 4}, {1, 70, 33, 65}}) {
      const Tensor a = integers(dtype, {s.B, s.M, s.K}, 1), b = integers(dtype, {s.B, s.K, s.N}, 2);
      const Tensor c = integers(dtype, {s.B, s.M, s.N}, 3);
      for (int layout = 0; layout < 64; ++layout) {
        const Tensor out = laid_out(c, layout & 3);
        const double alpha = layout & 8 ? 2 : 1, beta = layout & 16 ? 3 : layout & 4 ? 1 : 0;
        INFO(dtype, " ", out.sizes(), " layout ", layout);
        const Tensor expected = product(out, a, b, alpha, beta);
        slots::bmm(out, laid_out(a, layout >> 2 & 3), laid_out(b, layout >> 4 & 3), Scalar(alpha), Scalar(beta));
        CHECK(distance(out, expected) == 0);
      }
    }
  }
}

TEST_CASE("bmm multiplies expanded and overlapping operands") {
  for (const DType dtype : {DType::Float32, DType::Float16, DType::Int32}) {
    const Tensor a = integers(dtype, {1, 4, 6}).expanded({3, 4, 6}),
                 row = integers(dtype, {1, 1, 5}).expanded({3, 6, 5});
    const Tensor window = integers(dtype, {12}).alias({3, 6, 5}, {0, 1, 1}, 0);  // element [k, n] is number k + n
    for (const Tensor& b : {row, window}) {
      const Tensor out = empty({3, 4, 5}, dtype);
      slots::bmm(out, a, b, 1, 0);
      CHECK(distance(out, product(out, a, b, 1, 0)) == 0);
    }
  }
}

TEST_CASE("bmm reads nothing of out where beta is 0") {
  for (const DType dtype : {DType::Float32, DType::Float64, DType::BFloat16, DType::Complex64})
    for (const Shape s : {Shape{2, 3, 4, 5}, {2, 3, 1, 5}, {2, 1, 4, 5}, {1, 3, 4, 0}}) {
      const Tensor a = integers(dtype, {s.B, s.M, s.K}), b = integers(dtype, {s.B, s.K, s.N});
      const Tensor out = empty({s.B, s.M, s.N}, dtype);
      for (int64_t i = 0; i < out.numel(); ++i) set(out, i, std::nan(""));
      slots::bmm(out, a, b, 1, 0);
      CHECK(distance(out, product(out, a, b, 1, 0)) == 0);
    }
}

TEST_CASE("bmm without inner elements scales out") {
  const Tensor out = tensor(DType::Float32, {1, 2, 2}, {1, 2, 3, 4});
  slots::bmm(out, empty({1, 2, 0}, DType::Float32), empty({1, 0, 2}, DType::Float32), 1, 3);
  CHECK(list(out) == std::vector<double>{3, 6, 9, 12});
  slots::bmm(empty({0, 2, 2}, DType::Float32), empty({0, 2, 2}, DType::Float32), empty({0, 2, 2}, DType::Float32), 1,
             0);
}

TEST_CASE("integer products wrap") {
  const Tensor out = empty({1, 1, 1}, DType::UInt8);
  slots::bmm(out, tensor(DType::UInt8, {1, 1, 2}, {200, 100}), tensor(DType::UInt8, {1, 2, 1}, {3, 5}), 1, 0);
  CHECK(get(out, 0) == double((200 * 3 + 100 * 5) % 256));
}

TEST_CASE("float16 products are summed in float32") {
  const int64_t K = 4096;  // 2048 + 1 rounds to 2048 in float16
  const Tensor out = empty({1, 1, 2}, DType::Float16), a = empty({1, 1, K}, DType::Float16),
               b = empty({1, K, 2}, DType::Float16);
  for (int64_t i = 0; i < K; ++i) set(a, i, 1);
  for (int64_t i = 0; i < 2 * K; ++i) set(b, i, 1);
  slots::bmm(out, a, b, 1, 0);
  CHECK(list(out) == std::vector<double>{4096, 4096});
}

// [1, rows, cols] of numbers that no dtype holds exactly.
Tensor fractions(DType dtype, int64_t rows, int64_t cols, int seed) {
  const Tensor x = empty({1, rows, cols}, dtype);
  for (int64_t i = 0; i < x.numel(); ++i)
    set(x, i, static_cast<double>((i * 7919 + seed * 104729) % 2003 - 1001) / 777);
  return x;
}

TEST_CASE("a block of a product has the same bits alone") {
  const int64_t M = 40, K = 1100, N = 200;
  for (const DType dtype : {DType::Float32, DType::Float64}) {
    const Tensor a = fractions(dtype, M, K, 1), b = fractions(dtype, K, N, 2), y = empty({1, M, N}, dtype);
    slots::bmm(y, a, b, 1, 0);
    const Tensor rows = a.alias({1, 17, K}, a.strides(), 5 * K), cols = b.alias({1, K, 103}, b.strides(), 50);
    for (const Tensor& right : {cols, transposed(cols)}) {
      const Tensor block = empty({1, 17, 103}, dtype);
      slots::bmm(block, rows, right, 1, 0);
      CHECK(distance(block, y.alias({1, 17, 103}, y.strides(), 5 * N + 50)) == 0);
    }
  }
}

TEST_CASE("long products in any layout are close to sums in double precision") {
  const int64_t M = 50, K = 700, N = 90;
  for (const auto& [dtype, tolerance] :
       {std::pair{DType::Float32, 1e-3}, {DType::Float64, 1e-12}, {DType::BFloat16, 0.5}, {DType::Float16, 0.1}}) {
    const Tensor a = fractions(dtype, M, K, 1), b = fractions(dtype, K, N, 2), c = fractions(dtype, M, N, 3);
    const Tensor expected = product(c, a, b, 0.5, 2);
    for (int layout = 0; layout < 16; ++layout) {
      const Tensor out = empty(c.sizes(), dtype);
      slots::copy(out, c);
      slots::bmm(out, laid_out(a, layout & 3), laid_out(b, layout >> 2), Scalar(0.5), Scalar(2));
      INFO(dtype, " layout ", layout);
      CHECK(distance(out, expected) <= tolerance);
    }
  }
}

TEST_CASE("large products have the same bits on any number of threads") {
  for (const Shape s :
       {Shape{1, 300, 500, 257}, {1, 4000, 1, 300}, {1, 1, 3000, 300}, {50, 20, 30, 40}, {3, 200, 200, 200}}) {
    const Tensor a = empty({s.B, s.M, s.K}, DType::Float32), b = empty({s.B, s.K, s.N}, DType::Float32);
    Numbers numbers;
    for (const Tensor& x : {a, b})
      for (int64_t i = 0; i < x.numel(); ++i)
        x.data<float>()[i] = static_cast<float>(numbers.integer(-1000, 1000)) / 777;
    const Tensor y = on_threads([&] {
      const Tensor out = empty({s.B, s.M, s.N}, DType::Float32);
      slots::bmm(out, a, b, 1, 0);
      return out;
    });
    for (int64_t i = 0; i < y.numel(); i += y.numel() / 100) {  // a hundred elements against sums in double
      const int64_t batch = i / (s.M * s.N), row = i / s.N % s.M, col = i % s.N;
      double sum = 0;
      for (int64_t k = 0; k < s.K; ++k)
        sum += double(a.data<float>()[(batch * s.M + row) * s.K + k]) * b.data<float>()[(batch * s.K + k) * s.N + col];
      CHECK(y.data<float>()[i] == doctest::Approx(sum).epsilon(1e-4).scale(10));
    }
  }
}

TEST_CASE("dot sums products in every dtype and stride") {
  for (const DType dtype : kAllDTypes) {
    if (dtype == DType::Bool) continue;
    for (const int64_t n : {0, 1, 5, 30}) {
      const Tensor a = integers(dtype, {n}, 1), b = integers(dtype, {n}, 2), out = empty({}, dtype);
      complex128 sum = 0;
      for (int64_t i = 0; i < n; ++i) sum += get(a, i) * get(b, i);
      const Tensor expected = empty({}, dtype);
      set(expected, 0, sum);
      INFO(dtype, " ", n);
      slots::dot(out, a, b);
      CHECK(distance(out, expected) == 0);
      slots::dot(out, strided(a), b);
      CHECK(distance(out, expected) == 0);
      if (n == 0) continue;
      const Tensor backwards = a.alias({n}, {-1}, n - 1), reversed = empty({n}, dtype);
      for (int64_t i = 0; i < n; ++i) set(reversed, i, get(a, n - 1 - i));
      slots::dot(out, backwards, b);
      slots::dot(expected, reversed, b);
      CHECK(distance(out, expected) == 0);
    }
  }
}

TEST_CASE("long dots have the same bits on any number of threads") {
  const int64_t n = 300'001;
  const Tensor a = integers(DType::Float32, {n}, 1), b = integers(DType::Float32, {n}, 2);
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += double(a.data<float>()[i]) * b.data<float>()[i];
  const Tensor y = on_threads([&] {
    const Tensor out = empty({}, DType::Float32);
    slots::dot(out, a, b);
    return out;
  });
  CHECK(*y.data<float>() == sum);
}

}  // namespace
}  // namespace facula::test
