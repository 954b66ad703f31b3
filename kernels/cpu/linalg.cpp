// Products of matrices in parallel: a product is cut into blocks of the result, and each block is one call of gemm. The
// bits of the result do not depend on the number of threads.
#include <vector>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

constexpr int64_t kTaskFlops = 200'000;  // below this, waking a second thread costs more than it brings

template <class T>
Matrix<T> matrix(const Tensor& x, int64_t batch) {
  return {reinterpret_cast<T*>(x.bytes()) + batch * x.stride(0), x.size(1), x.size(2), x.stride(1), x.stride(2)};
}

// Where a product is cut: into two blocks for each thread, if they are not too small to share out, always across the longer
// side. Columns if both are equal, because blocks with other columns pack other parts of b. Where the bits depend on the
// borders, these depend on the sizes alone.
struct Blocks {
  int64_t rows, cols, down = 1, across = 1;

  Blocks(int64_t height, int64_t width, int64_t inner, bool is_exact) : rows(height), cols(width) {
    constexpr int64_t kMost = int64_t{1} << 30;
    const bool is_vector = rows == 1 || cols == 1;  // bound by memory: fewer flops, longer time
    const double small = is_vector ? double(1 << 18) : double(1 << 22);
    const double large = is_exact ? double(int64_t{1} << 32) : double(1 << 28);
    const int64_t least = !is_exact ? 4 : num_threads() == 1 ? 1 : 2 * num_threads();
    for (;;) {
      height = rows / down, width = cols / across;
      const double flops = 2.0 * double(height) * double(width) * double(inner);
      const bool wanted = std::max(height, width) > kMost || flops > large || (count() < least && flops > small);
      const bool by_columns = width >= height;
      if (!wanted || (by_columns ? width : height) < 2 * kStep) return;
      (by_columns ? across : down) *= 2;
    }
  }

  int64_t count() const { return down * across; }
  template <class T>
  Matrix<T> of_rows(const Matrix<T>& x, int64_t block) const {
    const int64_t begin = border(rows, block / across, down), end = border(rows, block / across + 1, down);
    return x.block(begin, 0, end - begin, x.cols);
  }
  template <class T>
  Matrix<T> of_cols(const Matrix<T>& x, int64_t block) const {
    const int64_t begin = border(cols, block % across, across), end = border(cols, block % across + 1, across);
    return x.block(0, begin, x.rows, end - begin);
  }

 private:
  static constexpr int64_t kStep = 64;
  // No part of n is smaller than kStep / 2.
  static int64_t border(int64_t n, int64_t part, int64_t parts) {
    return part == parts ? n : (n / parts * part + n % parts * part / parts + kStep / 2) / kStep * kStep;
  }
};

// x in `dtype` with dense matrices; where one matrix serves the whole batch, one is copied.
Tensor dense_copy(const Tensor& x, DType dtype) {
  Sizes sizes = x.sizes();
  if (x.stride(0) == 0) sizes[0] = 1;
  const Tensor copy = empty(sizes, dtype);
  slots::copy(copy, x.alias(sizes, x.strides(), x.offset()));
  return copy.expanded(x.sizes());
}

// `speed` is how many times as fast as float32's the arithmetic is.
template <class T, class Factor>
void multiply(const Tensor& out, const Tensor& a, const Tensor& b, Factor alpha, Factor beta, int64_t speed = 1) {
  const int64_t inner = a.size(2), work = inner / speed + 1;
  bool is_exact = false;
  if constexpr (std::is_arithmetic_v<T>)
    is_exact = gemm_is_exact(matrix<T>(out, 0), matrix<const T>(a, 0), matrix<const T>(b, 0));
  const Blocks blocks(out.size(1), out.size(2), work, is_exact);
  const int64_t count = blocks.count();
  const int64_t flops = std::max<int64_t>(1, 2 * (blocks.rows / blocks.down) * (blocks.cols / blocks.across) * work);
  parallel_for(out.size(0) * count, (kTaskFlops + flops - 1) / flops, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t batch = task / count, block = task % count;
      gemm(blocks.of_cols(blocks.of_rows(matrix<T>(out, batch), block), block),
           blocks.of_rows(matrix<const T>(a, batch), block), blocks.of_cols(matrix<const T>(b, batch), block), alpha,
           beta);
    }
  });
}

// The same of matrices that need not be dense.
template <class T, class Factor>
void multiply_any(const Tensor& out, const Tensor& a, const Tensor& b, Factor alpha, Factor beta, int64_t speed = 1) {
  auto dense = [](const Tensor& x) { return matrix<T>(x, 0).is_dense() ? x : dense_copy(x, x.dtype()); };
  if (matrix<T>(out, 0).is_dense()) return multiply<T>(out, dense(a), dense(b), alpha, beta, speed);
  const Tensor copy = dense_copy(out, out.dtype());
  multiply<T>(copy, dense(a), dense(b), alpha, beta, speed);
  slots::copy(out, copy);
}

void multiply_as_float(const Tensor& out, const Tensor& a, const Tensor& b, float alpha, float beta) {
  const Tensor wide = empty(out.sizes(), DType::Float32);
  if (beta != 0) slots::copy(wide, out);
  multiply<float>(wide, dense_copy(a, DType::Float32), dense_copy(b, DType::Float32), alpha, beta);
  slots::copy(out, wide);
}

void bmm(const Tensor& out, const Tensor& a, const Tensor& b, const Scalar& alpha, const Scalar& beta) {
  if (out.numel() == 0) return;
  with_type(out.dtype(), [&]<class T>() {
    constexpr int64_t kUnitSpeed = 8;
    if constexpr (std::is_same_v<T, bool>)
      fail("bmm: bool matrices have no product");
    else if constexpr (std::is_same_v<T, Half>)
      multiply_as_float(out, a, b, alpha.to<float>(), beta.to<float>());
    else if constexpr (!std::is_same_v<T, BFloat16>)
      multiply_any<T>(out, a, b, alpha.to<T>(), beta.to<T>());
    else if (multiplies_bfloat16())
      multiply_any<T>(out, a, b, alpha.to<float>(), beta.to<float>(), kUnitSpeed);
    else
      multiply_as_float(out, a, b, alpha.to<float>(), beta.to<float>());
  });
}

// Sums of blocks of fixed length, added in order: in double precision, integers modulo 2^64.
template <class T>
void dot_of(const Tensor& out, const Tensor& a, const Tensor& b) {
  using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t,
                                 std::conditional_t<is_complex(dtype_of<T>), complex128, double>>;
  constexpr int64_t kBlock = 8192;
  const int64_t n = a.numel(), count = (n + kBlock - 1) / kBlock;
  auto block = [&](int64_t i) {
    const int64_t begin = i * kBlock;
    return static_cast<Sum>(dot<T>(std::min(kBlock, n - begin), a.data<T>() + begin * a.stride(0), a.stride(0),
                                   b.data<T>() + begin * b.stride(0), b.stride(0)));
  };
  if (count == 1) {
    *out.data<T>() = static_cast<T>(block(0));
    return;
  }
  std::vector<Sum> sums(count);
  parallel_for(count, kGrain / kBlock, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sums[i] = block(i);
  });
  Sum sum(0);
  for (const Sum& s : sums) sum += s;
  *out.data<T>() = static_cast<T>(sum);
}

void dot_product(const Tensor& out, const Tensor& a, const Tensor& b) {
  with_type(out.dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, bool>) {
      fail("dot: bool vectors have no product");
    } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
      const Tensor wide = empty({}, DType::Float32), x = empty(a.sizes(), DType::Float32),
                   y = empty(b.sizes(), DType::Float32);
      slots::copy(x, a);
      slots::copy(y, b);
      dot_of<float>(wide, x, y);
      slots::copy(out, wide);
    } else {
      dot_of<T>(out, a, b);
    }
  });
}

}  // namespace

void fill_linalg_slots() {
  slots::bmm.fill(DeviceType::CPU, bmm);
  slots::dot.fill(DeviceType::CPU, dot_product);
}

}  // namespace facula::cpu
