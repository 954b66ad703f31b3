// Sizes of reductions, and their gradients' way back.
#pragma once

#include <tuple>

#include "core/ops.h"
#include "core/slots.h"

namespace facula {

/// `dims` with size 1.
inline Sizes kept(const Sizes& sizes, const IntList& dims) {
  Sizes s = sizes;
  for (const int64_t d : dims) s[static_cast<size_t>(d)] = 1;
  return s;
}
/// Without `dims`, or with size 1 there.
inline Sizes reduced(const Sizes& sizes, const IntList& dims, bool keepdim) {
  if (keepdim) return kept(sizes, dims);
  Sizes s;
  for (size_t d = 0; d < sizes.size(); ++d)
    if (!dims.contains(static_cast<int64_t>(d))) s.push_back(sizes[d]);
  return s;
}
/// One dimension or all; none of a tensor without dimensions.
inline IntList dims_of(const Sizes& sizes, OptInt dim) {
  if (dim) return sizes.empty() ? IntList{} : IntList{*dim};
  IntList all(sizes.size());
  for (size_t d = 0; d < all.size(); ++d) all[d] = static_cast<int64_t>(d);
  return all;
}

/// `y`, made without `dims` of x, as the kernels want it: with size 1 for them.
inline Tensor with_kept(const Tensor& y, const Sizes& x, const IntList& dims) {
  if (y.sizes().size() == x.size()) return y;
  IntList strides(x.size(), 1);
  size_t from = 0;
  for (size_t d = 0; d < x.size(); ++d)
    if (!dims.contains(static_cast<int64_t>(d))) strides[d] = y.strides()[from++];
  return y.alias(kept(x, dims), strides, y.offset());
}

/// The gradient or result of a reduction, stretched over what was reduced.
inline Tensor restored(const Tensor& y, const Sizes& sizes, const IntList& dims) {
  return ops::expand(ops::reshape(y, kept(sizes, dims)), sizes);
}

inline void check_not_empty(const char* name, const Tensor& x, const IntList& dims) {
  for (const int64_t d : dims)
    check(x.size(d) > 0, name, ": dimension ", Counting::shown(d), " of ", x.sizes(),
          " has no elements to choose from");
}

/// The gradient goes to the position that was chosen.
inline Tensor chosen_gradient(Tensor g, const Tensor& positions, const Meta& x, int64_t dim) {
  if (x.dim() == 0) return g;
  const Sizes sizes = kept(x.sizes(), {dim});
  return ops::scatter_add(ops::zero_(empty(x.sizes(), g.dtype(), g.device())), dim, ops::reshape(positions, sizes),
                          ops::reshape(g, sizes));
}

/// The two results of a choice along `dim`, written by choose(values, positions, x) for tensors with dimensions.
template <class Choose>
std::tuple<Tensor, Tensor> chosen_along(Out& out, const char* name, const Tensor& x, int64_t dim, bool keepdim,
                                        Choose choose) {
  check(!is_complex(x.dtype()), name, ": complex numbers have no order");
  const IntList dims = dims_of(x.sizes(), dim);
  check_not_empty(name, x, dims);
  const Sizes sizes = reduced(x.sizes(), dims, keepdim);
  const Tensor values = out.make(0, sizes, x.dtype()), positions = out.make(1, sizes, DType::Int64);
  if (x.dim() == 0) {
    slots::copy(values, x);
    slots::fill(positions, 1);
  } else {
    choose(with_kept(values, x.sizes(), dims), with_kept(positions, x.sizes(), dims), x);
  }
  return {values, positions};
}

}  // namespace facula
