// Max pooling, a line of outputs at a time: each tap of the window is one pass over the line that keeps the larger number and
// its place, so that the loops have no bounds to check and become vectors. Planes are independent and run in parallel.
#include <array>
#include <limits>
#include <type_traits>
#include <vector>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/register.h"

namespace facula::cpu {
namespace {

// Pooling of planes [in...] to [out...] in three dimensions, of which the leading ones may be of size 1.
struct PoolShape {
  using Space = std::array<int64_t, 3>;
  int64_t planes;
  Space in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};

  int64_t in_plane() const { return in[0] * in[1] * in[2]; }
  int64_t out_plane() const { return out[0] * out[1] * out[2]; }

  // Where the window of output `o` first reads inside the input, along dimension d.
  int64_t start(int d, int64_t o) const {
    const int64_t at = o * stride[d] - padding[d];
    return std::min(at < 0 ? at + (dilation[d] - 1 - at) / dilation[d] * dilation[d] : at, in[d] - 1);
  }
};

// Of equal numbers the first stays; NaN is larger than all, and a later NaN than an earlier one, as in PyTorch.
template <class T, class Place>
void keep_larger(T& best, Place& place, T value, Place at) {
  const bool larger = (value > best) | (value != value);
  best = larger ? value : best;
  place = larger ? at : place;
}

template <class T, class Place>
void pool_line(const PoolShape& s, const T* x, int64_t oz, int64_t oy, T* best, Place* place) {
  const int64_t width = s.out[2], step = s.stride[2];
  const int64_t line = (s.start(0, oz) * s.in[1] + s.start(1, oy)) * s.in[2];
  for (int64_t i = 0; i < width; ++i) {
    best[i] = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
    place[i] = static_cast<Place>(line + s.start(2, i));
  }
  for (int64_t kz = 0; kz < s.kernel[0]; ++kz)
    for (int64_t ky = 0; ky < s.kernel[1]; ++ky) {
      const int64_t z = oz * s.stride[0] + kz * s.dilation[0] - s.padding[0];
      const int64_t y = oy * s.stride[1] + ky * s.dilation[1] - s.padding[1];
      if (z < 0 || z >= s.in[0] || y < 0 || y >= s.in[1]) continue;
      for (int64_t kx = 0; kx < s.kernel[2]; ++kx) {
        const int64_t x0 = kx * s.dilation[2] - s.padding[2];
        const int64_t low = x0 < 0 ? (step - 1 - x0) / step : 0;
        const int64_t high = std::min(width, x0 < s.in[2] ? (s.in[2] - x0 + step - 1) / step : 0);
        const int64_t first = (z * s.in[1] + y) * s.in[2] + x0;
        auto pass = [&](auto by) {
          for (int64_t i = low; i < high; ++i)
            keep_larger(best[i], place[i], x[first + i * by], static_cast<Place>(first + i * by));
        };
        if (step == 1)
          pass(std::integral_constant<int64_t, 1>());
        else if (step == 2)
          pass(std::integral_constant<int64_t, 2>());
        else
          pass(step);
      }
    }
}

// Numbers are compared as Wide; Place is wide enough for a place in the plane.
template <class T, class Place>
void pool_planes(const PoolShape& s, const T* x, T* y, int64_t* positions) {
  using Wide = std::conditional_t<sizeof(T) == 2 && !std::is_integral_v<T>, float, T>;
  const int64_t taps = s.kernel[0] * s.kernel[1] * s.kernel[2];
  parallel_for(s.planes, std::max<int64_t>(1, kGrain / (s.out_plane() * taps)), [&](int64_t begin, int64_t end) {
    std::vector<Wide> plane_copy(std::is_same_v<T, Wide> ? 0 : s.in_plane()), best(s.out[2]);
    std::vector<Place> place(s.out[2]);
    for (int64_t p = begin; p < end; ++p) {
      const Wide* plane;
      if constexpr (std::is_same_v<T, Wide>) {
        plane = x + p * s.in_plane();
      } else {
        std::copy(x + p * s.in_plane(), x + (p + 1) * s.in_plane(), plane_copy.begin());
        plane = plane_copy.data();
      }
      for (int64_t line = 0; line < s.out[0] * s.out[1]; ++line) {
        pool_line<Wide, Place>(s, plane, line / s.out[1], line % s.out[1], best.data(), place.data());
        const int64_t first = p * s.out_plane() + line * s.out[2];
        for (int64_t i = 0; i < s.out[2]; ++i) y[first + i] = T(best[i]);
        for (int64_t i = 0; i < s.out[2]; ++i) positions[first + i] = int64_t{place[i]} + 1;
      }
    }
  });
}

void max_pool(const Tensor& y, const Tensor& positions, const Tensor& x, const IntList& kernel, const IntList& stride,
              const IntList& padding, const IntList& dilation) {
  if (y.numel() == 0) return;
  PoolShape s;
  const size_t space = kernel.size(), lead = 3 - space;
  for (size_t d = 0; d < space; ++d) {
    s.in[lead + d] = x.size(x.dim() - space + d);
    s.out[lead + d] = y.size(y.dim() - space + d);
    s.kernel[lead + d] = kernel[d];
    s.stride[lead + d] = stride[d];
    s.padding[lead + d] = padding[d];
    s.dilation[lead + d] = dilation[d];
  }
  s.planes = y.numel() / s.out_plane();
  check(!is_complex(x.dtype()), "max_pool: ", x.dtype(), " numbers have no order");
  with_type(x.dtype(), [&]<class T>() {
    if constexpr (!is_complex(dtype_of<T>) && !std::is_same_v<T, bool>) {
      if (s.in_plane() <= std::numeric_limits<int32_t>::max())
        pool_planes<T, int32_t>(s, x.data<T>(), y.data<T>(), positions.data<int64_t>());
      else
        pool_planes<T, int64_t>(s, x.data<T>(), y.data<T>(), positions.data<int64_t>());
    }
  });
}

template <class T>
void add_back(const Tensor& dx, const Tensor& g, const Tensor& positions) {
  const int64_t planes = g.size(0) * g.size(1), in_plane = dx.numel() / planes, out_plane = g.numel() / planes;
  parallel_for(planes, std::max<int64_t>(1, kGrain / (in_plane + out_plane)), [&](int64_t begin, int64_t end) {
    T* to = dx.data<T>() + begin * in_plane;
    const T* from = g.data<T>() + begin * out_plane;
    const int64_t* at = positions.data<int64_t>() + begin * out_plane;
    std::fill(to, to + (end - begin) * in_plane, T(0));
    for (int64_t p = begin; p < end; ++p, to += in_plane, from += out_plane, at += out_plane)
      for (int64_t i = 0; i < out_plane; ++i) {
        check(1 <= at[i] && at[i] <= in_plane, "max_pool_backward: position ", at[i], " is outside 1..", in_plane);
        to[at[i] - 1] = static_cast<T>(to[at[i] - 1] + from[i]);
      }
  });
}

Tensor dense(const Tensor& x, DType dtype) {
  if (x.is_contiguous() && x.dtype() == dtype) return x;
  const Tensor copy = empty(x.sizes(), dtype);
  slots::copy(copy, x);
  return copy;
}

void max_pool_backward(const Tensor& dx, const Tensor& g, const Tensor& positions) {
  if (dx.numel() == 0) return;
  const Tensor at = dense(positions, DType::Int64);
  with_type(dx.dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
      const Tensor wide = empty(dx.sizes(), DType::Float32);
      add_back<float>(wide, dense(g, DType::Float32), at);
      slots::copy(dx, wide);
    } else if constexpr (!std::is_same_v<T, bool>) {
      add_back<T>(dx, dense(g, g.dtype()), at);
    }
  });
}

}  // namespace

void fill_pool_slots() {
  slots::max_pool.fill(DeviceType::CPU, max_pool);
  slots::max_pool_backward.fill(DeviceType::CPU, max_pool_backward);
}

}  // namespace facula::cpu
