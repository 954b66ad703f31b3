// cuBLAS, opened at the first product: its libraries take longer to load than everything else at start-up together.
#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "core/scalar.h"
#include "kernels/cuda/queue.h"

namespace facula::cuda {

/// Matrices in the library's column-major order: element (i, j) of matrix b is at p[i + j * leading + b * batch], or
/// with `transposed` at p[j + i * leading + b * batch].
struct BlasMatrix {
  void* p;
  bool transposed;
  int64_t leading, batch;
};

/// c [m, n] = alpha * a [m, k] @ b [k, n] + beta * c for each matrix of the batch. Floating and complex dtypes;
/// products of float16 and bfloat16 are summed in float32, and float32 is never rounded to less (no TF32).
void gemm(const Queue& queue, DType type, int64_t m, int64_t n, int64_t k, const Scalar& alpha, const BlasMatrix& a,
          const BlasMatrix& b, const Scalar& beta, const BlasMatrix& c, int64_t batches);

}  // namespace facula::cuda
