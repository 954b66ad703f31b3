// Convolution with one input channel per group has too little arithmetic for products of matrices: each tap adds a scaled line
// to a line. Planes are independent of each other.
#include <complex>

#include "core/dtype.h"
#include "core/parallel.h"
#include "kernels/cpu/conv.h"

namespace facula::cpu {
namespace {

// Planes per task.
int64_t grain(const ConvShape& s) { return std::max<int64_t>(1, kGrain / std::max<int64_t>(1, s.out_plane * s.taps)); }

}  // namespace

template <class T>
void depthwise(const ConvShape& s, T* y, const T* x, const T* w) {
  const int64_t step = s.stride[2];
  parallel_for(s.N * s.G * s.O, grain(s), [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      T* to = y + plane * s.out_plane;
      const T* weight = w + plane % (s.G * s.O) * s.taps;
      std::fill(to, to + s.out_plane, T(0));
      s.for_lines(1, 0, s.lines, [&](int64_t tap, int64_t line, int64_t offset, int64_t low, int64_t high) {
        const T factor = weight[tap];
        T* row = to + line * s.width;
        const T* from = x + plane / s.O * s.in_plane + offset;
        if (step == 1)
          for (int64_t i = low; i < high; ++i) row[i] = static_cast<T>(row[i] + factor * from[i]);
        else
          for (int64_t i = low; i < high; ++i) row[i] = static_cast<T>(row[i] + factor * from[i * step]);
      });
    }
  });
}

template <class T>
void depthwise_input(const ConvShape& s, T* dx, const T* g, const T* w) {
  const int64_t step = s.stride[2];
  parallel_for(s.N * s.G, grain(s), [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      T* to = dx + plane * s.in_plane;
      std::fill(to, to + s.in_plane, T(0));
      for (int64_t o = 0; o < s.O; ++o) {
        const T* gradient = g + (plane * s.O + o) * s.out_plane;
        const T* weight = w + (plane % s.G * s.O + o) * s.taps;
        s.for_lines(1, 0, s.lines, [&](int64_t tap, int64_t line, int64_t offset, int64_t low, int64_t high) {
          const T factor = weight[tap];
          const T* row = gradient + line * s.width;
          T* row_to = to + offset;
          if (step == 1)
            for (int64_t i = low; i < high; ++i) row_to[i] = static_cast<T>(row_to[i] + factor * row[i]);
          else
            for (int64_t i = low; i < high; ++i) row_to[i * step] = static_cast<T>(row_to[i * step] + factor * row[i]);
        });
      }
    }
  });
}

template <class T>
void depthwise_weight(const ConvShape& s, T* dw, const T* g, const T* x) {
  const int64_t step = s.stride[2];
  parallel_for(s.G * s.O, 1, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      T* to = dw + o * s.taps;
      std::fill(to, to + s.taps, T(0));
      for (int64_t n = 0; n < s.N; ++n) {
        const T* gradient = g + (n * s.G * s.O + o) * s.out_plane;
        const T* from = x + (n * s.G + o / s.O) * s.in_plane;
        s.for_lines(1, 0, s.lines, [&](int64_t tap, int64_t line, int64_t offset, int64_t low, int64_t high) {
          const T* row = gradient + line * s.width;
          constexpr int64_t kParts = 8;  // sums side by side: vectors for the compiler, and smaller errors
          T sums[kParts] = {};
          int64_t i = low;
          for (; i + kParts <= high; i += kParts)
            for (int64_t k = 0; k < kParts; ++k)
              sums[k] = static_cast<T>(sums[k] + row[i + k] * from[offset + (i + k) * step]);
          for (; i < high; ++i) sums[0] = static_cast<T>(sums[0] + row[i] * from[offset + i * step]);
          for (int64_t k = 0; k < kParts; ++k) to[tap] = static_cast<T>(to[tap] + sums[k]);
        });
      }
    }
  });
}

#define FACULA_INSTANTIATE(T)                                                    \
  template void depthwise<T>(const ConvShape&, T*, const T*, const T*);          \
  template void depthwise_input<T>(const ConvShape&, T*, const T*, const T*);    \
  template void depthwise_weight<T>(const ConvShape&, T*, const T*, const T*);
FACULA_INSTANTIATE(float)
FACULA_INSTANTIATE(double)
FACULA_INSTANTIATE(complex64)
FACULA_INSTANTIATE(complex128)
FACULA_INSTANTIATE(uint8_t)
FACULA_INSTANTIATE(int8_t)
FACULA_INSTANTIATE(int16_t)
FACULA_INSTANTIATE(int32_t)
FACULA_INSTANTIATE(int64_t)
#undef FACULA_INSTANTIATE

}  // namespace facula::cpu
