// Pooling by the largest element.
#include "core/ops/families.h"
#include "core/ops/pool_window.h"

namespace facula {
namespace {

std::tuple<Tensor, Tensor> max_pool_forward(Out& out, const Tensor& x, const IntList& kernel, const IntList& stride,
                                            const IntList& padding, const IntList& dilation, bool ceil_mode) {
  const std::string op = text("max_pool", kernel.size(), "d");
  check(!is_complex(x.dtype()) && x.dtype() != DType::Bool, op, ": expected real numbers that are not bool, got ",
        x.dtype());
  const Sizes sizes = pooled_sizes(op, x.sizes(), kernel, stride, padding, dilation, ceil_mode);
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
  const Results both = max_pool_base.all(
      {batch ? x : ops::unsqueeze(x, 0), kernel, stride.value_or(kernel), padding, dilation, ceil_mode});
  Results results;
  results.push(batch ? both.tensor(0) : ops::select(both.tensor(0), 0, 0));
  if (return_indices) results.push(batch ? both.tensor(1) : ops::select(both.tensor(1), 0, 0));
  return results;
}

template <int kSpatial>
Results max_pool_with_indices(const Tensor& x, const IntList& kernel, const OptInts& stride, const IntList& padding,
                              const IntList& dilation, bool ceil_mode, bool) {
  return max_pool_of<kSpatial>(x, kernel, stride, padding, dilation, ceil_mode, true);
}

template <int kSpatial>
void define_max_pool(const Family& define) {
  const std::string name = text("max_pool", kSpatial, "d"), n = text("int[", kSpatial, ']');
  const std::string arguments =
      text("(Tensor input, ", n, " kernel_size, ", n, "? stride=None, ", n, " padding=0, ", n,
           " dilation=1, bool ceil_mode=False, bool return_indices=False) -> (Tensor output, IndexTensor indices)");
  define(name + arguments)
      .doc(text("The largest element of each window of ", kSpatial,
                " dimensions; `stride` is the kernel's size if not given. With ",
                "`return_indices` also its position in the flattened plane."))
      .example(text("torch.nn.functional.", name, "(", random_planes(1, 2, kSpatial, 6), ", 2).shape"))
      .alias("nn.functional." + name)
      .compose(max_pool_of<kSpatial>);
  Definition both = define(text("nn.functional.", name, "_with_indices", arguments));
  both.doc(text("`", name, "` with the positions in the flattened plane."))
      .example(text("torch.nn.functional.", name, "_with_indices(", random_planes(1, 1, kSpatial, 4), ", 2)"))
      .compose(max_pool_with_indices<kSpatial>);
  if constexpr (kSpatial == 1) both.alias(name + "_with_indices");
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
        return ops::reshape(ops::gather(ops::flatten(g, 2), 2, ops::flatten(positions, 2)), first.sizes());
      });
  define_max_pool<1>(define);
  define_max_pool<2>(define);
  define_max_pool<3>(define);
}

}  // namespace facula
