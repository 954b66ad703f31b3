// Differences of neighbours, derivatives and integrals of samples along a dimension.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"

namespace facula {
namespace {

// Elements from `first` on that leave `last` behind; the dimension has at least that many.
Tensor part(const Tensor& x, int64_t dim, int64_t first, int64_t last) {
  return ops::narrow(x, dim, first, x.size(dim) - first - last);
}

// ---- diff ----

void check_joins(const Tensor& x, int64_t dim, const Tensor& other) {
  bool fits = other.dim() == x.dim();
  for (int64_t d = 0; fits && d < x.dim(); ++d) fits = d == dim || other.size(d) == x.size(d);
  check(fits, "diff: ", other.sizes(), " does not join ", x.sizes(), " along dimension ", Counting::shown(dim));
}

Tensor diff_of(const Tensor& given, int64_t n, int64_t dim, const Tensor& prepend, const Tensor& append) {
  check(given.dim() > 0, "diff: expected at least one dimension");
  check(n >= 0, "diff: n must not be negative, got ", n);
  if (n == 0) return ops::clone(given);
  Tensors parts;
  for (const Tensor& t : {prepend, given, append})
    if (t.defined()) check_joins(given, dim, t), parts.push_back(t);
  Tensor x = parts.size() > 1 ? ops::cat(parts, dim) : given;
  for (int64_t i = std::min(n, x.size(dim)); i > 0; --i) {
    if (x.size(dim) == 0) break;
    const Tensor next = part(x, dim, 1, 0), here = part(x, dim, 0, 1);
    x = x.dtype() == DType::Bool ? ops::ne(next, here) : next - here;
  }
  return x;
}

// ---- gradient: central differences inside, one-sided ones of order 1 or 2 at the ends ----

// Samples at equal distances h.
Tensor even_slope(const Tensor& x, int64_t dim, double h, int64_t order) {
  const int64_t n = x.size(dim);
  const auto at = [&](int64_t i) { return ops::narrow(x, dim, i < 0 ? n + i : i, 1); };
  const Tensor inside = (part(x, dim, 2, 0) - part(x, dim, 0, 2)) / (2 * h);
  if (order == 1) return ops::cat({(at(1) - at(0)) / h, inside, (at(-1) - at(-2)) / h}, dim);
  return ops::cat({(at(1) * 4 - at(0) * 3 - at(2)) / (2 * h), inside, (at(-1) * 3 - at(-2) * 4 + at(-3)) / (2 * h)},
                  dim);
}

// Samples at places t [n], by the parabola through three neighbours (Fornberg 1988).
Tensor uneven_slope(const Tensor& x, int64_t dim, const Tensor& places, int64_t order) {
  Sizes sizes(static_cast<size_t>(x.dim()), 1);
  sizes[static_cast<size_t>(dim)] = x.size(dim);
  const Tensor t = ops::reshape(places, sizes), h = part(t, dim, 1, 0) - part(t, dim, 0, 1);
  const Tensor a = part(h, dim, 0, 1), b = part(h, dim, 1, 0), both = a + b;
  const Tensor before = part(x, dim, 0, 2), here = part(x, dim, 1, 1), after = part(x, dim, 2, 0);
  const Tensor inside = before * (-b / (a * both)) + here * ((b - a) / (a * b)) + after * (a / (b * both));
  const int64_t last = h.size(dim) - 1;
  if (order == 1) {
    const Tensor step = x.size(dim) > 1 ? (part(x, dim, 1, 0) - part(x, dim, 0, 1)) / h : x;
    return ops::cat({ops::narrow(step, dim, 0, 1), inside, ops::narrow(step, dim, last, 1)}, dim);
  }
  const auto first = [&](const Tensor& y) { return ops::narrow(y, dim, 0, 1); };
  const auto final = [&](const Tensor& y) { return ops::narrow(y, dim, y.size(dim) - 1, 1); };
  const Tensor start = first(before) * first(-(a * 2 + b) / (a * both)) + first(here) * first(both / (a * b)) -
                       first(after) * first(a / (b * both));
  const Tensor end = final(before) * final(b / (a * both)) - final(here) * final(both / (a * b)) +
                     final(after) * final((a + b * 2) / (b * both));
  return ops::cat({start, inside, end}, dim);
}

IntList dims_or_all(const Tensor& x, const IntList& dims) {
  if (!dims.empty()) return dims;
  IntList all;
  for (int64_t d = 0; d < x.dim(); ++d) all.push_back(d);
  return all;
}

void check_gradient(const Tensor& x, const IntList& dims, size_t spacings, int64_t order) {
  check(order == 1 || order == 2, "gradient: edge_order must be 1 or 2, got ", order);
  check(spacings == dims.size(), "gradient: expected one spacing or one for each of ", dims.size(), " dimensions, got ",
        spacings);
  check(x.dtype() != DType::Bool && x.dtype() != DType::UInt8, "gradient: ", x.dtype(), " is not supported");
  for (const int64_t d : dims)
    check(x.size(d) > order, "gradient: dimension ", Counting::shown(d), " of ", x.sizes(), " needs at least ",
          order + 1, " elements for edge_order ", order);
}

Tensors gradient_even(const Tensor& x, const std::vector<double>& h, const IntList& dim, int64_t order) {
  const IntList dims = dims_or_all(x, dim);
  check_gradient(x, dims, h.size(), order);
  Tensors slopes;
  for (size_t i = 0; i < dims.size(); ++i) slopes.push_back(even_slope(x, dims[i], h[i], order));
  return slopes;
}
Tensors gradient_uneven(const Tensor& x, const Tensors& places, const IntList& dim, int64_t order) {
  const IntList dims = dims_or_all(x, dim);
  check_gradient(x, dims, places.size(), order);
  Tensors slopes;
  for (size_t i = 0; i < dims.size(); ++i) {
    check(places[i].dim() == 1 && places[i].size(0) == x.size(dims[i]), "gradient: the places along dimension ",
          Counting::shown(dims[i]), " must be a vector of ", x.size(dims[i]), " numbers, got ", places[i].sizes());
    slopes.push_back(uneven_slope(x, dims[i], places[i], order));
  }
  return slopes;
}

// ---- integrals by the trapezoid rule ----

void check_numbers(const char* name, const Tensor& t) {
  check(t.dtype() != DType::Bool, name, ": bool is not supported");
}

// The sums of neighbours times the distances of their places, [.., n - 1, ..]: twice the areas.
Tensor areas(const char* name, const Tensor& y, const Tensor& x, int64_t dim) {
  check_numbers(name, y);
  check_numbers(name, x);
  check(x.dim() > 0, name, ": expected places with at least one dimension");
  Tensor t = x;
  Sizes sizes(static_cast<size_t>(std::max(x.dim(), y.dim())), 1);
  if (x.dim() == 1) {
    check(x.size(0) == y.size(dim), name, ": expected a place for each of ", y.size(dim), " samples, got ", x.size(0));
    sizes[static_cast<size_t>(dim)] = x.size(0);
    t = ops::reshape(x, sizes);
  } else if (x.dim() < y.dim()) {
    for (int64_t d = 0; d < x.dim(); ++d) sizes[static_cast<size_t>(y.dim() - x.dim() + d)] = x.size(d);
    t = ops::reshape(x, sizes);
  }
  check(t.dim() > dim && t.size(dim) > 0, name, ": places ", x.sizes(), " do not fit ", y.sizes());
  return (part(t, dim, 1, 0) - part(t, dim, 0, 1)) * (part(y, dim, 1, 0) + part(y, dim, 0, 1));
}
Tensor pairs(const char* name, const Tensor& y, const Scalar& dx, int64_t dim) {
  check_numbers(name, y);
  check(dx.kind() != Category::Bool && !dx.is_complex(), name, ": dx must be a real number, got ", dx);
  return part(y, dim, 1, 0) + part(y, dim, 0, 1);
}

Tensor without(const Tensor& y, int64_t dim) {
  Sizes sizes = y.sizes();
  sizes.erase(static_cast<size_t>(dim));
  return ops::zero_(empty(sizes, is_integral(y.dtype(), true) ? default_dtype() : y.dtype(), y.device()));
}

Tensor trapezoid_places(const Tensor& y, const Tensor& x, int64_t dim) {
  check(y.dim() > 0, "trapezoid: expected at least one dimension");
  if (y.size(dim) == 0) return without(y, dim);
  return ops::sum(areas("trapezoid", y, x, dim), IntList{dim}) / 2;
}
Tensor trapezoid_even(const Tensor& y, const Scalar& dx, int64_t dim) {
  check(y.dim() > 0, "trapezoid: expected at least one dimension");
  if (y.size(dim) == 0) return without(y, dim);
  return ops::sum(pairs("trapezoid", y, dx, dim), IntList{dim}) / 2 * dx;
}
Tensor cumulative_places(const Tensor& y, const Tensor& x, int64_t dim) {
  check(y.dim() > 0 && y.size(dim) > 0, "cumulative_trapezoid: no samples to integrate in ", y.sizes());
  return ops::cumsum(areas("cumulative_trapezoid", y, x, dim), dim) / 2;
}
Tensor cumulative_even(const Tensor& y, const Scalar& dx, int64_t dim) {
  check(y.dim() > 0 && y.size(dim) > 0, "cumulative_trapezoid: no samples to integrate in ", y.sizes());
  return ops::cumsum(pairs("cumulative_trapezoid", y, dx, dim), dim) / 2 * dx;
}

}  // namespace

void define_difference(const Family& define) {
  define("diff(Tensor self, int n=1, Dim dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor")
      .doc(
          "Differences `x[i + 1] - x[i]` along a dimension, taken `n` times, of `self` with `prepend` before and "
          "`append` behind it.")
      .example("torch.diff(torch.tensor{1, 4, 9, 16})")
      .compose(diff_of);

  define("gradient(Tensor self, *, float spacing=1, Dim[] dim=[], int edge_order=1) -> Tensor[]")
      .doc(
          "The derivatives of samples along each dimension in `dim`, all by default: central differences inside, "
          "one-sided ones of order `edge_order` (1 or 2) at the ends. `spacing` is the distance of the samples, a list "
          "with one for each dimension, or a list of vectors with their places.")
      .example("torch.gradient(torch.tensor{1, 4, 9, 16})")
      .compose([](const Tensor& x, double h, const IntList& dim, int64_t order) {
        return gradient_even(x, std::vector<double>(dims_or_all(x, dim).size(), h), dim, order);
      });
  define("gradient:distances(Tensor self, *, float[] spacing, Dim[] dim=[], int edge_order=1) -> Tensor[]")
      .compose(gradient_even);
  define("gradient:places(Tensor self, *, Tensor[] spacing, Dim[] dim=[], int edge_order=1) -> Tensor[]")
      .compose(gradient_uneven);

  define("trapezoid(Tensor y, Tensor x, *, Dim dim=-1) -> Tensor")
      .doc("The integral of samples `y` along a dimension by the trapezoid rule; they lie at `x`, or `dx` apart.")
      .example("torch.trapezoid(torch.tensor{1, 2, 4})")
      .alias("trapz")
      .compose(trapezoid_places);
  define("trapezoid:dx(Tensor y, *, Scalar dx=1, Dim dim=-1) -> Tensor").alias("trapz").compose(trapezoid_even);
  define("cumulative_trapezoid(Tensor y, Tensor x, *, Dim dim=-1) -> Tensor")
      .doc(
          "The integrals of samples `y` along a dimension up to each one after the first, by the trapezoid rule; they "
          "lie at `x`, or `dx` apart.")
      .example("torch.cumulative_trapezoid(torch.tensor{1, 2, 4})")
      .compose(cumulative_places);
  define("cumulative_trapezoid:dx(Tensor y, *, Scalar dx=1, Dim dim=-1) -> Tensor").compose(cumulative_even);
}

}  // namespace facula
