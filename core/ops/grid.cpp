// Tensors stretched against each other, and the ways to combine their elements.
#include "core/ops.h"
#include "core/ops/families.h"
#include "core/pointwise.h"

namespace facula {
namespace {

Tensors broadcast_tensors_of(const Tensors& tensors) {
  Sizes sizes;
  for (const Tensor& t : tensors) sizes = broadcast(sizes, t.sizes(), "broadcast_tensors");
  Tensors stretched;
  for (const Tensor& t : tensors) stretched.push_back(ops::expand(t, sizes));
  return stretched;
}

// Tensor k varies along dimension k; with 'xy' the first two dimensions are exchanged.
Tensors meshgrid_of(const Tensors& tensors, const std::string& indexing) {
  check(!tensors.empty(), "meshgrid: the list of tensors is empty");
  check(indexing == "ij" || indexing == "xy", "meshgrid: indexing must be 'ij' or 'xy', got '", indexing, "'");
  const bool exchanged = indexing == "xy" && tensors.size() >= 2;
  auto place = [&](size_t k) { return exchanged && k < 2 ? 1 - k : k; };
  Sizes sizes(tensors.size());
  for (size_t k = 0; k < tensors.size(); ++k) {
    const Tensor& t = tensors[k];
    check(t.dim() <= 1, "meshgrid: expected vectors and numbers, tensor ", k + static_cast<size_t>(Counting::base()),
          " has sizes ", t.sizes());
    check(t.dtype() == tensors[0].dtype(), "meshgrid: dtypes differ, ", tensors[0].dtype(), " and ", t.dtype());
    sizes[place(k)] = t.numel();
  }
  Tensors grids;
  for (size_t k = 0; k < tensors.size(); ++k) {
    Sizes along(sizes.size(), 1);
    along[place(k)] = tensors[k].numel();
    grids.push_back(ops::expand(ops::reshape(tensors[k], along), sizes));
  }
  return grids;
}

Tensor cartesian_prod_of(const Tensors& tensors) {
  check(!tensors.empty(), "cartesian_prod: the list of tensors is empty");
  for (const Tensor& t : tensors) check(t.dim() == 1, "cartesian_prod: expected vectors, got sizes ", t.sizes());
  if (tensors.size() == 1) return tensors[0];
  Tensors columns;
  for (const Tensor& grid : meshgrid_of(tensors, "ij")) columns.push_back(ops::reshape(grid, {-1}));
  return ops::stack(columns, 1);
}

// ---- combinations ----

// n over r.
int64_t choices(int64_t n, int64_t r) {
  if (r > n) return 0;
  r = std::min(r, n - r);
  int64_t count = 1;
  for (int64_t k = 1; k <= r; ++k) {
    check(!__builtin_mul_overflow(count, n - r + k, &count), "combinations: ", r, " of ", n,
          " are more than can be counted");
    count /= k;
  }
  return count;
}

// All rows of r positions of 1..n in lexicographic order: rising, or not falling where they may repeat.
Tensor chosen_positions(int64_t n, int64_t r, bool repeated) {
  const int64_t count = repeated ? (n == 0 ? 0 : choices(n + r - 1, r)) : choices(n, r), step = repeated ? 0 : 1;
  const Tensor rows = empty({count, r}, DType::Int64);
  int64_t* row = rows.data<int64_t>();
  for (int64_t k = 0; count > 0 && k < r; ++k) row[k] = 1 + k * step;
  for (int64_t i = 1; i < count; ++i, row += r) {
    std::copy_n(row, r, row + r);
    int64_t k = r - 1;  // the last position that can go on
    while (row[k] == n - (r - 1 - k) * step) --k;
    row[r + k] += 1;
    for (int64_t m = k + 1; m < r; ++m) row[r + m] = row[r + m - 1] + step;
  }
  return rows;
}

Tensor combinations_of(const Tensor& x, int64_t r, bool with_replacement) {
  check(x.dim() == 1, "combinations: expected a vector, got sizes ", x.sizes());
  check(r >= 0, "combinations: r must not be negative, got ", r);
  if (r == 0) return empty({0}, x.dtype(), x.device());
  check(r < INT64_MAX / 2, "combinations: r is too large, got ", r);
  return ops::index(x, {moved(chosen_positions(x.numel(), r, with_replacement), x.device())});
}

// ---- powers ----

// Column j is x^j, from running products.
Tensor vander_of(const Tensor& given, OptInt n, bool increasing) {
  check(given.dim() == 1, "vander: expected a vector, got sizes ", given.sizes());
  const int64_t columns = n.value_or(given.size(0));
  check(columns >= 0, "vander: N must not be negative, got ", columns);
  const Tensor x = is_integral(given.dtype(), true) ? ops::to_dtype(given, DType::Int64) : given;
  if (columns == 0) return empty({x.size(0), 0}, x.dtype(), x.device());
  const Tensor column = ops::unsqueeze(x, 1);
  const Tensor factors = ops::cat({ops::ones_like(column), ops::expand(column, {x.size(0), columns - 1})}, 1);
  const Tensor powers = ops::cumprod(factors, 1);
  return increasing ? powers : ops::flip(powers, IntList{1});
}

}  // namespace

void define_grid(const Family& define) {
  define("broadcast_tensors(Tensor[]... tensors) -> Tensor[]")
      .doc("Views of the tensors, stretched to common sizes.")
      .example("torch.broadcast_tensors(torch.arange(3), torch.zeros(2, 1))")
      .compose(broadcast_tensors_of);
  define("broadcast_to(Tensor self, int[] size) -> Tensor")
      .doc("`self` stretched to `size`; the same as expand.")
      .example("torch.arange(3):broadcast_to({2, 3})")
      .compose([](const Tensor& x, const IntList& size) { return ops::expand(x, size); });
  define("meshgrid(Tensor[]... tensors, *, str indexing='ij') -> Tensor[]")
      .doc(
          "For vectors of m, n ... elements as many grids (m, n, ...), the k-th varying along dimension k. With "
          "indexing 'xy' the first\ntwo dimensions are exchanged.")
      .example("torch.meshgrid(torch.arange(3), torch.arange(2), {indexing = 'ij'})")
      .compose(meshgrid_of);
  define("cartesian_prod(Tensor[]... tensors) -> Tensor")
      .doc("All rows with one element of each vector, in order.")
      .example("torch.cartesian_prod(torch.arange(2), torch.arange(3))")
      .compose(cartesian_prod_of);
  define("combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor")
      .doc("All choices of `r` elements of a vector, a row each; with replacement an element may come again.")
      .example("torch.combinations(torch.arange(4), 2)")
      .compose(combinations_of);
  define("vander(Tensor x, int? N=None, bool increasing=False) -> Tensor")
      .doc(
          "The Vandermonde matrix of a vector: column j of `N` (the length of `x`) holds the powers N - j, or j - 1 if "
          "increasing.")
      .example("torch.vander(torch.tensor{1, 2, 3})")
      .compose(vander_of);
}

}  // namespace facula
