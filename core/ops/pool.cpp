// Pooling.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {
namespace {

// (size + 2 padding - reach) / stride + 1, rounded up with ceil_mode as long as the last window begins inside.
int64_t pooled_size(int64_t size, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation, bool ceil_mode) {
  const int64_t room = size + 2 * padding - dilation * (kernel - 1) - 1 + (ceil_mode ? stride - 1 : 0);
  if (room < 0) return 0;
  int64_t n = room / stride + 1;
  if (ceil_mode && (n - 1) * stride >= size + padding) --n;
  return n;
}

std::tuple<Tensor, Tensor> max_pool_forward(Out& out, const Tensor& x, const IntList& kernel, const IntList& stride,
                                            const IntList& padding, const IntList& dilation, bool ceil_mode) {
  const auto spatial = static_cast<int64_t>(kernel.size());
  const std::string op = text("max_pool", spatial, "d");
  check(!is_complex(x.dtype()), op, ": complex numbers have no order");
  Sizes sizes{x.size(0), x.size(1)};
  for (int64_t d = 0; d < spatial; ++d) {
    const auto i = static_cast<size_t>(d);
    check(kernel[i] > 0 && stride[i] > 0 && dilation[i] > 0, op, ": kernel, stride and dilation must be positive, got ",
          kernel, ", ", stride, " and ", dilation);
    check(padding[i] >= 0 && padding[i] <= kernel[i] / 2, op, ": padding must be within 0 and half of the kernel, got ",
          padding, " for ", kernel);
    const int64_t n = pooled_size(x.size(d + 2), kernel[i], stride[i], padding[i], dilation[i], ceil_mode);
    check(n > 0 && x.size(d + 2) > 0, op, ": the kernel ", kernel, " does not fit into ", x.sizes());
    sizes.push_back(n);
  }
  const Tensor y = out.make(0, sizes, x.dtype()), positions = out.make(1, sizes, DType::Int64);
  slots::max_pool(y, positions, dense(x), kernel, stride, padding, dilation);
  return {y, positions};
}

Tensor max_pool_backward_forward(Out& out, const Tensor& g, const Tensor& positions, const IntList& size) {
  const Tensor dx = out.make(size, g.dtype());
  slots::max_pool_backward(dx, dense(g), dense(positions));
  return dx;
}

Op max_pool_base;

template <int kSpatial>
Results max_pool_of(const Tensor& x, const IntList& kernel, const OptInts& stride, const IntList& padding,
                    const IntList& dilation, bool ceil_mode, bool return_indices) {
  const bool batch = x.dim() == kSpatial + 2;
  check(batch || x.dim() == kSpatial + 1, "max_pool", kSpatial, "d: expected ", kSpatial + 2, " dimensions, or ",
        kSpatial + 1, " without a batch, got ", x.sizes());
  check(x.size(batch ? 1 : 0) > 0, "max_pool", kSpatial, "d: the input ", x.sizes(), " has no channels");
  const Results both = max_pool_base.all({batch ? x : ops::unsqueeze(x, 0), kernel,
                                          stride && !stride->empty() ? *stride : kernel, padding, dilation, ceil_mode});
  Results results;
  results.push(batch ? both.tensor(0) : ops::select(both.tensor(0), 0, 0));
  if (return_indices) results.push(batch ? both.tensor(1) : ops::select(both.tensor(1), 0, 0));
  return results;
}

template <int kSpatial>
void define_max_pool(const Family& define) {
  const std::string name = text("max_pool", kSpatial, "d"), n = text("int[", kSpatial, ']');
  define(text(name, "(Tensor input, ", n, " kernel_size, ", n, "? stride=None, ", n, " padding=0, ", n,
              " dilation=1, bool ceil_mode=False, bool return_indices=False) -> (Tensor output, IndexTensor indices)"))
      .doc(text("The largest element of each window of ", kSpatial,
                " dimensions; `stride` is the kernel's size if not given. With ",
                "`return_indices` also its position in the flattened plane."))
      .alias("nn.functional." + name)
      .compose(max_pool_of<kSpatial>);
}

}  // namespace

void define_pool(const Family& define) {
  define(max_pool_base,
         "_max_pool(Tensor input, int[] kernel_size, int[] stride, int[] padding, int[] dilation, bool ceil_mode) -> "
         "(Tensor output, IndexTensor indices)")
      .doc("The largest element of each window, and its position in the flattened plane.")
      .node("MaxPoolBackward0")
      .forward(max_pool_forward)
      .grad("input",
            [](Tensor g, Result, Result positions, Meta x) { return ops::max_pool_backward(g, positions, x.sizes()); });
  define(ops::max_pool_backward,
         "_max_pool_backward(Tensor grad_output, IndexTensor indices, int[] input_size) -> Tensor")
      .doc("The adjoint of taking elements from planes: adds them back at their positions.")
      .forward(max_pool_backward_forward)
      .grad("grad_output", [](Tensor g, Meta first, Tensor positions) {
        const Sizes planes{positions.size(0), positions.size(1), -1};
        return ops::reshape(
            ops::gather(ops::reshape(g, {g.size(0), g.size(1), -1}), 2, ops::reshape(positions, planes)),
            first.sizes());
      });
  define_max_pool<1>(define);
  define_max_pool<2>(define);
  define_max_pool<3>(define);
}

}  // namespace facula
