// Images read between their pixels. Sampling is linear in the image, and its derivative by the places reads the
// interpolant's derivative; with the order of that derivative as an argument, three operators are closed under
// differentiation.
#include "core/ops/families.h"
#include "core/ops/pool_window.h"

namespace facula {
namespace {

using L = IntList;
using S = std::string;

Op sample, sample_input, sample_grid;

GridSampling sampling_of(const S& mode, const S& padding, bool align_corners, const IntList& order) {
  GridSampling s;
  s.mode = mode == "nearest"   ? GridSampling::Mode::Nearest
           : mode == "bicubic" ? GridSampling::Mode::Cubic
                               : GridSampling::Mode::Linear;
  s.padding = padding == "border"       ? GridSampling::Padding::Border
              : padding == "reflection" ? GridSampling::Padding::Reflection
                                        : GridSampling::Padding::Zeros;
  s.align_corners = align_corners;
  s.order = order;
  return s;
}

Tensor sample_forward(Out& out, const Tensor& x, const Tensor& grid, const S& mode, const S& padding, bool align,
                      const IntList& order) {
  Sizes sizes{x.size(0), x.size(1)};
  for (int64_t d = 1; d < grid.dim() - 1; ++d) sizes.push_back(grid.size(d));
  const Tensor y = out.make(sizes, x.dtype());
  slots::grid_sample(y, dense(x), dense(grid), sampling_of(mode, padding, align, order));
  return y;
}
Tensor sample_input_forward(Out& out, const Tensor& g, const Tensor& grid, const IntList& size, const S& mode,
                            const S& padding, bool align, const IntList& order) {
  const Tensor dx = out.make(size, g.dtype());
  slots::grid_sample_input(dx, dense(g), dense(grid), sampling_of(mode, padding, align, order));
  return dx;
}
Tensor sample_grid_forward(Out& out, const Tensor& g, const Tensor& x, const Tensor& grid, const S& mode,
                           const S& padding, bool align, const IntList& order) {
  const Tensor dgrid = out.make(grid.sizes(), g.dtype());
  slots::grid_sample_grid(dgrid, dense(g), dense(x), dense(grid), sampling_of(mode, padding, align, order));
  return dgrid;
}

// The sum over the coordinates d of term(v[..., d] as a channel, order with one more at d).
template <class Term>
Tensor over_coordinates(const Tensor& v, const IntList& order, Term term) {
  Tensor sum;
  for (size_t d = 0; d < order.size(); ++d) {
    IntList next = order;
    ++next[d];
    const Tensor part = term(ops::unsqueeze(ops::select(v, -1, static_cast<int64_t>(d)), 1), next);
    sum = d == 0 ? part : sum + part;
  }
  return sum;
}

Tensor grid_sample_of(const Tensor& x, const Tensor& grid, const S& mode, const S& padding,
                      std::optional<bool> align_corners) {
  check(mode == "bilinear" || mode == "nearest" || mode == "bicubic",
        "grid_sample: mode must be 'bilinear', 'nearest' or 'bicubic', got '", mode, "'");
  check(padding == "zeros" || padding == "border" || padding == "reflection",
        "grid_sample: padding_mode must be 'zeros', 'border' or 'reflection', got '", padding, "'");
  check((x.dim() == 4 || x.dim() == 5) && grid.dim() == x.dim(),
        "grid_sample: expected 4 or 5 dimensions of input and grid, got ", x.sizes(), " and ", grid.sizes());
  check(mode != "bicubic" || x.dim() == 4, "grid_sample: mode 'bicubic' takes 4 dimensions, got ", x.sizes());
  check(is_floating(x.dtype()) && grid.dtype() == x.dtype(),
        "grid_sample: input and grid must be of one floating dtype, got ", x.dtype(), " and ", grid.dtype());
  check(grid.size(0) == x.size(0) && grid.size(-1) == x.dim() - 2, "grid_sample: an input of ", x.sizes(),
        " expects a grid of sizes (", x.size(0), ", ..., ", x.dim() - 2, "), got ", grid.sizes());
  for (int64_t d = 2; d < x.dim(); ++d) check(x.size(d) > 0, "grid_sample: the input ", x.sizes(), " has no pixels");
  const IntList order(x.sizes().size() - 2, 0);
  const bool align = align_corners.value_or(false);
  if (item_size(x.dtype()) >= 4) return sample(x, grid, mode, padding, align, order);
  const Tensor y =
      sample(ops::to_dtype(x, DType::Float32), ops::to_dtype(grid, DType::Float32), mode, padding, align, order);
  return ops::to_dtype(y, x.dtype());
}

// n coordinates from -1 to 1, of the outermost centres or of the outermost edges.
Tensor coordinates(int64_t n, bool align_corners, DType dtype, Device device) {
  const auto count = static_cast<double>(n);
  const Tensor i = ops::to_device(ops::to_dtype(ops::arange(n), dtype), device);
  if (n == 1) return i;
  return align_corners ? i * (2 / (count - 1)) - 1 : (i * 2 + 1) / count - 1;
}

// grid[n, ...] = theta[n] (coordinates, 1)
Tensor affine_grid_of(const Tensor& theta, const IntList& size, std::optional<bool> align_corners) {
  const auto spatial = static_cast<int64_t>(size.size()) - 2;
  check(spatial == 2 || spatial == 3, "affine_grid: size must have 4 or 5 numbers, got ", size);
  for (const int64_t n : size) check(n > 0, "affine_grid: sizes must be positive, got ", size);
  check(is_floating(theta.dtype()), "affine_grid: theta must be floating, got ", theta.dtype());
  check(theta.sizes() == Sizes({size[0], spatial, spatial + 1}), "affine_grid: size ", size, " expects theta of sizes ",
        Sizes({size[0], spatial, spatial + 1}), ", got ", theta.sizes());
  Sizes places(size.begin() + 2, size.end()), one(places.size(), 1);
  numel_of(size);
  Tensors columns;
  for (int64_t d = spatial - 1; d >= 0; --d) {
    Sizes along = one;
    along[d] = places[d];
    columns.push_back(ops::expand(
        ops::reshape(coordinates(places[d], align_corners.value_or(false), theta.dtype(), theta.device()), along),
        places));
  }
  columns.push_back(ops::ones_like(columns[0]));
  const Tensor base = ops::reshape(ops::stack(columns, -1), {-1, spatial + 1});
  Sizes result{size[0]};
  for (const int64_t n : places) result.push_back(n);
  result.push_back(spatial);
  return ops::reshape(ops::matmul(base, ops::transpose(theta, 1, 2)), result);
}

}  // namespace

#define SAMPLING "str mode, str padding_mode, bool align_corners, int[] order) -> Tensor"

void define_grid_sample(const Family& define) {
  define(sample, "_grid_sample(Tensor input, Tensor grid, " SAMPLING)
      .doc("Images at the places of a grid, or a derivative of the interpolant there.")
      .node("GridSampleBackward0")
      .forward(sample_forward)
      .grad("input", [](Tensor g, Meta x, Tensor grid, S mode, S padding, bool align,
                        L order) { return sample_input(g, grid, x.sizes(), mode, padding, align, order); })
      .grad("grid", [](Tensor g, Tensor x, Tensor grid, S mode, S padding, bool align, L order) {
        return sample_grid(g, x, grid, mode, padding, align, order);
      });
  define(sample_input, "_grid_sample_input(Tensor grad_output, Tensor grid, int[] input_size, " SAMPLING)
      .doc("The adjoint of sampling: numbers spread to the pixels around their places.")
      .forward(sample_input_forward)
      .grad("grad_output", [](Tensor g, Meta, Tensor grid, L, S mode, S padding, bool align,
                              L order) { return sample(g, grid, mode, padding, align, order); })
      .grad("grid", [](Tensor g, Tensor first, Tensor grid, L, S mode, S padding, bool align, L order) {
        return sample_grid(first, g, grid, mode, padding, align, order);
      });
  define(sample_grid, "_grid_sample_grid(Tensor grad_output, Tensor input, Tensor grid, " SAMPLING)
      .doc("The derivative of sampling by the places.")
      .forward(sample_grid_forward)
      .grad("grad_output",
            [](Tensor g, Meta, Tensor x, Tensor grid, S mode, S padding, bool align, L order) {
              return over_coordinates(g, order, [&](const Tensor& v, const L& next) {
                return v * sample(x, grid, mode, padding, align, next);
              });
            })
      .grad("input",
            [](Tensor g, Tensor first, Meta x, Tensor grid, S mode, S padding, bool align, L order) {
              return over_coordinates(g, order, [&](const Tensor& v, const L& next) {
                return sample_input(v * first, grid, x.sizes(), mode, padding, align, next);
              });
            })
      .grad("grid", [](Tensor g, Tensor first, Tensor x, Tensor grid, S mode, S padding, bool align, L order) {
        return over_coordinates(g, order, [&](const Tensor& v, const L& next) {
          return sample_grid(v * first, x, grid, mode, padding, align, next);
        });
      });
  define(
      "nn.functional.grid_sample(Tensor input, Tensor grid, str mode='bilinear', str padding_mode='zeros', bool? "
      "align_corners=None) -> Tensor")
      .doc(
          "Images [N, C, H, W] at the places in `grid` [N, H', W', 2], or [N, C, D, H, W] at [N, D', H', W', 3]: x, y "
          "and "
          "z from -1 to 1 across the image. Modes: 'bilinear', 'nearest', 'bicubic' (Keys 1981, a = -0.75). Outside "
          "are "
          "'zeros', the 'border', or its 'reflection'. With `align_corners` -1 and 1 are the centres of the corner "
          "pixels, "
          "otherwise their outer edges.")
      .example(
          "torch.nn.functional.grid_sample(torch.randn(1, 3, 8, 8), torch.zeros(1, 2, 2, 2), "
          "{align_corners=false}).shape")
      .compose(grid_sample_of);
  define("nn.functional.affine_grid(Tensor theta, int[] size, bool? align_corners=None) -> Tensor")
      .doc(
          "Grids for `grid_sample`: the places of an image of `size` [N, C, H, W] or [N, C, D, H, W] after the affine "
          "maps "
          "`theta` [N, 2, 3] or [N, 3, 4].")
      .example("torch.nn.functional.affine_grid(torch.tensor{{{1, 0, 0}, {0, 1, 0}}}, {1, 1, 2, 2}, false)")
      .compose(affine_grid_of);
}

}  // namespace facula
