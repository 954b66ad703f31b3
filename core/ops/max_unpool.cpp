// The inverse of pooling by the largest element: numbers back at their positions, zeros elsewhere.
#include "core/ops/families.h"
#include "core/ops/pool_window.h"

namespace facula {
namespace {

using L = IntList;

Op max_unpool_base;

Tensor max_unpool_forward(Out& out, const Tensor& x, const Tensor& positions, const IntList& size) {
  const Tensor y = out.make(with_last(x.sizes(), size), x.dtype());
  if (y.is_meta() || y.numel() == 0) return y;
  slots::fill(y, 0);
  if (x.numel() == 0) return y;
  int64_t planes = 1;
  for (size_t d = 0; d < x.sizes().size() - size.size(); ++d) planes *= x.sizes()[d];
  auto flat = [&](const Tensor& t) {
    return t.alias({planes, t.numel() / planes}, {t.numel() / planes, 1}, t.offset());
  };
  slots::scatter(flat(y), 1, flat(dense(converted(positions, DType::Int64))), flat(dense(x)));
  return y;
}

Tensor taken(const Tensor& g, const Tensor& positions, const IntList& size) {
  const auto planes = static_cast<int64_t>(g.sizes().size() - size.size());
  const Tensor at = ops::flatten(ops::to_dtype(positions, DType::Int64), planes);
  return ops::reshape(ops::gather(ops::flatten(g, planes), planes, at), positions.sizes());
}

// `given` may have all of the result's sizes or those of the planes, each within a stride of the default.
IntList unpooled_size(const std::string& op, const Tensor& x, const IntList& kernel, const IntList& stride,
                      const IntList& padding, const OptInts& given) {
  const size_t spatial = kernel.size();
  IntList sizes(spatial);
  if (given)
    check(given->size() == spatial || given->size() == spatial + 2, op, ": output_size must have ", spatial, " or ",
          spatial + 2, " numbers, got ", *given);
  for (size_t d = 0; d < spatial; ++d) {
    const int64_t n = x.sizes()[x.sizes().size() - spatial + d];
    const int64_t usual =
        saturated_sum(saturated_product(n - 1, stride[d]), saturated_sum(kernel[d], -saturated_product(2, padding[d])));
    sizes[d] = given ? (*given)[given->size() - spatial + d] : usual;
    check(!given || (saturated_sum(usual, -stride[d]) < sizes[d] && sizes[d] < saturated_sum(usual, stride[d])), op,
          ": output_size must be within ", usual, " and a stride of ", stride[d], " around it, got ", *given);
    check(sizes[d] > 0, op, ": the result would have size ", sizes[d], " at dimension ",
          Counting::shown(x.dim() - static_cast<int64_t>(spatial - d)));
  }
  return sizes;
}

void check_positions(const std::string& op, const Tensor& positions, const IntList& size) {
  if (positions.is_meta() || positions.numel() == 0) return;
  int64_t plane = 1;
  for (const int64_t n : size) plane = saturated_product(plane, n);
  NoGrad guard;
  const int64_t low = item(ops::amin(positions)).to<int64_t>(), high = item(ops::amax(positions)).to<int64_t>();
  check(1 <= low && high <= plane, op, ": position ", low < 1 ? low : high, " is outside 1..", plane, ", the plane ",
        size);
}

template <int kSpatial>
Tensor max_unpool_of(const Tensor& x, const Tensor& positions, const IntList& kernel, const OptInts& stride,
                     const IntList& padding, const OptInts& output_size) {
  const std::string op = text("max_unpool", kSpatial, "d");
  check_planes(op, x, kSpatial);
  check(is_integral(positions.dtype()) && positions.sizes() == x.sizes(), op, ": indices must be integers of sizes ",
        x.sizes(), ", got ", positions.dtype(), " of ", positions.sizes());
  const IntList step = stride.value_or(kernel);
  for (int d = 0; d < kSpatial; ++d)
    check(kernel[d] > 0 && step[d] > 0 && padding[d] >= 0, op,
          ": kernel and stride must be positive, padding not negative, got ", kernel, ", ", step, " and ", padding);
  const IntList size = unpooled_size(op, x, kernel, step, padding, output_size);
  check_positions(op, positions, size);
  return max_unpool_base(x, positions, size);
}

template <int kSpatial>
void define_max_unpool_of(const Family& define) {
  const std::string n = text("int[", kSpatial, ']'), space = "torch.nn.functional.";
  define(text("nn.functional.max_unpool", kSpatial, "d(Tensor input, IndexTensor indices, ", n, " kernel_size, ", n,
              "? stride=None, ", n, " padding=0, int[]? output_size=None) -> Tensor"))
      .doc(text(
          "Puts numbers back at the positions in the flattened plane that `max_pool", kSpatial,
          "d` returned, with zeros elsewhere. Planes get `(n - 1) * stride - 2 * padding + kernel_size` positions, "
          "or those of `output_size`."))
      .example(text("local y, at = ", space, "max_pool", kSpatial, "d(", random_planes(1, 1, kSpatial, 4),
                    ", 2, {return_indices=true}) print(", space, "max_unpool", kSpatial, "d(y, at, 2))"))
      .compose(max_unpool_of<kSpatial>);
}

}  // namespace

void define_max_unpool(const Family& define) {
  define(max_unpool_base, "_max_unpool(Tensor input, IndexTensor indices, int[] output_size) -> Tensor")
      .doc("The elements at their positions in planes of zeros.")
      .node("MaxUnpoolBackward0")
      .forward(max_unpool_forward)
      .grad("input", [](Tensor g, Meta, Tensor positions, L size) { return taken(g, positions, size); });
  define_max_unpool_of<1>(define);
  define_max_unpool_of<2>(define);
  define_max_unpool_of<3>(define);
}

}  // namespace facula
