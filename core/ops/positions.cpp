#include "core/ops/positions.h"

#include "core/ops.h"
#include "core/pointwise.h"
#include "core/slots.h"

namespace facula {

Tensor positions_of(const char* name, const Tensor& index) {
  check(is_integral(index.dtype()), name, ": positions must be integers, got ", index.dtype());
  return converted(index, DType::Int64);
}

Tensor exact_positions(const char* name, const Tensor& index) {
  check(index.dtype() == DType::Int64 || index.numel() == 0, name, ": positions must be int64, got ", index.dtype());
  return converted(index, DType::Int64);
}

Tensor at_least_1d(const Tensor& x) { return x.dim() > 0 ? x : x.alias({1}, {1}, x.offset()); }

Tensor start_from(Out& out, const Tensor& self) {
  const Tensor y = out.make(self.sizes(), self.dtype());
  if (!y.is(self)) slots::copy(y, self);
  return y;
}

Tensor apart(const Tensor& x, const Tensor& y) {
  if (!may_share(x, y)) return x;
  const Tensor copy = empty(x.sizes(), x.dtype(), x.device());
  slots::copy(copy, x);
  return copy;
}

void check_window(const char* name, const Tensor& x, int64_t dim, const Tensor& index, bool other_dims) {
  const int64_t rank = std::max<int64_t>(x.dim(), 1);
  check(std::max<int64_t>(index.dim(), 1) == rank, name, ": index ", index.sizes(), " and tensor ", x.sizes(),
        " must have the same number of dimensions");
  for (int64_t d = 0; d < std::min(x.dim(), index.dim()); ++d)
    check(d == dim || !other_dims || index.size(d) <= x.size(d), name, ": index ", index.sizes(), " is larger than ",
          x.sizes(), " at dimension ", Counting::shown(d));
}

static void check_dtypes(const char* name, const Tensor& self, const Tensor& src) {
  check(src.dtype() == self.dtype(), name, ": dtypes differ, 'self' is ", self.dtype(), ", the source ", src.dtype());
}

void check_source(const char* name, const Tensor& self, const Tensor& index, const Tensor& src) {
  check_dtypes(name, self, src);
  check(std::max<int64_t>(src.dim(), 1) == std::max<int64_t>(index.dim(), 1), name, ": index ", index.sizes(),
        " and src ", src.sizes(), " must have the same number of dimensions");
  for (int64_t d = 0; d < std::min(src.dim(), index.dim()); ++d)
    check(index.size(d) <= src.size(d), name, ": index ", index.sizes(), " is larger than src ", src.sizes(),
          " at dimension ", Counting::shown(d));
}

void check_slices(const char* name, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
  check(index.dim() == 1, name, ": the index must be a vector, got ", index.sizes());
  check_dtypes(name, self, src);
  const Tensor x = at_least_1d(self), s = at_least_1d(src);
  bool fits = s.dim() == x.dim() && s.size(dim) == index.size(0);
  for (int64_t d = 0; fits && d < x.dim(); ++d) fits = d == dim || s.size(d) == x.size(d);
  check(fits, name, ": source ", src.sizes(), " does not fit ", index.size(0), " positions of dimension ",
        Counting::shown(dim), " in ", self.sizes());
}

Tensor padded_to(const Tensor& part, const Meta& src) {
  if (src.sizes() == part.sizes()) return part;
  if (src.dim() == 0) return ops::reshape(part, Sizes());
  const Tensor given = part.dim() == 0 ? ops::reshape(part, {1}) : part;
  Tensor whole = src.zeros(), region = whole;
  for (int64_t d = 0; d < src.dim(); ++d) region = ops::narrow(region, d, 0, given.size(d));
  ops::copy_(region, given);
  return whole;
}

}  // namespace facula
