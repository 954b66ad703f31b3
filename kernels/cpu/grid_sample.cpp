// Reading images between their pixels. For a block of places the pixels around each and their weights are found once,
// then every channel is a sum over them, which vectors gather.
#include <cmath>
#include <limits>
#include <memory>

#include "core/parallel.h"
#include "core/slots.h"
#include "kernels/cpu/register.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/grid_sample.cpp"
#include "kernels/cpu/targets.h"
// foreach_target.h comes after targets.h and before what it repeats.
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace facula::cpu::HWY_NAMESPACE {
namespace {

using Mode = GridSampling::Mode;
using Padding = GridSampling::Padding;

constexpr int64_t kPlaces = 64, kMostTaps = 16;
constexpr int64_t kTasks = 16;  // wanted where places cannot be shared out

// A number brought back into 0 .. size - 1, and the derivative of that: 1, -1 or 0.
template <class T>
struct Folded {
  T at, slope;
};

template <class T>
Folded<T> clipped(Folded<T> u, int64_t size) {
  const T most = static_cast<T>(size - 1);
  if (!(u.at > 0)) return {u.at != u.at ? most : T(0), T(0)};
  return u.at < most ? u : Folded<T>{most, T(0)};
}

// Reflected at the centres or at the edges of the outermost pixels until it is inside.
template <class T>
Folded<T> reflected(Folded<T> u, int64_t size, bool align_corners) {
  const T low = align_corners ? T(0) : T(-0.5), span = static_cast<T>(align_corners ? size - 1 : size);
  if (span == 0) return {T(0), T(0)};
  T from = u.at - low;
  if (from < 0) from = -from, u.slope = -u.slope;
  const T rest = std::fmod(from, span);
  if (std::fmod(std::floor(from / span), T(2)) == 0) return {low + rest, u.slope};
  return {low + span - rest, -u.slope};
}

template <class T>
Folded<T> folded(const GridSampling& s, Folded<T> u, int64_t size) {
  if (s.padding == Padding::Zeros) return u;
  if (s.padding == Padding::Reflection) u = reflected(u, size, s.align_corners);
  return clipped(u, size);
}

// The pixels beside a place along one dimension, -1 for those outside, and what their weights are made of.
template <class T>
struct Beside {
  int32_t at[4];
  T t, slope;
};

// PyTorch rounds otherwise in three dimensions than in two, which decides what is nearest.
template <class T>
Beside<T> beside(const GridSampling& s, int64_t size, T coordinate, bool planar) {
  const T n = static_cast<T>(size), from_zero = coordinate + 1;
  const T scale = s.align_corners ? (n - 1) / 2 : n / 2;
  Folded<T> u{s.align_corners ? from_zero * scale
              : planar        ? from_zero * scale - T(0.5)
                              : (from_zero * n - 1) / 2,
              scale};
  if (s.mode != Mode::Cubic) u = folded(s, u, size);
  if (!(std::fabs(u.at) < T(1 << 30))) u.at = -100;  // NaN and what no int32 holds: outside
  const T low = s.mode != Mode::Nearest ? std::floor(u.at) : planar ? std::nearbyint(u.at) : std::round(u.at);
  Beside<T> b{{}, u.at - low, u.slope};
  auto inside = [&](T at) { return at >= 0 && at < n ? static_cast<int32_t>(at) : -1; };
  if (s.mode == Mode::Cubic)
    for (int k = 0; k < 4; ++k) b.at[k] = inside(folded<T>(s, {low + static_cast<T>(k - 1), 1}, size).at);
  else
    for (int k = 0; k < 2; ++k) b.at[k] = inside(low + static_cast<T>(k));
  return b;
}

// The derivative of some order of Keys' cubic (1981, a = -0.75) at distance x >= 0.
template <class T>
T cubic(T x, int64_t order) {
  constexpr T a = T(-0.75);
  const bool near = x <= 1;
  switch (order) {
    case 0: return near ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    case 1: return near ? (3 * (a + 2) * x - 2 * (a + 3)) * x : (3 * a * x - 10 * a) * x + 8 * a;
    case 2: return near ? 6 * (a + 2) * x - 2 * (a + 3) : 6 * a * x - 10 * a;
    case 3: return near ? 6 * (a + 2) : 6 * a;
    default: return 0;
  }
}

template <class T>
void weights(Mode mode, const Beside<T>& b, int64_t order, T* w) {
  const T slope = order == 0 ? T(1) : static_cast<T>(std::pow(b.slope, static_cast<T>(order)));
  switch (mode) {
    case Mode::Nearest: w[0] = order == 0 ? T(1) : T(0); break;
    case Mode::Linear:
      w[0] = order == 0 ? 1 - b.t : order == 1 ? -slope : T(0);
      w[1] = order == 0 ? b.t : order == 1 ? slope : T(0);
      break;
    case Mode::Cubic:
      const T mirror = order % 2 ? T(-1) : T(1);  // the pixels to the right see the place at their left
      w[0] = slope * cubic(b.t + 1, order), w[1] = slope * cubic(b.t, order);
      w[2] = mirror * slope * cubic(1 - b.t, order), w[3] = mirror * slope * cubic(2 - b.t, order);
  }
}

// The taps of kPlaces places: positions in a plane, -1 outside, and weights for one or more orders of derivatives.
template <class T>
struct Block {
  int32_t at[kMostTaps][kPlaces];
  T weight[3][kMostTaps][kPlaces];
};

template <class T>
class Sampler {
 public:
  Sampler(const GridSampling& s, const Sizes& image, const Sizes& grid)
      : s_(s), dims_(static_cast<int>(image.size()) - 2), batch(image[0]), channels(image[1]) {
    along_ = s.mode == Mode::Nearest ? 1 : s.mode == Mode::Linear ? 2 : 4;
    for (int c = 0; c < dims_; ++c) {
      size_[c] = image[image.size() - 1 - c];
      stride_[c] = static_cast<int32_t>(plane);
      plane *= size_[c];
      taps *= along_;
      check(plane <= std::numeric_limits<int32_t>::max(), "grid_sample: planes of ", image,
            " have more than 2^31 - 1 elements");
    }
    for (size_t d = 1; d + 1 < grid.size(); ++d) places *= grid[d];
  }

  // The taps of n places; with `gradient` for the derivatives by each coordinate.
  void locate(const T* grid, int64_t n, bool gradient, Block<T>& block) const {
    for (int64_t i = 0; i < n; ++i, grid += dims_) {
      Beside<T> b[3];
      T w[3][2][4];  // by coordinate and order
      for (int c = 0; c < dims_; ++c) {
        b[c] = beside(s_, size_[c], grid[c], dims_ == 2);
        weights(s_.mode, b[c], s_.order[c], w[c][0]);
        if (gradient) weights(s_.mode, b[c], s_.order[c] + 1, w[c][1]);
      }
      for (int tap = 0; tap < taps; ++tap) {
        int k[3] = {tap % along_, tap / along_ % along_, tap / along_ / along_};
        int32_t at = 0;
        for (int c = 0; c < dims_; ++c) at = at < 0 || b[c].at[k[c]] < 0 ? -1 : at + b[c].at[k[c]] * stride_[c];
        block.at[tap][i] = at;
        for (int d = 0; d < (gradient ? dims_ : 1); ++d) {
          T product = 1;
          for (int c = 0; c < dims_; ++c) product *= w[c][gradient && c == d][k[c]];
          block.weight[d][tap][i] = product;
        }
      }
    }
  }

 private:
  const GridSampling& s_;
  int dims_, along_;
  int64_t size_[3];
  int32_t stride_[3];

 public:
  int64_t batch, channels, plane = 1, places = 1;
  int taps = 1;

  int dims() const { return dims_; }
  int64_t blocks() const { return (places + kPlaces - 1) / kPlaces; }
  int64_t block_work() const { return kPlaces * taps * (channels + 8); }
};

template <class T>
T pixel(const T* plane, int32_t at) {
  const T value = plane[at < 0 ? 0 : at];
  return at < 0 ? T(0) : value;
}

// Calls body(image, first place, count, block) for blocks of places in parallel.
template <class T, class Body>
void for_blocks(const Sampler<T>& s, const T* grid, bool gradient, Body body) {
  const int64_t blocks = s.blocks();
  parallel_for(s.batch * blocks, std::max<int64_t>(1, kGrain / s.block_work()), [&](int64_t begin, int64_t end) {
    const auto block = std::make_unique<Block<T>>();
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / blocks, first = i % blocks * kPlaces, n = std::min(kPlaces, s.places - first);
      s.locate(grid + (image * s.places + first) * s.dims(), n, gradient, *block);
      body(image, first, n, *block);
    }
  });
}

// to[i] = the sum of K taps of place i.
template <int K, class T>
void read_taps(const Block<T>& block, const T* __restrict plane, int64_t n, T* __restrict to) {
  for (int64_t i = 0; i < n; ++i) {
    T sum = block.weight[0][0][i] * pixel(plane, block.at[0][i]);
    for (int tap = 1; tap < K; ++tap) sum += block.weight[0][tap][i] * pixel(plane, block.at[tap][i]);
    to[i] = sum;
  }
}

template <class T>
void read(const Sampler<T>& s, T* y, const T* x, const T* grid) {
  const auto read_some = s.taps == 1   ? read_taps<1, T>
                         : s.taps == 4 ? read_taps<4, T>
                         : s.taps == 8 ? read_taps<8, T>
                                       : read_taps<16, T>;
  for_blocks(s, grid, false, [&](int64_t image, int64_t first, int64_t n, const Block<T>& block) {
    for (int64_t c = image * s.channels; c < (image + 1) * s.channels; ++c)
      read_some(block, x + c * s.plane, n, y + c * s.places + first);
  });
}

// Places may share pixels: the planes of an image are shared out instead.
template <class T>
void spread(const Sampler<T>& s, T* dx, const T* g, const T* grid) {
  const int64_t chunks = std::min(s.channels, (kTasks + s.batch - 1) / s.batch);
  parallel_for(s.batch * chunks, 1, [&](int64_t begin, int64_t end) {
    const auto block = std::make_unique<Block<T>>();
    for (int64_t task = begin; task < end; ++task) {
      const int64_t image = task / chunks, chunk = task % chunks;
      const int64_t low = s.channels * chunk / chunks, high = s.channels * (chunk + 1) / chunks;
      std::fill(dx + (image * s.channels + low) * s.plane, dx + (image * s.channels + high) * s.plane, T(0));
      for (int64_t first = 0; first < s.places; first += kPlaces) {
        const int64_t n = std::min(kPlaces, s.places - first);
        s.locate(grid + (image * s.places + first) * s.dims(), n, false, *block);
        for (int64_t c = low; c < high; ++c) {
          T* plane = dx + (image * s.channels + c) * s.plane;
          const T* from = g + (image * s.channels + c) * s.places + first;
          for (int tap = 0; tap < s.taps; ++tap)
            for (int64_t i = 0; i < n; ++i)
              if (block->at[tap][i] >= 0) plane[block->at[tap][i]] += block->weight[0][tap][i] * from[i];
        }
      }
    }
  });
}

template <class T>
void slopes(const Sampler<T>& s, T* dgrid, const T* g, const T* x, const T* grid) {
  const int dims = s.dims();
  for_blocks(s, grid, true, [&](int64_t image, int64_t first, int64_t n, const Block<T>& block) {
    T sums[3][kPlaces] = {}, values[kPlaces];
    for (int64_t c = 0; c < s.channels; ++c) {
      const T* __restrict plane = x + (image * s.channels + c) * s.plane;
      const T* __restrict from = g + (image * s.channels + c) * s.places + first;
      for (int tap = 0; tap < s.taps; ++tap) {
        for (int64_t i = 0; i < n; ++i) values[i] = from[i] * pixel(plane, block.at[tap][i]);
        for (int d = 0; d < dims; ++d)
          for (int64_t i = 0; i < n; ++i) sums[d][i] += block.weight[d][tap][i] * values[i];
      }
    }
    T* to = dgrid + (image * s.places + first) * dims;
    for (int64_t i = 0; i < n; ++i)
      for (int d = 0; d < dims; ++d) to[i * dims + d] = sums[d][i];
  });
}

template <class Run>
void with_float(const Tensor& y, Run&& run) {
  check(y.dtype() == DType::Float32 || y.dtype() == DType::Float64, "grid_sample: ", y.dtype(), " has no kernel");
  if (y.dtype() == DType::Float32)
    run(float());
  else
    run(double());
}

void grid_sample(const Tensor& y, const Tensor& x, const Tensor& grid, const GridSampling& s) {
  if (y.numel() == 0) return;
  with_float(
      y, [&]<class T>(T) { read(Sampler<T>(s, x.sizes(), grid.sizes()), y.data<T>(), x.data<T>(), grid.data<T>()); });
}
void grid_sample_input(const Tensor& dx, const Tensor& g, const Tensor& grid, const GridSampling& s) {
  if (dx.numel() == 0) return;
  with_float(dx, [&]<class T>(T) {
    spread(Sampler<T>(s, dx.sizes(), grid.sizes()), dx.data<T>(), g.data<T>(), grid.data<T>());
  });
}
void grid_sample_grid(const Tensor& dgrid, const Tensor& g, const Tensor& x, const Tensor& grid,
                      const GridSampling& s) {
  if (dgrid.numel() == 0) return;
  with_float(dgrid, [&]<class T>(T) {
    slopes(Sampler<T>(s, x.sizes(), grid.sizes()), dgrid.data<T>(), g.data<T>(), x.data<T>(), grid.data<T>());
  });
}

}  // namespace

void fill_grid() {
  slots::grid_sample.fill(DeviceType::CPU, grid_sample);
  slots::grid_sample_input.fill(DeviceType::CPU, grid_sample_input);
  slots::grid_sample_grid.fill(DeviceType::CPU, grid_sample_grid);
}

}  // namespace facula::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace facula::cpu {

HWY_EXPORT(fill_grid);
void fill_grid_slots() { HWY_DYNAMIC_DISPATCH(fill_grid)(); }

}  // namespace facula::cpu
#endif
