// Max pooling over boxes of any size: windows that share a plane out evenly, or that start at random. Planes run in
// parallel; where they are few, so do the outputs of a plane.
#include <cmath>
#include <limits>
#include <vector>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/frame.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

// The trailing sizes of a tensor.
Space last_sizes(const Tensor& x, int64_t spatial) {
  Space size{1, 1, 1};
  for (int64_t d = 0; d < spatial; ++d) size[3 - spatial + d] = x.size(x.dim() - spatial + d);
  return size;
}

template <class T>
bool is_nan(T x) {
  return x != x;
}

// The position from 0 of the largest element in the box first .. last; a NaN is the largest, a later one wins.
template <class T>
int64_t largest(const T* plane, const Space& size, const Space& first, const Space& last) {
  int64_t best = (first[0] * size[1] + first[1]) * size[2] + first[2];
  for (int64_t z = first[0]; z < last[0]; ++z)
    for (int64_t y = first[1]; y < last[1]; ++y) {
      const int64_t row = (z * size[1] + y) * size[2];
      for (int64_t i = row + first[2]; i < row + last[2]; ++i)
        if (plane[i] > plane[best] || is_nan(plane[i])) best = i;
    }
  return best;
}

// box(plane, output, first, last) says where the window of an output lies.
template <class T, class Box>
void pool_boxes(const Space& in, const Space& out, int64_t planes, const T* x, T* y, int64_t* positions, Box box) {
  const int64_t n = volume(out), window = std::max<int64_t>(1, volume(in) / n);
  parallel_for(planes * n, std::max<int64_t>(1, kHeavyGrain / window), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t plane = i / n, o = i % n;
      Space first, last;
      box(plane, {o / out[2] / out[1], o / out[2] % out[1], o % out[2]}, first, last);
      const T* from = x + plane * volume(in);
      const int64_t best = largest(from, in, first, last);
      y[i] = from[best];
      positions[i] = best + 1;
    }
  });
}

template <class Run>
void with_real(const Tensor& x, Run&& run) {
  with_type(x.dtype(), [&]<class T>() {
    if constexpr (!is_complex(dtype_of<T>) && !std::is_same_v<T, bool>) run.template operator()<T>();
  });
}

void adaptive_max_pool(const Tensor& y, const Tensor& positions, const Tensor& x, int64_t spatial) {
  if (y.numel() == 0) return;
  const Space in = last_sizes(x, spatial), out = last_sizes(y, spatial);
  with_real(x, [&]<class T>() {
    pool_boxes(in, out, y.numel() / volume(out), x.data<T>(), y.data<T>(), positions.data<int64_t>(),
               [&](int64_t, const Space& o, Space& first, Space& last) {
                 for (int d = 0; d < 3; ++d) {
                   first[d] = o[d] * in[d] / out[d];
                   last[d] = ((o[d] + 1) * in[d] + out[d] - 1) / out[d];
                 }
               });
  });
}

// Window o of `out` starts at floor((o + sample) alpha) - floor(sample alpha), alpha = (in - kernel) / (out - 1), the last one at
// in - kernel.
template <class W>
int64_t random_start(int64_t o, int64_t in, int64_t out, int64_t kernel, W sample) {
  if (o == out - 1) return in - kernel;
  const W alpha = static_cast<W>(in - kernel) / static_cast<W>(out - 1);
  const auto start = static_cast<int64_t>((static_cast<W>(o) + sample) * alpha) - static_cast<int64_t>(sample * alpha);
  return std::clamp<int64_t>(start, 0, in - kernel);
}

// A sample outside [0, 1) or NaN would lead outside the plane.
template <class W>
W unit(W sample) {
  return sample > 0 && sample < 1 ? sample : W(0);
}

template <class T, class W>
void pool_fractions(const Tensor& y, const Tensor& positions, const Tensor& x, const W* samples, const IntList& size) {
  const auto spatial = static_cast<int64_t>(size.size());
  const Space in = last_sizes(x, spatial), out = last_sizes(y, spatial);
  Space kernel{1, 1, 1};
  for (int64_t d = 0; d < spatial; ++d) kernel[3 - spatial + d] = size[d];
  pool_boxes(in, out, y.numel() / volume(out), x.data<T>(), y.data<T>(), positions.data<int64_t>(),
             [&](int64_t plane, const Space& o, Space& first, Space& last) {
               for (int64_t d = 0; d < 3; ++d) {
                 const int64_t i = d - (3 - spatial);
                 // Samples of a plane belong to width, height (or depth, height, width), as in PyTorch.
                 const int64_t at = spatial == 2 ? 1 - i : i;
                 first[d] =
                     i < 0 ? 0 : random_start(o[d], in[d], out[d], kernel[d], unit(samples[plane * spatial + at]));
                 last[d] = first[d] + kernel[d];
               }
             });
}

void fractional_max_pool(const Tensor& y, const Tensor& positions, const Tensor& x, const Tensor& samples,
                         const IntList& kernel) {
  if (y.numel() == 0) return;
  with_real(x, [&]<class T>() {
    if (samples.dtype() == DType::Float64)
      pool_fractions<T>(y, positions, x, samples.data<double>(), kernel);
    else
      pool_fractions<T>(y, positions, x, samples.data<float>(), kernel);
  });
}

}  // namespace

void fill_box_pool_slots() {
  slots::adaptive_max_pool.fill(DeviceType::CPU, adaptive_max_pool);
  slots::fractional_max_pool.fill(DeviceType::CPU, fractional_max_pool);
}

}  // namespace facula::cpu
