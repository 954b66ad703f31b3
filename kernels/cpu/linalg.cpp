// Products of matrices in parallel. A product is cut into blocks of the result whose borders depend on the sizes alone,
// so that the bits of the result do not depend on the number of threads; each block is one call of gemm.
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

// Large enough that packing the operands anew for each block costs little, and many enough for the threads of one
// machine. Columns are cut first: each of their blocks packs a part of b of its own.
struct Blocks {
  int64_t height, width, down, across;

  Blocks(int64_t rows, int64_t cols, int64_t inner) : height(rows), width(cols) {
    constexpr int64_t kLarge = int64_t{1} << 28, kMost = int64_t{1} << 30, kStep = 64;
    const bool is_vector = rows == 1 || cols == 1;  // bound by memory: fewer flops, longer time
    const double small = is_vector ? double(1 << 18) : double(1 << 22);
    auto halved = [](int64_t n) { return ((n + 1) / 2 + kStep - 1) / kStep * kStep; };
    for (;;) {
      down = (rows + height - 1) / height, across = (cols + width - 1) / width;
      const double flops = 2.0 * double(height) * double(width) * double(inner);
      const bool wanted =
          std::max(height, width) > kMost || flops > double(kLarge) || (down * across < 4 && flops > small);
      int64_t& side = width >= 4 * kStep || width >= height ? width : height;
      if (!wanted || side < 2 * kStep) return;
      side = halved(side);
    }
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
  const Blocks blocks(out.size(1), out.size(2), work);
  const int64_t per_matrix = blocks.down * blocks.across;
  const int64_t flops = std::max<int64_t>(1, 2 * blocks.height * blocks.width * work);
  parallel_for(out.size(0) * per_matrix, (kTaskFlops + flops - 1) / flops, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t batch = task / per_matrix, block = task % per_matrix;
      const Matrix<T> c = matrix<T>(out, batch);
      const int64_t row = block / blocks.across * blocks.height, col = block % blocks.across * blocks.width;
      const int64_t height = std::min(blocks.height, c.rows - row), width = std::min(blocks.width, c.cols - col);
      gemm(c.block(row, col, height, width), matrix<const T>(a, batch).block(row, 0, height, inner),
           matrix<const T>(b, batch).block(0, col, inner, width), alpha, beta);
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
