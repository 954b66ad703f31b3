// Pooling by averages, and what is made of it. An average over windows is a map along each dimension (core/sampling.h):
// sums, divided by the product of the windows' sizes.
#include "core/ops/families.h"
#include "core/ops/pool_window.h"

namespace facula {
namespace {

Op avg_pool_adjoint, adaptive_avg_pool_adjoint;

// Windows of `kernel` positions cut to the input; each counts as long as it is inside the padded input, or inside the
// input itself.
Taps sliding_windows(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding, bool count_padding) {
  Taps taps;
  taps.in = in;
  for (int64_t o = 0; o < out; ++o) {
    const int64_t start = o * stride - padding, end = std::min(saturated_sum(start, kernel), in + padding);
    const int64_t first = std::max<int64_t>(start, 0), last = std::min(end, in);
    for (int64_t i = first; i < last; ++i) taps.add(i);
    taps.end_output();
    taps.divisor.push_back(static_cast<double>(count_padding ? end - start : last - first));
  }
  return taps;
}

// The maps of a pooling from sizes `in` to `out`; `divisor` takes the place of the windows' sizes unless it is 0.
auto average_maps(const Sizes& in, const Sizes& out, const IntList& kernel, const IntList& stride,
                  const IntList& padding, bool count_padding, int64_t divisor) {
  return [=](size_t i) {
    const size_t d = in.size() - kernel.size() + i;
    Taps taps = sliding_windows(in[d], out[d], kernel[i], stride[i], padding[i], count_padding);
    if (divisor != 0) taps.divisor.assign(out[d], i == 0 ? static_cast<double>(divisor) : 1);
    return taps;
  };
}

Tensor avg_pool_forward(Out& out, const Tensor& x, const IntList& kernel, const IntList& stride, const IntList& padding,
                        bool ceil_mode, bool count_padding, int64_t divisor) {
  const std::string op = text("avg_pool", kernel.size(), "d");
  check(is_floating(x.dtype()) || x.dtype() == DType::Int64, op, ": expected floating numbers or int64, got ",
        x.dtype());
  const Sizes sizes = pooled_sizes(op, x.sizes(), kernel, stride, padding, IntList(kernel.size(), 1), ceil_mode);
  return resampled(out, x, sizes, kernel.size(),
                   average_maps(x.sizes(), sizes, kernel, stride, padding, count_padding, divisor));
}

Tensor avg_pool_adjoint_forward(Out& out, const Tensor& g, const IntList& size, const IntList& kernel,
                                const IntList& stride, const IntList& padding, bool, bool count_padding,
                                int64_t divisor) {
  const auto maps = average_maps(size, g.sizes(), kernel, stride, padding, count_padding, divisor);
  return resampled(out, g, size, kernel.size(), [&](size_t i) { return transposed(maps(i)); });
}

// Output o averages from floor(o * in / out) to ceil((o + 1) * in / out).
Taps even_shares(int64_t in, int64_t out) {
  Taps taps;
  taps.in = in;
  for (int64_t o = 0; o < out; ++o) {
    const int64_t first = o * in / out, last = ((o + 1) * in + out - 1) / out;
    for (int64_t i = first; i < last; ++i) taps.add(i);
    taps.end_output();
    taps.divisor.push_back(static_cast<double>(last - first));
  }
  return taps;
}

Tensor adaptive_forward(Out& out, const Tensor& x, const IntList& size) {
  const Sizes sizes = with_last(x.sizes(), size);
  const size_t lead = x.sizes().size() - size.size();
  return resampled(out, x, sizes, size.size(), [&](size_t i) { return even_shares(x.sizes()[lead + i], size[i]); });
}
Tensor adaptive_adjoint_forward(Out& out, const Tensor& g, const IntList& size, int64_t spatial) {
  const size_t lead = size.size() - static_cast<size_t>(spatial);
  return resampled(out, g, size, static_cast<size_t>(spatial),
                   [&](size_t i) { return transposed(even_shares(size[lead + i], g.sizes()[lead + i])); });
}

template <int kSpatial>
Tensor avg_pool_of(const Tensor& x, const IntList& kernel, const OptInts& stride, const IntList& padding,
                   bool ceil_mode, bool count_include_pad, const OptInt& divisor) {
  const std::string op = text("avg_pool", kSpatial, "d");
  check_planes(op, x, kSpatial);
  check(divisor.value_or(1) != 0, op, ": divisor_override must not be 0");
  return ops::avg_pool(x, kernel, stride.value_or(kernel), padding, ceil_mode, count_include_pad, divisor.value_or(0));
}
Tensor avg_pool1d_of(const Tensor& x, const IntList& kernel, const OptInts& stride, const IntList& padding,
                     bool ceil_mode, bool count_include_pad) {
  return avg_pool_of<1>(x, kernel, stride, padding, ceil_mode, count_include_pad, {});
}

template <int kSpatial>
Tensor adaptive_avg_pool_of(const Tensor& x, const IntList& size) {
  const std::string op = text("adaptive_avg_pool", kSpatial, "d");
  check_planes(op, x, kSpatial);
  check(is_floating(x.dtype()), op, ": expected floating numbers, got ", x.dtype());
  IntList dims;
  for (int d = -kSpatial; d < 0; ++d) {
    dims.push_back(d);
    check(size[kSpatial + d] >= 0, op, ": sizes must not be negative, got ", size);
  }
  if (size == IntList(kSpatial, 1)) return ops::mean(x, dims, true);
  return ops::adaptive_avg_pool(x, size);
}

// (sum over the window of x^p)^(1/p), NaN where a sum of odd powers is negative. By way of relu the derivative is 0, not
// NaN, where the sum is 0.
template <int kSpatial>
Tensor lp_pool_of(const Tensor& x, double p, const IntList& kernel, const OptInts& stride, bool ceil_mode) {
  int64_t elements = 1;
  for (const int64_t k : kernel) elements = saturated_product(elements, k);
  const Tensor mean = avg_pool_of<kSpatial>(ops::pow(x, p), kernel, stride, IntList(kSpatial, 0), ceil_mode, true, {});
  return ops::pow(ops::sgn(mean) * ops::relu(ops::abs(mean)) * elements, 1 / p);
}

// x / (k + alpha * the mean of x^2 over `size` neighbouring channels)^beta.
Tensor local_response_norm(const Tensor& x, int64_t size, double alpha, double beta, double k) {
  check(x.dim() >= 3, "local_response_norm: expected at least 3 dimensions, got ", x.sizes());
  check(size > 0, "local_response_norm: size must be positive, got ", size);
  if (x.numel() == 0) return x;
  const Tensor squares = ops::reshape(ops::mul(x, x), {x.size(0), 1, x.size(1), -1});
  const int64_t before = std::min(size / 2, x.size(1)), behind = std::min((size - 1) / 2, x.size(1));
  const Tensor framed = ops::constant_pad_nd(squares, IntList{0, 0, before, behind});
  const Tensor mean =
      ops::avg_pool(framed, IntList{before + behind + 1, 1}, IntList{1, 1}, IntList{0, 0}, false, true, size);
  return x / ops::pow(ops::reshape(mean, x.sizes()) * alpha + k, beta);
}

using L = IntList;

template <int kSpatial>
void define_averages(const Family& define) {
  const std::string n = text("int[", kSpatial, ']'), place = kSpatial == 1 ? "" : "nn.functional.";
  const std::string window = text("avg_pool", kSpatial, "d(Tensor input, ", n, " kernel_size, ", n, "? stride=None, ",
                                  n, " padding=0, bool ceil_mode=False, bool count_include_pad=True");
  const std::string doc = text("The mean of each window of ", kSpatial, kSpatial == 1 ? " dimension" : " dimensions",
                               "; `stride` is the kernel's size if not given. Zeros of the padding count unless "
                               "`count_include_pad` is false");
  const std::string images = random_planes(1, 2, kSpatial, 6);
  const std::string mean_example = text("torch.nn.functional.avg_pool", kSpatial, "d(", images, ", 2).shape");
  const std::string adaptive =
      text(place, "adaptive_avg_pool", kSpatial, "d(Tensor input, ", n, " output_size) -> Tensor");
  Definition shares = define(adaptive);
  shares
      .doc(
          "The means of as many windows as `output_size` says: along each dimension output `o` of `m` takes the "
          "elements "
          "from `floor(o n / m)` to `ceil((o + 1) n / m)` of `n`.")
      .example(text("torch.nn.functional.adaptive_avg_pool", kSpatial, "d(", images, ", 3).shape"))
      .compose(adaptive_avg_pool_of<kSpatial>);
  if constexpr (kSpatial == 1) {
    shares.alias("nn.functional.adaptive_avg_pool1d");
    define(text(window, ") -> Tensor"))
        .doc(doc + ".")
        .example(mean_example)
        .alias("nn.functional.avg_pool1d")
        .compose(avg_pool1d_of);
  } else {
    define(text(place, window, ", int? divisor_override=None) -> Tensor"))
        .doc(doc + "; `divisor_override` takes the place of the window's size.")
        .example(mean_example)
        .compose(avg_pool_of<kSpatial>);
  }
}

template <int kSpatial>
void define_lp_pool(const Family& define) {
  const std::string list = text("int[", kSpatial, ']');
  define(text("nn.functional.lp_pool", kSpatial, "d(Tensor input, float norm_type, ", list, " kernel_size, ", list,
              "? stride=None, bool ceil_mode=False) -> Tensor"))
      .doc("`(sum of x^p)^(1/p)` over each window, with p = `norm_type`.")
      .example(text("torch.nn.functional.lp_pool", kSpatial, "d(", random_planes(1, 2, kSpatial, 6), ", 2, 2).shape"))
      .compose(lp_pool_of<kSpatial>);
}

}  // namespace

void define_avg_pool(const Family& define) {
  define(ops::avg_pool,
         "_avg_pool(Tensor input, int[] kernel_size, int[] stride, int[] padding, bool ceil_mode, bool "
         "count_include_pad, int divisor) -> Tensor")
      .doc("The mean of each window; `divisor` takes the place of the window's size unless it is 0.")
      .node("AvgPoolBackward0")
      .forward(avg_pool_forward)
      .grad("input", [](Tensor g, Meta x, L kernel, L stride, L padding, bool ceil_mode, bool count, int64_t divisor) {
        return avg_pool_adjoint(g, x.sizes(), kernel, stride, padding, ceil_mode, count, divisor);
      });
  define(avg_pool_adjoint,
         "_avg_pool_backward(Tensor grad_output, int[] input_size, int[] kernel_size, int[] stride, int[] padding, "
         "bool ceil_mode, bool count_include_pad, int divisor) -> Tensor")
      .doc("The adjoint of the means of windows.")
      .forward(avg_pool_adjoint_forward)
      .grad("grad_output",
            [](Tensor g, Meta, L, L kernel, L stride, L padding, bool ceil_mode, bool count, int64_t divisor) {
              return ops::avg_pool(g, kernel, stride, padding, ceil_mode, count, divisor);
            });
  define(ops::adaptive_avg_pool, "_adaptive_avg_pool(Tensor input, int[] output_size) -> Tensor")
      .doc("The means of windows that share the last dimensions out evenly.")
      .node("AdaptiveAvgPoolBackward0")
      .forward(adaptive_forward)
      .grad("input", [](Tensor g, Meta x, L size) {
        return adaptive_avg_pool_adjoint(g, x.sizes(), static_cast<int64_t>(size.size()));
      });
  define(adaptive_avg_pool_adjoint,
         "_adaptive_avg_pool_backward(Tensor grad_output, int[] input_size, int spatial) -> Tensor")
      .doc("The adjoint of the means of even shares.")
      .forward(adaptive_adjoint_forward)
      .grad("grad_output", [](Tensor g, Meta first, L, int64_t spatial) {
        return ops::adaptive_avg_pool(g, L(first.sizes().end() - spatial, first.sizes().end()));
      });
  define_averages<1>(define);
  define_averages<2>(define);
  define_averages<3>(define);
  define_lp_pool<1>(define);
  define_lp_pool<2>(define);
  define(
      "nn.functional.local_response_norm(Tensor input, int size, float alpha=0.0001, float beta=0.75, float k=1.0) "
      "-> Tensor")
      .doc(
          "`x / (k + alpha * mean of x^2 over size channels)^beta`, for [N, C, ...] (Krizhevsky, Sutskever, Hinton "
          "2012).")
      .example("torch.nn.functional.local_response_norm(torch.randn(1, 5, 4, 4), 3).shape")
      .compose(local_response_norm);
}

}  // namespace facula
