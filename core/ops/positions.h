// What operators that read and write at positions have in common. Index tensors count from 1.
#pragma once

#include "core/operator.h"

namespace facula {

/// Integers of any dtype as int64.
Tensor positions_of(const char* name, const Tensor& index);
/// The same for operators that take int64 only, as in PyTorch.
Tensor exact_positions(const char* name, const Tensor& index);

/// A tensor without dimensions as one with a dimension of size 1.
Tensor at_least_1d(const Tensor& x);
/// A result that begins as `self`: self itself in place, otherwise a copy.
Tensor start_from(Out& out, const Tensor& self);
/// `x`, or a copy if writing to `y` could change it.
Tensor apart(const Tensor& x, const Tensor& y);

/// `index` has as many dimensions as `x`, and with `other_dims` is not larger but along `dim`.
void check_window(const char* name, const Tensor& x, int64_t dim, const Tensor& index, bool other_dims);
/// `src` has self's dtype and at least index's sizes.
void check_source(const char* name, const Tensor& self, const Tensor& index, const Tensor& src);
/// `src` has self's dtype, a slice for each of the positions (1-dim), and self's sizes in the other dimensions.
void check_slices(const char* name, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src);

/// The gradient of a source of which the part of index's sizes was used, from that part's.
Tensor padded_to(const Tensor& part, const Meta& src);

}  // namespace facula
