// Max pooling from framed copies of planes, whose frame is lower than all numbers: each tap of the window is one pass
// over all outputs that keeps the larger number and its place. The loops have no bounds to check and nothing but
// vectors to read, and are compiled for each instruction set. Planes are independent and run in parallel.
#include <limits>
#include <type_traits>
#include <vector>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/frame.h"
#include "kernels/cpu/register.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pool.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {

// Pooling of planes [in...] to [out...]. Outputs are counted along the frame's rows: their places p are those that lie
// between the first and the last; what falls between the ends of two rows is computed and dropped.
struct Windows {
  Space in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};

  // Where output o's window first reads inside the input, along dimension d.
  int64_t start(int d, int64_t o) const {
    const int64_t at = o * stride[d] - padding[d];
    return std::min(at < 0 ? at + (dilation[d] - 1 - at) / dilation[d] * dilation[d] : at, in[d] - 1);
  }
  // Drops what no window needs: the stride of a single output, and taps outside the input for all outputs.
  void trim(int d) {
    if (out[d] == 1) stride[d] = 1;
    const int64_t before = std::max<int64_t>(0, padding[d] - (out[d] - 1) * stride[d]);
    const int64_t first = std::min(before / dilation[d] + (before % dilation[d] > 0), kernel[d] - 1);
    const int64_t last = std::min((in[d] - 1 + padding[d]) / dilation[d], kernel[d] - 1);
    kernel[d] = last - first + 1;
    padding[d] -= first * dilation[d];
  }
  int32_t place(int64_t z, int64_t y, int64_t x) const { return static_cast<int32_t>((z * in[1] + y) * in[2] + x); }
};

struct Tap {
  int64_t at;     // in the framed copy, for the first output
  int32_t place;  // in the plane, from the output's corner
};

// Of equal numbers the first stays; NaN is larger than all, and a later NaN than an earlier one, as in PyTorch.
template <class T>
void keep_larger(const T* __restrict x, const int32_t* __restrict corner, int32_t tap, int64_t n, T* __restrict best,
                 int32_t* __restrict place) {
  for (int64_t i = 0; i < n; ++i) {
    const bool larger = (x[i] > best[i]) | (x[i] != x[i]);
    best[i] = larger ? x[i] : best[i];
    place[i] = larger ? corner[i] + tap : place[i];
  }
}

// float16 and bfloat16 are compared as float32.
template <class T>
void pool_planes(const Windows& w, int64_t planes, const T* x, T* y, int64_t* positions) {
  using Wide = std::conditional_t<sizeof(T) == 2 && !std::is_integral_v<T>, float, T>;
  using Limits = std::numeric_limits<Wide>;
  const Wide lowest = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
  const Frame frame(w.out, w.stride, w.kernel, w.dilation, w.padding);
  const int64_t span = frame.span(w.out), in_plane = volume(w.in), out_plane = volume(w.out);
  std::vector<int32_t> corner(span), start(span);  // of each output: where its window begins, and begins inside
  for_box(w.out, [&](const Space& o) {
    corner[frame.step(o)] = w.place(o[0] * w.stride[0], o[1] * w.stride[1], o[2] * w.stride[2]);
    start[frame.step(o)] = w.place(w.start(0, o[0]), w.start(1, o[1]), w.start(2, o[2]));
  });
  std::vector<Tap> taps;
  for_box(w.kernel, [&](const Space& k) {
    const Space u{k[0] * w.dilation[0], k[1] * w.dilation[1], k[2] * w.dilation[2]};
    taps.push_back({frame.at(u), w.place(u[0] - w.padding[0], u[1] - w.padding[1], u[2] - w.padding[2])});
  });

  constexpr int64_t kPiece = 1024;  // outputs that stay in the first-level cache
  parallel_for(planes, std::max<int64_t>(1, kGrain / (span * std::ssize(taps))), [&](int64_t begin, int64_t end) {
    std::vector<Wide> copy(frame.plane()), best(span);
    std::vector<int32_t> place(span);
    for (int64_t p = begin; p < end; ++p) {
      frame.fill(x + p * in_plane, w.in, 1, copy.data(), lowest);
      std::fill(best.begin(), best.end(), lowest);
      std::copy(start.begin(), start.end(), place.begin());
      for (int64_t i = 0; i < span; i += kPiece)
        for (const Tap& tap : taps)
          keep_larger(copy.data() + tap.at + i, corner.data() + i, tap.place, std::min(kPiece, span - i),
                      best.data() + i, place.data() + i);
      int64_t to = p * out_plane;
      for_box({w.out[0], w.out[1], 1}, [&](const Space& line) {
        const int64_t from = frame.step(line);
        for (int64_t i = 0; i < w.out[2]; ++i) y[to + i] = T(best[from + i]);
        for (int64_t i = 0; i < w.out[2]; ++i) positions[to + i] = int64_t{place[from + i]} + 1;
        to += w.out[2];
      });
    }
  });
}

void max_pool(const Tensor& y, const Tensor& positions, const Tensor& x, const IntList& kernel, const IntList& stride,
              const IntList& padding, const IntList& dilation) {
  if (y.numel() == 0) return;
  Windows w;
  const size_t space = kernel.size(), lead = 3 - space;
  for (size_t d = 0; d < space; ++d) {
    w.in[lead + d] = x.size(x.dim() - space + d);
    w.out[lead + d] = y.size(y.dim() - space + d);
    w.kernel[lead + d] = kernel[d];
    w.stride[lead + d] = stride[d];
    w.padding[lead + d] = padding[d];
    w.dilation[lead + d] = dilation[d];
    w.trim(static_cast<int>(lead + d));
  }
  check(volume(w.in) <= std::numeric_limits<int32_t>::max(), "max_pool: planes of ", x.sizes(),
        " have more than 2^31 - 1 elements");
  check(!is_complex(x.dtype()), "max_pool: ", x.dtype(), " numbers have no order");
  with_type(x.dtype(), [&]<class T>() {
    if constexpr (!is_complex(dtype_of<T>) && !std::is_same_v<T, bool>)
      pool_planes<T>(w, y.numel() / volume(w.out), x.data<T>(), y.data<T>(), positions.data<int64_t>());
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

void fill() {
  slots::max_pool.fill(DeviceType::CPU, max_pool);
  slots::max_pool_backward.fill(DeviceType::CPU, max_pool_backward);
}

}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {

HWY_EXPORT(fill);
void fill_pool_slots() { HWY_DYNAMIC_DISPATCH(fill)(); }

}  // namespace facula::cpu
#endif
