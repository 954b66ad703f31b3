// Filling and copying. What needs no conversion is moved as words of its size.
#include <cstring>

#include "kernels/cuda/launch.h"
#include "kernels/cuda/register.h"

namespace facula::cuda {
namespace {

__global__ void put_kernel(char* to, Word16 bytes, int count) {
  if (threadIdx.x < count) to[threadIdx.x] = reinterpret_cast<const char*>(&bytes)[threadIdx.x];
}

template <class W>
struct Fill {
  W value;
  __device__ void operator()(char* const (&p)[1]) const { *reinterpret_cast<W*>(p[0]) = value; }
};

template <class W>
struct Move {
  __device__ void operator()(char* const (&p)[2]) const {
    *reinterpret_cast<W*>(p[0]) = *reinterpret_cast<const W*>(p[1]);
  }
};

template <class T>
struct Convert {
  DType to, from;
  __device__ void operator()(char* const (&p)[2]) const { store_as(p[0], to, load<T>(p[1], from)); }
};

void fill(const Tensor& out, const Scalar& value) {
  if (out.numel() == 0) return;
  const Queue queue("fill", out);
  alignas(16) char element[16] = {};
  with_type(out.dtype(), [&]<class T>() {
    const T v = value.to<T>();
    std::memcpy(element, &v, sizeof v);
  });
  const bool zero = std::all_of(element, element + sizeof element, [](char c) { return c == 0; });
  if (zero && out.is_contiguous()) {
    check_cuda(cudaMemsetAsync(out.bytes(), 0, static_cast<size_t>(out.numel() * out.item_size()), queue.stream()),
               "fill");
    return;
  }
  with_word(out.item_size(), [&]<class W>() {
    W word;
    std::memcpy(&word, element, sizeof word);
    each<1>(queue, {&out}, Fill<W>{word});
  });
}

void copy(const Tensor& out, const Tensor& x) {
  if (out.numel() == 0) return;
  const Queue queue("copy", out);
  if (out.dtype() != x.dtype()) {
    with_compute_type<kAll>(x.dtype(), "copy", [&]<class T>() {
      each<2>(queue, {&out, &x}, Convert<T>{out.dtype(), x.dtype()});
    });
  } else if (out.is_contiguous() && x.is_contiguous()) {
    const auto bytes = static_cast<size_t>(out.numel() * out.item_size());
    check_cuda(cudaMemcpyAsync(out.bytes(), x.bytes(), bytes, cudaMemcpyDeviceToDevice, queue.stream()), "copy");
  } else {
    with_word(out.item_size(), [&]<class W>() { each<2>(queue, {&out, &x}, Move<W>{}); });
  }
}

}  // namespace

void put(const Queue& queue, void* to, const void* from, size_t bytes) {
  Word16 word{};
  std::memcpy(&word, from, bytes);
  launch(queue, put_kernel, dim3(1), kNumberBytes, static_cast<char*>(to), word, static_cast<int>(bytes));
}

void fill_memory_slots() {
  slots::fill.fill(DeviceType::CUDA, fill);
  slots::copy.fill(DeviceType::CUDA, copy);
}

}  // namespace facula::cuda
