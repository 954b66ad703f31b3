// Images in other sizes. Each mode is a map along each dimension (core/sampling.h), so all of them and their adjoints are
// one kernel's work. Places are computed in the input's precision, those of 'nearest' in single precision as in PyTorch:
// they decide.
#include <cmath>

#include "core/ops/families.h"
#include "core/ops/pool_window.h"

namespace facula {
namespace {

using Doubles = std::vector<double>;
using OptDoubles = std::optional<Doubles>;
using L = IntList;

Op interpolate_adjoint, interpolate_base;

bool is_nearest(const std::string& mode) { return mode == "nearest" || mode == "nearest-exact"; }

// How outputs of one dimension lie over its inputs.
template <class T>
struct Axis {
  int64_t in, out;
  bool align_corners;
  T scale;  // inputs per output

  // `factor` is the scale factor that was asked for, 0 if sizes were.
  Axis(int64_t n_in, int64_t n_out, bool align, double factor) : in(n_in), out(n_out), align_corners(align) {
    if (align)
      scale = out > 1 ? static_cast<T>(in - 1) / static_cast<T>(out - 1) : T(0);
    else
      scale = factor > 0 ? static_cast<T>(1 / factor) : static_cast<T>(in) / static_cast<T>(out);
  }
  T place(int64_t o) const {
    return align_corners ? scale * static_cast<T>(o) : scale * (static_cast<T>(o) + T(0.5)) - T(0.5);
  }
};

template <class T>
Taps nearest(const Axis<T>& a, T shift) {
  Taps taps;
  for (int64_t o = 0; o < a.out; ++o) {
    taps.add(std::min(static_cast<int64_t>(std::floor((static_cast<T>(o) + shift) * a.scale)), a.in - 1));
    taps.end_output();
  }
  return taps;
}

template <class T>
Taps linear(const Axis<T>& a) {
  Taps taps;
  for (int64_t o = 0; o < a.out; ++o) {
    const T place = a.in == a.out ? static_cast<T>(o) : std::max(a.place(o), T(0));
    const int64_t first = std::min(static_cast<int64_t>(place), a.in - 1);
    const T t = std::clamp(place - static_cast<T>(first), T(0), T(1));
    taps.add(first, 1 - t);
    taps.add(std::min(first + 1, a.in - 1), t);
    taps.end_output();
  }
  return taps;
}

// Keys' cubic convolution (1981) with parameter a, at distance x from a pixel.
template <class T>
T cubic_weight(T x, T a) {
  x = std::fabs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((x - 5) * x + 8) * x * a - 4 * a : T(0);
}

template <class T>
Taps cubic(const Axis<T>& a) {
  Taps taps;
  for (int64_t o = 0; o < a.out; ++o) {
    const T place = a.place(o), floor = std::floor(place), t = place - floor;
    for (int64_t k = -1; k <= 2; ++k)
      taps.add(std::clamp<int64_t>(static_cast<int64_t>(floor) + k, 0, a.in - 1),
               cubic_weight(t - static_cast<T>(k), T(-0.75)));
    taps.end_output();
  }
  return taps;
}

// The filter is stretched to the outputs' distance, so that a smaller image has no aliases; as in PIL, a = -0.5.
template <class T>
Taps smoothed(const Axis<T>& a, bool is_cubic) {
  const T radius = is_cubic ? 2 : 1, stretch = std::max(a.scale, T(1)), support = radius * stretch;
  Taps taps;
  for (int64_t o = 0; o < a.out; ++o) {
    const T centre = a.scale * (static_cast<T>(o) + T(0.5));
    const auto first = std::max(static_cast<int64_t>(centre - support + T(0.5)), int64_t{0});
    const auto last = std::min(static_cast<int64_t>(centre + support + T(0.5)), a.in);
    const auto start = std::ssize(taps.at);
    T total = 0;
    for (int64_t i = first; i < last; ++i) {
      const T x = (static_cast<T>(i) - centre + T(0.5)) / stretch;
      const T w = is_cubic ? cubic_weight(x, T(-0.5)) : std::max(T(1) - std::fabs(x), T(0));
      taps.add(i, w);
      total += w;
    }
    for (auto t = start; t < std::ssize(taps.at) && total != 0; ++t) taps.weight[t] /= total;
    taps.end_output();
  }
  return taps;
}

template <class T>
Taps map_of(const std::string& mode, int64_t in, int64_t out, double factor, bool align_corners, bool antialias) {
  const Axis<T> axis(in, out, align_corners, factor);
  Taps taps = mode == "nearest"         ? nearest(axis, T(0))
              : mode == "nearest-exact" ? nearest(axis, T(0.5))
              : antialias               ? smoothed(axis, mode == "bicubic")
              : mode == "bicubic"       ? cubic(axis)
                                        : linear(axis);
  taps.in = in;
  return taps;
}

// The maps from sizes `in` to `out`; factors are 0 where none was given.
auto maps_of(const Sizes& in, const Sizes& out, const std::string& mode, const Doubles& factors, bool align_corners,
             bool antialias, DType dtype) {
  return [=](size_t i) {
    const size_t d = in.size() - factors.size() + i;
    const bool fine = dtype == DType::Float64 && !is_nearest(mode);
    return (fine ? map_of<double> : map_of<float>)(mode, in[d], out[d], factors[i], align_corners, antialias);
  };
}

Tensor interpolate_forward(Out& out, const Tensor& x, const IntList& size, const std::string& mode,
                           const Doubles& factors, bool align_corners, bool antialias) {
  const Sizes sizes = with_last(x.sizes(), size);
  return resampled(out, x, sizes, size.size(),
                   maps_of(x.sizes(), sizes, mode, factors, align_corners, antialias, x.dtype()));
}
Tensor interpolate_adjoint_forward(Out& out, const Tensor& g, const IntList& size, const std::string& mode,
                                   const Doubles& factors, bool align_corners, bool antialias) {
  const auto maps = maps_of(size, g.sizes(), mode, factors, align_corners, antialias, g.dtype());
  return resampled(out, g, size, factors.size(), [&](size_t i) { return transposed(maps(i)); });
}

// The sizes asked for, by numbers or as multiples of the input's.
IntList output_size(const char* op, const Tensor& x, const OptInts& size, const OptDoubles& factors, int64_t least) {
  const size_t spatial = x.sizes().size() - 2;
  check(size.has_value() != factors.has_value(), op, ": expected either size or scale_factor");
  const size_t given = size ? size->size() : factors->size();
  check(given == 1 || given == spatial, op, ": expected ", spatial, " numbers in ", size ? "size" : "scale_factor",
        " for an input of sizes ", x.sizes(), ", got ", given);
  IntList sizes(spatial);
  for (size_t d = 0; d < spatial; ++d) {
    const size_t i = given == 1 ? 0 : d;
    sizes[d] = size ? (*size)[i] : saturated(std::floor(static_cast<double>(x.sizes()[d + 2]) * (*factors)[i]));
    check(sizes[d] >= least && x.sizes()[d + 2] > 0, op, ": sizes must be positive, got ", x.sizes(), " and ",
          size ? "size " : "scale_factor ", size ? Value(*size) : Value(*factors));
  }
  return sizes;
}

void check_mode(const char* op, const Tensor& x, const std::string& mode, std::optional<bool> align_corners,
                bool antialias) {
  check(x.dim() >= 3 && x.dim() <= 5, op, ": expected [N, C, ...] with 1 to 3 dimensions more, got ", x.sizes());
  check(x.size(1) > 0, op, ": the input ", x.sizes(), " has no channels");
  const bool any = is_nearest(mode) || mode == "area";
  const int64_t dims = mode == "linear" ? 3 : mode == "bilinear" || mode == "bicubic" ? 4 : mode == "trilinear" ? 5 : 0;
  check(any || dims > 0, op,
        ": mode must be 'nearest', 'nearest-exact', 'linear', 'bilinear', 'trilinear', 'bicubic' or 'area', got '",
        mode, "'");
  check(any || x.dim() == dims, op, ": mode '", mode, "' takes ", dims, " dimensions, got ", x.sizes());
  check(!any || !align_corners, op, ": mode '", mode, "' takes no align_corners");
  check(!antialias || dims == 4, op, ": antialias goes with modes 'bilinear' and 'bicubic', not with '", mode, "'");
  check(is_nearest(mode) ? !is_complex(x.dtype()) : is_floating(x.dtype()), op, ": mode '", mode, "' takes ",
        is_nearest(mode) ? "real" : "floating", " numbers, got ", x.dtype());
}

Tensor interpolate_as(const char* op, const Tensor& x, const OptInts& size, const OptDoubles& factors,
                      const std::string& mode, std::optional<bool> align_corners, std::optional<bool> recompute,
                      bool antialias) {
  check_mode(op, x, mode, align_corners, antialias);
  check(!recompute.value_or(false) || factors, op, ": recompute_scale_factor needs a scale_factor");
  const IntList sizes = output_size(op, x, size, factors, mode == "area" ? 0 : 1);
  if (mode == "area") return ops::adaptive_avg_pool(x, sizes);
  Doubles used(sizes.size(), 0);
  if (factors && !recompute.value_or(false))
    for (size_t d = 0; d < used.size(); ++d) used[d] = factors->size() == 1 ? (*factors)[0] : (*factors)[d];
  return interpolate_base(x, sizes, mode, used, align_corners.value_or(false), antialias);
}

Tensor interpolate_of(const Tensor& x, const OptInts& size, const OptDoubles& factors, const std::string& mode,
                      std::optional<bool> align_corners, std::optional<bool> recompute, bool antialias) {
  return interpolate_as("interpolate", x, size, factors, mode, align_corners, recompute, antialias);
}
Tensor upsample_of(const Tensor& x, const OptInts& size, const OptDoubles& factors, const std::string& mode,
                   std::optional<bool> align_corners) {
  return interpolate_as("upsample", x, size, factors, mode, align_corners, {}, false);
}
Tensor upsample_nearest_of(const Tensor& x, const OptInts& size, const OptDoubles& factors) {
  return interpolate_as("upsample_nearest", x, size, factors, "nearest", {}, {}, false);
}
Tensor upsample_bilinear_of(const Tensor& x, const OptInts& size, const OptDoubles& factors) {
  return interpolate_as("upsample_bilinear", x, size, factors, "bilinear", true, {}, false);
}

}  // namespace

#define SIZE_OR_FACTOR "(Tensor input, int[]? size=None, float[]? scale_factor=None"

void define_interpolate(const Family& define) {
  define(interpolate_base,
         "_interpolate(Tensor input, int[] size, str mode, float[] scale_factor, bool align_corners, bool antialias) "
         "-> Tensor")
      .doc("The image in another size; factors are 0 where sizes decide.")
      .node("UpsampleBackward0")
      .forward(interpolate_forward)
      .grad("input", [](Tensor g, Meta x, L, std::string mode, Doubles factors, bool align_corners, bool antialias) {
        return interpolate_adjoint(g, x.sizes(), mode, factors, align_corners, antialias);
      });
  define(interpolate_adjoint,
         "_interpolate_backward(Tensor grad_output, int[] input_size, str mode, float[] scale_factor, bool "
         "align_corners, bool antialias) -> Tensor")
      .doc("The adjoint of interpolation.")
      .forward(interpolate_adjoint_forward)
      .grad("grad_output",
            [](Tensor g, Meta first, L, std::string mode, Doubles factors, bool align_corners, bool antialias) {
              const L size(first.sizes().end() - static_cast<ptrdiff_t>(factors.size()), first.sizes().end());
              return interpolate_base(g, size, mode, factors, align_corners, antialias);
            });
  define("nn.functional.interpolate" SIZE_OR_FACTOR
         ", str mode='nearest', bool? align_corners=None, bool? recompute_scale_factor=None, bool antialias=False) -> "
         "Tensor")
      .doc(
          "Images [N, C, ...] in another size, which is `size` or `floor(scale_factor * size)`. Modes: 'nearest', "
          "'nearest-exact', 'area' (means), 'linear', 'bilinear', 'bicubic', 'trilinear'. With `align_corners` the "
          "centres of the corner pixels keep their places, otherwise the image's edges. With `antialias` filters of "
          "'bilinear' and 'bicubic' grow with the pixels of a smaller image.")
      .example("torch.nn.functional.interpolate(torch.arange(4):float():reshape(1, 1, 2, 2), {scale_factor=2})")
      .compose(interpolate_of);
  define("nn.functional.upsample" SIZE_OR_FACTOR ", str mode='nearest', bool? align_corners=None) -> Tensor")
      .doc("The older name of `interpolate`.")
      .example("torch.nn.functional.upsample(torch.arange(4):float():reshape(1, 1, 2, 2), {scale_factor=2})")
      .compose(upsample_of);
  define("nn.functional.upsample_nearest" SIZE_OR_FACTOR ") -> Tensor")
      .doc("`interpolate` with mode 'nearest'.")
      .example("torch.nn.functional.upsample_nearest(torch.arange(4):float():reshape(1, 1, 2, 2), 4)")
      .compose(upsample_nearest_of);
  define("nn.functional.upsample_bilinear" SIZE_OR_FACTOR ") -> Tensor")
      .doc("`interpolate` with mode 'bilinear' and `align_corners`.")
      .example("torch.nn.functional.upsample_bilinear(torch.arange(4):float():reshape(1, 1, 2, 2), 3)")
      .compose(upsample_bilinear_of);
}

}  // namespace facula
