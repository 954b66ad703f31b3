// Pooling by the largest element of windows that share the input out: evenly, or at random.
#include "core/ops/families.h"
#include "core/ops/pool_window.h"

namespace facula {
namespace {

using L = IntList;

Op adaptive_base, fractional_base;

void check_real(const std::string& op, const Tensor& x) {
  check(!is_complex(x.dtype()) && x.dtype() != DType::Bool, op, ": expected real numbers that are not bool, got ",
        x.dtype());
}

std::tuple<Tensor, Tensor> adaptive_forward(Out& out, const Tensor& x, const IntList& size) {
  const Sizes sizes = with_last(x.sizes(), size);
  const Tensor y = out.make(0, sizes, x.dtype()), positions = out.make(1, sizes, DType::Int64);
  slots::adaptive_max_pool(y, positions, dense(x), static_cast<int64_t>(size.size()));
  return {y, positions};
}

std::tuple<Tensor, Tensor> fractional_forward(Out& out, const Tensor& x, const IntList& kernel, const IntList& size,
                                              const Tensor& samples) {
  const Sizes sizes = with_last(x.sizes(), size);
  const Tensor y = out.make(0, sizes, x.dtype()), positions = out.make(1, sizes, DType::Int64);
  slots::fractional_max_pool(y, positions, dense(x), dense(samples), kernel);
  return {y, positions};
}

// Calls pool with a batch and takes it away again.
template <class Pool>
Results pooled(const Tensor& x, bool batch, bool return_indices, Pool pool) {
  const Results both = pool(batch ? x : ops::unsqueeze(x, 0));
  Results results;
  for (int i = 0; i < (return_indices ? 2 : 1); ++i)
    results.push(batch ? both.tensor(i) : ops::select(both.tensor(i), 0, 0));
  return results;
}

template <int kSpatial>
Results adaptive_of(const Tensor& x, const IntList& size, bool return_indices) {
  const std::string op = text("adaptive_max_pool", kSpatial, "d");
  check_planes(op, x, kSpatial);
  check_real(op, x);
  for (const int64_t n : size) check(n >= 0, op, ": sizes must not be negative, got ", size);
  return pooled(x, x.dim() == kSpatial + 2, return_indices, [&](const Tensor& images) {
    return adaptive_base.all({images, size});
  });
}
template <int kSpatial>
Results adaptive_with_indices(const Tensor& x, const IntList& size) {
  return adaptive_of<kSpatial>(x, size, true);
}

Tensor random_samples(const Sizes& sizes, DType dtype, Device device) {
  const Tensor samples = empty(sizes, dtype, device);
  slots::uniform(samples, 0, 1, default_generator()->take(static_cast<uint64_t>(samples.numel() / 2 + 1)));
  return samples;
}

template <int kSpatial>
IntList fractional_size(const std::string& op, const Tensor& x, const IntList& kernel, const OptInts& size,
                        const std::optional<std::vector<double>>& ratio) {
  check(size.has_value() != ratio.has_value(), op, ": expected either output_size or output_ratio");
  IntList sizes(kSpatial);
  for (int d = 0; d < kSpatial; ++d) {
    const int64_t n = x.size(d - kSpatial);
    if (ratio) {
      check(ratio->size() == 1 || ratio->size() == kSpatial, op, ": expected ", kSpatial,
            " numbers in output_ratio, got ", ratio->size());
      const double r = (*ratio)[ratio->size() == 1 ? 0 : d];
      check(0 < r && r < 1, op, ": output_ratio must be within 0 and 1, got ", r);
      sizes[d] = static_cast<int64_t>(static_cast<double>(n) * r);
    } else {
      sizes[d] = (*size)[d];
    }
    check(kernel[d] > 0 && sizes[d] > 0 && saturated_sum(kernel[d], sizes[d] - 1) <= n, op, ": ", sizes[d],
          " windows of ", kernel[d], " do not fit into dimension ", Counting::shown(x.dim() - kSpatial + d), " of ",
          x.sizes());
  }
  return sizes;
}

template <int kSpatial>
Results fractional_of(const Tensor& x, const IntList& kernel, const OptInts& size,
                      const std::optional<std::vector<double>>& ratio, bool return_indices, const Tensor& given) {
  const std::string op = text("fractional_max_pool", kSpatial, "d");
  check_planes(op, x, kSpatial);
  check_real(op, x);
  const IntList sizes = fractional_size<kSpatial>(op, x, kernel, size, ratio);
  const bool batch = x.dim() == kSpatial + 2;
  const Sizes wanted{batch ? x.size(0) : 1, x.size(batch ? 1 : 0), kSpatial};
  check(!given.defined() || (is_floating(given.dtype()) && given.sizes() == wanted), op,
        ": _random_samples must be floating and have sizes ", wanted);
  const DType t = x.dtype() == DType::Float64 ? DType::Float64 : DType::Float32;
  const Tensor samples = given.defined() ? ops::to_dtype(given, t) : random_samples(wanted, t, x.device());
  return pooled(x, batch, return_indices, [&](const Tensor& images) {
    return fractional_base.all({images, kernel, sizes, samples});
  });
}
template <int kSpatial>
Results fractional_with_indices(const Tensor& x, const IntList& kernel, const OptInts& size,
                                const std::optional<std::vector<double>>& ratio, bool, const Tensor& samples) {
  return fractional_of<kSpatial>(x, kernel, size, ratio, true, samples);
}

template <int kSpatial>
void define_shared_out(const Family& define) {
  const std::string name = text("max_pool", kSpatial, 'd'), n = text("int[", kSpatial, ']');
  constexpr const char* both = ") -> (Tensor output, IndexTensor indices)";
  const std::string doc =
      "The largest elements of as many windows as `output_size` says: along each dimension output `o` of `m` takes the "
      "elements from `floor(o n / m)` to `ceil((o + 1) n / m)` of `n`. ";
  define(text("nn.functional.adaptive_", name, "(Tensor input, ", n, " output_size, bool return_indices=False", both))
      .doc(doc + "With `return_indices` also their positions in the flattened plane.")
      .example(text("torch.nn.functional.adaptive_", name, "(", random_planes(1, 2, kSpatial, 6), ", 3).shape"))
      .compose(adaptive_of<kSpatial>);
  Definition with_indices =
      define(text("nn.functional.adaptive_", name, "_with_indices(Tensor input, ", n, " output_size", both));
  with_indices.doc(doc + "And their positions in the flattened plane.")
      .example(text("torch.nn.functional.adaptive_", name, "_with_indices(", random_planes(1, 1, kSpatial, 4), ", 2)"))
      .compose(adaptive_with_indices<kSpatial>);
  if constexpr (kSpatial == 1) {
    with_indices.alias("adaptive_" + name);
  } else {
    const std::string arguments = text("(Tensor input, ", n, " kernel_size, ", n,
                                       "? output_size=None, float[]? output_ratio=None, bool return_indices=False, "
                                       "Tensor? _random_samples=None",
                                       both);
    define(text("nn.functional.fractional_", name, arguments))
        .doc(
            "The largest elements of windows of `kernel_size` that start at random, evenly on the whole, so that any "
            "output size or ratio is possible (Graham 2015).")
        .example(text("torch.nn.functional.fractional_", name, "(", random_planes(1, 2, kSpatial, 6), ", 2, 3).shape"))
        .compose(fractional_of<kSpatial>);
    define(text("nn.functional.fractional_", name, "_with_indices", arguments))
        .doc("`fractional_max_pool` with the positions in the flattened plane.")
        .example(text("torch.nn.functional.fractional_", name, "_with_indices(", random_planes(1, 1, kSpatial, 4),
                      ", 2, 2)"))
        .compose(fractional_with_indices<kSpatial>);
  }
}

}  // namespace

void define_adaptive_max_pool(const Family& define) {
  define(adaptive_base, "_adaptive_max_pool(Tensor input, int[] output_size) -> (Tensor output, IndexTensor indices)")
      .doc("The largest elements of windows that share the last dimensions out evenly.")
      .node("AdaptiveMaxPoolBackward0")
      .forward(adaptive_forward)
      .grad("input",
            [](Tensor g, Result, Result positions, Meta x) { return ops::max_pool_backward(g, positions, x.sizes()); });
  define(fractional_base,
         "_fractional_max_pool(Tensor input, int[] kernel_size, int[] output_size, Tensor samples) -> (Tensor output, "
         "IndexTensor indices)")
      .doc("The largest elements of windows with random starts.")
      .node("FractionalMaxPoolBackward0")
      .forward(fractional_forward)
      .grad("input",
            [](Tensor g, Result, Result positions, Meta x) { return ops::max_pool_backward(g, positions, x.sizes()); });
  define_shared_out<1>(define);
  define_shared_out<2>(define);
  define_shared_out<3>(define);
}

}  // namespace facula
