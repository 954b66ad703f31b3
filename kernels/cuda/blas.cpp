#include "kernels/cuda/blas.h"

#include <cublas_v2.h>
#include <dlfcn.h>

#include <array>
#include <mutex>

#include "core/error.h"

namespace facula::cuda {
namespace {

#define FACULA_TEXT_OF(x) #x
#define FACULA_TEXT(x) FACULA_TEXT_OF(x)
constexpr const char* kLibrary = "libcublas.so." FACULA_TEXT(CUBLAS_VER_MAJOR);

/// One handle per device, used by one thread at a time.
class Blas {
 public:
  Blas() {
    void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (!library) library = dlopen(text("/usr/local/cuda/lib64/", kLibrary).c_str(), RTLD_NOW | RTLD_LOCAL);
    check(library != nullptr, "cuBLAS cannot be loaded: ", dlerror());
    find(create_, library, "cublasCreate_v2");
    find(set_stream_, library, "cublasSetStream_v2");
    find(gemm_, library, "cublasGemmStridedBatchedEx_64");
    find(status_text_, library, "cublasGetStatusString");
  }

  template <class... A>
  void gemm(const Queue& queue, int device, A... arguments) {
    std::lock_guard lock(mutex_);
    const cublasHandle_t handle = handle_of(queue, device);
    check_status(gemm_(handle, arguments...), queue.slot());
  }

 private:
  template <class F>
  static void find(F*& function, void* library, const char* name) {
    function = reinterpret_cast<F*>(dlsym(library, name));
    check(function != nullptr, "cuBLAS has no function ", name);
  }

  cublasHandle_t handle_of(const Queue& queue, int device) {
    cublasHandle_t& handle = handles_.at(static_cast<size_t>(device));
    if (!handle) {
      check_status(create_(&handle), queue.slot());
      check_status(set_stream_(handle, queue.stream()), queue.slot());
    }
    return handle;
  }

  void check_status(cublasStatus_t status, const char* slot) const {
    check(status == CUBLAS_STATUS_SUCCESS, slot, ": cuBLAS reports '", status_text_(status), "'");
  }

  decltype(cublasCreate_v2)* create_;
  decltype(cublasSetStream_v2)* set_stream_;
  decltype(cublasGemmStridedBatchedEx_64)* gemm_;
  decltype(cublasGetStatusString)* status_text_;
  std::mutex mutex_;
  std::array<cublasHandle_t, 128> handles_{};
};

Blas& blas() {
  static auto* library = new Blas;
  return *library;
}

cudaDataType_t data_type(DType t) {
  switch (t) {
    case DType::Float16: return CUDA_R_16F;
    case DType::BFloat16: return CUDA_R_16BF;
    case DType::Float32: return CUDA_R_32F;
    case DType::Float64: return CUDA_R_64F;
    case DType::Complex64: return CUDA_C_32F;
    case DType::Complex128: return CUDA_C_64F;
    default: fail("gemm: cuBLAS has no ", t);
  }
}

/// alpha and beta in the type that sums.
struct alignas(16) Factor {
  char bytes[16];
  Factor(const Scalar& s, DType t) {
    if (t == DType::Complex128)
      *reinterpret_cast<complex128*>(bytes) = s.to<complex128>();
    else if (t == DType::Complex64)
      *reinterpret_cast<complex64*>(bytes) = s.to<complex64>();
    else if (t == DType::Float64)
      *reinterpret_cast<double*>(bytes) = s.to<double>();
    else
      *reinterpret_cast<float*>(bytes) = s.to<float>();
  }
};

}  // namespace

void gemm(const Queue& queue, DType type, int64_t m, int64_t n, int64_t k, const Scalar& alpha, const BlasMatrix& a,
          const BlasMatrix& b, const Scalar& beta, const BlasMatrix& c, int64_t batches) {
  const cudaDataType_t t = data_type(type);
  const bool is_double = type == DType::Float64 || type == DType::Complex128;
  const Factor alpha_factor(alpha, type), beta_factor(beta, type);
  const auto operation = [](const BlasMatrix& x) { return x.transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
  blas().gemm(queue, queue.device(), operation(a), operation(b), m, n, k, static_cast<const void*>(&alpha_factor),
              static_cast<const void*>(a.p), t, a.leading, static_cast<long long>(a.batch),
              static_cast<const void*>(b.p), t, b.leading, static_cast<long long>(b.batch),
              static_cast<const void*>(&beta_factor), c.p, t, c.leading, static_cast<long long>(c.batch), batches,
              is_double ? CUBLAS_COMPUTE_64F : CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
}

}  // namespace facula::cuda
